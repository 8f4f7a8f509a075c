"""What functions use: counted once whoever counts, told once whoever reaches a quota, locked out at 100 %."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from onward.metering.functions import HOUR, FunctionMeter, FunctionStore, Quotas, Spent
from onward.metering.store import day_of, month_of

NOVEMBER = 1_793_500_000_000  # 2026-11-01T02:26:40Z
OCTOBER = NOVEMBER - 86_400_000
MONTH = month_of(day_of(NOVEMBER))


@pytest.fixture
def books(tmp_path: Path) -> Iterator[FunctionStore]:
    made = FunctionStore(tmp_path)
    yield made
    made.close()


def spent(hours: float, invocations: int = 1) -> Spent:
    return Spent(invocations, hours * HOUR, hours * HOUR / 2)


def test_use_is_added_up_by_function_and_month(books: FunctionStore, tmp_path: Path) -> None:
    other = FunctionStore(tmp_path)  # of another process
    books.add({("w", "f"): spent(1), ("w", "g"): spent(2)}, NOVEMBER, Quotas())
    other.add({("w", "f"): spent(0.5, 3), ("v", "f"): spent(9)}, NOVEMBER, Quotas())
    other.add({("w", "f"): spent(7)}, OCTOBER, Quotas())
    assert books.totals(MONTH, "w") == {("w", "f"): spent(1.5, 4), ("w", "g"): spent(2)}
    assert books.totals(MONTH)["v", "f"] == spent(9)
    books.prune(NOVEMBER + 86_400_000 * 31 * 14)
    assert books.totals(MONTH) == {}
    other.close()


def test_each_share_of_a_quota_is_told_once(books: FunctionStore, tmp_path: Path) -> None:
    other = FunctionStore(tmp_path)
    quotas = Quotas(workspace=10 * HOUR, functions={"f": 2 * HOUR})

    def reached() -> list[tuple[str, int]]:
        found = books.untold()
        books.told(found)
        return [(each.function_id, each.percent) for each in found]

    books.add({("w", "f"): spent(1.4)}, NOVEMBER, quotas)
    assert reached() == []
    other.add({("w", "f"): spent(0.1)}, NOVEMBER, quotas)
    assert reached() == [("f", 75)]
    books.add({("w", "f"): spent(0.5), ("w", "g"): spent(6)}, NOVEMBER, quotas)
    assert reached() == [("f", 90), ("f", 100), ("", 75)]
    other.add({("w", "g"): spent(2)}, NOVEMBER, quotas)
    assert reached() == [("", 90), ("", 100)]
    books.add({("w", "g"): spent(5)}, NOVEMBER, quotas)
    assert reached() == []
    # With another limit it is another matter, and in another month.
    books.add({("w", "g"): spent(0)}, NOVEMBER, Quotas(workspace=20 * HOUR))
    assert reached() == [("", 75)]
    books.add({("w", "g"): spent(8)}, OCTOBER, quotas)
    assert reached() == [("", 75)]
    assert [each.percent for each in books.crossings("w", MONTH)] == [75, 90, 100, 75, 90, 100, 75]
    other.close()


def test_who_has_used_up_a_quota_is_locked_out(books: FunctionStore) -> None:
    quotas = Quotas(workspace=10 * HOUR, functions={"f": 2 * HOUR, "never": 0})
    meter = FunctionMeter(books, lambda: quotas)
    meter.take([(("w", "f"), spent(1)), (("w", "f"), spent(1)), (("w", "g"), spent(3))])
    assert not meter.locked_out("w", "f"), "not known before it is stored"
    meter.flush(NOVEMBER)
    assert [meter.locked_out("w", each) for each in "fgh"] == [True, False, False]
    assert meter.locked_out("w", "never"), "it may use nothing"
    assert not meter.locked_out("v", "f"), "another workspace's"
    meter.take([(("w", "g"), spent(5))])
    meter.flush(NOVEMBER)
    assert [meter.locked_out("w", each) for each in "fgh"] == [True, True, True]
    quotas = Quotas()
    assert not meter.locked_out("w", "f"), "the limit is gone"
    quotas = Quotas(workspace=1)
    meter.flush(NOVEMBER + 86_400_000 * 31)
    assert not meter.locked_out("w", "f"), "the month is over"


def test_a_quota_that_is_lowered_below_what_was_used_is_told_of_once(books: FunctionStore) -> None:
    quotas = Quotas()
    meter = FunctionMeter(books, lambda: quotas)
    meter.take([(("w", "f"), spent(2)), (("w", "g"), spent(2))])
    meter.flush(NOVEMBER)
    assert books.untold() == []
    quotas = Quotas(workspace=4.4 * HOUR, functions={"f": 2 * HOUR})
    for _ in range(2):
        meter.flush(NOVEMBER)
    FunctionMeter(books, lambda: quotas).flush(NOVEMBER)
    told = [(each.function_id, each.percent, each.used_ms / HOUR) for each in books.untold()]
    assert sorted(told) == [("", 75, 4), ("", 90, 4), ("f", 75, 2), ("f", 90, 2), ("f", 100, 2)]


def test_what_cannot_be_stored_is_kept_for_the_next_time(
    books: FunctionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = FunctionMeter(books, Quotas)
    meter.take([(("w", "f"), spent(1))])
    with monkeypatch.context() as patch:
        patch.setattr(books, "add", _fail)
        with pytest.raises(sqlite3.Error):
            meter.flush(NOVEMBER)
    meter.take([(("w", "f"), spent(1))])
    meter.flush(NOVEMBER)
    assert books.totals(MONTH) == {("w", "f"): spent(2, 2)}


def _fail(*_: object) -> None:
    raise sqlite3.OperationalError("disk full")


def test_overall_is_the_sum_of_all_months(tmp_path: Path) -> None:
    store = FunctionStore(tmp_path)
    for at in (0, 40 * 24 * 3600 * 1000):
        store.add({("w", "f"): Spent(2, 10.0, 5.0), ("v", "g"): Spent(1, 1.0, 1.0)}, at, Quotas())
    assert store.overall() == {"f": Spent(4, 20.0, 10.0), "g": Spent(2, 2.0, 2.0)}
    store.close()
