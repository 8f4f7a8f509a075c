"""A destination's books and discards, as the delivery processes wrote them."""

from typing import Any

from onward.delivery.state.protocol import Changes, Count, Discard
from onward.delivery.state.sqlite import SqliteStateStore
from onward.eventlog.protocol import Position

from .conftest import Call, ClientOf

Json = dict[str, Any]
NOW = 1_700_000_000.0


def discard(number: int) -> Discard:
    return Discard(
        at=int(NOW * 1000) + number,
        subscription_id="sub",
        message_id=f"m{number}",
        event_type="track",
        event_name="Bought",
        received_at=0,
        attempts=10 if number % 2 else 1,
        code="503" if number % 2 else "400",
        message="no",
        payload={"n": number},
        event={"messageId": f"m{number}"},
    )


async def test_the_books_of_a_destination(call: Call, destination: Json, state: SqliteStateStore) -> None:
    path = f"/destinations/{destination['id']}/delivery"
    assert (await call("GET", path))["delivery"]["received"] == 0, "never enabled"
    state.open_destination(destination["id"], Position())
    changes = Changes()
    changes.count(Count("delivered", "successes.attempt.1", "sub", "track", "Bought", ""), 7)
    changes.count(Count("filtered", "FILTERED_BY_RULES", "", "track", "Bought", ""), 2)
    changes.discards = [discard(1)]
    changes.count(Count("discarded", "503", "sub", "track", "Bought", ""))
    changes.breaker = NOW
    state.commit([(destination["id"], changes)], NOW)
    books = (await call("GET", path))["delivery"]
    assert (books["delivered"], books["filtered"], books["discarded"]) == (7, 2, 1)
    assert books["pausedSince"] == "2023-11-14T22:13:20.000Z"


async def test_discards_are_found_by_code_and_by_message(
    call: Call, destination: Json, state: SqliteStateStore
) -> None:
    path = f"/destinations/{destination['id']}/discards"
    state.open_destination(destination["id"], Position())
    changes = Changes()
    changes.discards = [discard(number) for number in range(9)]
    state.commit([(destination["id"], changes)], NOW)
    page = await call("GET", path, params={"pagination.count": 4})
    assert [each["messageId"] for each in page["discards"]] == ["m8", "m7", "m6", "m5"]
    more = await call(
        "GET", path, params={"pagination.count": 4, "pagination.cursor": page["pagination"]["next"]}
    )
    assert [each["messageId"] for each in more["discards"]] == ["m4", "m3", "m2", "m1"]
    found = (await call("GET", path, params={"code": "503"}))["discards"]
    assert {each["attempts"] for each in found} == {10}
    (one,) = (await call("GET", path, params={"messageId": "m4"}))["discards"]
    assert one["payload"] == {"n": 4} and one["event"] == {"messageId": "m4"} and one["message"] == "no"
    for cursor in ("x", "9" * 30):
        (error,) = await call("GET", path, params={"pagination.cursor": cursor}, status=422)
        assert error["field"] == "pagination.cursor"


async def test_they_are_not_for_members_nor_of_what_does_not_exist(
    call: Call, destination: Json, member_token: str
) -> None:
    path = f"/destinations/{destination['id']}/discards"
    await call("GET", path, status=403, headers={"authorization": f"Bearer {member_token}"})
    await call("GET", "/destinations/nope/delivery", status=404)
    await call("GET", "/destinations/nope/discards", status=404)


async def test_what_lets_someone_in_is_masked(call: Call, destination: Json, state: SqliteStateStore) -> None:
    state.open_destination(destination["id"], Position())
    changes = Changes()
    one = discard(1)
    one.payload = {
        "url": "https://ada:s3cret@example.com/in?api_key=s3cret&page=2",
        "headers": {"Authorization": "Bearer s3cret", "X-Shop": "7"},
        "data": {"n": 1},
    }
    changes.discards = [one]
    state.commit([(destination["id"], changes)], NOW)
    (shown,) = (await call("GET", f"/destinations/{destination['id']}/discards"))["discards"]
    assert "s3cret" not in str(shown)
    assert shown["payload"]["headers"]["X-Shop"] == "7" and "page=2" in shown["payload"]["url"]
    assert shown["payload"]["data"] == {"n": 1}


async def test_discards_are_sent_again_on_demand(
    call: Call, destination: Json, state: SqliteStateStore, client_of: ClientOf
) -> None:
    path = f"/destinations/{destination['id']}"
    state.open_destination(destination["id"], Position())
    changes = Changes()
    changes.discards = [discard(number) for number in range(4)]
    changes.count(Count("discarded", "400", "sub", "track", "Bought", ""), 4)
    state.commit([(destination["id"], changes)], NOW)
    (one,) = (await call("POST", f"{path}/discards/redrive", {"code": "503"}))["redrives"]
    assert (one["status"], one["sentAgain"], one["mapping"]) == ("PENDING", 0, "ANEW")
    wanted, found = state.next_redrive(destination["id"], 10) or (None, [])
    assert [each.message_id for each in found] == ["m1", "m3"]
    assert wanted is not None
    done = Changes()
    done.redriven = [(wanted.id, each.id) for each in found]
    state.commit([(destination["id"], done)], NOW)
    state.end_redrive(wanted.id, NOW)
    (one,) = (await call("GET", f"{path}/redrives"))["redrives"]
    assert (one["status"], one["sentAgain"]) == ("DONE", 2)
    assert (await call("GET", f"{path}/delivery"))["delivery"]["discarded"] == 2
    ids = [each["id"] for each in (await call("GET", f"{path}/discards"))["discards"]]
    asked = await call("POST", f"{path}/discards/redrive", {"discardIds": ids, "mapping": "AS_IT_WAS"})
    assert {each["discardId"] for each in asked["redrives"]} == set(ids) and len(ids) == 2
    for body in ({"discardIds": ["x"]}, {"startTime": "soon"}, {"discardIds": ["1"] * 101}):
        await call("POST", f"{path}/discards/redrive", body, status=422)
    events = (await call("GET", "/audit-events"))["events"]
    assert [each["type"] for each in events].count("Destination Discards Redriven") == 2
    async with client_of({"source-read-only": []}) as client:
        assert (await client.post(f"{path}/discards/redrive", json={})).status_code == 403
