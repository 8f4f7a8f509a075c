"""`processHashing` against that of Segment's published destinations, on made-up values and their hashes."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

from onward.destinations.bridge.install import install
from onward.destinations.hashing import DIGEST_BYTES, process_hashing, trim
from onward.settings import Settings

SCRIPT = Path(__file__).parent / "js" / "destinations" / "hashing.cjs"
ALPHABET = "aBc09@.+/= \t\n\u00a0\ufeff\u0085\u001féßÄİ😀\ud83d"
CASES = 4000


def cases() -> list[tuple[str, str, str, bool]]:
    dice = random.Random(11)
    made = []
    for _ in range(CASES):
        algorithm, encoding = dice.choice(sorted(DIGEST_BYTES)), dice.choice(["hex", "base64"])
        value = "".join(dice.choices(ALPHABET, k=dice.choice([0, 1, 2, 5, 24, 32, 40, 64])))
        if dice.random() < 0.5:
            value = process_hashing(value, dice.choice(sorted(DIGEST_BYTES)), dice.choice(["hex", "base64"]))
            value = dice.choice([value, value.upper(), value + " ", value[1:], value.replace("=", "a")])
        made.append((value, algorithm, encoding, dice.random() < 0.5))
    return made


def ours(value: str, algorithm: str, encoding: str, lower: bool) -> str | None:
    try:
        return process_hashing(
            value, algorithm, encoding, (lambda text: trim(text).lower()) if lower else None
        )
    except ValueError:
        return None


def test_hashes_are_those_of_segment():
    folder = Settings().catalog_folder
    install(folder)
    given = cases()
    flags = ["--no-prompt", "--no-remote", "--cached-only", f"--allow-read={SCRIPT.parent},{folder}"]
    done = subprocess.run(
        [Path(sys.executable).parent / "deno", "run", *flags, SCRIPT, folder],
        input="".join(json.dumps(case) + "\n" for case in given),
        capture_output=True,
        text=True,
        env=os.environ | {"DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    theirs = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(theirs) == CASES
    assert len({hash for hash in theirs if hash}) > CASES / 4
    for case, hash in zip(given, theirs, strict=True):
        assert ours(*case) == hash, case
