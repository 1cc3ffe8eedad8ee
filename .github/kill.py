"""kill -9 at any moment, then on to the end: is it what nobody disturbed would have made?

`python .github/kill.py train loso --kills 50 --json FILE`; without names all of them.  Every second run starts anew and
is killed, the next resumes it and is killed too, a third ends it.  Takes minutes on two cores.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from time import perf_counter

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # threads survive no fork
ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from kill_works import WORKS  # noqa: E402
from killed import torment  # noqa: E402


def killed(name: str, kills: int, seed: int) -> dict:
    """The figures of one work."""
    start = perf_counter()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        work = WORKS[name](Path(place))
        found = torment(work, Path(place), kills, seed, lambda now: print(f"{name}: {now.kills} kills", flush=True))
    counts = {key: len(some) for key, some in vars(found).items() if key != "kills"}
    words = {key: some[:5] for key, some in vars(found).items() if key != "kills" and some}
    return {"what": name, "kills": found.kills, **counts, "seconds": round(perf_counter() - start, 1), "words": words}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("works", nargs="*", choices=[*WORKS, []], metavar="WORK", help=", ".join(WORKS))
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rows = [killed(name, args.kills, args.seed) for name in args.works or WORKS]
    report = {"machine": {"cores": os.cpu_count(), "python": platform.python_version()}, "works": rows}
    text = json.dumps(report, indent=1) + "\n"
    if args.json:
        args.json.write_text(text)
    print(text)
    return int(any(row[key] for row in rows for key in ("lost", "half_written", "left_over", "failed")))


if __name__ == "__main__":
    sys.exit(main())
