"""When did it move?  Runs of sure windows become events, and the movement in a region gives each its times.

The displacement of the skin since the first frame of a window rises to the apex and falls back; onset and offset are
where it crosses a quarter of its peak.  All functions are plain NumPy or torch on small arrays.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .report import AUEvent

GAP = 0.35  # seconds between sure windows that do not end an event
EDGE = 0.25  # share of the peak at which a movement begins and ends


def region_energy(motion: Tensor, masks: Tensor) -> Tensor:
    """Mean movement since the onset frame in the region of each AU.  [N, C, T-1, H, W], [K, H, W] -> [N, K, T]

    In the units of `motion` (pixels for flow); the onset frame itself has none.
    """
    weights = masks / masks.sum((1, 2), keepdim=True)
    energy = torch.einsum("nthw,khw->nkt", motion.norm(dim=1), weights.to(motion))
    return F.pad(energy, (1, 0))


def median3(series: np.ndarray) -> np.ndarray:
    """Median of each window and its two neighbours; the ends count twice.  [N, K] -> [N, K]"""
    padded = np.pad(series, ((1, 1), (0, 0)), mode="edge")
    return np.median([padded[:-2], padded[1:-1], padded[2:]], axis=0)


def find_events(
    au: int, series: np.ndarray, threshold: float, samples: np.ndarray, energy: np.ndarray
) -> tuple[AUEvent, ...]:
    """One event for each run of windows above the threshold, timed in the window that shows it best.

    `series` [N] are the probabilities, `samples` [N, T] the times of the frames, `energy` [N, T] their region energy.
    """
    events = []
    for start, stop in runs(series >= threshold, samples[:, 0]):
        best = start + int(np.argmax([_shows(series[n], energy[n]) for n in range(start, stop)]))
        onset, apex, offset = movement_span(samples[best], energy[best])
        events.append(AUEvent(au, onset, apex, offset, float(series[start:stop].max())))
    return tuple(events)


def _shows(probability: float, energy: np.ndarray) -> float:
    """High where the window is sure, and holds the whole movement: much at its peak, little at its end."""
    return probability * (energy.max() - energy[-1] / 2)


def runs(above: np.ndarray, times: np.ndarray) -> list[tuple[int, int]]:
    """Runs of true values as (start, stop), joined where at most `GAP` seconds lie between.  [N], [N] -> indices"""
    joined: list[tuple[int, int]] = []
    for n in np.flatnonzero(above).tolist():
        if joined and times[n] - times[joined[-1][1] - 1] <= GAP:
            joined[-1] = joined[-1][0], n + 1
        else:
            joined.append((n, n + 1))
    return joined


def movement_span(times: np.ndarray, energy: np.ndarray, edge: float = EDGE) -> tuple[float, float, float]:
    """Onset, apex and offset: the peak, and where the curve leaves and meets `edge` of it.  [T], [T] -> seconds

    Linear between samples.  A movement that is under way at an end of the window begins or ends there.
    """
    peak = int(np.argmax(energy))
    level = edge * energy[peak]
    onset = _crossing(times[peak::-1], energy[peak::-1], level)
    return onset, float(times[peak]), _crossing(times[peak:], energy[peak:], level)


def _crossing(times: np.ndarray, energy: np.ndarray, level: float) -> float:
    """Where a curve that starts at its peak first falls to the level; its last time where it never does."""
    below = np.flatnonzero(energy <= level)
    if not len(below):
        return float(times[-1])
    n = below[0]
    return float(np.interp(level, energy[[n, n - 1]], times[[n, n - 1]])) if n else float(times[0])
