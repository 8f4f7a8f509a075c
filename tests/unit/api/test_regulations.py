"""Deletion and suppression over the Public API (spec §16.1)."""

from typing import Any

from onward.workspace.store import Store
from onward.workspace.suppressed import Suppressed

from .conftest import Call


async def regulate(call: Call, kind: str, *ids: str, source: str = "", status: int = 200) -> Any:
    path = f"/regulations/sources/{source}" if source else "/regulations"
    body = {"regulationType": kind, "subjectType": "USER_ID", "subjectIds": list(ids)}
    answer = await call("POST", path, body, status=status)
    return answer["regulateId"] if status == 200 else answer[0]


async def suppressed_ids(call: Call) -> list[str]:
    listed = (await call("GET", "/suppressions"))["suppressed"]
    return [id for each in listed for id in each["subjectIds"]]


async def test_suppression_is_done_at_once_and_can_be_taken_back(call: Call) -> None:
    id = await regulate(call, "SUPPRESS_ONLY", "b", "a", "b")
    regulation = (await call("GET", f"/regulations/{id}"))["regulation"]
    assert regulation["overallStatus"] == "FINISHED"
    assert regulation["finishedAt"] == regulation["createdAt"]
    assert regulation["streamStatus"] == []
    assert await suppressed_ids(call) == ["a", "b"]
    await regulate(call, "UNSUPPRESS", "a", "nobody")
    assert await suppressed_ids(call) == ["b"]
    listed = (await call("GET", "/regulations"))["regulations"]
    assert [(each["regulationType"], each["subjects"]) for each in listed] == [
        ("SUPPRESS_ONLY", ["b", "a"]),
        ("UNSUPPRESS", ["a", "nobody"]),
    ]
    only = await call("GET", "/regulations?regulationTypes[0]=UNSUPPRESS&status=FINISHED")
    assert [each["regulationType"] for each in only["regulations"]] == ["UNSUPPRESS"]
    assert (await call("GET", "/regulations?status=RUNNING"))["regulations"] == []


async def test_the_workspace_precedes_its_sources(call: Call, source: dict[str, Any]) -> None:
    id = source["id"]
    await regulate(call, "SUPPRESS_ONLY", "everywhere")
    await regulate(call, "SUPPRESS_ONLY", "here", "everywhere", source=id)
    error = await regulate(call, "UNSUPPRESS", "everywhere", source=id, status=422)
    assert error["field"] == "subjectIds" and "everywhere" in error["message"]
    assert await suppressed_ids(call) == ["everywhere", "here"]
    await regulate(call, "UNSUPPRESS", "here", source=id)
    assert await suppressed_ids(call) == ["everywhere"]
    await regulate(call, "UNSUPPRESS", "everywhere")
    assert await suppressed_ids(call) == []
    listed = (await call("GET", f"/regulations/sources/{id}"))["regulations"]
    assert len(listed) == 2
    assert len((await call("GET", "/regulations"))["regulations"]) == 2


async def test_a_deletion_can_be_taken_back_with_what_it_suppressed(call: Call) -> None:
    await regulate(call, "SUPPRESS_ONLY", "before")
    id = await regulate(call, "SUPPRESS_WITH_DELETE", "new", "before")
    assert await suppressed_ids(call) == ["before", "new"]
    regulation = (await call("GET", f"/regulations/{id}"))["regulation"]
    assert (regulation["overallStatus"], regulation["finishedAt"]) == ("INITIALIZED", None)
    assert await call("DELETE", f"/regulations/{id}") == {"status": "SUCCESS"}
    assert await suppressed_ids(call) == ["before"]
    await call("GET", f"/regulations/{id}", status=404)
    done = await regulate(call, "SUPPRESS_ONLY", "x")
    await call("DELETE", f"/regulations/{done}", status=422)


async def test_a_deletion_is_for_destinations_that_may_know_the_user(
    call: Call, source: dict[str, Any], destination: dict[str, Any]
) -> None:
    async def streams(kind: str = "DELETE_ONLY", **more: Any) -> list[Any]:
        id = await regulate(call, kind, "u", **more)
        return list((await call("GET", f"/regulations/{id}"))["regulation"]["streamStatus"])

    assert await streams() == []  # it was never enabled
    await call("PATCH", f"/destinations/{destination['id']}", {"enabled": True})
    await call("PATCH", f"/destinations/{destination['id']}", {"enabled": False})
    expected = {
        "id": destination["id"],
        "name": destination["name"],
        "status": "INITIALIZED",
        "errString": "",
        "finishedAt": None,
    }
    assert await streams() == [{"id": source["id"], "destinationStatus": [expected]}]
    assert len(await streams(source=source["id"])) == 1
    assert await streams("DELETE_INTERNAL") == []  # no tool is told
    other = (await call("POST", "/sources", {"slug": "other", "metadataId": "http-api"}, status=201))[
        "source"
    ]
    assert await streams(source=other["id"]) == []


async def test_suppressed_people_come_in_pages(call: Call, source: dict[str, Any]) -> None:
    ids = [f"user {number:02d} é" for number in range(25)]
    await regulate(call, "SUPPRESS_ONLY", *reversed(ids))
    await regulate(call, "SUPPRESS_ONLY", ids[3], source=source["id"])  # twice suppressed, told once
    pages, cursor, path = [], None, "/suppressions?pagination[count]=10"
    while True:
        page = await call("GET", path + (f"&pagination[cursor]={cursor}" if cursor else ""))
        pages.append(page)
        assert page["pagination"]["totalEntries"] == 25
        cursor = page["pagination"].get("next")
        if cursor is None:
            break
    assert [page["suppressed"][0]["subjectIds"] for page in pages] == [ids[:10], ids[10:20], ids[20:]]
    previous = pages[2]["pagination"]["previous"]
    again = await call("GET", f"{path}&pagination[cursor]={previous}")
    assert again["suppressed"] == pages[1]["suppressed"]
    foreign = (await call("GET", "/regulations"))["pagination"]["current"]
    await call("GET", f"/suppressions?pagination[cursor]={foreign}", status=422)


async def test_what_is_wrong_is_named(call: Call, source: dict[str, Any]) -> None:
    async def refused(status: int = 422, path: str = "/regulations", **change: Any) -> Any:
        body = {"regulationType": "SUPPRESS_ONLY", "subjectType": "USER_ID", "subjectIds": ["u"], **change}
        return (await call("POST", path, body, status=status))[0].get("field")

    assert await refused(regulationType="FORGET") == "regulationType"
    assert await refused(subjectType="OBJECT_ID") == "subjectType"
    assert await refused(subjectIds=[]) == "subjectIds"
    assert await refused(subjectIds=["u"] * 5001) == "subjectIds"
    assert await refused(subjectIds=["u", ""]) == "subjectIds[1]"
    assert await refused(subjectIds=[1]) == "subjectIds[0]"
    assert await refused(404, "/regulations/sources/nothing") is None
    cloud = f"/regulations/cloudsources/{source['id']}"
    assert await refused(path=cloud) == "collection"
    assert await refused(path=cloud, collection="users", subjectType="OBJECT_ID") == "collection"
    assert await refused(404, "/regulations/cloudsources/nothing", collection="users") is None
    await call("GET", "/regulations/nothing", status=404)
    await call("DELETE", "/regulations/nothing", status=404)
    await call("GET", "/regulations?status=LOST", status=422)
    assert await suppressed_ids(call) == []


async def test_the_audit_trail_names_nobody(call: Call) -> None:
    id = await regulate(call, "SUPPRESS_WITH_DELETE", "person@example.com")
    await call("DELETE", f"/regulations/{id}")
    events = (await call("GET", "/audit-events"))["events"]
    assert [each["type"] for each in events[:2]] == ["Regulation Deleted", "Workspace Regulation Created"]
    assert events[1]["after"]["subjects"] == 1
    assert "person@example.com" not in str(events)


async def test_only_who_may_see_to_privacy(call: Call, member_token: str) -> None:
    headers = {"authorization": f"Bearer {member_token}"}
    for method, path in (("GET", "/regulations"), ("GET", "/suppressions"), ("POST", "/regulations")):
        await call(method, path, status=403, headers=headers)


async def test_the_door_learns_of_each_change(call: Call, store: Store, source: dict[str, Any]) -> None:
    suppressed = Suppressed(store.engine)
    workspace = source["workspaceId"]

    class Of:
        id, workspace_id = source["id"], workspace

    class Other:
        id, workspace_id = "another", workspace

    def who(of: Any) -> list[set[str]]:
        return [set(ids) for ids in suppressed.scopes(of)]

    assert who(Of) == [] and not suppressed.refresh()
    await regulate(call, "SUPPRESS_ONLY", "a", "b")
    await regulate(call, "SUPPRESS_ONLY", "c", source=source["id"])
    assert suppressed.refresh() and not suppressed.refresh()
    assert who(Of) == [{"a", "b"}, {"c"}] and who(Other) == [{"a", "b"}]
    await regulate(call, "UNSUPPRESS", "a", "b")
    assert suppressed.refresh()
    assert who(Of) == [{"c"}] and who(Other) == []
    await regulate(call, "SUPPRESS_ONLY", "a")  # after it was lifted
    await regulate(call, "UNSUPPRESS", "c", source=source["id"])
    assert suppressed.refresh()
    assert who(Of) == [{"a"}]
    assert [set(ids) for ids in Suppressed(store.engine).scopes(Of)] == [{"a"}]  # type: ignore[arg-type]
    suppressed.close()


async def test_a_door_that_was_away_for_long_reads_everything_again(
    call: Call, store: Store, source: dict[str, Any]
) -> None:
    now = [1.0]
    suppressed = Suppressed(store.engine, lambda: now[0])
    await regulate(call, "SUPPRESS_ONLY", "a", "b")
    suppressed.refresh()
    await regulate(call, "UNSUPPRESS", "a")
    with store.plainly() as session:  # as an hour later
        session.connection().exec_driver_sql("DELETE FROM suppression WHERE NOT active")
    now[0] += 3_600
    suppressed.refresh()

    class Of:
        id, workspace_id = source["id"], source["workspaceId"]

    assert [set(ids) for ids in suppressed.scopes(Of)] == [{"b"}]  # type: ignore[arg-type]
    suppressed.close()
