"""How good is a detector, and how good is nothing?  Scores per AU, their floors, thresholds and calibration.

Two F1 scores go by one name in the field: of the positive class alone, and the mean over both classes ("macro"), which
an all-negative answer already lifts to about 0.45.  Both are always given, and named; None without positives.
"""

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from . import confusion
from .errors import InputError
from .floors import floors


def f1_positive(labels: np.ndarray, decisions: np.ndarray) -> np.ndarray:
    """F1 of the positive class, 2TP / (2TP + FP + FN).  [N, K], [N, K] -> [K]"""
    return confusion.f1(confusion.counts(labels, decisions))


def f1_macro(labels: np.ndarray, decisions: np.ndarray) -> np.ndarray:
    """Mean of the F1 of "present" and the F1 of "absent".  [N, K], [N, K] -> [K]"""
    return confusion.f1_macro(confusion.counts(labels, decisions))


def average_precision(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Area under the precision-recall curve; NaN without positives.  [N, K], [N, K] -> [K]"""
    return np.array([average_precision_score(y, s) if y.any() else np.nan for y, s in zip(labels.T, scores.T)])


def auroc(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Area under the ROC curve; NaN unless both classes are there.  [N, K], [N, K] -> [K]"""
    return np.array([roc_auc_score(y, s) if 0 < y.sum() < len(y) else np.nan for y, s in zip(labels.T, scores.T)])


def brier(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Brier score, the mean squared error of the probabilities.  [N, K], [N, K] -> [K]"""
    return ((probabilities - labels) ** 2).sum(0) / max(len(labels), 1)


def calibration_error(labels: np.ndarray, probabilities: np.ndarray, bins: int = 10) -> np.ndarray:
    """Expected calibration error over bins of equal width (Guo et al., ICML 2017).  [N, K], [N, K] -> [K]

    A bin of n clips adds n / N times the distance of its rate from its mean probability.
    """
    bin_of = np.minimum((probabilities * bins).astype(int), bins - 1)
    gaps = [((labels - probabilities) * (bin_of == b)).sum(0) for b in range(bins)]
    return np.abs(gaps).sum(0) / max(len(labels), 1)


def best_thresholds(labels, probabilities, grid=np.linspace(0.05, 0.95, 91), score=f1_positive) -> np.ndarray:
    """Per AU the threshold with the highest score, drawn to a common one.  [N, K], [N, K] -> [K]

    The fewer positives an AU has, the more its own best threshold is chance, so n of them count n / (n + 20) against
    half the mean F1, which is where F1 is highest on calibrated probabilities (Lipton et al., ECML 2014).  To be used
    on inner subjects only: on test data it would be a leak, worth several points even to a random answer.
    """
    scores, f1 = (np.stack([one(labels, probabilities >= t) for t in grid]) for one in (score, f1_positive))
    padded = np.pad(scores, ((2, 2), (0, 0)), mode="edge")
    smooth = np.stack([np.convolve(column, np.ones(5) / 5, mode="valid") for column in padded.T], 1)
    common = f1.max(0)[labels.any(0)].mean() / 2 if labels.any() else 0.5
    evidence = labels.sum(0) / (labels.sum(0) + 20)
    return common + evidence * (grid[smooth.argmax(0)] - common)


def fit_calibration(labels: np.ndarray, logits: np.ndarray, ridge: float = 0.3, steps: int = 50) -> np.ndarray:
    """Platt scaling by Newton's method: p = sigmoid(scale * logit + bias).  [N, K], [N, K] -> [K, 2] (scale, bias)

    Scores of any size do: they are brought to mean 0 and spread 1 first.  `ridge` draws their scale to 2, a fair
    detector's, and counts only where clips are few; the bias is free.
    """
    centre, spread = logits.mean(0), np.maximum(logits.std(0), 1e-6)
    prior, penalty = np.array([2.0, 0.0]), np.diag([ridge, 1e-3])
    fitted = []
    for y, z in zip(labels.T, ((logits - centre) / spread).T):
        inputs, weights = np.stack([z, np.ones_like(z)], 1).astype(float), prior.copy()
        for _ in range(steps):
            p = 1 / (1 + np.exp(-np.clip(inputs @ weights, -30, 30)))
            slope = inputs.T @ (p - y) + penalty @ (weights - prior)
            curvature = (inputs * (p * (1 - p))[:, None]).T @ inputs + penalty
            weights = weights - np.clip(np.linalg.solve(curvature, slope), -1, 1)
        fitted.append(weights)
    scale, bias = np.array(fitted).T
    return np.stack([scale / spread, bias - scale * centre / spread], 1)


def verdict_band(thresholds: np.ndarray, sure: float = 0.8) -> np.ndarray:
    """Where the answer is "not sure": between the probabilities `low` and `high`.  [K] -> [K, 2]

    `present` needs a calibrated probability of at least `sure` (and the threshold), `absent` one below 1 - `sure`: at
    these edges four answers in five are right, beyond them more.
    """
    return np.stack([np.minimum(thresholds, 1 - sure), np.maximum(thresholds, sure)], axis=1)


def calibrate(labels: np.ndarray, logits: np.ndarray) -> dict:
    """Calibration, thresholds and not-sure bands as a model's config holds them.  [N, K], [N, K] -> settings

    Inner subjects only, like the functions that it joins.
    """
    calibration = fit_calibration(labels, logits)
    probabilities = 1 / (1 + np.exp(-(logits * calibration[:, 0] + calibration[:, 1])))
    thresholds = best_thresholds(labels, probabilities)
    fitted = {
        "calibration": calibration,
        "thresholds": thresholds,
        "not_sure": verdict_band(thresholds),
    }
    return {name: rows.round(4).tolist() for name, rows in fitted.items()}


def score_table(aus, labels: np.ndarray, probabilities: np.ndarray, thresholds) -> dict:
    """All scores as plain numbers, per AU and mean, with floors.  [N, K], [N, K], [K] or [N, K] -> dict

    Thresholds [N, K] are for folds that each have their own.  The means run over the AUs that have positives; the
    others are None, as is the AUROC of an AU without negatives.  `ece_pooled` takes the answers of all these AUs
    together.  Raises `InputError` for thresholds of another shape and for scores that are no probabilities.
    """
    _check(labels, probabilities, np.shape(thresholds))
    present = labels.any(0)
    columns = _columns(labels, probabilities, np.asarray(thresholds))
    per_au = {
        str(au): {name: _known_mean(values[[k]]) for name, values in columns.items()}
        | {"n_pos": int(labels[:, k].sum())}
        for k, au in enumerate(aus)
    }
    pooled = calibration_error(labels[:, present].reshape(-1, 1), probabilities[:, present].reshape(-1, 1))
    return {
        "per_au": per_au,
        "mean": {name: _known_mean(values) for name, values in columns.items()} | {"n_pos": int(labels.sum())},
        "ece_pooled": float(pooled[0]) if present.any() else None,
        "n_clips": len(labels),
        "floors": floors(labels),
    }


def _columns(labels: np.ndarray, probabilities: np.ndarray, thresholds: np.ndarray) -> dict:
    """Every score of the table, NaN for AUs without positives.  [N, K], [N, K], [K] or [N, K] -> {name: [K]}"""
    decisions = probabilities >= thresholds
    columns = {
        "f1": f1_positive(labels, decisions),
        "f1_macro": f1_macro(labels, decisions),
        "f1_at_half": f1_positive(labels, probabilities >= 0.5),
        "ap": average_precision(labels, probabilities),
        "auroc": auroc(labels, probabilities),
        "ece": calibration_error(labels, probabilities),
        "brier": brier(labels, probabilities),
    }
    return {name: np.where(labels.any(0), values, np.nan) for name, values in columns.items()}


def _check(labels: np.ndarray, probabilities: np.ndarray, thresholds: tuple) -> None:
    if thresholds not in (labels.shape, labels.shape[1:]):
        raise InputError(f"Thresholds {thresholds} must be one per AU, or one per clip and AU {labels.shape}.")
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise InputError("The scores must be probabilities from 0 to 1: put logits through a sigmoid first.")


def _known_mean(values: np.ndarray) -> float | None:
    """Mean of the scores that are known, None without any.  [K] -> float or None"""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else None
