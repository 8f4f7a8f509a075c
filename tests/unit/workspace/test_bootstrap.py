import threading
from pathlib import Path

from sqlalchemy import func, select

from onward.settings import Settings
from onward.workspace.access import FULL, of_subjects
from onward.workspace.bootstrap import BootstrapResult, bootstrap
from onward.workspace.entities import Token, Workspace
from onward.workspace.store import Store
from onward.workspace.tokens import find_token


def test_the_first_start_makes_a_workspace_and_a_token_once(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "a" / "b")
    first = bootstrap(settings)
    assert first.first_start and first.token is not None
    second = bootstrap(settings)
    assert second == BootstrapResult(workspace_id=first.workspace_id, first_start=False, token=None)
    with Store.open(settings, {}).reading() as session:
        token = find_token(session, first.token)
        assert token is not None and token.workspace_id == first.workspace_id
        assert of_subjects(session, first.workspace_id, [token.id]) == FULL
        assert find_token(session, "another") is None
    assert first.token.encode() not in (settings.data / "config.db").read_bytes()


def test_the_operators_token_is_valid_and_its_predecessor_is_not(tmp_path: Path) -> None:
    for token in ("first", "second", "second"):
        assert bootstrap(Settings(data=tmp_path, token=token)).token is None
    with Store.open(Settings(data=tmp_path), {}).reading() as session:
        assert find_token(session, "first") is None
        assert find_token(session, "second") is not None
        assert session.scalar(select(func.count()).select_from(Token)) == 1


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    results: list[BootstrapResult] = []
    threads = [threading.Thread(target=lambda: results.append(bootstrap(settings))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 5
    assert len({result.workspace_id for result in results}) == 1
    assert sum(result.first_start for result in results) == 1
    assert sum(result.token is not None for result in results) == 1
    with Store.open(settings, {}).reading() as session:
        assert session.scalar(select(func.count()).select_from(Workspace)) == 1
