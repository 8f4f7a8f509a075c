"""Files in S3: what is in them, what they are called, and that a retry leaves one, not two."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.destinations import aws_s3, s3
from onward.destinations.aws.text import cell, to_json
from onward.destinations.aws_s3 import UPLOAD
from onward.destinations.aws_s3 import send as aws_s3_send
from onward.destinations.definition import HookError
from onward.destinations.outcome import DELIVERED
from onward.destinations.s3 import SYNC
from onward.destinations.s3.send import file_name
from onward.egress.http import Response

BUCKET = {"s3_aws_bucket_name": "events", "s3_aws_region": "eu-west-1"}
STAMP = r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z_[0-9a-f]{12}"
RECEIVED = "2026-03-04T05:06:07.089Z"


def event(number, **more):
    return {"messageId": f"m{number}", "receivedAt": RECEIVED, **more}


def row(number=0, **more):
    return {
        "columns": {"event_name": "Bought", "user_id": f"u{number}", "properties": {"n": number}},
        "delimiter": ",",
        "file_extension": "csv",
        "audience_action_column_name": "audience_action",
        "batch_size_column_name": "batch_size",
        "s3_aws_folder_name": "web",
        "filename_prefix": "events",
        **more,
    }


MAPPING = {
    "columns": {
        "event_name": {"@path": "$.event"},
        "user_id": {"@path": "$.userId"},
        "email": {"@path": "$.traits.email"},
        "properties": {"@path": "$.properties"},
        "unwanted": "",
    }
}


@pytest.fixture
def sync(aws, stub):
    """Runs Sync to S3; the files that there are then."""

    async def sync(payloads, *, settings=None, events=None, mapping=MAPPING):
        outcome = await aws.run(
            SYNC,
            payloads,
            {**aws.by_key, **BUCKET, **(settings or {})},
            events=[event(n) for n in range(len(payloads))] if events is None else events,
            mapping=mapping,
            subscription_id="sub",
        )
        return outcome, {key: body.decode() for (_, key), body in stub.objects.items()}

    return sync


async def test_a_batch_is_one_file(sync, stub):
    outcome, files = await sync([row(0), row(1)])
    assert outcome == DELIVERED
    ((key, text),) = files.items()
    assert re.fullmatch(rf"web/events_{STAMP}\.csv", key)
    assert "2026-03-04T05-06-07-089Z" in key
    assert text == (
        "event_name,user_id,email,properties,audience_action,batch_size\n"
        '"Bought","u0","","{""n"":0}","","2"\n'
        '"Bought","u1","","{""n"":1}","","2"'
    )
    (asked,) = stub.asked
    assert asked.headers["Content-Type"] == "text/csv"


async def test_ten_thousand_rows_are_one_file(sync):
    outcome, files = await sync([row(n) for n in range(10_000)])
    assert outcome == DELIVERED
    (text,) = files.values()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [each["user_id"] for each in rows] == [f"u{n}" for n in range(10_000)]
    assert {each["batch_size"] for each in rows} == {"10000"}


async def test_a_lost_answer_leaves_one_file(sync, stub):
    stub.answer("s3", 500, b"<Error><Code>InternalError</Code><Message>again</Message></Error>")
    outcome, _ = await sync([row(0), row(1)])
    assert (outcome[0].kind, len(outcome)) == ("retry", 2)
    first = stub.asked[0].path
    await sync([row(0), row(1)])
    await sync([row(0), row(1)])
    assert {asked.path for asked in stub.asked} == {first}


async def test_other_events_are_another_file_though_they_look_alike(sync):
    await sync([row(0)], events=[event(1)])
    await sync([row(0)], events=[event(2)])
    await sync([row(0)], events=[])
    _, files = await sync([row(1)], events=[])
    assert len(files) == 4


async def test_a_name_holds_the_newest_time(sync):
    events = [event(0), event(1, receivedAt="2026-03-05T00:00:00.000Z"), event(2, receivedAt="soon")]
    _, files = await sync([row(n) for n in range(3)], events=events)
    assert "_2026-03-05T00-00-00-000Z_" in next(iter(files))


async def test_folders_have_files_of_their_own(sync):
    outcome, files = await sync([row(0), row(1, s3_aws_folder_name="app/"), row(2)])
    assert outcome == DELIVERED
    assert sorted((key.partition("/")[0], text.count("\n")) for key, text in files.items()) == [
        ("app", 1),
        ("web", 2),
    ]


async def test_a_row_that_cannot_be_written_costs_itself(sync):
    rows = [row(0), row(1, columns={"properties": {"n": 2**70}}), row(2), row(3, columns=["x"])]
    outcome, files = await sync(rows)
    assert [each.kind for each in outcome] == ["delivered", "discarded", "delivered", "discarded"]
    assert outcome[1].code == outcome[3].code == "MESSAGE_REJECTED"
    (text,) = files.values()
    assert text.count("\n") == 2


@pytest.mark.parametrize(
    ("delimiter", "header"),
    [("tab", "a,b\tc"), (",", "ab,c"), ("|", "a,b|c"), (";", "a,b;c"), (":", "a,b:c")],
)
async def test_delimiters(sync, delimiter, header):
    payload = row(columns={"a,b": 1, "c": True}, delimiter=delimiter)
    payload |= {"audience_action_column_name": "", "batch_size_column_name": None}
    _, files = await sync([payload], mapping={"columns": {"a,b": 1, "c": 2}})
    (text,) = files.values()
    assert text.split("\n")[0] == header


async def test_the_audience_column_tells_who_is_in(sync):
    rows = [
        row(0, computation_key="vip", traits_or_props={"vip": True}),
        row(1, computation_key="vip", traits_or_props={"vip": False}),
        row(2, computation_key="vip", traits_or_props={}),
        row(3, traits_or_props={"vip": True}),
    ]
    _, files = await sync(rows)
    (text,) = files.values()
    assert [each["audience_action"] for each in csv.DictReader(io.StringIO(text))] == [
        "true",
        "false",
        "",
        "",
    ]


async def test_a_mapping_that_takes_all_columns_names_them_by_the_payloads(sync):
    rows = [row(0, columns={"b": 1}), row(1, columns={"b": 2, "a": 3})]
    _, files = await sync(rows, mapping={"columns": {"@path": "$.properties"}})
    (text,) = files.values()
    assert text.split("\n")[0] == "b,a,audience_action,batch_size"
    assert text.endswith('"2","3","","2"')


@pytest.mark.parametrize(
    ("prefix", "extension", "name"),
    [
        ("", "csv", "T.csv"),
        ("events", "csv", "events_T.csv"),
        ("events.csv", "csv", "events._T.csv"),
        ("events.txt", "txt", "events._T.txt"),
        ("csv.csv", "csv", "csv._T.csv"),
        ("events.csv", "txt", "events.csv_T.txt"),
    ],
)
def test_file_names(prefix, extension, name):
    assert file_name(prefix, extension, "T") == name


async def test_a_text_file_says_that_it_is_one(sync, stub):
    _, files = await sync([row(file_extension="txt")])
    assert next(iter(files)).endswith(".txt")
    assert stub.asked[0].headers["Content-Type"] == "text/plain"


@pytest.mark.parametrize(
    "folder", ["a b/ü/日本", "a//b/", "../up", "100%/+&=?#", "~-_.!*'()", '\u0001\n"<>\\^`{|}', "/lead"]
)
async def test_any_folder_arrives_as_it_is(sync, folder):
    outcome, files = await sync([row(s3_aws_folder_name=folder)])
    assert outcome == DELIVERED
    assert next(iter(files)).startswith(folder)


@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\0")), min_size=2, max_size=2),
        min_size=1,
        max_size=5,
    )
)
def test_readers_of_csv_read_what_was_written(rows):
    text = "\n".join(",".join(cell(value) for value in each) for each in rows)
    assert list(csv.reader(io.StringIO(text, newline=""))) == rows


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, '""'),
        ("", '""'),
        ('say "hi"', '"say ""hi"""'),
        (True, '"true"'),
        (5.0, '"5"'),
        (1e21, '"1e+21"'),
        ({"a": 1.0, "b": [1, None]}, '"{""a"":1,""b"":[1,null]}"'),
        ([1, "x"], '"[1,""x""]"'),
        ({"2": 1, "1": 2}, '"{""1"":2,""2"":1}"'),
    ],
)
def test_cells(value, text):
    assert cell(value) == text


def test_json_is_javascripts():
    assert to_json({"n": 42.0, "e": 1e-7, "t": "1.0"}) == b'{"n":42,"e":1e-7,"t":"1.0"}'
    with pytest.raises(ValueError, match="written as JSON"):
        to_json(2**70)


# -- what goes wrong ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "kind", "outcome_code"),
    [
        (503, "SlowDown", "retry", "429"),
        (500, "InternalError", "retry", "500"),
        (403, "AccessDenied", "discarded", "403"),
        (403, "InvalidAccessKeyId", "discarded", "403"),
        (403, "RequestTimeTooSkewed", "retry", "503"),
        (400, "ExpiredToken", "retry", "503"),
        (404, "NoSuchBucket", "discarded", "404"),
        (301, "PermanentRedirect", "discarded", "301"),
    ],
)
async def test_refusals(sync, stub, status, code, kind, outcome_code):
    stub.answer("s3", status, f"<Error><Code>{code}</Code><Message>why</Message></Error>".encode())
    outcome, files = await sync([row(0), row(1)])
    assert [(each.kind, each.code, each.message) for each in outcome] == [
        (kind, outcome_code, f"{code}: why")
    ] * 2
    assert files == {}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"s3_aws_region": "here"}, "not a region"),
        ({"s3_aws_bucket_name": "no/bucket"}, "not a bucket's name"),
        ({"access_key_id": ""}, "needed together"),
    ],
)
async def test_settings_that_cannot_do_say_so(sync, stub, settings, words):
    (outcome,), _ = await sync([row()], settings=settings)
    assert (outcome.kind, outcome.code) == ("discarded", "INVALID_SETTINGS")
    assert words in outcome.message
    assert stub.asked == []


async def test_a_key_that_is_too_long_is_refused(sync):
    (outcome,), _ = await sync([row(s3_aws_folder_name="ü" * 600)])
    assert outcome.code == "MESSAGE_REJECTED" and "1024 bytes" in outcome.message


async def test_an_endpoint_that_is_blocked_is_final(sync):
    (outcome,), _ = await sync([row()], settings={"endpoint_url": "http://169.254.169.254"})
    assert (outcome.kind, outcome.code) == ("discarded", "BLOCKED_ADDRESS")


@pytest.mark.parametrize(
    ("bucket", "region", "url"),
    [
        ("events", "eu-west-1", "https://events.s3.eu-west-1.amazonaws.com/web/"),
        ("my.events", "us-east-1", "https://s3.us-east-1.amazonaws.com/my.events/web/"),
        ("Old_Bucket", "us-east-1", "https://s3.us-east-1.amazonaws.com/Old_Bucket/web/"),
        ("events", "cn-north-1", "https://events.s3.cn-north-1.amazonaws.com.cn/web/"),
    ],
)
async def test_where_buckets_are(run, http, bucket, region, url):
    settings = {
        "s3_aws_bucket_name": bucket,
        "s3_aws_region": region,
        "access_key_id": "A",
        "secret_access_key": "S",
    }
    http.answers.append(Response(status=200, headers={}, body=b""))
    assert await run(SYNC, [row()], settings=settings) == DELIVERED
    (request,) = http.requests
    assert request.method == "PUT" and request.url.startswith(url)
    assert request.timeout == 60.0
    assert not request.follow_307


async def test_the_test_writes(aws, stub):
    assert await s3.DEFINITION.test(aws.call({**aws.by_key, **BUCKET})) is None
    assert stub.objects["events", "onward-connection-test.txt"]
    wrong = {**BUCKET, "s3_aws_bucket_name": "missing"}
    problem = await aws_s3.DEFINITION.test(aws.call({**aws.by_key, **wrong}))
    assert problem == (
        "writing onward-connection-test.txt failed: 404: NoSuchBucket: The specified bucket does not exist"
    )


# -- audiences -----------------------------------------------------------------------------------------

AUDIENCE = {
    "columns": {name: name for name in aws_s3_send.ORDER},
    "audienceName": "Big_Spenders",
    "audienceId": "aud_1",
    "email": "a@b.c",
    "userId": "u",
    "anonymousId": "a",
    "timestamp": "2026-01-01T00:00:00.000Z",
    "messageId": "m0",
    "spaceId": "spa_1",
    "integrationsObject": {"All": True},
    "propertiesOrTraits": {"Big_Spenders": True, "plan": "pro", "deep": {"x": 1}},
    "additional_identifiers_and_traits_columns": {"plan": "Plan", "deep": "Deep", "none": "None"},
}


def with_audience(number, settings):
    return event(number, context={"personas": {"computation_id": "aud_1", "audience_settings": settings}})


@pytest.fixture
def upload(aws, stub):
    async def upload(payloads, audience=None, events=None):
        outcome = await aws.run(
            UPLOAD,
            payloads,
            {**aws.by_key, **BUCKET},
            events=events or [with_audience(n, audience or {}) for n in range(len(payloads))],
            subscription_id="sub",
        )
        return outcome, {key: body.decode() for (_, key), body in stub.objects.items()}

    return upload


async def test_an_audience_is_a_file(upload):
    left = {**AUDIENCE, "propertiesOrTraits": {"Big_Spenders": False}, "email": None}
    settings = {"filename": "aud", "s3_aws_folder_name": "lists", "delimiter": "|"}
    outcome, files = await upload([AUDIENCE, left], settings)
    assert outcome == DELIVERED
    ((key, text),) = files.items()
    assert re.fullmatch(rf"lists/aud_big_spenders_{STAMP}\.csv", key)
    header, first, second = text.split("\n")
    assert header == "|".join([*aws_s3_send.ORDER, "Plan", "Deep", "None"])
    assert first == (
        '"Big_Spenders"|"aud_1"|"true"|"a@b.c"|"u"|"a"|"2026-01-01T00:00:00.000Z"|"m0"|"spa_1"|'
        '"{""All"":true}"|"{""Big_Spenders"":true,""plan"":""pro"",""deep"":{""x"":1}}"|'
        '"pro"|"[object Object]"|""'
    )
    assert second.startswith('"Big_Spenders"|"aud_1"|"false"|""|')


async def test_columns_without_a_name_are_left_out(upload):
    _, files = await upload([{**AUDIENCE, "columns": {"email": "E-Mail", "user_id": ""}}])
    (text,) = files.values()
    assert text == 'E-Mail,Plan,Deep,None\n"a@b.c","pro","[object Object]",""'


async def test_audiences_share_no_file(upload):
    events = [with_audience(0, {"filename": "x"}), with_audience(1, {"filename": "y"}), with_audience(2, {})]
    outcome, files = await upload([AUDIENCE] * 3, events=events)
    assert outcome == DELIVERED
    assert sorted(re.sub(STAMP, "T", key) for key in files) == [
        "big_spenders_T.csv",
        "x_big_spenders_T.csv",
        "y_big_spenders_T.csv",
    ]


@pytest.mark.parametrize(
    ("prefix", "name"),
    [("", "vip_T.csv"), ("a", "a_vip_T.csv"), ("a.csv", "a_T.csv"), ("a.CSV", "a.CSV_vip_T.csv")],
)
def test_names_of_audience_files(prefix, name):
    assert aws_s3_send.file_name(prefix, "VIP", "T") == name


async def test_a_column_with_the_delimiter_in_its_name_is_refused(upload, stub):
    (outcome,), files = await upload([{**AUDIENCE, "columns": {"email": "e,mail"}}])
    assert outcome.kind == "discarded" and "'e,mail' holds the delimiter" in outcome.message
    (outcome,), _ = await upload([AUDIENCE], {"delimiter": "x"})
    assert outcome.kind == "discarded" and "delimiter" in outcome.message
    assert files == {} and stub.asked == []


async def test_a_neighbour_that_cannot_be_written_costs_itself(upload):
    outcome, files = await upload([AUDIENCE, {**AUDIENCE, "propertiesOrTraits": "x"}, AUDIENCE])
    assert [each.kind for each in outcome] == ["delivered", "discarded", "delivered"]
    (text,) = files.values()
    assert text.count("\n") == 2


async def test_audience_ids(aws):
    audiences = aws_s3.DEFINITION.audiences
    call = aws.call({}, events=[with_audience(0, {})])
    assert await audiences.create(call, "Name", {}) == "aud_1"
    assert await audiences.create(aws.call({}), "Name", {}) == "Name"
    assert await audiences.get(call, "aud_1", {}) == "aud_1"
    with pytest.raises(HookError):
        await audiences.get(call, "", {})


def test_every_batch_is_a_bulk_batch():
    """Such batches keep their events over all attempts, which the names of files rest on."""
    assert SYNC.bulk_from == UPLOAD.bulk_from == 1
