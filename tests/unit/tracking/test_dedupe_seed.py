"""The seed of an index's keys is its own, and outlives it as long as any id does."""

from pathlib import Path

from onward.tracking.dedupe import RocksDedupe, keys


def test_each_index_has_a_seed_of_its_own_and_keeps_it(tmp_path: Path) -> None:
    first, other = RocksDedupe(tmp_path / "a"), RocksDedupe(tmp_path / "b")
    assert first.seed != other.seed
    assert keys(b"", ["x"], first.seed) != keys(b"", ["x"], other.seed)
    first.record(keys(b"", ["x"], first.seed), 1000, 1)
    seed = first.seed
    first.close()
    again = RocksDedupe(tmp_path / "a")
    assert again.seed == seed
    assert again.seen(keys(b"", ["x"], again.seed), 1000) == {0}
    again.close()
    other.close()
