"""Small data for protocols: noise that costs nothing, and drawn people with the ids and pairs of a licensed set."""

from dataclasses import replace

import cv2
import numpy as np

from aullm_lite.clips import ClipSet
from aullm_lite.protocols.methods import Method


def noise(people=6, each=3, name="casme2", aus=(4, 12), seed=0) -> ClipSet:
    """Clips of four pixels; the first clip of everybody shows every AU, the second none, the others some."""
    rng = np.random.default_rng([seed, *name.encode()])
    n = people * each
    labels = rng.integers(0, 2, (n, len(aus))).astype(np.float32)
    labels[::each], labels[1::each] = 1, 0
    who = np.repeat([f"{name}/{90 + i}" for i in range(people)], each).astype("U20")
    return ClipSet(
        clips=rng.integers(0, 256, (n, 6, 2, 2), np.uint8),
        labels=labels,
        subjects=who,
        aus=aus,
        ids=np.array([f"{person}/EP{i:02d}" for i, person in enumerate(who)]),
        scripts=("truth",) * n,
    )


def filmed(drawn: ClipSet, name="casme2", people=6, aus=(4, 12, 1)) -> ClipSet:
    """Drawn clips of some people as a licensed set gives them: ids, a larger onset and apex frame, fewer AUs."""
    chosen = np.isin(drawn.subjects, np.unique(drawn.subjects)[:people])
    columns = [drawn.aus.index(au) for au in aus]
    ids = np.array([f"{name}/{who}/EP{i:02d}" for i, who in enumerate(drawn.subjects)])
    data = replace(drawn, ids=ids, labels=drawn.labels[:, columns], aus=aus).select(chosen)
    return replace(data, pairs=np.stack([[_large(clip[0]), _large(clip[3])] for clip in data.clips]))


def _large(frame: np.ndarray) -> np.ndarray:
    return cv2.resize(frame, (128, 128), interpolation=cv2.INTER_CUBIC)


class Spy:
    """A method that answers by chance and keeps all that it was shown."""

    def __init__(self, *, dies_in: int | None = None, answer=None, trained_on=()):
        self.fits, self.tested, self.measured, self.dies_in, self.answer = [], [], [], dies_in, answer
        self.method = Method("Spy", self.fit, self.measure, trained_on)

    def measure(self, data):
        self.measured.append(data)
        return data

    def fit(self, train, inner, seed):
        if len(self.fits) == self.dies_in:
            raise KeyboardInterrupt
        self.fits.append((train, inner))
        return self.score

    def score(self, data):
        self.tested.append(data)
        if self.answer is not None and np.isnan(data.labels).any():
            return np.full(data.labels.shape, self.answer)
        return np.random.default_rng(len(data)).normal(size=data.labels.shape)
