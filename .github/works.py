"""What `kill.py`, `full_disk.py` and `two_at_once.py` share: the works that they try, and their command line."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # threads survive no fork
ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from kill_works import WORKS  # noqa: E402


def try_all(about: str, tries: str, times: int, measure: Callable[[str, int, int], dict], harm: tuple[str, ...]) -> int:
    """Measure the works that the command line names, so many times each; 1 where any figure in `harm` is not zero.

    `measure(work, times, seed)` gives a row of figures; `tries` is what the times are called.
    """
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("works", nargs="*", choices=[*WORKS, []], metavar="WORK", help=", ".join(WORKS))
    parser.add_argument(f"--{tries}", dest="times", metavar="N", type=int, default=times)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    rows = []
    for name in args.works or WORKS:
        rows.append(measure(name, args.times, args.seed))
        report = {"machine": {"cores": os.cpu_count(), "python": platform.python_version()}, "works": rows}
        text = json.dumps(report, indent=1) + "\n"
        if args.json:
            args.json.write_text(text)
    print(text)
    return int(any(row[key] for row in rows for key in harm))
