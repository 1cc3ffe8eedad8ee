"""Search for files that break a reader: `python .github/fuzz.py config|checkpoint|tables|videos|all SECONDS`.

Coverage-guided, on the targets of tests/fuzzed.py.  Needs atheris, which is no dependency of the package:
`pip install --target FOLDER atheris`, then run this with PYTHONPATH=FOLDER.

A finding is any exception but `InputError`, a file left behind or open, 30 seconds without an answer, 4 GB of memory,
or a crash.  Its bytes, and what happened, are written to `--out`; equal ones once.  `--json FILE` keeps the figures.
"""

import argparse
import hashlib
import json
import os
import platform
import struct
import subprocess
import sys
import tempfile
import time
import traceback
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
        return fuzz(args.target, args.seconds, args.inside, args.out)
    found = 0
    for target in NAMES if args.target == "all" else [args.target]:
        row = search(target, args.seconds, args.out.resolve())
        print(
            f"{target}: {row['executions']:,} executions in {row['seconds']} s, {row['findings']} findings", flush=True
        )
        found += row["findings"]
        if args.json:
            keep(args.json, target, row)
    sys.exit(found > 0)


def search(target: str, seconds: float, out: Path) -> dict:
    """Fuzz in a process of its own, and in another where that one has crashed; the figures."""
    out.mkdir(parents=True, exist_ok=True)
    before, executions, start = findings(target, out), 0, time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        while (left := seconds - (time.monotonic() - start)) > 1:
            command = [sys.executable, __file__, target, f"{left:.0f}", "--inside", scratch, "--out", out]
            with open(Path(scratch) / "log.txt", "wb") as log:
                done = subprocess.run(command, stdout=log, stderr=log)
            count = Path(scratch) / "count"
            if not count.exists():  # it never began
                sys.exit(f"{target}: {(Path(scratch) / 'log.txt').read_text(errors='replace')[-2000:]}")
            executions += struct.unpack("<Q", count.read_bytes())[0]
            count.unlink()
            if done.returncode:
                print(f"{target}: the process ended with {done.returncode}, another one goes on", flush=True)
    new = findings(target, out) - before
    for path in sorted(new):
        print(f"{target}: {path}", flush=True)
    versions = {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    spent = round(time.monotonic() - start)
    return {"seconds": spent, "executions": executions, "findings": len(new), "versions": versions}


def findings(target: str, out: Path) -> set[Path]:
    return {path for path in out.glob(f"{target}-*") if path.suffix != ".txt"}


def fuzz(target: str, seconds: float, place: Path, out: Path) -> None:
    """Give a target mutations of good files; runs until the time is over or the process crashes."""
    import atheris
    import torch  # noqa: F401  before, so that our own branches alone guide the search
    import transformers  # noqa: F401

    with atheris.instrument_imports(include=["aullm_lite"]):
        import fuzzed
    corpus, count = place / "corpus", os.open(place / "count", os.O_CREAT | os.O_RDWR)
    corpus.mkdir(exist_ok=True)
    for number, seed in enumerate(fuzzed.seeds(target)):
        if len(seed) <= LONGEST:
            (corpus / f"seed{number}").write_bytes(seed)
    executions = 0

    def once(data: bytes) -> None:
        nonlocal executions
        executions += 1
        os.pwrite(count, struct.pack("<Q", executions), 0)
        try:
            fuzzed.TARGETS[target](data)
        except Exception as error:
            record(error, data, target, out)

    limits = (
        f"-timeout={PATIENCE}",
        f"-rss_limit_mb={MEMORY}",
        f"-max_total_time={seconds:.0f}",
        f"-max_len={LONGEST}",
    )
    atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={out}/{target}-", str(corpus)], once)
    atheris.Fuzz()


def record(error: Exception, data: bytes, target: str, out: Path) -> None:
    """Write down bytes and traceback, the first time that this kind of error comes from this line."""
    *_, last = traceback.extract_tb(error.__traceback__)
    kind = hashlib.sha256(f"{type(error).__name__} {last.filename}:{last.lineno}".encode()).hexdigest()[:12]
    path = out / f"{target}-{kind}"
    if not path.exists():
        path.write_bytes(data)
        path.with_suffix(".txt").write_text(
            "".join(traceback.format_exception(error)), encoding="utf-8", errors="replace"
        )


def keep(path: Path, target: str, row: dict) -> None:
    """Put the figures of one target beside those of the others."""
    from aullm_lite.files import write_together

    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    rows = {name: (rows | {target: row})[name] for name in NAMES if name in rows or name == target}
    write_together({path: (json.dumps(rows, indent=1) + "\n").encode()})


if __name__ == "__main__":
    main()
