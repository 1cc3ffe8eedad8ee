"""A full disk at any moment, then more room and on to the end: is it what a large disk would have got?

`python .github/full_disk.py train loso --sizes 10 --json FILE`; without names all of them.  Mounts small disks in
memory, for which it must be root.  Takes minutes on two cores.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # threads survive no fork
ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from kill_works import WORKS  # noqa: E402
from killed import asked, differing, ended, log, start, undisturbed  # noqa: E402
from listing import everything  # noqa: E402

ROOM = 1 << 30  # bytes of a large disk


@contextmanager
def disk(folder: Path, size: int):
    """A disk in memory of so many bytes, and a function that makes it large."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield lambda: subprocess.run(["mount", "-o", f"remount,size={ROOM}", folder], check=True)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def harm(work, folder: Path, size: int, wanted: dict, names: set) -> tuple[bool, list[str]]:
    """Whether the disk was too small, and all that is not as it should be."""
    with disk(folder, size) as enlarge:
        out = folder / "place"
        status = ended(start(work, out, False))
        said = log(out).read_text()
        if status == 0:
            return False, []
        wrong = [] if status == 2 else [f"exit status {status}"]
        sentences = re.findall(rf"^{work.name.split()[0]}: .*No space left on device.*another place.*", said, re.M)
        if len(sentences) != 1 or "Traceback" in said:
            wrong.append(f"said {said[-500:]}")
        wrong += asked(work.broken, out)
        kept = asked(work.kept, out)
        enlarge()
        if status := ended(start(work, out, True)):
            wrong.append(f"exit status {status} with room: {log(out).read_text()[-500:]}")
        now = asked(work.kept, out)
        wrong += [f"{name} was done again" for name, value in kept.items() if now.get(name) != value]
        wrong += [f"ends otherwise: {name}" for name in differing(wanted, work, out)]
        return True, wrong + [f"left over: {name}" for name in set(everything(out)) - names]


def filled(name: str, sizes: int) -> dict:
    """The figures of one work: disks from next to nothing to all that it needs."""
    begun, full, wrong = perf_counter(), 0, []
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        work, whole = WORKS[name](place), place / "whole"
        undisturbed(work, whole)
        wanted, names = asked(work.result, whole), set(everything(whole))
        needed = sum(path.stat().st_size for path in whole.rglob("*"))
        for number in range(sizes):
            size = 16_384 + needed * number // sizes
            found, some = harm(work, place / f"disk-{number}", size, wanted, names)
            full, wrong = full + found, wrong + [f"{size} bytes: {words}" for words in some]
            print(f"{name}: {size} bytes {'are too few' if found else 'suffice'}, {len(some)} wrong", flush=True)
    return {"what": name, "full_disks": full, "wrong": wrong, "seconds": round(perf_counter() - begun, 1)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("works", nargs="*", choices=[*WORKS, []], metavar="WORK", help=", ".join(WORKS))
    parser.add_argument("--sizes", type=int, default=10)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    if not sys.platform.startswith("linux") or os.geteuid():
        print("Skipped: only root can mount a small disk, and only Linux does it like this.")
        return 0
    rows = [filled(name, args.sizes) for name in args.works or WORKS]
    report = {"machine": {"cores": os.cpu_count(), "python": platform.python_version()}, "works": rows}
    text = json.dumps(report, indent=1) + "\n"
    if args.json:
        args.json.write_text(text)
    print(text)
    return int(any(row["wrong"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
