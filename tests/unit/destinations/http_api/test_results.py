import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.destinations.http_api import results
from onward.destinations.outcome import from_response
from onward.egress.http import Response

SUCCESS = results.statuses(results.SUCCESS)
NONE = results.statuses("")
STATUSES = st.integers(100, 599)


@given(STATUSES, st.sampled_from(["", "7", "soon"]))
def test_without_wishes_it_is_the_usual_rule(status, after):
    response = Response(status=status, headers={"retry-after": after} if after else {}, body=b"said")
    assert results.of_response(response, SUCCESS, NONE, 0.0) == from_response(response, 0.0)


@given(STATUSES, st.lists(STATUSES, max_size=3), st.lists(STATUSES, min_size=1, max_size=3))
def test_wishes_replace_the_rule(status, success, again):
    outcome = results.by_status(
        status,
        "",
        results.statuses(",".join(map(str, success))),
        results.statuses(",".join(map(str, again))),
        None,
    )
    expected = "delivered" if status in success else "retry" if status in again else "discarded"
    assert outcome.kind == expected


@given(STATUSES, STATUSES, STATUSES)
def test_ranges_hold_both_ends(start, end, status):
    assert any(status in each for each in results.statuses(f" {start} - {end} ")) == (start <= status <= end)


@pytest.mark.parametrize("text", ["2xx", "200-", "-", "20", "200;201", "999"])
def test_what_is_no_status_is_named(text):
    with pytest.raises(ValueError, match="neither a status nor a range"):
        results.statuses(text)


@pytest.mark.parametrize("text", ["a[", "[x]", "a..b", "a]", "a[-1]"])
def test_what_is_no_path_is_named(text):
    with pytest.raises(ValueError, match="not a path such as"):
        results.path(text)


def test_a_path_goes_through_one_list():
    assert results.path("a.b[2].c d[*].e") == ("a", "b", 2, "c d", None, "e")
    with pytest.raises(ValueError, match="one list only"):
        results.path("a[*].b[*]")


def judged(answer, path, kind="status", count=2):
    body = answer if isinstance(answer, bytes) else orjson.dumps(answer)
    found = results.of_items(body, results.path(path), kind, count, SUCCESS, NONE)
    return [each.kind for each in found] if isinstance(found, list) else f"all {found.kind}"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (201, "delivered"),
        ("200", "delivered"),
        (429, "retry"),
        (400, "discarded"),
        (True, "delivered"),
        (False, "discarded"),
        (" OK ", "delivered"),
        ("failed", "discarded"),
        (None, "discarded"),
        ({}, "discarded"),
        (10**18, "discarded"),
        (1.5, "discarded"),
    ],
)
def test_results_are_statuses_booleans_or_words(value, kind):
    assert judged({"results": [{"status": value}, {"status": 200}]}, "results[*].status") == [
        kind,
        "delivered",
    ]


@pytest.mark.parametrize("value", [None, False, "", [], {}, 0])
def test_no_error_is_good(value):
    errors = [{"error": value}, {"error": "bad"}, {}]
    assert judged(errors, "[*].error", "error", 3) == ["delivered", "discarded", "delivered"]


def test_errors_are_told():
    found = results.of_items(
        b'[{"e":{"code":7}},{"e":"No."}]', results.path("[*].e"), "error", 2, SUCCESS, NONE
    )
    assert [each.message for each in found] == ['{"code":7}', "No."]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"", "all delivered"),
        ({}, "all delivered"),
        ({"results": None}, "all delivered"),
        ([], "all delivered"),
        (b"<ok/>", "all discarded"),
        ({"results": []}, "all discarded"),
        ({"results": [200, 200, 200]}, "all discarded"),
        ({"results": {"a": 200}}, "all discarded"),
        ({"results": [500, 200]}, ["retry", "delivered"]),
    ],
)
def test_results_that_can_not_be_placed_are_no_success(answer, told):
    assert judged(answer, "results[*]") == told
    assert judged(answer, "results") == told


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2**60) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.sampled_from(["a", "b"]), each, max_size=2),
)


@given(
    JSON, st.sampled_from(["a[*].b", "[*]", "a.b", "a[0][*]", "b[*].a[1]"]), st.sampled_from(results.KINDS)
)
def test_no_answer_breaks_it(answer, path, kind):
    try:
        body = orjson.dumps(answer)
    except orjson.JSONEncodeError:
        return
    found = results.of_items(body, results.path(path), kind, 2, SUCCESS, NONE)
    assert not isinstance(found, list) or len(found) == 2
