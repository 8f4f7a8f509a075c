"""Deletions at destinations: each person once, retried as deliveries are, with a status for each tool."""

import asyncio
import random
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from onward.delivery.deletions import Deletions, Surroundings
from onward.delivery.erasures import Erasures
from onward.delivery.state.sqlite import SqliteStateStore
from onward.destinations.catalog import Catalogue
from onward.destinations.definition import Definition
from onward.destinations.outcome import DELIVERED, discarded, retry
from onward.settings import Settings
from onward.workspace import destinations, regulations, sources
from onward.workspace.compile import current_snapshot
from onward.workspace.entities import Regulation, RegulationRetry
from onward.workspace.regulations import GRACE_MS
from onward.workspace.store import Actor, Store

ME = Actor(id="test")


class Tool:
    """Answers what it is told to for a user, in turn, and then that it is done."""

    def __init__(self):
        self.asked = []
        self.answers = {}

    async def forget(self, call, user_id, anonymous_id):
        self.asked.append(user_id)
        assert call.events[0]["type"] == "delete" and call.events[0]["userId"] == user_id
        answers = self.answers.get(user_id, [])
        answer = answers.pop(0) if answers else DELIVERED
        if isinstance(answer, Exception):
            raise answer
        return answer


class World:
    def __init__(self, folder: Path):
        self.tool = Tool()
        settings = Settings(data=folder)
        able = Definition(slug="able", id="a" * 24, name="Able", description="", on_delete=self.tool.forget)
        unable = Definition(slug="unable", id="b" * 24, name="Unable", description="")
        self.catalogue = Catalogue(native=(able, unable))
        self.store = Store.open(settings, self.catalogue)
        self.workspace = self.store.default_workspace_id()
        self.state = SqliteStateStore(folder)
        with self.changing() as editor:
            self.source = sources.create_source(editor, slug="s", kind="http-api")
        self.loops = {}
        self.committed = []
        """Whom the tool had been told of at each commit."""
        self.deletions = self.process()

    async def commit(self):
        self.committed.append(list(self.tool.asked))

    def changing(self):
        return self.store.changing(self.workspace, ME)

    def process(self):
        """A delivery process, as it starts."""
        self.erasures = Erasures()
        return Deletions(
            self.store.engine,
            self.erasures,
            Surroundings(
                snapshot=self.snapshot,
                owns=lambda id: True,
                loops=self.loops,
                store=self.state,
                catalogue=self.catalogue,
                http=SimpleNamespace(),
                runtime=None,
                dice=random.Random(1),
                cleared=lambda: None,
                commit=self.commit,
            ),
            None,
        )

    def snapshot(self):
        with self.store.reading() as session:
            return current_snapshot(session, self.store.cipher)

    def connect(self, definition, **policy):
        with self.changing() as editor:
            source = editor.session.merge(self.source)
            made = destinations.create_destination(editor, source, definition=definition, enabled=True)
            made.delivery = policy
            editor.record(made, "Destination Modified", None, None)
            return made.id

    def regulate(self, *users, kind="DELETE_ONLY"):
        """A deletion whose grace is over, and whose log and door are done."""
        with self.changing() as editor:
            made = regulations.create_regulation(editor, kind, "USER_ID", users)
            made.created_at -= GRACE_MS
            made.door_erased = made.log_erased = True
            return made.id

    async def work(self, id, until=5.0):
        """Step until the regulation has ended, or nothing is left to do for now."""
        async with asyncio.timeout(until):
            while True:
                await self.deletions.step()
                await asyncio.gather(*self.deletions._tasks.values())
                with self.store.reading() as session:
                    waiting = session.query(RegulationRetry).count()
                    if session.get(Regulation, id).finished_at or waiting:
                        return

    def status(self, id):
        with self.store.reading() as session:
            regulation = session.get(Regulation, id)
            targets = regulations.targets_of(session, regulation)
            return regulation.status, {each.destination_id: (each.status, each.error) for each in targets}

    def let_retries_be_due(self):
        with self.store.plainly() as session:
            for row in session.query(RegulationRetry):
                row.due_at = 0


@pytest.fixture
def world(fresh, tmp_path):
    shutil.copytree(fresh, tmp_path, dirs_exist_ok=True)
    world = World(tmp_path)
    yield world
    world.state.close()


async def test_each_is_told_of_once(world):
    id = world.connect("able")
    users = [f"u{n}" for n in range(50)]
    regulation = world.regulate(*users)
    await world.work(regulation)
    assert world.status(regulation) == ("FINISHED", {id: ("FINISHED", "")})
    assert sorted(world.tool.asked) == sorted(users)


async def test_what_fails_is_tried_again_by_the_destinations_policy(world):
    id = world.connect("able", max_retries=2, backoff_base=1000.0)
    world.tool.answers = {"later": [retry("503", "busy")], "never": [retry("503", "busy")] * 9}
    regulation = world.regulate("later", "never", "now")
    await world.work(regulation)
    assert world.status(regulation) == ("RUNNING", {id: ("RUNNING", "503: busy")})
    asked = sorted(world.tool.asked)
    await world.work(regulation)
    assert sorted(world.tool.asked) == asked  # nothing is due
    for _ in range(2):
        world.let_retries_be_due()
        await world.work(regulation)
    status, targets = world.status(regulation)
    assert (status, targets[id][0]) == ("PARTIAL_SUCCESS", "PARTIAL_SUCCESS")
    assert targets[id][1] == "503: given up after 3 attempts: busy"
    assert sorted(world.tool.asked) == ["later"] * 2 + ["never"] * 3 + ["now"]


async def test_a_restart_goes_on_where_it_was(world):
    id = world.connect("able", backoff_base=1000.0)
    world.tool.answers = {"u1": [retry("503", "busy")]}
    regulation = world.regulate(*(f"u{n}" for n in range(20)))
    await world.work(regulation)
    world.deletions = world.process()
    world.let_retries_be_due()
    await world.work(regulation)
    assert world.status(regulation) == ("FINISHED", {id: ("FINISHED", "")})
    assert sorted(world.tool.asked) == sorted([*(f"u{n}" for n in range(20)), "u1"])


async def test_a_tool_is_told_when_nothing_of_them_is_on_its_way_to_it_any_more(world):
    id = world.connect("able")
    under_way = [True, True]

    class Loop:
        async def let_go(self):
            return not (under_way and under_way.pop())

    world.loops[id] = Loop()
    regulation = world.regulate("u")
    await world.work(regulation)
    assert world.status(regulation) == ("FINISHED", {id: ("FINISHED", "")})
    assert not under_way and world.committed == [[], [], []] and world.tool.asked == ["u"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (discarded("404", "no such user"), "404: no such user"),
        (RuntimeError("a fault"), "INTERNAL: RuntimeError: a fault"),
    ],
)
async def test_what_is_refused_is_not_tried_again(world, answer, why):
    id = world.connect("able")
    world.tool.answers = {"u": [answer]}
    regulation = world.regulate("u")
    await world.work(regulation)
    assert world.status(regulation) == ("FAILED", {id: ("FAILED", why)})
    assert world.tool.asked == ["u"]


async def test_one_that_can_not_delete_fails_it_and_holds_nobody_up(world):
    able, unable, gone = world.connect("able"), world.connect("unable"), world.connect("able")
    regulation = world.regulate("u")
    with world.changing() as editor:
        found = destinations.get_destination(editor.session, world.workspace, gone)
        destinations.delete_destination(editor, found)
    await world.work(regulation)
    status, targets = world.status(regulation)
    assert status == "FAILED"
    assert {id: each for id, (each, _) in targets.items()} == {
        able: "FINISHED",
        unable: "NOT_SUPPORTED",
        gone: "FAILED",
    }
    assert "Unable has no way" in targets[unable][1] and "was deleted" in targets[gone][1]


async def test_what_is_internal_tells_no_tool(world):
    world.connect("able")
    regulation = world.regulate("u", kind="DELETE_INTERNAL")
    await world.work(regulation)
    assert world.status(regulation) == ("FINISHED", {}) and world.tool.asked == []


async def test_who_is_deleted_is_known_before_anything_is_done(world):
    """So a process that starts in the middle of a deletion reads nothing of them."""
    world.connect("able")
    world.regulate("u")
    await world.deletions.look()
    assert world.erasures.covers(world.source.id, "u", 1) and world.tool.asked == []


async def test_nothing_begins_within_the_grace(world):
    world.connect("able")
    with world.changing() as editor:
        regulation = regulations.create_regulation(editor, "DELETE_ONLY", "USER_ID", ["u"]).id
    await world.deletions.step()
    assert world.status(regulation)[0] == "INITIALIZED" and world.tool.asked == []
