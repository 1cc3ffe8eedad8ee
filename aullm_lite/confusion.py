"""Confusion counts per AU, and the two F1 scores as functions of them.

Counts add up: folds, subjects and resamples are pooled by adding their counts, never by averaging their scores.
The last axis of every count is TP, FP, FN, TN.
"""

import numpy as np

from .errors import InputError


def counts(labels: np.ndarray, decisions: np.ndarray) -> np.ndarray:
    """Confusion counts over all clips.  [N, K], [N, K] -> [K, 4]"""
    return _cells(labels, decisions).sum(0)


def counts_by(groups, labels: np.ndarray, decisions: np.ndarray) -> np.ndarray:
    """Confusion counts of each group (subject, data set), groups in sorted order.  [N], [N, K], [N, K] -> [G, K, 4]"""
    groups = np.asarray(groups)
    if len(groups) != len(labels):
        raise InputError(f"{len(labels)} clips need one subject or data set each, not {len(groups)}.")
    members = np.unique(groups)[:, None] == groups
    return np.tensordot(members.astype(int), _cells(labels, decisions), 1)


def f1(counts: np.ndarray) -> np.ndarray:
    """F1 of the positive class, 2TP / (2TP + FP + FN); 0 where nothing is there and nothing said.  [..., 4] -> [...]"""
    hits, false, missed = counts[..., 0], counts[..., 1], counts[..., 2]
    return 2 * hits / np.maximum(2 * hits + false + missed, 1)


def f1_macro(counts: np.ndarray) -> np.ndarray:
    """Mean of the F1 of "present" and the F1 of "absent", which is F1 of the counts reversed.  [..., 4] -> [...]"""
    return (f1(counts) + f1(counts[..., ::-1])) / 2


def _cells(labels: np.ndarray, decisions: np.ndarray) -> np.ndarray:
    """Which cell of the confusion table each answer falls in.  [N, K], [N, K] -> bool [N, K, 4]"""
    if labels.shape != decisions.shape:
        raise InputError(f"Labels {labels.shape} and decisions {decisions.shape} must be of the same shape.")
    true, said = labels.astype(bool), decisions.astype(bool)
    return np.stack([true & said, ~true & said, true & ~said, ~true & ~said], axis=-1)
