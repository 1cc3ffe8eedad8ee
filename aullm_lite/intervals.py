"""How sure is a score, and is one method better than another?  A bootstrap over subjects.

Clips of one person are alike, so whole subjects are drawn with replacement, not clips, and the F1 scores are computed
anew from the pooled counts of each draw.  An AU without positives in a draw is left out of that draw's mean, as it is
left out of the score itself; intervals are percentiles (Efron & Tibshirani 1993, chapter 13).
"""

from collections.abc import Callable

import numpy as np

from . import confusion
from .errors import InputError

DRAWS = 2000
SCORES = {"f1": confusion.f1, "f1_macro": confusion.f1_macro}


def interval_table(aus, labels, decisions, subjects, *, draws: int = DRAWS, seed: int = 0) -> dict:
    """95 % intervals [low, high] of both F1 scores, per AU and mean.  [N, K], [N, K], [N] -> dict

    None for an AU without positives.  Raises `InputError` for fewer than two subjects.
    """
    counts = confusion.counts_by(subjects, labels, decisions)
    columns = {name: resampled(score, counts, draws, seed) for name, score in SCORES.items()}
    rows = {
        row: {name: _interval(values[:, k]) for name, values in columns.items()}
        for k, row in enumerate([*map(str, aus), "mean"])
    }
    return {"mean": rows.pop("mean"), "per_au": rows, "n_subjects": len(counts), "draws": draws}


def resampled(score: Callable, counts: np.ndarray, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """A score of `draws` resamples of subjects, per AU and last the mean.  [S, K, 4] -> [R, K + 1]

    A resample is a row of weights, how often each subject was drawn; one seed gives every method the same resamples.
    NaN without positives.
    """
    if len(counts) < 2:
        raise InputError("A bootstrap over subjects needs clips of at least two subjects.")
    weights = np.random.default_rng(seed).multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=draws)
    pooled = np.tensordot(weights, counts, 1)
    present = pooled[..., 0] + pooled[..., 2] > 0
    values = np.where(present, score(pooled), np.nan)
    with np.errstate(invalid="ignore"):  # 0 / 0 is NaN: a resample without any positive
        return np.column_stack([values, np.nansum(values, axis=1) / present.sum(1)])


def paired_difference(labels, first, second, subjects, *, score: Callable = confusion.f1, draws=DRAWS, seed=0) -> dict:
    """Mean score of `first` less that of `second` on the same clips.  [N, K], [N, K], [N, K], [N] -> dict

    `interval` is its 95 % interval; `p` the two-sided bootstrap p value, twice the smaller share of resamples on either
    side of 0, with one more on each.  Raises `InputError` for fewer than two subjects or labels without positives.
    """
    if not labels.any():
        raise InputError("No clip holds any of these AUs, so no method can be compared: add clips that do.")
    counts = [confusion.counts_by(subjects, labels, decisions) for decisions in (first, second)]
    draw, other = (resampled(score, some, draws, seed)[:, -1] for some in counts)
    differences = (draw - other)[~np.isnan(draw)]
    means = [score(some.sum(0))[labels.any(0)].mean() for some in counts]
    tail = min((differences <= 0).sum(), (differences >= 0).sum())
    return {
        "difference": float(means[0] - means[1]),
        "interval": _interval(differences),
        "p": float(min(1.0, 2 * (tail + 1) / (len(differences) + 1))),
    }


def mean_interval(values, subjects, *, draws: int = DRAWS, seed: int = 0) -> list[float] | None:
    """Mean of one number a clip and its 95 % interval, by drawing subjects.  [N], [N] -> [mean, low, high]

    None without any value; a mean of one subject has no interval, [mean, None, None].
    """
    values, (people, who) = np.asarray(values, dtype=float), np.unique(subjects, return_inverse=True)
    if not len(values):
        return None
    if len(people) < 2:
        return [float(values.mean()), None, None]
    sums, counts = np.bincount(who, values), np.bincount(who)
    weights = np.random.default_rng(seed).multinomial(len(people), np.full(len(people), 1 / len(people)), size=draws)
    return [float(values.mean()), *_interval((weights @ sums) / (weights @ counts))]


def holm(p_values) -> np.ndarray:
    """P values adjusted for testing all of them at once (Holm, Scand. J. Statist. 1979).  [M] -> [M]"""
    p_values = np.asarray(p_values, dtype=float)
    order = p_values.argsort()
    adjusted = np.maximum.accumulate(p_values[order] * np.arange(len(order), 0, -1)).clip(max=1)
    return adjusted[order.argsort()]


def compare(rows: dict[str, np.ndarray], pairs, labels: np.ndarray, subjects, **options) -> list[dict]:
    """Paired differences of the named rows, with verdicts.  {name: [N, K]}, [(name, against)], [N, K], [N] -> dicts

    Holm's p is over all pairs.  Options are those of `paired_difference`.  Raises `InputError` for a name that is not
    among the rows.
    """
    if unknown := [name for pair in pairs for name in pair if name not in rows]:
        raise InputError(f"There is no row {unknown[0]!r} to compare: name two of {', '.join(rows)}.")
    found = [paired_difference(labels, rows[name], rows[against], subjects, **options) for name, against in pairs]
    adjusted = holm([row["p"] for row in found]).tolist()
    return [
        {"name": name, "against": against, **row, "p_holm": p, "verdict": verdict(row["interval"], p)}
        for (name, against), row, p in zip(pairs, found, adjusted)
    ]


def verdict(interval: list[float], p: float) -> str:
    """ "better" or "worse" only where the interval excludes 0 and the adjusted p is below 0.05."""
    low, high = interval
    if p >= 0.05 or low <= 0 <= high:
        return "no difference shown"
    return "better" if low > 0 else "worse"


def _interval(values: np.ndarray) -> list[float] | None:
    """The middle 95 % of what is known.  [R] -> [low, high], None without any"""
    known = values[~np.isnan(values)]
    return np.percentile(known, [2.5, 97.5]).tolist() if known.size else None
