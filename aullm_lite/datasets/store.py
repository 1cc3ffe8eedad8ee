"""Prepared clips on disk: one parquet file a subject, named after everything that decides what is in it.

A file is right or it is not there: it is written whole, another picture or another choice gives it another name, and
one that is damaged is made again.  A file that no choice leads to any more stays: from its name alone that cannot be
told from another choice.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ..assets import cache_folder
from ..files import write_together
from .clip_records import SCHEMA
from .records import Sample

FORMAT = 1  # of the files and of what is done to a picture; another number makes all of them anew
PROBLEMS = b"problems"  # of clips that are not in the file, in its metadata


def file_of(samples: list[Sample], facts: list[dict], loaded, cache: Path | None) -> Path:
    """Where the clips of one subject are kept; `facts` are their records without the pictures."""
    files = [[_stamp(path, loaded.frames_from) for path in sample.frames.values()] for sample in samples]
    content = [FORMAT, loaded.table.sha256, asdict(loaded.policy), facts, files]
    digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()
    folder = Path(cache or cache_folder() / "clips")
    return folder / f"{samples[0].dataset}-{samples[0].subject}-{digest[:16]}.parquet"


def _stamp(path: Path, base: Path) -> list:
    """What changes when a picture does."""
    try:
        facts = path.stat()
    except OSError:  # a dangling link: reading it tells what is wrong
        return [path.relative_to(base).as_posix()]
    return [path.relative_to(base).as_posix(), facts.st_size, facts.st_mtime_ns]


def read(path: Path) -> pa.Table | None:
    """The table of a file; None where there is none, or it is damaged."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        table = pq.read_table(pa.BufferReader(content), page_checksum_verification=True)
    except (pa.ArrowException, OSError):
        return None
    ours = table.schema.equals(SCHEMA) and PROBLEMS in (table.schema.metadata or {})
    return table if ours else None


def write(path: Path, records: list[dict], problems: list[str]) -> None:
    """Write the records of one subject, whole or not at all, in a folder that only its owner can open."""
    schema = SCHEMA.with_metadata({PROBLEMS: json.dumps(problems)})
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(records, schema), sink, compression="zstd", write_page_checksum=True)
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)  # licences keep the faces from others
    write_together({path: sink.getvalue().to_pybytes()})


def problems_of(table: pa.Table) -> list[str]:
    """Why clips of this subject are not in its file."""
    return json.loads(table.schema.metadata[PROBLEMS])
