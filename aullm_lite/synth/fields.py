"""What each Action Unit does to the skin: a displacement field and the wrinkles it makes, in face coordinates.

A field is a short sum of pulls.  A pull moves the skin around a centre along its muscle's line of action and fades out
as a Gaussian; a squeeze moves it towards the centre instead.  The rows below are our own reading of the muscles in
`facs.ACTION_UNITS`: synthetic anatomy, made to be plausible, not measured on people.
"""

from dataclasses import dataclass

import numpy as np

from ..facs import face_grid

GRID = 64  # fields are smooth: this resolution is enough, and it is the model's


@dataclass(frozen=True)
class Pull:
    """One Gaussian patch of moving skin on the image-right half of the face (all in face coordinates)."""

    x: float
    y: float
    rx: float
    ry: float
    dx: float = 0.0
    dy: float = 0.0
    squeeze: float = 0.0


# x, y, rx, ry, dx, dy[, squeeze]: image-right half; y points down, so dy < 0 raises the skin.
PULLS = {
    1: (Pull(0.14, -0.52, 0.15, 0.15, -0.05, -1.0), Pull(0.12, -0.70, 0.17, 0.16, 0.0, -0.6)),
    2: (Pull(0.50, -0.54, 0.15, 0.14, 0.10, -1.0), Pull(0.52, -0.71, 0.18, 0.15, 0.0, -0.6)),
    4: (Pull(0.17, -0.48, 0.17, 0.12, -0.55, 0.85), Pull(0.40, -0.54, 0.18, 0.11, -0.25, 0.65)),
    5: (Pull(0.35, -0.385, 0.15, 0.055, 0.0, -1.0), Pull(0.35, -0.45, 0.16, 0.06, 0.0, -0.45)),
    6: (Pull(0.47, -0.10, 0.20, 0.13, -0.15, -1.0), Pull(0.57, -0.28, 0.11, 0.11, -0.75, 0.10)),
    7: (Pull(0.35, -0.25, 0.16, 0.065, -0.10, -1.0), Pull(0.35, -0.39, 0.15, 0.055, 0.0, 0.5)),
    9: (
        Pull(0.09, -0.12, 0.09, 0.17, -0.10, -0.9),
        Pull(0.15, 0.06, 0.11, 0.11, 0.0, -1.0),
        Pull(0.07, -0.42, 0.12, 0.09, -0.20, 0.45),
    ),
    10: (Pull(0.13, 0.34, 0.15, 0.09, 0.0, -1.0), Pull(0.22, 0.20, 0.10, 0.12, 0.10, -0.75)),
    12: (Pull(0.29, 0.43, 0.15, 0.13, 0.72, -0.70), Pull(0.43, 0.22, 0.17, 0.16, 0.25, -0.65)),
    14: (Pull(0.32, 0.455, 0.14, 0.14, 0.40, 0.0, squeeze=1.0),),
    15: (Pull(0.28, 0.48, 0.13, 0.12, 0.10, 1.0), Pull(0.29, 0.64, 0.12, 0.13, 0.0, 0.6)),
    17: (Pull(0.0, 0.77, 0.21, 0.14, 0.0, -1.0), Pull(0.0, 0.58, 0.19, 0.08, 0.0, -0.75)),
    25: (Pull(0.0, 0.56, 0.19, 0.08, 0.0, 1.0), Pull(0.0, 0.37, 0.17, 0.06, 0.0, -0.45)),
    26: (Pull(0.0, 0.62, 0.24, 0.12, 0.0, 1.0), Pull(0.0, 0.90, 0.40, 0.20, 0.0, 0.95)),
    45: (Pull(0.35, -0.375, 0.17, 0.07, 0.0, 1.0), Pull(0.35, -0.25, 0.16, 0.05, 0.0, -0.15)),
}
MIDLINE = (17, 25, 26)  # one muscle pair across the midline: never one-sided here

# Wrinkles: dark grooves (x, y, rx, ry) on the image-right half that deepen with the movement.
GROOVES = {
    1: ((0.08, -0.74, 0.16, 0.014), (0.08, -0.83, 0.15, 0.014)),
    2: ((0.50, -0.74, 0.16, 0.014), (0.48, -0.83, 0.15, 0.014)),
    4: ((0.055, -0.44, 0.014, 0.09), (0.10, -0.47, 0.012, 0.07)),
    6: ((0.66, -0.29, 0.08, 0.012), (0.64, -0.22, 0.08, 0.012), (0.40, -0.17, 0.14, 0.014)),
    7: ((0.36, -0.215, 0.14, 0.012),),
    9: ((0.03, -0.26, 0.06, 0.012), (0.06, -0.18, 0.012, 0.06), (0.19, 0.06, 0.014, 0.07)),
    10: ((0.23, 0.22, 0.016, 0.10),),
    12: ((0.35, 0.30, 0.018, 0.12), (0.30, 0.43, 0.03, 0.03)),
    14: ((0.335, 0.455, 0.022, 0.05),),
    15: ((0.30, 0.53, 0.018, 0.06),),
    17: ((0.0, 0.66, 0.12, 0.014), (0.06, 0.80, 0.03, 0.03), (-0.06, 0.80, 0.03, 0.03)),
}


def _gaussian(x, y, cx, cy, rx, ry):
    return np.exp(-0.5 * (((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2))


def _half_field(number: int, sign: int, vary) -> np.ndarray:
    """Field of the image-right (sign 1) or image-left (-1) half, mirrored by symmetry.  -> [2, S, S]"""
    x, y = face_grid(GRID)
    x = x * sign
    field = np.zeros((2, GRID, GRID), np.float32)
    for pull in map(vary, PULLS[number]):
        weight = _gaussian(x, y, pull.x, pull.y, pull.rx, pull.ry)
        field[0] += weight * (pull.dx - pull.squeeze * (x - pull.x) / pull.rx)
        field[1] += weight * (pull.dy - pull.squeeze * (y - pull.y) / pull.ry)
    field[0] *= sign
    return field


def _personal(rng: np.random.Generator):
    """Nobody's muscles sit quite like another's: shift, widen and turn each pull a little, alike on both sides."""

    def vary(pull: Pull) -> Pull:
        shift_x, shift_y, widen, turn = rng.normal(0, (0.02, 0.02, 0.10, 0.15))
        c, s = np.cos(turn), np.sin(turn)
        grow = np.exp(widen)
        return Pull(
            pull.x + shift_x * (pull.x > 0),
            pull.y + shift_y,
            pull.rx * grow,
            pull.ry * grow,
            c * pull.dx - s * pull.dy if pull.x > 0 else 0.0,
            s * pull.dx + c * pull.dy,
            pull.squeeze,
        )

    return vary


def _scaled(half: np.ndarray) -> np.ndarray:
    return half / np.hypot(half[0], half[1]).max()


def au_field(number: int, side: str = "both", rng: np.random.Generator | None = None) -> np.ndarray:
    """Displacement of an AU at unit strength: its peak has length 1.  -> [2, S, S] (x, y)

    `side` is the subject's (`L` lies at the image's right).  With `rng` the anatomy varies a little, as between people.
    """
    seed = 0 if rng is None else int(rng.integers(2**31))

    def half(sign):  # both halves draw the same variation: people are nearly symmetric
        vary = (lambda pull: pull) if rng is None else _personal(np.random.default_rng(seed))
        return _scaled(_half_field(number, sign, vary))

    if number in MIDLINE:
        return half(1)
    parts = {"L": (1,), "R": (-1,), "both": (1, -1)}[side]
    return _scaled(sum(half(sign) for sign in parts))


def au_wrinkles(number: int, side: str = "both") -> np.ndarray:
    """How much an AU darkens the skin at unit strength, 0..1: the grooves it folds.  -> [S, S]"""
    x, y = face_grid(2 * GRID)
    dark = np.zeros_like(x)
    for sign in {"L": (1,), "R": (-1,), "both": (1, -1)}[side]:
        for groove in GROOVES.get(number, ()):
            dark += _gaussian(sign * x, y, *groove)
    return np.minimum(dark, 1.0).astype(np.float32)


def au_mask(number: int, side: str = "both", level: float = 0.25) -> np.ndarray:
    """Where an AU moves the skin by more than `level` of its peak.  -> bool [S, S]"""
    return np.hypot(*au_field(number, side)) > level
