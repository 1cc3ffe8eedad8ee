"""The shape of a drawn head: a height above the plane of the eyes, from which the light makes a face."""

import cv2
import numpy as np

from .traits import Traits


def bump(x, y, cx, cy, rx, ry):
    """A Gaussian hill of height 1."""
    return np.exp(-0.5 * (((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2))


def pair(x, y, cx, cy, rx, ry):
    """The same hill on both sides of the face."""
    return bump(np.abs(x), y, cx, cy, rx, ry)


def edge(distance, softness: float):
    """A soft step: 0 outside (negative distance), 1 inside."""
    return 1 / (1 + np.exp(-np.clip(distance / softness, -40, 40)))


def line(x, y, points, width: float):
    """A soft stroke through points, mirrored on both sides."""
    nearest = np.full_like(x, 9.0)
    for (ax, ay), (bx, by) in zip(points, points[1:]):
        along = np.clip(((np.abs(x) - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2), 0, 1)
        nearest = np.minimum(nearest, np.hypot(np.abs(x) - ax - along * (bx - ax), y - ay - along * (by - ay)))
    return np.exp(-0.5 * (nearest / width) ** 2)


def half_width(t: Traits, y):
    """Half-width of the face outline at each height; 0 below the chin."""
    low = np.clip((y + 0.1) / (t.chin + 0.1), 0, 1)
    high = np.clip((-0.1 - y) / 1.2, 0, 1)
    power = 1.9 + 1.2 * t.jaw
    share = np.where(y > -0.1, (1 - low**power) ** (1 / (1.75 + 0.35 * t.jaw)), np.sqrt(1 - high**2.4))
    return np.where((low < 1) & (high < 1), t.width * share, -0.2)


def face_mask(t: Traits, x, y):
    """1 on the face, 0 off it."""
    return edge(half_width(t, y) - np.abs(x), 0.012)


def nose(t: Traits, x, y):
    """Bridge, tip and wings."""
    end = 0.09 + t.nose_length
    along = np.clip((y + 0.38) / (end + 0.38), 0, 1.0)
    taper = edge(y + 0.36, 0.05) * edge(end + 0.05 - y, 0.03)
    bridge = (0.05 + 0.15 * along**1.3) * np.exp(-0.5 * (x / (t.nose_width * (0.055 + 0.03 * along))) ** 2) * taper
    tip = 0.10 * bump(x, y, 0, end, 0.075 * t.nose_width, 0.07)
    wings = 0.085 * pair(x, y, 0.115 * t.nose_width, end + 0.045, 0.05 * t.nose_width, 0.05)
    return t.nose_height * (bridge + tip) + wings


def folds(t: Traits, x, y):
    """Lines of age: across the forehead, beside the eyes and the nose, under the eyes."""
    old = t.age
    arc = [
        (0.15 * t.nose_width + (t.mouth_width + 0.07 - 0.15) * s**1.6, 0.10 + 0.36 * s) for s in np.linspace(0, 1, 6)
    ]
    cheek = line(x, y, arc, 0.026)
    bags = line(x, y, [(0.24, -0.22), (0.35, -0.185), (0.46, -0.21)], 0.02)
    crow = sum(line(x, y, [(0.52, -0.32 + 0.05 * k), (0.62, -0.36 + 0.09 * k)], 0.008) for k in (0, 1, 2))
    wave = 0.012 * np.sin(9 * x + 3 * t.skew * 100)
    brow = sum(np.exp(-0.5 * ((y - wave - row) / 0.011) ** 2) for row in (-0.68, -0.75, -0.82)) * edge(
        0.5 - np.abs(x), 0.08
    )
    frown = line(x, y, [(0.05, -0.52), (0.045, -0.42)], 0.011)
    return (
        (0.004 + 0.020 * old) * cheek
        + 0.014 * old * bags
        + 0.007 * old**2 * crow
        + 0.006 * old**1.5 * brow
        + 0.007 * old**2 * frown
    )


def relief(t: Traits, x, y, rng) -> np.ndarray:
    """Height of the head in face units.  [S, S], [S, S] -> [S, S]"""
    z = 0.85 * np.sqrt(np.maximum(0.004, 1 - (x / (t.width * 1.08)) ** 2 - ((y + 0.06) / 1.30) ** 2))
    z = z + 0.045 * pair(x, y, 0.30, -0.47 + t.brow_height, 0.20, 0.06) - 0.11 * pair(x, y, 0.33, -0.32, 0.17, 0.10)
    z = z + 0.055 * pair(x, y, 0.35, -0.32, 0.12, 0.075) + nose(t, x, y)
    z = z + 0.05 * pair(x, y, 0.50, 0.0, 0.20, 0.17) - 0.03 * pair(x, y, 0.50, 0.36, 0.13, 0.2)
    z = z + 0.07 * bump(x, y, 0, t.mouth_y, 0.26, 0.16) + 0.07 * bump(x, y, 0, 0.80, 0.17, 0.12)
    z = z - 0.035 * bump(x, y, 0, 0.665, 0.17, 0.045) - 0.016 * bump(x, y, 0, 0.27, 0.025, 0.07)
    z = z + 0.035 * bump(x, y, 0, t.mouth_y - 0.03, 0.17, 0.03) + 0.045 * bump(x, y, 0, t.mouth_y + 0.05, 0.15, 0.035)
    z = z - 0.03 * np.exp(-0.5 * ((y - t.mouth_y - t.mouth_curve * (x / 0.27) ** 2) / 0.014) ** 2) * edge(
        t.mouth_width - np.abs(x), 0.02
    )
    z = z - 0.02 * pair(x, y, t.mouth_width + 0.015, t.mouth_y, 0.025, 0.03) - folds(t, x, y)
    rough = cv2.GaussianBlur(rng.standard_normal(x.shape, np.float32), (0, 0), 1.0) * 0.0012 * t.pores * (0.6 + t.age)
    return (z + rough).astype(np.float32)


def shade(t: Traits, z: np.ndarray, unit: float) -> tuple[np.ndarray, np.ndarray]:
    """Brightness under key light, fill and sky, and the shine.  [S, S] -> [S, S], [S, S]

    `unit` is the number of pixels in a face unit.
    """
    dy, dx = np.gradient(z, 1 / unit)
    length = np.sqrt(1 + dx**2 + dy**2)
    normal = np.stack([-dx, -dy, np.ones_like(dx)]) / length
    key = np.clip(np.tensordot(t.light, normal, 1) * 0.85 + 0.15, 0, None)
    fill = np.clip(normal[2] * 0.8 - t.light[0] * normal[0] * 0.4, 0, None)
    hollow = np.clip((z - cv2.GaussianBlur(z, (0, 0), 0.09 * unit)) * 3.0, -0.38, 0.10)
    half = t.light + np.array([0, 0, 1.0])
    shine = np.clip(np.tensordot(half / np.linalg.norm(half), normal, 1), 0, 1) ** 22 * t.shine
    light = t.ambient * (0.55 + 0.45 * fill) + (1.12 - t.ambient) * key
    return (0.92 * light * (1 + hollow)).astype(np.float32), shine.astype(np.float32)
