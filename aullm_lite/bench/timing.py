"""Seconds and memory: two pieces of work in turns, one piece again and again, and what a fresh process held at most."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import torch

PEAK = """
import re
print(int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024)
"""  # not getrusage, whose maximum a child inherits


def seconds(work: Callable[[], object]) -> float:
    """How long it took; work on a GPU is waited for."""
    start = perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return perf_counter() - start


def in_turns(one: Callable, other: Callable, rounds: int) -> tuple[float, float]:
    """Median seconds of two pieces of work, run one after the other so that both meet the same noise."""
    pairs = [(seconds(one), seconds(other)) for _ in range(rounds)]
    return median(a for a, _ in pairs), median(b for _, b in pairs)


def steady(work: Callable[[], object], *, rounds: int = 7, longest: float = 2.0) -> float:
    """Median seconds of a warm piece of work: `rounds` times, or fewer where they would take longer than that (s)."""
    seconds(work)
    first = seconds(work)
    return median(seconds(work) for _ in range(max(2, min(rounds, int(longest / max(first, 1e-6))))))


def peak_memory(work: str, *arguments: str) -> float | None:
    """Largest resident size of a fresh process that does some work, in MiB; None where no /proc tells it."""
    if not Path("/proc/self/status").is_file():
        return None
    package = Path(__file__).parents[2]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, [str(package), os.environ.get("PYTHONPATH")]))
    }
    done = subprocess.run(
        [sys.executable, "-c", work + PEAK, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.split()[-1])
