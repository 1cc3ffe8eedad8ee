"""The record of one prepared clip, and the way from records to the arrays of training."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from ..errors import InputError
from .policy import Policy, positives
from .records import Sample

if TYPE_CHECKING:
    from datasets import Dataset

    from ..clips import ClipSet

NO_FACE = "no_face_found"
SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("id", "dataset", "version", "person", "subject", "clip")]
    + [(name, pa.int64()) for name in ("row", "onset", "apex", "offset")]
    + [(name, pa.float64()) for name in ("onset_s", "apex_s", "offset_s", "fps")]
    + [("apex_source", pa.string()), ("aus", pa.list_(pa.int64())), ("au_unknown", pa.bool_())]
    + [("emotion", pa.string()), ("flags", pa.list_(pa.string()))]
    + [("frames", pa.binary()), ("frames_shape", pa.list_(pa.int64()))]
    + [("pair", pa.binary()), ("pair_shape", pa.list_(pa.int64()))]
)
_COPIED = ("dataset", "version", "person", "subject", "clip", "row", "onset", "apex", "offset", "fps")


def facts_of(sample: Sample, policy: Policy) -> dict:
    """The record of a sample, but for its pictures."""
    unknown = "au_unknown" in sample.flags
    masked = unknown and policy.unknown_cell == "mask"
    seconds = {name: (getattr(sample, name) - sample.onset) / sample.fps for name in ("onset", "apex", "offset")}
    return {
        "id": "/".join(str(part) for part in sample.key if part is not None),
        **{name: getattr(sample, name) for name in (*_COPIED, "apex_source", "emotion")},
        **{f"{name}_s": value for name, value in seconds.items()},
        "aus": None if masked else list(positives(sample.aus, policy)),
        "au_unknown": unknown,
        "flags": list(sample.flags),
    }


def with_pictures(facts: dict, clip: np.ndarray, pair: np.ndarray, found: bool) -> dict:
    """The whole record.  uint8 [6, 64, 64], uint8 [2, 128, 128] -> dict"""
    return facts | {
        "flags": facts["flags"] + ([] if found else [NO_FACE]),
        "frames": clip.tobytes(),
        "frames_shape": clip.shape,
        "pair": pair.tobytes(),
        "pair_shape": pair.shape,
    }


def as_dataset(records: pa.Table) -> "Dataset":
    """The records as a `datasets.Dataset` in memory, so that no second cache grows beside ours."""
    from datasets import Dataset
    from datasets.table import InMemoryTable

    return Dataset(InMemoryTable(records))


def to_clips(records: "Dataset", aus: Sequence[int]) -> "ClipSet":
    """Prepared records as clips, labels in the order of `aus`: N records -> [N, 6, 64, 64], [N, K]

    Records whose AUs are masked are left out.  Raises `InputError` where none is left.
    """
    from ..clips import ClipSet  # which imports torch

    table = records.with_format("arrow")[:]
    table = table.filter(table["aus"].is_valid())
    if not table.num_rows:
        raise InputError("No record has AUs that are known: choose the policy that counts unknown cells as none.")
    return ClipSet(
        clips=_pictures(table, "frames"),
        labels=np.array([[au in present for au in aus] for present in table["aus"].to_pylist()], np.float32),
        subjects=np.array(table["person"].to_pylist()),
        aus=tuple(aus),
        ids=np.array(table["id"].to_pylist()),
        pairs=_pictures(table, "pair"),
    )


def _pictures(table: pa.Table, name: str) -> np.ndarray:
    """One column of pictures.  -> uint8 [N, ...]"""
    shapes = table[f"{name}_shape"].to_pylist()
    return np.stack([np.frombuffer(b, np.uint8).reshape(s) for b, s in zip(table[name].to_pylist(), shapes)])
