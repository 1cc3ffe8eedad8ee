"""The colours of a drawn face: skin, lips, brows, eyes, beard, glasses.  RGB [S, S, 3] in 0..1."""

import cv2
import numpy as np

from ..facs import EYES
from .relief import bump, edge, half_width, line, pair
from .traits import Traits


def mix(under, over, alpha):
    """Lay a colour or picture over another, in single precision: this is most of the work."""
    under, over, alpha = (np.asarray(part, np.float32) for part in (under, over, alpha))
    return under + alpha[..., None] * (over - under)


def cloud(rng, shape, size: float) -> np.ndarray:
    """Smooth noise of standard deviation 1 whose blobs are `size` pixels."""
    small = tuple(max(2, int(s / max(size / 2, 1))) for s in shape)
    noise = cv2.GaussianBlur(rng.standard_normal(small, np.float32), (0, 0), 1.0 if size > 2 else 0.6)
    noise = cv2.resize(noise, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return (noise - noise.mean()) / (noise.std() + 1e-6)


def skin(t: Traits, x, y, rng) -> np.ndarray:
    """Tone, warmth where blood is near, blotches, freckles, moles, pores."""
    colour = np.broadcast_to(t.skin.astype(np.float32), (*x.shape, 3)).copy()
    warm = (
        0.5 * pair(x, y, 0.47, 0.06, 0.17, 0.14)
        + 0.45 * bump(x, y, 0, 0.08, 0.12, 0.12)
        + 0.25 * bump(x, y, 0, 0.82, 0.16, 0.1)
    )
    colour *= 1 + warm[..., None] * np.array([0.03, -0.10, -0.10]) * (0.6 + 0.8 * t.blotches)
    dusky = 0.5 * pair(x, y, 0.35, -0.24, 0.15, 0.05) * (0.3 + 0.7 * t.age) + 0.35 * pair(x, y, 0.33, -0.38, 0.15, 0.05)
    colour *= 1 - dusky[..., None] * np.array([0.12, 0.17, 0.15])
    tint = sum(a * cloud(rng, x.shape, s) for s, a in ((28, 0.016), (9, 0.014), (4, 0.011), (1.5, 0.014))) * t.blotches
    colour *= 1 + tint[..., None] * np.array([0.8, 1.1, 1.1])
    spots = (cloud(rng, x.shape, 2.5) > 1.9) * (pair(x, y, 0.35, 0.02, 0.28, 0.16) + bump(x, y, 0, 0, 0.2, 0.2))
    colour *= 1 - 0.28 * t.freckles * cv2.GaussianBlur(spots.astype(np.float32), (0, 0), 0.6)[..., None]
    for _ in range(rng.choice((0, 1, 2), p=(0.5, 0.3, 0.2))):
        colour *= 1 - 0.5 * bump(x, y, *rng.uniform((-0.6, -0.7), (0.6, 0.9)), 0.011, 0.011)[..., None]
    shadow = (0.16 * t.stubble * (1 - 0.4 * t.beard)) * beard_area(t, x, y) * (1 + 0.2 * cloud(rng, x.shape, 1.2))
    nostrils = pair(x, y, 0.062 * t.nose_width, 0.165 + t.nose_length, 0.028 * t.nose_width, 0.014)
    return mix(colour * (1 - shadow[..., None]), colour * 0.22, np.clip(nostrils * 1.1, 0, 0.9))


def beard_area(t: Traits, x, y):
    """Where a beard grows: jaw and chin, not the cheeks and the lips."""
    low = edge(y - (0.62 - 0.75 * np.abs(x) ** 1.3), 0.05) * edge(half_width(t, y) - np.abs(x), 0.02)
    lip = edge(0.30 - np.hypot(x * 0.9, (y - t.mouth_y) * 1.9), 0.03)
    upper = line(x, y, [(0.02, 0.315), (0.22, 0.36), (0.34, 0.52)], 0.045)
    return np.clip(np.maximum(low * (1 - lip), upper), 0, 1)


def lips(t: Traits, x, y):
    """Masks of the lips and of the mouth's opening.  -> [S, S], [S, S]"""
    u = np.clip(np.abs(x) / t.mouth_width, 0, 1)
    middle = t.mouth_y + t.mouth_curve * u**2 + t.skew * x
    bow = 1 - 0.22 * np.exp(-0.5 * (x / 0.035) ** 2)
    top = middle - t.parted * 0.4 * (1 - u**2) - t.lip_upper * bow * (1 - u**1.6) ** 0.9
    bottom = middle + t.parted * 0.6 * (1 - u**2) + t.lip_lower * (1 - u**2.2) ** 0.8
    inside = edge(t.mouth_width - np.abs(x), 0.012)
    mouth = edge(y - top, 0.007) * edge(bottom - y, 0.007) * inside
    gap = (
        edge(y - (middle - t.parted * 0.4 * (1 - u**2)), 0.006)
        * edge(middle + t.parted * 0.6 * (1 - u**2) - y, 0.006)
        * inside
    )
    seam = np.exp(-0.5 * ((y - middle) / 0.009) ** 2) * inside
    return mouth, gap if t.parted else np.zeros_like(gap), seam


def paint_lips(colour, t: Traits, x, y, rng):
    """Redder and smoother than skin, with a dark seam or a row of teeth."""
    mouth, gap, seam = lips(t, x, y)
    red = np.array([0.90, 0.62, 0.62]) if t.skin.mean() > 0.4 else np.array([0.95, 0.70, 0.72])
    tint = t.skin * red * (1 - 0.1 * t.make_up) + np.array([0.10, -0.03, 0.0]) * t.make_up
    stripes = 1 + 0.05 * cloud(rng, x.shape, 2.0)
    colour = mix(colour, tint * stripes[..., None], mouth * 0.8)
    colour = colour * (1 - (0.62 * seam * (1 - (gap > 0.3)))[..., None])
    tooth = 0.80 + 0.05 * np.cos(x * 2 * np.pi / 0.062) - 0.9 * np.abs(x)
    teeth = np.stack([tooth, tooth * 0.97, tooth * 0.90], -1) * 0.9
    return mix(colour, np.where((y < t.mouth_y + 0.022)[..., None], teeth, np.array([0.20, 0.07, 0.06])), gap)


def brow_line(t: Traits, along):
    """Middle of the brow from the inner end (0) to the outer (1).  -> x, y"""
    y = -0.485 + t.brow_height - t.brow_arch * np.sin(np.pi * np.clip(along, 0, 1) ** 0.8) * 1.0 + 0.03 * along
    return 0.13 + 0.46 * along, y


def paint_brows(colour, t: Traits, unit: float, rng):
    """Some hundred short strokes a brow, thick inside and thin outside."""
    size = colour.shape[0]
    ink = np.zeros((size, size), np.uint8)
    at = lambda px, py: (int((px * unit + size / 2) * 16), int((py * unit + size / 2) * 16))  # noqa: E731
    for side in (-1, 1):
        for along in rng.uniform(0, 1, int(170 + 2200 * t.brow_thickness)):
            bx, by = brow_line(t, along)
            by += rng.normal(0, 0.42) * t.brow_thickness * (1.1 - 0.75 * along)
            lean = np.array([0.25 + 0.75 * along, -0.75 + 0.95 * along]) * rng.uniform(0.025, 0.055)
            cv2.line(
                ink,
                at(side * bx, by),
                at(side * (bx + lean[0]), by + lean[1]),
                int(rng.integers(70, 150)),
                1,
                cv2.LINE_AA,
                4,
            )
    alpha = np.clip(cv2.GaussianBlur(ink.astype(np.float32) / 255, (0, 0), 0.7) * 1.5, 0, 0.93)
    return mix(colour, np.minimum(t.hair * 0.8, t.skin * 0.72), alpha)


def eye_opening(t: Traits, x, y) -> np.ndarray:
    """1 between the lids (soft edge), 0 on the skin.  [S, S], [S, S] -> [S, S]"""
    near = edge(t.eye_width * 1.05 - np.abs(np.abs(x) - EYES[1][0]), 0.004)
    return edge(np.minimum(*_lids(t, x, y)), 0.0045) * near


def _lids(t: Traits, x, y):
    """Signed distances below the upper lid and above the lower lid."""
    u = (np.abs(x) - EYES[1][0]) / t.eye_width
    tilt = -t.eye_tilt * (np.abs(x) - EYES[1][0]) * 1.0
    inner = np.clip(1 - np.abs(u) ** 2.3, -0.3, 1)
    upper = EYES[1][1] + 0.012 + tilt - 0.054 * t.eye_open * np.sign(inner) * np.abs(inner) ** 0.85 * (1 - 0.12 * u)
    lower = EYES[1][1] + 0.012 + tilt + 0.036 * t.eye_open * np.sign(inner) * np.abs(inner) ** 1.1
    return y - upper, lower - y


def paint_lids(colour, t: Traits, x, y):
    """Lash line, crease and lower rim."""
    below_upper, above_lower = _lids(t, x, y)
    near = edge(t.eye_width * 1.12 - np.abs(np.abs(x) - EYES[1][0]), 0.012)
    lash = np.exp(-0.5 * ((below_upper + 0.006) / (0.008 + 0.005 * t.make_up)) ** 2) * near
    crease = np.exp(-0.5 * ((below_upper + 0.045 * t.eye_open) / 0.008) ** 2) * near
    rim = np.exp(-0.5 * ((above_lower + 0.006) / 0.007) ** 2) * near
    colour = colour * (1 - (0.80 * lash + 0.38 * t.crease * crease + 0.26 * rim)[..., None])
    lid = edge(-below_upper, 0.01) * edge(below_upper + 0.06, 0.012) * near
    return mix(colour, colour * np.array([0.72, 0.66, 0.70]), 0.55 * t.make_up * lid)


def eyeballs(t: Traits, x, y, rng) -> np.ndarray:
    """Sclera, iris, pupil and catch-light, drawn beyond the lids.  -> [S, S, 3]"""
    ax, ay = np.abs(x) - EYES[1][0], y - EYES[1][1]
    look = rng.normal(0, 0.008, 2)
    dx, dy = x - np.sign(x) * EYES[1][0] - look[0], ay - 0.004 - look[1]
    radius = np.hypot(dx, dy)
    white = np.array([0.74, 0.71, 0.69]) * (1 - 0.45 * np.clip(np.abs(ax) / 0.15, 0, 1.2)[..., None] ** 2)
    ball = white * (0.80 + 0.25 * t.ambient)
    rays = 1 + 0.16 * np.sin(np.arctan2(dy, dx) * 23 + 5 * np.sin(radius * 90)) + 0.25 * (0.045 - radius) / 0.045
    ball = mix(ball, t.iris * 1.25 * np.clip(rays, 0.4, 1.6)[..., None], edge(0.060 - radius, 0.004))
    ball = ball * (1 - 0.55 * np.exp(-0.5 * ((radius - 0.058) / 0.006) ** 2))[..., None]
    ball = mix(ball, np.full(3, 0.02), edge(0.024 - radius, 0.003))
    below_upper, _ = _lids(t, x, y)
    ball = ball * (1 - 0.55 * np.exp(-np.clip(below_upper, 0, None) / 0.020))[..., None]
    spark = np.exp(-0.5 * ((dx - 0.018 * np.sign(t.light[0])) ** 2 + (dy + 0.020) ** 2) / 0.006**2)
    return np.clip(mix(ball, np.full(3, 0.95), np.clip(spark * 0.9, 0, 1)), 0, 1).astype(np.float32)


def paint_beard(colour, t: Traits, x, y, rng):
    """Short dense hair on the jaw, and the moustache."""
    strands = 0.85 + 0.13 * cloud(rng, x.shape, 1.4)
    upper = line(x, y, [(0.02, 0.315), (0.20, 0.355)], 0.038) * t.moustache
    area = np.maximum(beard_area(t, x, y) * t.beard, upper)
    _, gap, _ = lips(t, x, y)
    alpha = np.clip(area * (0.80 + 0.16 * cloud(rng, x.shape, 2.0)), 0, 0.9) * (1 - gap)
    return mix(colour, t.hair * strands[..., None], alpha)


def paint_glasses(colour, t: Traits, x, y, rng):
    """Frames with a faint reflection, drawn over everything."""
    rx, ry, power = rng.uniform(0.20, 0.245), rng.uniform(0.13, 0.19), rng.uniform(2, 4)
    ring = (np.abs((np.abs(x) - 0.36) / rx) ** power + np.abs((y + 0.30) / ry) ** power) ** (1 / power)
    frame = np.exp(-0.5 * ((ring - 1) / rng.uniform(0.03, 0.07)) ** 2)
    bridge = np.exp(-0.5 * ((y + 0.33) / 0.016) ** 2) * edge(0.38 - rx - np.abs(x), 0.01)
    arms = (
        np.exp(-0.5 * ((y + 0.34) / 0.018) ** 2)
        * edge(np.abs(x) - 0.34 - rx, 0.01)
        * edge(t.width + 0.02 - np.abs(x), 0.01)
    )
    dark = np.array([0.08, 0.07, 0.07]) if rng.random() < 0.7 else rng.uniform(0.2, 0.6, 3)
    glare = 0.10 * edge(1 - ring, 0.03) * edge(0.04 - np.abs(np.abs(x) - 0.3 + 0.6 * (y + 0.3)), 0.02)
    return mix(mix(colour, np.ones(3), glare), dark, np.clip(frame + bridge + arms, 0, 0.95))
