"""Search for files that break a reader: `python .github/fuzz.py config|checkpoint|tables|videos|all SECONDS`.

Coverage-guided, on the targets of tests/fuzzed.py.  Needs atheris, which is no dependency of the package:
`pip install --target FOLDER atheris`, then run this with PYTHONPATH=FOLDER.

A finding is any exception but `InputError`, a file left behind or open, 30 seconds without an answer, 4 GB of memory,
or a crash.  Its bytes, and what happened, are written to `--out`; equal ones once.  `--json FILE` keeps the figures.
"""

import argparse
import hashlib
import itertools
import json
import os
import platform
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
NAMES = ("config", "checkpoint", "tables", "videos")  # as in tests/fuzzed.py, which loads too much for `--help`
LONGEST, PATIENCE, MEMORY = 65_536, 30, 4096  # bytes of a file; seconds; MB
PACKAGES = ("atheris", "av", "opencv-python-headless", "openpyxl", "pillow", "safetensors", "torch", "transformers")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("target", choices=(*NAMES, "all"))
    parser.add_argument("seconds", type=float)
    parser.add_argument("--out", type=Path, default=Path("findings"), help="where the bytes of findings go")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="keep the figures here, beside those of other targets"
    )
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)  # the process that does the work, see `search`
    args = parser.parse_args()
    if args.inside:
        return fuzz(args.target, args.seconds, args.inside)
    found = 0
    for target in NAMES if args.target == "all" else [args.target]:
        row = search(target, args.seconds, args.out.resolve())
        times = f"{row['executions']:,} executions in {row['seconds']} s"
        print(f"{target}: {times}, {row['findings']} findings", flush=True)
        found += row["findings"]
        if args.json:
            keep(args.json, target, row)
    sys.exit(found > 0)


def search(target: str, seconds: float, out: Path) -> dict:
    """Fuzz in a process of its own, and in another where that one has crashed; the figures."""
    executions, start = 0, time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        (place / "findings").mkdir()
        while (left := seconds - (time.monotonic() - start)) > 1:
            command = [sys.executable, __file__, target, f"{left:.0f}", "--inside", scratch]
            with open(place / "log.txt", "wb") as log:
                done = subprocess.run(command, stdout=log, stderr=log)
            executions += counted(target, place)
            if done.returncode:
                print(f"{target}: the process ended with {done.returncode}, another one goes on", flush=True)
        out.mkdir(parents=True, exist_ok=True)
        found = [shutil.copy(path, out) for path in sorted((place / "findings").iterdir())]
    found = [path for path in map(Path, found) if path.suffix != ".txt"]
    for path in found:
        print(f"{target}: {path}", flush=True)
    versions = {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    spent = round(time.monotonic() - start)
    return {"seconds": spent, "executions": executions, "findings": len(found), "versions": versions}


def counted(target: str, place: Path) -> int:
    """Executions of the last process; ends this one where there were none."""
    count = place / "count"
    if not count.exists() or count.stat().st_size == 0:
        sys.exit(f"{target}: {(place / 'log.txt').read_text(errors='replace')[-2000:]}")
    (number,) = struct.unpack("<Q", count.read_bytes())
    count.unlink()
    return number


def fuzz(target: str, seconds: float, place: Path) -> None:
    """Give a target mutations of good files; runs until the time is over or the process crashes."""
    import atheris
    import torch  # noqa: F401  before, so that our own branches alone guide the search
    import transformers  # noqa: F401

    with atheris.instrument_imports(include=["aullm_lite"]):
        import fuzzed
    plant(fuzzed.seeds(target), place / "corpus")
    once = recorded(fuzzed.TARGETS[target], place, place / "findings" / target)
    atheris.Setup([sys.argv[0], *options(seconds, place / "findings" / f"{target}-"), str(place / "corpus")], once)
    atheris.Fuzz()


def recorded(target: Callable[[bytes], object], place: Path, findings: Path) -> Callable[[bytes], None]:
    """A target whose executions are counted in a file, and whose errors are kept as findings."""
    count, executions = os.open(place / "count", os.O_CREAT | os.O_RDWR), itertools.count(1)

    def once(data: bytes) -> None:
        os.pwrite(count, struct.pack("<Q", next(executions)), 0)
        try:
            target(data)
        except Exception as error:
            record(error, data, findings)

    return once


def options(seconds: float, prefix: Path) -> list[str]:
    """Of libFuzzer, which writes down what hangs, swells or crashes."""
    limits = {"timeout": PATIENCE, "rss_limit_mb": MEMORY, "max_len": LONGEST, "max_total_time": round(seconds)}
    return [f"-{name}={value}" for name, value in (limits | {"artifact_prefix": prefix}).items()]


def plant(seeds: list[bytes], corpus: Path) -> None:
    corpus.mkdir(exist_ok=True)
    for number, seed in enumerate(seeds):
        if len(seed) <= LONGEST:
            (corpus / f"seed{number}").write_bytes(seed)


def record(error: Exception, data: bytes, name: Path) -> None:
    """Write down bytes and traceback, the first time that this kind of error comes from this line."""
    *_, last = traceback.extract_tb(error.__traceback__)
    kind = hashlib.sha256(f"{type(error).__name__} {last.filename}:{last.lineno}".encode()).hexdigest()[:12]
    path = name.with_name(f"{name.name}-{kind}")
    if not path.exists():
        path.write_bytes(data)
        text = "".join(traceback.format_exception(error))
        path.with_suffix(".txt").write_text(text, encoding="utf-8", errors="replace")


def keep(path: Path, target: str, row: dict) -> None:
    """Put the figures of one target beside those of the others."""
    from aullm_lite.files import write_together

    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    rows = {name: (rows | {target: row})[name] for name in NAMES if name in rows or name == target}
    write_together({path: (json.dumps(rows, indent=1) + "\n").encode()})


if __name__ == "__main__":
    main()
