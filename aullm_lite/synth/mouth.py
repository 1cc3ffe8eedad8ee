"""The open mouth: what comes to light between the lips when the jaw drops or the lips part."""

import numpy as np

from .identity import LUMA
from .script import PIXEL, Script

GAP = {25: 0.7, 26: 0.5}  # height of the opening as a share of the movement's peak
UPPER = 0.25  # share of the opening that lies above the line of the closed lips
TOOTH, DEEP = np.array([0.76, 0.73, 0.67], np.float32), np.array([0.17, 0.06, 0.05], np.float32)


def openings(script: Script) -> np.ndarray:
    """How far the lips stand apart in each frame, in face units.  -> [T]"""
    apart = (GAP[m.au] * m.amount(script.times) for m in script.others if m.au in GAP)
    return sum(apart, np.zeros(len(script.times))) * PIXEL


def teeth_share(script: Script) -> float:
    """Share of the opening that the upper teeth fill: most of it where an AU has raised the upper lip."""
    return 0.7 if {m.au for m in script.movements} & {10, 12} else 0.3


def open_mouth(frame: np.ndarray, opening: float, teeth: float, mouth: tuple, x: np.ndarray, y: np.ndarray):
    """Paint the inside of the mouth over a frame; x, y are where each pixel was before the head turned.

    [S, S, 3] or [S, S] -> the same
    """
    middle_x, middle_y, half_width = mouth
    pixel = float(x[0, 1] - x[0, 0])
    height = opening * np.clip(1 - ((x - middle_x) / (0.9 * half_width)) ** 2, 0, 1)
    below_top, above_bottom = y - middle_y + UPPER * height, middle_y + (1 - UPPER) * height - y
    inside = np.clip(below_top / pixel + 0.5, 0, 1) * np.clip(above_bottom / pixel + 0.5, 0, 1) * (height > 0)
    tooth = np.clip((teeth * height - below_top) / pixel + 0.5, 0, 1) * (1 - 0.8 * np.abs(x - middle_x))
    paint = DEEP + (TOOTH - DEEP) * tooth[..., None]  # [S, S, 3]
    if frame.ndim == 2:
        return frame + inside * (paint @ LUMA - frame)
    return frame + inside[..., None] * (paint - frame)
