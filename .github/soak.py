"""The app under a mix of requests, good and bad: are all answers right, does memory grow, do files stay?

`python .github/soak.py --minutes 60 --json FILE` starts app.py with the real model, asks it from three programs at once
and watches the memory of its processes.  Linux, a quiet machine.
"""

import argparse
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from soaking import Caller, requests  # noqa: E402

from aullm_lite.demo import RECIPES, render_example  # noqa: E402
from aullm_lite.video import write_video  # noqa: E402

CALLERS, EVERY, STAY = 3, 5.0, 20  # programs at once; seconds between looks; requests of one visit
FPS, GOOD = 25, 0.5  # of the clips; share of good requests
MiB = 1 << 20


@contextmanager
def app(temporary: Path) -> Iterator[tuple[str, subprocess.Popen]]:
    """The app in a process of its own, ready: its address, and the process, which is told to stop in the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(temporary)}
    environment["PYTHONFAULTHANDLER"] = "1"  # a crash says where
    process = subprocess.Popen([sys.executable, ROOT / "app.py"], env=environment, stdout=subprocess.DEVNULL, cwd=ROOT)
    try:
        url = f"http://127.0.0.1:{port}/"
        while process.poll() is None:
            with suppress(OSError):
                urlopen(url)
                break
            time.sleep(0.5)
        yield url, process
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
        process.kill()


def clips(folder: Path) -> dict[Path, set[int]]:
    """The example clips of the app, filmed by a common camera, and the AUs that were drawn."""
    made = {}
    for recipe in RECIPES:
        path = folder / f"{recipe.name}.mp4"
        write_video(path, render_example(recipe, fps=FPS), FPS)
        made[path] = {movement.au for movement in recipe.movements}
    return made


def memory(pid: int) -> int:
    """Bytes that a process and all its children hold."""
    total = 0
    for number in [pid, *children(pid)]:
        with suppress(OSError, IndexError):
            status = Path(f"/proc/{number}/status").read_text()
            total += int(status.split("VmRSS:")[1].split()[0]) * 1024
    return total


def children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(child) for child in task.read_text().split()]
    return found + [other for child in found for other in children(child)]


class Watch(threading.Thread):
    """Looks at the memory every few seconds: (seconds since the start, bytes)."""

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.pid, self.begun, self.seen, self.over = pid, time.monotonic(), [], threading.Event()

    def run(self) -> None:
        while not self.over.wait(EVERY):
            self.seen.append((time.monotonic() - self.begun, memory(self.pid)))

    def marks(self) -> dict[str, float]:
        """At the start, the quarters and the end, and the growth by a straight line through all that was seen."""
        seconds, held = np.array(self.seen).T
        at = [int(share * (len(held) - 1)) for share in (0, 0.25, 0.5, 0.75, 1)]
        slope = np.polyfit(seconds / 3600, held / MiB, 1)[0]
        names = ("start_mib", "quarter_mib", "half_mib", "three_quarters_mib", "end_mib")
        marks = {name: round(held[n] / MiB, 1) for name, n in zip(names, at)}
        return marks | {"peak_mib": round(held.max() / MiB, 1), "slope_mib_per_hour": round(float(slope), 1)}


def asking(caller: Caller, kinds: dict, until: float, running: Callable[[], bool]) -> tuple[Counter, list[str]]:
    """Ask until the time is over: how many of each kind, and what was wrong."""
    rng, counts, wrong = caller.rng, Counter(), []
    goods = [name for name in kinds if name.startswith("good")]
    others = [name for name in kinds if name not in goods]
    while time.monotonic() < until and running():
        name = rng.choice(goods if rng.random() < GOOD else others)
        try:
            if sum(counts.values()) % STAY == 0:
                caller.arrive()
            problem = kinds[name](caller)
        except Exception as error:  # whatever it is, it is no answer
            problem = f"{type(error).__name__}: {error}"
        counts[name] += 1
        wrong += [f"{name}: {problem}"[:300]] if problem else []
    return counts, wrong


def soak(minutes: float) -> dict:
    """Ask for so many minutes, after a warm-up in which every kind is asked once."""
    with tempfile.TemporaryDirectory() as place:
        folder, temporary = Path(place), Path(place) / "gradio"
        kinds, known = requests(folder, clips(folder), render_example(RECIPES[0], fps=2)[0]), {}
        with app(temporary) as (url, process):
            callers = [Caller(url, folder, known, seed) for seed in range(CALLERS)]
            early = [f"{name}: {problem}" for name, ask in kinds.items() if (problem := ask(callers[0]))]
            counts, wrong, memory = watched(process, callers, kinds, minutes)
            files = [path for path in temporary.rglob("*") if path.is_file()]
            facts = {"files": len(files), "files_mib": round(sum(path.stat().st_size for path in files) / MiB, 1)}
            facts["ended_early"] = process.poll()  # None, or the signal that ended it, less than zero
        left = [path for path in temporary.rglob("*") if path.is_file()]
    facts["files_after_stop"] = len(left)  # uploads that have just broken off, tmp*, stay: see visits.py
    facts["other_than_broken_off"] = sum(not path.name.startswith("tmp") for path in left)
    wrong = early + wrong
    again = sum(caller.again for caller in callers)
    answers = {"requests": sum(counts.values()), "asked_again": again, "wrong": len(wrong), "words": wrong[:10]}
    return {"minutes": minutes, **answers, "kinds": dict(sorted(counts.items())), "memory": memory, **facts}


def watched(
    process: subprocess.Popen, callers: list[Caller], kinds: dict, minutes: float
) -> tuple[Counter, list, dict]:
    """Let all ask at once while the memory is watched: how many of each kind, what was wrong, and the memory."""
    watch, until = Watch(process.pid), time.monotonic() + 60 * minutes
    watch.start()
    with ThreadPoolExecutor(CALLERS) as pool:
        running = lambda: process.poll() is None  # noqa: E731
        parts = list(pool.map(lambda caller: asking(caller, kinds, until, running), callers))
    watch.over.set()
    watch.join()
    return sum((part[0] for part in parts), Counter()), [word for part in parts for word in part[1]], watch.marks()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    report = {"machine": {"cores": os.cpu_count(), "python": platform.python_version()}, **soak(args.minutes)}
    text = json.dumps(report, indent=1) + "\n"
    if args.json:
        args.json.write_text(text)
    print(text)
    return int(report["wrong"] > 0 or report["ended_early"] is not None or report["other_than_broken_off"] > 0)


if __name__ == "__main__":
    sys.exit(main())
