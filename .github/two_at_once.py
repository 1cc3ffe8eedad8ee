"""Two processes on one output folder: does one do the work, and is the other told so, or does it wait for a download?

`python .github/two_at_once.py train loso --pairs 20 --json FILE`; without names all works of `.github/kill.py`.  The
second process begins at a random moment of the first.  Takes minutes on two cores.
"""

import random
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from time import perf_counter

from works import WORKS, try_all

# isort: split
from killed import Whole, ended, log, start, undisturbed

REFUSED = "Another process is writing to|exists already|--resume"


def pair(work, out: Path, gap: float, whole: Whole) -> tuple[int, list[str]]:
    """Start a work twice, so many seconds apart: how many did it, and all that is not as it should be."""
    first = start(work, out, False, words="first")
    time.sleep(gap)
    second = start(work, out, False, words="second")
    statuses = {"first": ended(first), "second": ended(second)}
    wrong = [f"{name} ended with {status}" for name, status in statuses.items() if status not in (0, 2)]
    for name in [name for name, status in statuses.items() if status == 2]:
        said = log(out, name).read_text()
        sentences = re.findall(rf"^{work.name.split()[0]}: .*(?:{REFUSED}).*$", said, re.M)
        wrong += [] if len(sentences) == 1 and "Traceback" not in said else [f"{name} said {said[-500:]}"]
    done, wanted_done = list(statuses.values()).count(0), 2 if work.name == "assets" else 1  # of files one fetches
    wrong += [] if done == wanted_done else [f"{done} did it"]
    wrong += [f"ends otherwise: {name}" for name in whole.differing(work, out)]
    return done, wrong + [f"left over: {name}" for name in whole.left_over(out)]


def paired(name: str, pairs: int, seed: int) -> dict:
    """The figures of one work."""
    rng, begun, done, wrong = random.Random(seed), perf_counter(), 0, []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        place = Path(place)
        work = WORKS[name](place)
        whole = undisturbed(work, place / "whole")
        for number in range(pairs):
            out = place / f"pair-{number}"
            some, faults = pair(work, out, rng.random() ** 2 * whole.seconds, whole)
            done, wrong = done + some, wrong + faults
            shutil.rmtree(out)
            print(f"{name}: pair {number + 1}, {some} did it, {len(faults)} wrong", flush=True)
    row = {"what": name, "pairs": pairs, "did_it": done, "refused": 2 * pairs - done, "wrong": len(wrong)}
    return row | {"seconds": round(perf_counter() - begun, 1), "words": wrong[:5]}


if __name__ == "__main__":
    sys.exit(try_all(__doc__, "pairs", 20, paired, ("wrong",)))
