"""What is published, as folders: exactly the files that a repository of the Hub then holds."""

import hashlib
import json
import math
import shutil
from pathlib import Path

from ..checkpoint import CONFIG, WEIGHTS, find_checkpoint, read_config, read_weights, state_hash
from ..config import AULLMConfig
from ..errors import InputError
from ..people import not_drawn, unpack
from ..synth.shards import COLUMNS, files_of
from .data_card import data_card, split_of
from .model_card import base_model, model_card

CARD, SCORES, WORDS, SUMS = "README.md", "eval.json", "spoken.json", "SHA256SUMS"
SHARD = 20_000  # clips in one file where they do not lie in files of Parquet yet, at most half a gigabyte


def build_checkpoint(source: str | Path, out: Path, repo: str) -> None:
    """Write a checkpoint with its scores, where there are any, and its card.

    Raises `InputError` for one that cannot be loaded by others, or that nobody may be given.
    """
    folder = find_checkpoint(source)
    config = read_config(folder)
    digest = state_hash(config, read_weights(folder, config)[0])  # what is cut short or mislabelled is not sent
    check_shareable(config)
    scores, spoken = (read_figures(folder / name, digest) for name in (SCORES, WORDS))
    try:
        card = model_card(repo, config, scores, spoken)
    except (KeyError, TypeError) as error:
        raise InputError(
            f"{SCORES} or {WORDS} in {folder} is not what `evaluate --full` or `evaluate --spoken` writes ({error}): "
            "make it anew, or take it away."
        ) from None
    for name in (CONFIG, WEIGHTS, SCORES, WORDS):
        if (folder / name).is_file():
            shutil.copyfile(folder / name, out / name)
    (out / CARD).write_text(card, encoding="utf-8")


def check_shareable(config: AULLMConfig) -> None:
    """Raise `InputError` for weights that have seen more than drawn people, or that need a folder of this machine."""
    if others := not_drawn(unpack(config.trained_on)):
        raise InputError(
            f"The checkpoint has learned from {others[0]}, who was not drawn: the licence of such data may forbid to "
            "share what was learned from them, so it is not published."
        )
    base = base_model(config)
    if base and (Path(base).is_absolute() or Path(base).is_dir()):
        raise InputError(
            f"The language model of the checkpoint is the folder {base}, which others do not have: train with one that "
            "the Hub has."
        )


def build_dataset(source: str | Path, out: Path, repo: str) -> None:
    """Write a data set of `synth --format hf` as Parquet, which the Hub shows and `datasets` streams, with its card."""
    split = split_of(Path(source))
    (out / "data").mkdir()
    for path in (files := files_of(Path(source))):
        shutil.copyfile(path, out / "data" / path.name)
    if not files:
        convert(source, out / "data", split)
    (out / CARD).write_text(data_card(files_of(out), repo, split), encoding="utf-8")


def convert(source: str | Path, out: Path, split: str) -> None:
    """Write what `datasets` has saved to disk, as earlier versions of `synth` did, as Parquet."""
    from datasets import load_from_disk

    data = load_from_disk(str(source)).select_columns(COLUMNS)
    count = math.ceil(len(data) / SHARD)
    for n in range(count):
        data.shard(count, n, contiguous=True).to_parquet(out / f"{split}-{n:05d}-of-{count:05d}.parquet")


def read_figures(path: Path, digest: str) -> dict | None:
    """What was measured of the weights with this hash; None where no file lies there.  Raises `InputError`."""
    if not path.is_file():
        return None
    try:
        figures = json.loads(path.read_text(encoding="utf-8"))
        measured = figures["model"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} cannot be read ({error}): make it anew, or take it away.") from None
    if measured != digest:
        raise InputError(f"{path} was measured of other weights: make it anew, or take it away.")
    return figures


def write_sums(folder: Path) -> None:
    """A list of the SHA-256 of every file, as `sha256sum -c` reads it."""
    lines = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        lines.append(f"{digest}  {path.relative_to(folder).as_posix()}\n")
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")
