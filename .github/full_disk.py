"""A full disk at any moment, then more room and on to the end: is it what a large disk would have got?

`python .github/full_disk.py train loso --sizes 10 --json FILE`; without names all of them.  Mounts small disks in
memory, for which it must be root.  Takes minutes on two cores.
"""

import os
import random
import re
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from works import WORKS, try_all

# isort: split
from killed import Whole, asked, ended, log, start, undisturbed

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


def harm(work, folder: Path, size: int, whole: Whole) -> tuple[bool, list[str]]:
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
        wrong += [f"ends otherwise: {name}" for name in whole.differing(work, out)]
        return True, wrong + [f"left over: {name}" for name in whole.left_over(out)]


def filled(name: str, sizes: int, seed: int) -> dict:
    """The figures of one work: disks from next to nothing to all that it needs."""
    rng, begun, full, wrong = random.Random(seed), perf_counter(), 0, []
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        work = WORKS[name](place)
        whole = undisturbed(work, place / "whole")
        needed = sum(path.stat().st_size for path in (place / "whole").rglob("*"))
        for number in range(sizes):
            size = 16_384 + int(needed * (number + rng.random()) / sizes)
            found, some = harm(work, place / f"disk-{number}", size, whole)
            full, wrong = full + found, wrong + [f"{size} bytes: {words}" for words in some]
            print(f"{name}: {size} bytes {'are too few' if found else 'suffice'}, {len(some)} wrong", flush=True)
    seconds = round(perf_counter() - begun, 1)
    return {"what": name, "full_disks": full, "wrong": len(wrong), "seconds": seconds, "words": wrong[:5]}


if __name__ == "__main__":
    if not sys.platform.startswith("linux") or os.geteuid():
        sys.exit("Only root can mount a small disk, and only Linux does it like this.")
    sys.exit(try_all(__doc__, "sizes", 10, filled, ("wrong",)))
