"""What answers score that never look at a face: the floors below which a figure says nothing.

A random answer depends on the labels only through their number, so floors come from counts alone, without any data.
"""

import numpy as np
import pandas as pd

from . import confusion
from .errors import InputError

# The thresholds that published code sweeps per AU on the pooled test predictions: 0.10 to 0.85.
SWEEP = tuple(np.arange(10, 90, 5) / 100)
# Every floor is a uniform random score under some thresholds: above all scores, below all, in the middle, the best.
THRESHOLDS = {"all_negative": (1.0,), "all_positive": (0.0,), "random": (0.5,), "random_swept": SWEEP}


def floors_of_counts(n: int, positives, *, draws: int = 400, seed: int = 0) -> dict:
    """Floors of mean F1 and macro F1 from the number of clips and of positives per AU.  n, [K] -> {floor: scores}

    `random_swept` picks each AU's threshold for the best macro F1 on the test labels themselves.  `f1` and `f1_macro`
    are means over `draws`, with `_p95` their 95th percentiles.  AUs without positives are left out; None without any.
    Raises `InputError` for more positives than clips.
    """
    positives = np.asarray(positives, dtype=int)
    if (positives > n).any() or (positives < 0).any():
        raise InputError(f"Positives per AU must lie between 0 and the number of clips, {n}.")
    positives = positives[positives > 0]
    rng = np.random.default_rng(seed)
    return {
        name: _scores(_best(_random_counts(n, positives, thresholds, draws, rng)))
        for name, thresholds in THRESHOLDS.items()
    }


def floors(labels: np.ndarray, **options) -> dict:
    """`floors_of_counts` of a data set.  [N, K] -> {floor: scores}"""
    return floors_of_counts(len(labels), labels.sum(0), **options)


def identity_scores(labels: np.ndarray, subjects, folds=None) -> np.ndarray:
    """Each AU's rate in the same person's clips of other folds; the overall rate without such.  [N, K], [N] -> [N, K]

    What a predictor gets that knows who is in the clip and nothing else.  By default each clip is a fold by itself, as
    if clips were split at random; with `folds=subjects`, leave-one-subject-out, nothing is left but the overall rate.
    """
    subjects = np.asarray(subjects)
    folds = np.arange(len(labels)) if folds is None else np.asarray(folds)
    if not len(labels) == len(subjects) == len(folds):
        raise InputError(f"{len(labels)} clips need one subject and one fold each.")
    rows = pd.DataFrame(labels.astype(float)).assign(clips=1.0)
    same_person, same_fold = (rows.groupby(keys).transform("sum") for keys in ([subjects], [subjects, folds]))
    others = (same_person - same_fold).to_numpy()
    return np.where(others[:, -1:] > 0, others[:, :-1] / np.maximum(others[:, -1:], 1), labels.mean(0, dtype=float))


def identity_thresholds(labels: np.ndarray) -> np.ndarray:
    """Where `identity_scores` are cut: at the AU's rate, but not below 0.25.  [N, K] -> [K]"""
    return np.maximum(labels.mean(0, dtype=float), 0.25)


def _random_counts(n: int, positives: np.ndarray, thresholds, draws: int, rng) -> np.ndarray:
    """Confusion counts of uniform random scores at each threshold.  [K], [T] -> [draws, K, T, 4]

    How many scores fall between two thresholds is multinomial, so no score needs to be drawn.
    """
    shares = np.diff([0.0, *thresholds, 1.0])
    true, false = (
        rng.multinomial(some, shares, size=(draws, len(positives)))[..., ::-1].cumsum(-1)[..., -2::-1]
        for some in (positives, n - positives)
    )
    missed, spared = positives[:, None] - true, (n - positives)[:, None] - false
    return np.stack([true, false, missed, spared], axis=-1)


def _best(counts: np.ndarray) -> np.ndarray:
    """Per draw and AU the counts at the threshold of the highest macro F1.  [draws, K, T, 4] -> [draws, K, 4]"""
    best = confusion.f1_macro(counts).argmax(-1)
    return np.take_along_axis(counts, best[..., None, None], axis=2)[:, :, 0]


def _scores(counts: np.ndarray) -> dict:
    """Mean over AUs of both F1 scores: mean and 95th percentile over draws.  [draws, K, 4] -> dict"""
    scores = {}
    for name, score in (("f1", confusion.f1), ("f1_macro", confusion.f1_macro)):
        means = score(counts).mean(1) if counts.shape[1] else None
        scores[name] = None if means is None else float(means.mean())
        scores[f"{name}_p95"] = None if means is None else float(np.percentile(means, 95))
    return scores
