"""Two methods that see next to nothing: who is in the clip, and how much moved."""

from dataclasses import replace

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from ..clips import ClipSet
from ..motion import LucasKanadeMotion, measure_motion

PRIOR = 1.0  # clips at the overall rate that every person starts with


def fit_identity(train: ClipSet, inner: ClipSet, seed: int):
    """The log-odds of each AU among the same person's training clips; of all people's for someone new."""
    overall = _rate(train.labels, train.labels.mean(0))
    people = {name: _rate(train.labels[train.subjects == name], overall) for name in set(train.subjects.tolist())}

    def score(data: ClipSet) -> np.ndarray:
        rates = np.stack([people.get(name, overall) for name in data.subjects.tolist()])
        return np.log(rates / (1 - rates))

    return score


def _rate(labels: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Share of positives, drawn towards the prior, never 0 or 1.  [N, K], [K] -> [K]"""
    return np.clip((labels.sum(0) + PRIOR * prior) / (len(labels) + PRIOR), 0.002, 0.998)


def with_motion(data: ClipSet) -> ClipSet:
    """The clips with their Lucas-Kanade motion."""
    if data.motion is not None:
        return data
    return replace(data, motion=measure_motion(LucasKanadeMotion(data.clips.shape[-1]), data.clips))


def fit_motion_energy(train: ClipSet, inner: ClipSet, seed: int):
    """Logistic regression on how much moved in each frame, wherever it was."""
    learnt = [k for k, column in enumerate(train.labels.T) if 0 < column.sum() < len(column)]
    model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced"))
    inputs = _energy(train)
    with threadpool_limits(1):  # on matrices this small threads only wait for each other
        fitted = {k: clone(model).fit(inputs, train.labels[:, k]) for k in learnt}

    def score(data: ClipSet) -> np.ndarray:
        scores, inputs = np.zeros((len(data), train.labels.shape[1])), _energy(data)
        for k, one in fitted.items():
            scores[:, k] = one.decision_function(inputs)
        return scores

    return score


def _energy(data: ClipSet) -> np.ndarray:
    """Logarithm of the mean length of the motion since the onset, in each frame.  -> [N, T-1]"""
    return np.log(data.motion.float().norm(dim=1).mean((-2, -1)).numpy() + 1e-3)
