"""The card of a generated data set, its README.md on the Hub: counted from the data themselves."""

from collections import Counter
from pathlib import Path

from huggingface_hub import DatasetCardData
from pyarrow.parquet import ParquetDataset, read_schema, read_table

from ..errors import InputError
from ..facs import action_unit
from ..people import not_drawn, pack
from ..synth.dataset import HELD_OUT
from ..synth.shards import files_of, no_dataset, table
from .model_card import LICENSE, SOURCE, TASK

SIZES = {10**3: "n<1K", 10**4: "1K<n<10K", 10**5: "10K<n<100K", 10**6: "100K<n<1M"}
COUNTED = ["subject", "tier", "aus"]
TAGS = ["synthetic", "micro-expression", "facial-action-units", "facs", "optical-flow"]

MADE = """## How it was made

A program drew the people from a seed and moved single parts of their faces, so it knows the truth of every clip: which
Action Units (AUs) move, on which side, when and how far. These people do not exist, and no row of a licensed data set
went into them; only statistics were taken from those: how long movements last, and which go together. Each clip is six
grey frames of 64 x 64 pixels, from onset to offset, as bytes with their shape.

| column | what it holds |
|---|---|
| `id`, `subject`, `tier` | name of the clip, of the drawn person, and how far the skin moves |
| `clip`, `shape` | the frames as bytes (uint8), and their shape |
| `aus` | the Action Units that are labelled as moving |
| `times_s` | when each frame was taken, in seconds |
| `movements` | Action Unit, side, peak in pixels, onset, apex and offset of every movement |
| `script` | all of the truth as JSON: movements, head, nuisances, camera |"""

USE = f"""## Use

With the package [`aullm-lite`]({SOURCE}):

```python
from huggingface_hub import snapshot_download

from aullm_lite.synth.export import read_dataset

data = read_dataset(snapshot_download("{{repo}}", repo_type="dataset"))  # frames, labels, people, scripts
```

or, in batches and without more than a few thousand clips in memory, `aullm_lite.synth.shards.stream(FOLDER)` of that
folder. Without the package it is `datasets.load_dataset("{{repo}}", streaming=True)`, and
`numpy.frombuffer(row["clip"], "uint8")`."""

LIMITS = """## Limits

The anatomy is plausible, not measured on people; twelve AUs only; faces near the front; the habits of two laboratories
(timing, pairs) are built in. Scores on these clips must not be set beside scores on filmed people. The data hold no
emotion label, and none can be made from them: an Action Unit is a movement, not a feeling, an intent or a lie."""


def data_card(shards: list[Path], repo: str, split: str) -> str:
    """The whole page of a data set, whose rows are called `split` and lie in these files."""
    rows = ParquetDataset(shards).read(COUNTED)
    columns = {name: rows.column(name).to_pylist() for name in COUNTED}
    people = sorted(set(columns["subject"]))
    front = front_matter(shards, split).to_yaml()
    parts = [counted(repo, columns, people, split), MADE, USE.format(repo=repo), LIMITS, f"Licence: {LICENSE}."]
    return f"---\n{front}\n---\n\n" + "\n\n".join(parts) + "\n"


def split_of(folder: Path) -> str:
    """`test` where nothing is trained with the people of what `synth --format hf` wrote, else `train`.

    Raises `InputError` for another folder, and for people who were not drawn, such as photographs.
    """
    files_of(folder)
    try:
        people = set(table(folder, ["subject"]).column("subject").to_pylist())
    except (AttributeError, KeyError, TypeError, ValueError, OSError) as error:
        raise no_dataset(folder, error) from None
    if others := not_drawn(people):
        raise InputError(f"{folder} shows {others[0]}, who was not drawn: only drawn people may be published.")
    return "test" if int(min(people).removeprefix("drawn")) >= HELD_OUT else "train"


def front_matter(shards: list[Path], split: str) -> DatasetCardData:
    """What the Hub reads: licence, size, which files hold the rows, and their types as `datasets` writes them."""
    from datasets import DatasetInfo, Features
    from datasets.info import DatasetInfosDict
    from datasets.splits import SplitDict, SplitInfo

    count, size = (sum(some) for some in zip(*((rows.num_rows, rows.nbytes) for rows in map(read_table, shards))))
    card = DatasetCardData(
        pretty_name="SynthME",
        license=LICENSE,
        task_categories=[TASK],
        annotations_creators=["machine-generated"],
        source_datasets=["original"],
        size_categories=[next((size for most, size in SIZES.items() if count < most), "1M<n<10M")],
        tags=TAGS,
        configs=[{"config_name": "default", "data_files": [{"split": split, "path": "data/*.parquet"}]}],
    )
    types, download = Features.from_arrow_schema(read_schema(shards[0])), sum(path.stat().st_size for path in shards)
    rows = SplitDict({split: SplitInfo(split, num_bytes=size, num_examples=count)})
    info = DatasetInfo(features=types, splits=rows, download_size=download, dataset_size=size)
    DatasetInfosDict({"default": info}).to_dataset_card_data(card)
    return card


def counted(repo: str, columns: dict[str, list], people: list[str], split: str) -> str:
    """What it holds, in figures."""
    positives = Counter(au for aus in columns["aus"] for au in aus)
    tiers = ", ".join(f"`{tier}`" for tier in sorted(set(columns["tier"])))
    meant = "no checkpoint has learned from them" if split == "test" else "for training: score no checkpoint on them"
    who = f"{len(people):,} people who do not exist ({', '.join(pack(people))}; {meant})"
    lines = [
        f"# {repo.split('/')[-1]}: SynthME, generated facial movements",
        "",
        f"{len(columns['aus']):,} clips of {who}, tier {tiers}. Everything is synthetic. "
        f"In {sum(not aus for aus in columns['aus']):,} of the clips no Action Unit moves.",
        "",
        "| Action Unit | clips |",
        "|---|---|",
        *(f"| {action_unit(au)} | {positives[au]:,} |" for au in sorted(positives)),
    ]
    return "\n".join(lines)
