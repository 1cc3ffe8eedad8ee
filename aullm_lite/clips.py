"""Many clips in memory, with what is known of each: the form in which training, evaluation and protocols see data."""

import hashlib
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from .errors import InputError
from .facs import CD6ME_AUS


@dataclass(frozen=True)
class ClipSet:
    """N clips of K action units, in the order of `aus`; what a source does not know is None.

    `subjects` are people, and mean the same person wherever they are equal; `ids` name single records.
    """

    clips: np.ndarray  # [N, T, H, W] uint8, aligned faces, evenly from onset to offset
    labels: np.ndarray  # [N, K] float32, 1 where the AU can be seen
    subjects: np.ndarray  # [N] str
    scripts: tuple | None = None  # the truth of a SynthME clip
    aus: tuple[int, ...] = CD6ME_AUS
    ids: np.ndarray | None = None  # [N] str
    pairs: np.ndarray | None = None  # [N, 2, P, P] uint8, the onset and the apex frame, larger
    motion: Tensor | None = None  # [N, C, T-1, H, W], where a fixed front end has measured it
    flow: np.ndarray | None = None  # [N, 3, H, W], onset to apex by OpenCV, where it has been measured

    def __len__(self) -> int:
        return len(self.clips)

    def fingerprint(self) -> str:
        """SHA-256 over people and labels, which tells one data set from another."""
        return hashlib.sha256(self.subjects.astype("U").tobytes() + self.labels.tobytes()).hexdigest()

    def select(self, rows: np.ndarray) -> "ClipSet":
        """The clips of an index or a mask."""
        rows = np.arange(len(self))[rows]
        chosen = {"scripts": self.scripts and tuple(self.scripts[row] for row in rows)}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, (np.ndarray, Tensor)):
                chosen[field.name] = value[rows]
        return replace(self, **chosen)


def join(first: ClipSet, second: ClipSet) -> ClipSet:
    """The clips of both, in this order; only what both know.  Raises `InputError` for labels of other AUs."""
    if first.aus != second.aus:
        raise InputError(f"Clips with the AUs {first.aus} and {second.aus} cannot be joined: label both alike.")
    both = {}
    for field in fields(first):
        one, other = getattr(first, field.name), getattr(second, field.name)
        if one is None or other is None or field.name == "aus":
            both[field.name] = None
        elif isinstance(one, Tensor):
            both[field.name] = torch.cat([one, other])
        else:
            both[field.name] = one + other if isinstance(one, tuple) else np.concatenate([one, other])
    return ClipSet(**both | {"aus": first.aus})
