"""Installations: quick when there is nothing to do, whole or not at all, and one at a time."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from integration.bridge.tools import CATALOGUE

from onward import npm
from onward.destinations.bridge import install as installing
from onward.destinations.bridge.definitions import load
from onward.destinations.bridge.install import install, is_current
from onward.npm import InstallError


@pytest.fixture
def packages(catalogue: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Fetching takes the packages from the installed catalogue, so that no registry is asked."""

    def fetch(folder: Path, tell: npm.Progress) -> None:
        tell("fetching packages", 0.5)
        shutil.copytree(
            CATALOGUE / "node_modules", folder / "node_modules", symlinks=True, copy_function=os.link
        )

    monkeypatch.setattr(npm, "_fetch", fetch)
    return tmp_path / "share" / "catalog"


@pytest.fixture
def light(packages: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The packages are none, and what they export is known."""
    exported = (CATALOGUE / installing.CATALOGUE).read_bytes()
    monkeypatch.setattr(npm, "_fetch", lambda folder, tell: (folder / "node_modules").mkdir())
    monkeypatch.setattr(installing, "_export", lambda folder: exported)
    return packages


def test_an_installation(packages: Path) -> None:
    told: list[tuple[str, float]] = []
    assert not is_current(packages)
    done = install(packages, lambda what, share: told.append((what, share)))
    assert (done.destinations, done.changed, done.license) == (214, True, "MIT")
    assert is_current(packages)
    assert told[-1] == ("installed", 1.0)
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert len(load(packages)) == 214
    assert not install(packages).changed
    assert [each.name for each in packages.parent.iterdir() if each.is_dir()] == ["catalog"]


def test_one_that_is_interrupted_leaves_the_old(light: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = light
    install(packages)
    monkeypatch.setattr(installing, "digest", lambda: "another")

    def fail(folder: Path) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(installing, "_export", fail)
        install(packages)
    assert len(load(packages)) == 214
    # As after a kill: what is left beside it goes at the next time.
    left = packages.parent / ".catalog-new-abc"
    left.mkdir()
    assert install(packages).changed
    assert not left.exists()
    assert is_current(packages)


def test_two_at_once(light: Path) -> None:
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(install, [light] * 3))
    assert sorted(each.changed for each in done) == [False, False, True]


def test_a_registry_that_is_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9/")
    monkeypatch.setenv("DENO_DIR", str(tmp_path / "cache"))
    with pytest.raises(InstallError, match="could not be fetched from the npm registry"):
        install(tmp_path / "catalog")
    assert not (tmp_path / "catalog").exists()


def test_the_folder_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InstallError, match="can't be installed in"):
        install(tmp_path / "file" / "catalog")


def test_every_definition_can_be_made(catalogue: dict) -> None:  # type: ignore[type-arg]
    definitions = [catalogue[slug] for slug in catalogue]
    assert (len(definitions), sum(len(each.actions) for each in definitions)) == (214, 601)
    assert sum(bool(each.audiences) for each in definitions) == 26
    assert sum(action.batches for each in definitions for action in each.actions.values()) == 212
    assert sum(len(each.presets) for each in definitions) == 539
    assert sum(each.on_delete is not None for each in definitions) == 26
    assert sum(each.test is not None for each in definitions) == 143
    assert len({each.id for each in definitions}) == 214
    assert all(len(each.id) == 24 for each in definitions)
    for each in definitions:
        assert all(preset.action in each.actions for preset in each.presets)
    bulk = {each.slug for each in definitions if any(a.bulk_from for a in each.actions.values())}
    assert bulk == {
        "actions-display-video-360",
        "actions-first-party-dv360",
        "actions-klaviyo",
        "actions-liveramp-audiences",
        "actions-the-trade-desk-crm",
        "actions-snap-audiences",
    }
