"""How good is a detector, and how good is nothing?  Scores per AU, their floors, thresholds and calibration.

Two F1 scores go by one name in the field: of the positive class alone, and the mean over both classes ("macro"), which
an all-negative answer already lifts to about 0.45.  Both are always given, and named; None without positives.
"""

import numpy as np
from sklearn.metrics import average_precision_score


def f1_positive(labels: np.ndarray, decisions: np.ndarray) -> np.ndarray:
    """F1 of the positive class, 2TP / (2TP + FP + FN).  [N, K], [N, K] -> [K]"""
    labels, decisions = labels.astype(bool), decisions.astype(bool)
    hits = (labels & decisions).sum(0)
    return 2 * hits / np.maximum(labels.sum(0) + decisions.sum(0), 1)


def f1_macro(labels: np.ndarray, decisions: np.ndarray) -> np.ndarray:
    """Mean of the F1 of "present" and the F1 of "absent".  [N, K], [N, K] -> [K]"""
    return (f1_positive(labels, decisions) + f1_positive(1 - labels, 1 - decisions.astype(int))) / 2


def average_precision(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Area under the precision-recall curve; NaN without positives.  [N, K], [N, K] -> [K]"""
    return np.array([average_precision_score(y, s) if y.any() else np.nan for y, s in zip(labels.T, scores.T)])


def best_thresholds(labels: np.ndarray, probabilities: np.ndarray, grid=np.linspace(0.05, 0.95, 91)) -> np.ndarray:
    """Per AU the threshold with the highest F1, smoothed over five; 0.5 without positives.  [N, K], [N, K] -> [K]

    To be used on inner subjects only: on test data it would be a leak, worth several points even to a random answer.
    """
    scores = np.stack([f1_positive(labels, probabilities >= threshold) for threshold in grid])
    padded = np.pad(scores, ((2, 2), (0, 0)), mode="edge")
    smooth = np.stack([np.convolve(column, np.ones(5) / 5, mode="valid") for column in padded.T], 1)
    return np.where(labels.any(0), grid[smooth.argmax(0)], 0.5)


def fit_calibration(labels: np.ndarray, logits: np.ndarray, steps: int = 50) -> np.ndarray:
    """Platt scaling by Newton's method: p = sigmoid(scale * logit + bias).  [N, K], [N, K] -> [K, 2] (scale, bias)"""
    fitted = []
    for y, z in zip(labels.T, logits.T):
        inputs, weights = np.stack([z, np.ones_like(z)], 1).astype(float), np.array([1.0, 0.0])
        for _ in range(steps):
            p = 1 / (1 + np.exp(-np.clip(inputs @ weights, -30, 30)))
            slope = inputs.T @ (p - y) + 1e-3 * (weights - (1, 0))
            curvature = (inputs * (p * (1 - p))[:, None]).T @ inputs + 1e-3 * np.eye(2)
            weights = weights - np.clip(np.linalg.solve(curvature, slope), -1, 1)
        fitted.append(weights)
    return np.array(fitted)


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


def floors(labels: np.ndarray, seed: int = 0) -> dict:
    """What answers without looking score: mean F1s over the AUs that have positives, None without.  [N, K] -> dict"""
    labels = labels[:, labels.any(0)]
    coin = np.random.default_rng(seed).random((20, *labels.shape)) < 0.5
    answers = {"all_negative": [np.zeros_like(labels)], "all_positive": [np.ones_like(labels)], "random": coin}
    return {
        name: {
            "f1": float(np.mean([f1_positive(labels, a).mean() for a in some])) if labels.size else None,
            "f1_macro": float(np.mean([f1_macro(labels, a).mean() for a in some])) if labels.size else None,
        }
        for name, some in answers.items()
    }


def score_table(aus, labels: np.ndarray, probabilities: np.ndarray, thresholds) -> dict:
    """All scores as plain numbers, per AU and mean, with floors.  [N, K], [N, K], [K] -> dict

    The mean runs over the AUs that have positives; the others are None.
    """
    decisions = probabilities >= np.asarray(thresholds)
    columns = {
        "f1": f1_positive(labels, decisions),
        "f1_macro": f1_macro(labels, decisions),
        "ap": average_precision(labels, probabilities),
    }
    present = labels.any(0)
    per_au = {
        str(au): {name: float(values[k]) if present[k] else None for name, values in columns.items()}
        | {"n_pos": int(labels[:, k].sum())}
        for k, au in enumerate(aus)
    }
    mean = {name: float(values[present].mean()) if present.any() else None for name, values in columns.items()}
    return {
        "per_au": per_au,
        "mean": mean | {"n_pos": int(labels.sum())},
        "n_clips": len(labels),
        "floors": floors(labels),
    }
