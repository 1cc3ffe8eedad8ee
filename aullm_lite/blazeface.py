"""BlazeFace's anchors, and how its overlapping answers become one box a face."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Detector:
    """A BlazeFace net: its input side, its grids (cells a side, anchors a cell) and the names of its outputs."""

    name: str
    side: int
    grids: tuple[tuple[int, int], ...]
    outputs: tuple[str, str]  # scores, boxes

    @cached_property
    def anchors(self) -> np.ndarray:
        """Centres of the anchors in 0..1, row by row.  -> [A, 2]"""
        rows = [
            np.repeat(np.stack(np.meshgrid(*[(np.arange(n) + 0.5) / n] * 2), -1).reshape(-1, 2), each, 0)
            for n, each in self.grids
        ]
        return np.concatenate(rows).astype(np.float32)


SHORT = Detector("face_detection_short_range", 128, ((16, 2), (8, 6)), ("classificators", "regressors"))
FULL = Detector(
    "face_detection_full_range", 192, ((48, 1),), ("reshaped_classifier_face_4", "reshaped_regressor_face_4")
)


def merge(scores: np.ndarray, rows: np.ndarray, overlap: float = 0.3) -> list[tuple]:
    """Average boxes that overlap the best one, weighted by score.  [A], [A, 16] -> [(score, row)]"""
    merged, order = [], np.argsort(-scores)
    while len(order):
        best = rows[order[0]]
        same = overlap_of(best, rows[order]) > overlap
        same[0] = True
        group, order = order[same], order[~same]
        merged.append((scores[group[0]], np.average(rows[group], axis=0, weights=scores[group])))
    return merged


def overlap_of(one: np.ndarray, many: np.ndarray) -> np.ndarray:
    low = np.maximum(one[:2] - one[2:4] / 2, many[:, :2] - many[:, 2:4] / 2)
    high = np.minimum(one[:2] + one[2:4] / 2, many[:, :2] + many[:, 2:4] / 2)
    both = np.clip(high - low, 0, None).prod(1)
    return both / (one[2:4].prod() + many[:, 2:4].prod(1) - both + 1e-9)
