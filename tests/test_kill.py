"""kill -9: nothing lost, nothing half-written read, and the end as if nothing had happened.

The short form of `.github/kill.py`, which kills as often as it is told to.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from killed import Work, torment

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
WORKS = ("train", "loso", "synth", "assets")


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """What a kill of each work did, and one of what went on with it.

    A process of its own, for forks of one with threads may hang.
    """
    file = tmp_path_factory.mktemp("kill") / "kill.json"
    command = [sys.executable, ".github/kill.py", *WORKS, "--kills", "2", "--seed", "3", "--json", file]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, timeout=900)
    assert file.exists(), done.stderr[-2000:]
    return {row["what"]: row for row in json.loads(file.read_text())["works"]}


@pytest.mark.parametrize("name", WORKS)
def test_a_kill_does_no_harm(rows, name):
    harm = {key: rows[name][key] for key in ("lost", "half_written", "left_over", "failed")}
    assert harm == dict.fromkeys(harm, 0), rows[name]["words"]


def test_harm_is_seen():
    """By the same eyes: files that are empty, work done again, another end, and leftovers."""
    done = subprocess.run([sys.executable, __file__], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["kills"] == 30 and not found["failed"]
    assert "empty" in found["half_written"] and any("scratch" in name for name in found["left_over"])
    for words in ("was done again", "ends otherwise"):
        assert any(words in some for some in found["lost"])


def careless(folder: Path, go_on: bool) -> int:
    """Counts to forty into a file that is written anew each time, and never looks at what is there."""
    for number in range(40):
        (folder / "numbers.txt").write_text("\n".join(map(str, range(number + 1))))
        (folder / f"scratch-{os.getpid()}").touch()
    (folder / "end.txt").write_text(os.urandom(8).hex())
    return 0


def empty(folder: Path) -> list[str]:
    file = folder / "numbers.txt"
    return ["empty"] if file.exists() and not file.read_text() else []


def when_written(folder: Path) -> dict:
    file = folder / "numbers.txt"
    return {"numbers": file.stat().st_mtime_ns} if file.exists() else {}


if __name__ == "__main__":
    work = Work("careless", careless, empty, when_written, lambda folder: {"end": (folder / "end.txt").read_text()})
    with tempfile.TemporaryDirectory() as place:
        print(json.dumps(vars(torment(work, Path(place), kills=30))))
