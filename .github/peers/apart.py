"""Peers in a virtual environment of their own, so that their versions do not meddle with ours."""

import json
import os
import subprocess
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

Ask = Callable[..., dict]  # one order, one answer


class Missing(Exception):
    """A peer cannot be had here; the text is one sentence."""


def environment(folder: Path, requirement: str) -> Path:
    """The Python of an environment with one requirement, made at the first call.  Raises `Missing`."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        print(f"Making an environment for {requirement} ...", flush=True)
        venv.create(folder, with_pip=True)
    done = subprocess.run([python, "-m", "pip", "install", "--quiet", requirement], capture_output=True, text=True)
    if done.returncode:
        raise Missing(f"{requirement} cannot be installed here: {last(done.stderr)}")
    return python


@contextmanager
def worker(python: Path, script: Path, log: Path) -> Iterator[Ask]:
    """A process that answers each line of JSON with another; raises `Missing` where it says so or ends."""
    with open(log, "w") as errors:
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)
        process = subprocess.Popen([python, script], **pipes)

    def ask(**order) -> dict:
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()
        line = process.stdout.readline()
        answer = json.loads(line) if line else {"missing": last(log.read_text())}
        if "missing" in answer:
            raise Missing(f"{log.stem} cannot be run here: {answer['missing']}")
        return answer

    try:
        yield ask
    finally:
        with suppress(BrokenPipeError):
            process.stdin.close()  # it ends with its input
        process.stdout.close()
        process.wait()


def last(text: str) -> str:
    """The last line that says something, no longer than a line should be."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it gave no reason."
