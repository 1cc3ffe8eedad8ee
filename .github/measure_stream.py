"""How much memory do writing and streaming SynthME take?  `python .github/measure_stream.py --json FILE`

Each figure is the peak (VmHWM) of a fresh process.  Written are two sizes; streamed are these, and the larger one under
several names, so that a stream of many files need not be drawn.  What a million clips would take is computed on paper.
Takes minutes; needs Linux.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import pyarrow as pa
from datasets import load_dataset
from joblib.externals.loky import get_reusable_executor

from aullm_lite.synth import shards
from aullm_lite.synth.export import write_dataset

EACH, MILLION, MIB = 25, 1_000_000, 1 << 20


def peak_mib() -> float:
    """The most memory that this process has held so far."""
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024


def write(folder: Path, clips: int) -> dict:
    """Draw so many clips into a folder."""
    begun, start = peak_mib(), perf_counter()
    write_dataset(folder, subjects=clips // EACH, clips=EACH, tier="standard")
    seconds = perf_counter() - start
    get_reusable_executor().shutdown(wait=True)
    workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    files = list(folder.glob("data/*"))
    disk = sum(path.stat().st_size for path in files) / MIB
    facts = {"files": len(files), "disk_mib": disk, "seconds": seconds, "largest_worker_mib": workers}
    return {"clips": clips, "peak_mib": peak_mib(), "before_mib": begun, **facts}


def stream(folder: Path, clips: int) -> dict:
    """Pass once over all clips, shuffled, as training would."""
    begun, start = peak_mib(), perf_counter()
    seen = sum(len(batch) for batch in shards.stream(folder, batch_size=64, buffer=1000))
    seconds = perf_counter() - start
    assert seen == clips, f"{seen} of {clips} clips came"
    files = len(list(folder.glob("data/*")))
    return {"clips": clips, "peak_mib": peak_mib(), "before_mib": begun, "files": files, "seconds": seconds}


def by_datasets(folder: Path, clips: int) -> dict:
    """The same by the library `datasets`, which reads ten files at a time."""
    begun, start = peak_mib(), perf_counter()
    rows = load_dataset(str(folder), split="train", streaming=True).shuffle(seed=0, buffer_size=1000)
    seen = sum(len(batch["clip"]) for batch in rows.iter(batch_size=64))
    seconds = perf_counter() - start
    assert seen == clips, f"{seen} of {clips} clips came"
    return {"clips": clips, "peak_mib": peak_mib(), "before_mib": begun, "seconds": seconds}


def read(folder: Path, clips: int) -> dict:
    """All at once, for comparison."""
    begun = peak_mib()
    assert len(shards.read_dataset(folder)) == clips
    return {"clips": clips, "peak_mib": peak_mib(), "before_mib": begun}


STEPS = {"write": write, "stream": stream, "by_datasets": by_datasets, "read": read}


def fresh(step: str, folder: Path, clips: int) -> dict:
    """A step in a process of its own."""
    order = [sys.executable, __file__, "--step", step, "--folder", folder, "--sizes", str(clips)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(list(map(str, order)), env=environment, stdout=subprocess.PIPE, text=True, check=True)
    figures = {name: round(value, 1) for name, value in json.loads(done.stdout.splitlines()[-1]).items()}
    print(step, figures, flush=True)
    return figures


def repeated(folder: Path, out: Path, times: int) -> Path:
    """The files of a data set under several names each."""
    files = sorted(folder.glob("data/*"))
    (out / "data").mkdir(parents=True)
    for n in range(times * len(files)):
        (out / "data" / f"train-{n:05d}-of-{times * len(files):05d}.parquet").hardlink_to(files[n % len(files)])
    return out


def line(rows: list[dict], name: str) -> float:
    """The straight line through the two largest sizes, at a million clips; never below the last of them."""
    (few, less), (many, more) = ((row["clips"], row[name]) for row in rows[-2:])
    return more + max(0.0, (more - less) / (many - few)) * (MILLION - many)


def a_million(written: list[dict], streamed: list[dict], at_once: list[dict]) -> dict:
    """What a million clips would take, on paper."""
    last, pace = written[-1], streamed[-1]
    return {
        "clips": MILLION,
        "write_peak_mib": line(written, "peak_mib"),
        "stream_peak_mib": line(streamed, "peak_mib"),
        "read_at_once_gib": line(at_once, "peak_mib") / 1024,
        "disk_gib": last["disk_mib"] / 1024 * MILLION / last["clips"],
        "files": -(-MILLION // shards.SHARD),
        "write_hours": last["seconds"] / 3600 * MILLION / last["clips"],
        "stream_minutes": pace["seconds"] / 60 * MILLION / pace["clips"],
    }


def measure(sizes: list[int], times: int) -> dict:
    """All figures, in a folder that is deleted."""
    with tempfile.TemporaryDirectory() as scratch:
        folders = {size: Path(scratch) / str(size) for size in sizes}
        written = [fresh("write", folder, size) for size, folder in folders.items()]
        at_once = [fresh("read", folder, size) for size, folder in folders.items()]
        for some in (times // 2, times):
            folders[some * sizes[-1]] = repeated(folders[sizes[-1]], Path(scratch) / f"many{some}", some)
        streamed, library = (
            [fresh(step, folder, size) for size, folder in folders.items()] for step in ("stream", "by_datasets")
        )
    paper = {name: round(value, 1) for name, value in a_million(written, streamed, at_once).items()}
    settings = {"cores": os.cpu_count(), "shard": shards.SHARD, "row_group": shards.GROUP, "pyarrow": pa.__version__}
    figures = {"write": written, "stream": streamed, "stream_by_datasets": library, "read_at_once": at_once}
    return settings | figures | {"a_million_on_paper": paper}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[2000, 8000], help=f"clips, multiples of {EACH}")
    parser.add_argument("--times", type=int, default=24, help="names of each file in the largest stream")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.step:
        return print(json.dumps(STEPS[args.step](args.folder, args.sizes[0])))
    text = json.dumps(measure(args.sizes, args.times), indent=1)
    if args.json:
        Path(args.json).write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
