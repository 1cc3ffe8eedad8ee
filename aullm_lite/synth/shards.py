"""SynthME as Parquet shards: drawn, written and forgotten one after another, so that memory does not grow with them.

They are read all at once (`read_dataset`), as a stream of batches (`stream`), or by `datasets.load_dataset`.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm.auto import tqdm

from .. import __version__
from ..clips import ClipSet
from ..errors import InputError
from ..files import alone, new_folder, told_of, write_together
from .dataset import HELD_OUT, labels_of, render_people, tier_recipe
from .identity import Identity
from .script import Camera, Movement, Script

SHARD = 1000  # clips in a file, some 20 MB
GROUP = 250  # clips in a row group, the least that is read of a file at a time
ABOUT = "synthme.json"
COLUMNS = ["id", "subject", "tier", "clip", "shape", "aus", "times_s", "movements", "script"]
READ = ["clip", "shape", "subject", "script"]


def features():
    """The columns: frames as bytes with their shape, labels, subject, and the script as the truth."""
    from datasets import Features, List, Value

    text, whole, real = Value("string"), Value("int64"), Value("float64")
    movement = {"au": whole, "side": text, "peak": real, "onset": real, "apex": real, "offset": real}
    columns = {"id": text, "subject": text, "tier": text, "clip": Value("binary"), "shape": List(whole)}
    columns |= {"aus": List(whole), "times_s": List(real), "movements": List(movement), "script": text}
    return Features(columns)


def write_shard(path: Path, data: ClipSet, tier: str, first: int) -> None:
    """Write some clips to one file, whole or not at all; `first` is the number of the first among all."""
    rows = [
        {
            "id": f"{subject}-{first + number:06d}",
            "subject": str(subject),
            "tier": tier,
            "clip": clip.tobytes(),
            "shape": list(clip.shape),
            "aus": sorted(script.aus),
            "times_s": script.times.tolist(),
            "movements": [asdict(movement) for movement in script.movements],
            "script": script_json(script),
        }
        for number, (clip, script, subject) in enumerate(zip(data.clips, data.scripts, data.subjects))
    ]
    table, sink = pa.Table.from_pylist(rows, features().arrow_schema), pa.BufferOutputStream()
    pq.write_table(table, sink, row_group_size=GROUP, compression="zstd", write_page_checksum=True)
    write_together({path: sink.getvalue()})


def write_hf(folder: Path, data: ClipSet, tier: str) -> None:
    """Write clips that are there already."""
    for rows, path in shards(folder, len(data), "train"):
        write_shard(path, data.select(slice(rows.start, rows.stop)), tier, rows.start)


def shards(folder: Path, total: int, split: str) -> list[tuple[range, Path]]:
    """The clips of each file and its name, by which `datasets` knows the split."""
    count = math.ceil(total / SHARD)
    names = [folder / "data" / f"{split}-{n:05d}-of-{count:05d}.parquet" for n in range(count)]
    return [(range(n * SHARD, min(total, (n + 1) * SHARD)), name) for n, name in enumerate(names)]


def draw_shards(out: Path, people: list[Identity | None], clips: int, tier: str, seed: int) -> None:
    """Draw `clips` clips of each person into a new folder, file by file.

    They lie in a hidden folder beside it until all are there, from which the same order goes on after a kill.  Raises
    `InputError` where another order has been begun.
    """
    begun, total = out.with_name(f".{out.name}.begun"), len(people) * clips
    order = {"subjects": len(people), "clips": clips, "tier": tier, "seed": seed, "people": faces(people)}
    split = "test" if seed >= HELD_OUT else "train"
    with alone(out.parent, out.name), told_of(out, begun):
        new_folder(out)  # another process may have made it meanwhile
        begin(begun, order)
        files = [(rows, path) for rows, path in shards(begun, total, split) if not path.exists()]
        for rows, path in tqdm(files, desc="SynthME as Parquet", unit="file", disable=total <= SHARD):
            write_shard(path, draw(people, clips, tier, seed, rows), tier, rows.start)
        if out.exists():
            out.rmdir()
        begun.rename(out)


def begin(folder: Path, order: dict) -> None:
    """A folder for an order, or that in which it was begun, without what a kill has cut off."""
    about, facts = folder / ABOUT, {"generator": "SynthME", "version": __version__, "shard": SHARD, **order}
    if about.exists() and json.loads(about.read_text()) != facts:
        raise InputError(f"{folder} holds another data set that was begun: delete it, or end it by its own command.")
    for cut in folder.rglob("*.partial"):
        cut.unlink()
    write_together({about: (json.dumps(facts, indent=1) + "\n").encode()})


def faces(people: list[Identity | None]) -> str:
    """`drawn`, or a hash of the photographs."""
    if people[0] is None:
        return "drawn"
    return hashlib.sha256(b"".join(one.subject.encode() + one.skin.tobytes() for one in people)).hexdigest()


def draw(people: list[Identity | None], clips: int, tier: str, seed: int, rows: range) -> ClipSet:
    """Some clips of a data set, which lie person by person."""
    recipe, cast = tier_recipe(tier), range(rows.start // clips, (rows.stop - 1) // clips + 1)
    scripts = []
    for person in cast:
        first, end = max(rows.start - person * clips, 0), min(rows.stop - person * clips, clips)
        scripts.append([recipe(np.random.default_rng((seed + person, number))) for number in range(first, end)])
    return render_people(people[cast.start : cast.stop], scripts, seed=seed + cast.start)


def files_of(folder: Path) -> list[Path]:
    """The files of a data set, in their order; none where it is in no such files.

    Raises `InputError` where some are not there, and for files of something else.
    """
    files = sorted(folder.glob("data/*.parquet"))
    try:
        for path in files[:1]:
            pq.read_schema(path).empty_table().select(COLUMNS)
    except (KeyError, ValueError, OSError) as error:
        raise no_dataset(folder, error) from None
    if files and (count := files[0].stem.rpartition("-of-")[2]) != f"{len(files):05d}":
        raise InputError(f"{folder} holds {len(files)} of {count} files: copy the others, too.")
    return files


def table(folder: Path, columns: list[str] | None = None) -> pa.Table:
    """All rows of some columns, from shards or from what `datasets` saves to disk.  Raises what their readers raise."""
    from datasets import load_from_disk

    if files := files_of(folder):
        return pq.ParquetDataset(files).read(columns)
    rows = load_from_disk(str(folder))
    return (rows.select_columns(columns) if columns else rows).with_format("arrow")[:]


def read_dataset(folder: str | Path) -> ClipSet:
    """All clips of `synth --format hf`, or of what was published of it.  Raises `InputError` for any other folder."""
    files_of(Path(folder))
    try:
        rows = table(Path(folder), READ)
        return clips_of({name: rows.column(name).to_pylist() for name in READ})
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise no_dataset(folder, error) from None


def stream(
    folder: str | Path, *, batch_size: int = 64, buffer: int = 1000, seed: int = 0, epoch: int = 0
) -> Iterator[ClipSet]:
    """Batches of clips, of which only `buffer` and a part of one file are in memory.

    Files come in an order of `seed` and `epoch`, clips at random out of the buffer; with `buffer=0` all come as they
    lie.  Raises `InputError` for any other folder.
    """
    files, rng = files_of(Path(folder)), np.random.default_rng((seed, epoch))
    if not files:
        raise no_dataset(folder, FileNotFoundError())
    order = rng.permutation(len(files)) if buffer else range(len(files))
    rows = rows_in(files[n] for n in order)
    rows = shuffled(rows, buffer, rng) if buffer else rows
    while batch := list(islice(rows, batch_size)):
        yield clips_of({name: [row[name] for row in batch] for name in READ})


def rows_in(files: Iterable[Path]) -> Iterator[dict]:
    """Row by row, `GROUP` of them at a time from the disk."""
    for path in files:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for some in file.iter_batches(GROUP, columns=READ):
                yield from some.to_pylist()


def shuffled(rows: Iterable[dict], buffer: int, rng: np.random.Generator) -> Iterator[dict]:
    """Each row takes the place of one drawn at random from those that wait; the last ones come in random order."""
    waiting = []
    for row in rows:
        if len(waiting) < buffer:
            waiting.append(row)
        else:
            place = rng.integers(buffer)
            yield waiting[place]
            waiting[place] = row
    for place in rng.permutation(len(waiting)):
        yield waiting[place]


def clips_of(columns: dict[str, list]) -> ClipSet:
    """Clips with their truth, from the columns in which they are kept."""
    scripts = tuple(script_from_json(text) for text in columns["script"])
    clips = [np.frombuffer(clip, np.uint8).reshape(shape) for clip, shape in zip(columns["clip"], columns["shape"])]
    return ClipSet(np.stack(clips), np.stack([*map(labels_of, scripts)]), np.array(columns["subject"]), scripts)


def no_dataset(source: str | Path, error: Exception) -> InputError:
    """One sentence for what cannot be read."""
    wanted = "data set written by `python -m aullm_lite synth --format hf`"
    return InputError(f"{source} holds no {wanted} ({type(error).__name__}).")


def script_json(script: Script) -> str:
    """A script as text; `script_from_json` is its inverse."""
    return json.dumps(asdict(replace(script, times=script.times.tolist())))


def script_from_json(text: str) -> Script:
    values = json.loads(text)
    camera = {name: tuple(v) if isinstance(v, list) else v for name, v in values.pop("camera").items()}
    moving = {name: tuple(Movement(**m) for m in values.pop(name)) for name in ("movements", "others")}
    plain = {name: tuple(v) if isinstance(v, list) and name != "times" else v for name, v in values.items()}
    return Script(**plain | moving | {"times": np.array(plain["times"]), "camera": Camera(**camera)})
