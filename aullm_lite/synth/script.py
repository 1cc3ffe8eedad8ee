"""What happens in a synthetic clip: who moves what, when and how far, and what the camera and the head do meanwhile.

A script is drawn from a seed and holds only numbers, so that it is the truth of the clip; `render.py` turns it into
frames.  Timing follows CASME II and SAMM (median 310 ms in all, 150 ms to the apex); co-occurrence follows CASME II.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from ..errors import InputError
from ..facs import CD6ME_AUS

PEAKS = {"easy": (1.0, 2.0), "standard": (0.4, 1.2), "hard": (0.15, 0.6), "macro": (2.0, 5.0)}  # pixels at 64
PIXEL = 2 / 64  # one pixel of a 64-pixel crop in face coordinates

# Roughly the square root of the counts in CASME II: habits stay visible, but the rare AUs can be learnt.
WEIGHTS = {1: 1.0, 2: 1.0, 4: 1.6, 5: 0.9, 6: 0.9, 7: 1.2, 9: 0.9, 10: 0.9, 12: 1.3, 14: 1.0, 15: 0.9, 17: 1.0}
# Observed over expected counts of pairs in CASME II and SAMM (facs.md), capped to 1/6..6.
LIFTS = {
    (1, 2): 6.0,
    (4, 7): 1.8,
    (15, 17): 3.0,
    (4, 10): 1.9,
    (14, 17): 2.5,
    (12, 15): 1.5,
    (6, 12): 3.0,
    (4, 9): 2.0,
    (4, 12): 0.17,
    (2, 4): 0.17,
    (1, 4): 0.17,
    (4, 14): 0.2,
    (7, 12): 0.2,
    (2, 7): 0.17,
}


@dataclass(frozen=True)
class Movement:
    """One AU that moves: subject's side, peak displacement in pixels at 64, onset/apex/offset in seconds."""

    au: int
    side: str
    peak: float
    onset: float
    apex: float
    offset: float

    def amount(self, t: np.ndarray) -> np.ndarray:
        """Displacement over time, 0..peak: a raised-cosine rise and fall.  [T] -> [T]"""
        rise = np.clip((t - self.onset) / max(self.apex - self.onset, 1e-6), 0, 1)
        fall = np.clip((self.offset - t) / max(self.offset - self.apex, 1e-6), 0, 1)
        return self.peak * (0.5 - 0.5 * np.cos(np.pi * np.minimum(rise, fall)))

    def visible(self, times: np.ndarray) -> float:
        """How far the skin moves away from where it is in the first frame, as a share of the peak."""
        return float((self.amount(times) - self.amount(times[:1])).max() / self.peak)


@dataclass(frozen=True)
class Camera:
    """What is in the way of the movement: alignment left-overs, light, lens, sensor, compression."""

    align: tuple = (0.0, 0.0, 0.0, 1.0)  # dx, dy (face coordinates), turn (radians), scale: constant over the clip
    gain: tuple = (0.0, 0.0)  # drift over the clip and flicker, as shares of the brightness
    light: tuple = (0.0, 0.0)  # drift of a brightness slope across x and y
    gamma: float = 1.0
    blur: float = 0.0  # pixels at 64
    noise: float = 0.0  # standard deviation, brightness 0..1
    jpeg: int = 0  # quality; 0 means none


@dataclass(frozen=True)
class Script:
    """The truth of one clip; times in seconds, `head` the pose at its far end (see `render.head_field`)."""

    times: np.ndarray
    movements: tuple = ()
    head: tuple = (0.0,) * 6  # yaw, pitch, roll, scale, shift x, shift y: pixels at 64 reached at the far end
    head_phase: tuple = (0.0, 1.0)  # where on its path the head is at the first and the last frame
    gaze: tuple = (0.0, 0.0)  # how far the eyeballs move, face coordinates
    others: tuple = ()  # blinks, a jaw that drops, lips that part: they move the face and are not among the labels
    camera: Camera = field(default_factory=Camera)
    seed: int = 0  # of the sensor noise

    @property
    def aus(self) -> frozenset:
        """The AUs a viewer of these frames can see: at least half of the movement happens after the first frame."""
        return frozenset(m.au for m in self.movements if m.visible(self.times) >= 0.5)


def _log_uniform(rng, low, high):
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def draw_aus(rng: np.random.Generator) -> list[int]:
    """One to three AUs, with the habits of the real data sets."""
    chosen = [int(rng.choice(CD6ME_AUS, p=_normal([WEIGHTS[a] for a in CD6ME_AUS])))]
    for _ in range(rng.choice(3, p=(0.55, 0.33, 0.12))):
        rest = [a for a in CD6ME_AUS if a not in chosen]
        lifts = [WEIGHTS[a] * np.prod([LIFTS.get((min(a, c), max(a, c)), 1.0) for c in chosen]) for a in rest]
        chosen.append(int(rng.choice(rest, p=_normal(lifts))))
    return chosen


def _normal(weights):
    weights = np.asarray(weights, float)
    return weights / weights.sum()


def _movement(rng, au: int, tier: str, start: float, length: float) -> Movement:
    """An AU near the start of the clip's common event; partners start and peak within some tens of milliseconds."""
    onset = start + rng.uniform(0, 0.12) * length
    apex = onset + np.clip(rng.normal(0.48, 0.10), 0.25, 0.75) * (start + length - onset)
    offset = start + length - rng.uniform(0, 0.12) * length
    side = "both" if au == 17 or rng.random() > 0.18 else str(rng.choice(["L", "R"]))
    return Movement(au, side, _log_uniform(rng, *PEAKS[tier]), onset, max(apex, onset + 0.04), max(offset, apex + 0.04))


def _others(rng, times: np.ndarray, movements: tuple[Movement, ...], mouth: bool) -> tuple[Movement, ...]:
    """What else faces do: blink and, with `mouth`, drop the jaw as in speech and part the lips in a smile."""
    others = []
    if rng.random() < 0.12:
        shut = rng.uniform(times[0] - 0.1, times[-1])
        others.append(Movement(45, "both", rng.uniform(1.0, 3.5), shut, shut + 0.1, shut + 0.3))
    if mouth and rng.random() < 0.15:
        start, rise, fall = rng.uniform(times[0] - 0.3, times[-1]), *rng.uniform(0.06, 0.35, 2)
        peak = _log_uniform(rng, 0.3, 3.5)
        others.append(Movement(int(rng.choice([25, 26])), "both", peak, start, start + rise, start + rise + fall))
    for m in movements:
        if mouth and m.au in (10, 12) and m.peak > 0.8 and rng.random() < 0.4:
            others.append(replace(m, au=25, side="both", peak=m.peak * rng.uniform(0.4, 1.2)))
    return tuple(others)


def _camera(rng) -> Camera:
    return Camera(
        align=(
            *rng.normal(0, 0.025, 2),
            rng.normal(0, 0.03),
            float(np.exp(rng.normal(0, 0.04))),
        ),
        gain=(rng.normal(0, 0.02), abs(rng.normal(0, 0.01))),
        light=tuple(rng.normal(0, 0.02, 2)),
        gamma=float(np.exp(rng.normal(0, 0.2))),
        blur=rng.uniform(0, 0.8),
        noise=_log_uniform(rng, 0.0015, 0.010),
        jpeg=int(rng.integers(60, 96)) if rng.random() < 0.4 else 0,
    )


def _head(rng, reach: float) -> tuple:
    """A pose path whose parts add up to at most `reach` pixels; heads turn, nod, tilt, come nearer and slide."""
    shares = rng.dirichlet(np.full(6, 0.5))
    return tuple(reach * shares * rng.choice([-1, 1], 6))


def _times(rng, view: str, start: float, length: float, frames: int = 6) -> np.ndarray:
    """When the frames are taken: the labelled span, half a second with the event in it, or what follows its apex."""
    if view == "clip":
        return np.linspace(start, start + length, frames)
    if view == "loose":  # labels and spotters are never exact
        return np.linspace(start - rng.uniform(0, 0.35) * length, start + length * rng.uniform(0.75, 1.4), frames)
    if view == "release":  # starts at the height of the movement: what follows is its undoing
        first = start + rng.uniform(0.45, 0.62) * length
        return np.linspace(first, first + rng.uniform(0.3, 0.5), frames)
    first = start - rng.uniform(0, 0.15)
    return np.linspace(first, first + 0.5, frames)


def draw_script(
    rng: np.random.Generator,
    tier: str = "standard",
    *,
    view: str = "clip",
    head: str = "still",
    none: float = 0.15,
    mouth: bool = False,
    aus: tuple[int, ...] | None = None,
) -> Script:
    """Draw what happens in one clip.

    `view` is `clip` (onset to offset), `loose`, `window` (half a second around it) or `release`; `head` is `still`
    (only what alignment leaves, about a quarter of a pixel) or `moving` (0.5 to 4 pixels at 64); `none` is the share of
    clips without any AU; with `mouth` people also speak, and smile with open lips; the AUs are drawn unless `aus` gives
    them.
    """
    if tier not in PEAKS:
        raise InputError(f"Unknown tier {tier!r}: choose one of {', '.join(PEAKS)}.")
    start = 0.2
    length = float(np.clip(np.exp(rng.normal(np.log(0.31), 0.33)), 0.16, 0.55)) * (
        rng.uniform(1.2, 2.5) if tier == "macro" else 1
    )
    chosen = aus if aus is not None else [] if rng.random() < none else draw_aus(rng)
    times = _times(rng, view, start, length)
    movements = tuple(_movement(rng, au, tier, start, length) for au in chosen)
    return Script(
        times=times,
        movements=movements,
        head=_head(rng, abs(rng.normal(0, 0.25)) if head == "still" else _log_uniform(rng, 0.5, 4.0)),
        head_phase=tuple(np.sort(rng.uniform(0, 1, 2)))
        if head == "still"
        else (0.0, float(rng.choice([1.0, 2.0], p=[0.75, 0.25]))),
        gaze=tuple(rng.normal(0, 0.03, 2)) if rng.random() < 0.2 else (0.0, 0.0),
        others=_others(rng, times, movements, mouth),
        camera=_camera(rng),
        seed=int(rng.integers(2**31)),
    )
