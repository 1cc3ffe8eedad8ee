"""What surrounds a drawn face: hair, ears, neck, clothes, and the room behind."""

import cv2
import numpy as np

from .paint import cloud, mix
from .relief import bump, edge, half_width, pair
from .traits import Traits

SKULL_TOP = -1.26


def skull(t: Traits, x, y, grow: float = 0.0):
    """Signed distance (about) inside the head above the ears."""
    return (1 - np.sqrt((x / (t.width + 0.03 + grow)) ** 2 + ((y + 0.12) / (abs(SKULL_TOP) - 0.10 + grow)) ** 2)) * 0.9


def hairline(t: Traits, x):
    """Height of the hairline over the forehead and down the temples."""
    return t.hairline + 0.10 * np.clip(np.abs(x) / 0.5, 0, 1) ** 3 + 1.5 * np.clip(np.abs(x) - 0.52, 0, None) ** 1.15


def hair_mask(t: Traits, x, y, rng) -> np.ndarray:
    """Where hair lies, by style.  -> [S, S]"""
    wobble = cloud(rng, x.shape, 10) * 0.014 + cloud(rng, x.shape, 3) * 0.010
    line = hairline(t, x + 0.05 * t.skew) + wobble
    if t.style == "fringe":
        line = line + 0.20 * edge(0.55 - np.abs(x), 0.08) * (
            0.86 + 0.14 * np.sin(23 * x + 9 * np.sin(5 * x) + 100 * t.skew)
        )
    if t.style == "parted":
        line = line + np.sign(t.skew) * 0.13 * x
    grow = {
        "buzz": 0.0,
        "short": 0.08,
        "parted": 0.11,
        "fringe": 0.10,
        "curly": 0.17,
        "long": 0.12,
        "bun": 0.05,
        "scarf": 0.10,
    }[t.style]
    ragged = wobble + (0.035 * cloud(rng, x.shape, 14) if t.style == "curly" else 0)
    over = edge(skull(t, x, y, grow) + ragged, 0.012)
    mask = over * edge(line - y, 0.018) * edge(0.02 - y - 0.1 * wobble, 0.05)
    sides = edge(np.abs(x) - half_width(t, np.minimum(y, 0.55)) * 0.93 - wobble, 0.015)
    if t.style in ("long", "scarf"):
        width = t.width + grow + 0.02 + 0.10 * np.clip(y, 0, 1.2) + ragged
        fall = np.maximum(over, edge(width - np.abs(x), 0.02) * edge(y + 0.12, 0.05))
        mask = np.maximum(mask, sides * fall * edge(1.15 - y, 0.08))
    if t.style == "curly":
        mask = np.maximum(mask, sides * over * edge(0.25 - y, 0.06))
    if t.style == "bun":
        mask = np.maximum(mask, edge(0.26 - np.hypot(x, y + 1.32) + wobble, 0.015))
    return mask


def paint_hair(colour, t: Traits, x, y, rng):
    """Strands that run from the parting, lighter where they bend towards the light."""
    if t.style == "bald":
        return colour
    mask = hair_mask(t, x, y, rng)
    if t.style == "scarf":
        drape = (
            0.85
            + 0.10 * np.sin(14 * np.arctan2(y + 0.3, x) + 3 * cloud(rng, x.shape, 40))
            + 0.03 * cloud(rng, x.shape, 1.5)
        )
        return mix(colour, np.clip(t.cloth + 0.08, 0, 1) * drape[..., None], mask)
    shine = 0.35 * np.exp(-0.5 * ((skull(t, x, y, 0.1) - 0.22) / 0.09) ** 2)
    alpha = mask * (0.5 if t.style == "buzz" else 1.0)
    tone = strands(t, x, y, rng) * (0.72 + shine) * (1 - 0.35 * edge(np.abs(x) - t.width + 0.12, 0.08))
    return mix(colour, t.hair * np.clip(tone, 0.15, 2.2)[..., None], alpha)


def strands(t: Traits, x, y, rng) -> np.ndarray:
    """Brightness of single strands, stretched along the way hair falls."""
    if t.style in ("curly", "buzz"):
        return 1 + (0.22 * cloud(rng, x.shape, 5.0) if t.style == "curly" else 0) + 0.09 * cloud(rng, x.shape, 2)
    angle = np.arctan2(y + 1.25, x - np.sign(t.skew) * 0.25)
    reach = np.hypot(x, y + 1.25)
    noise = rng.standard_normal((24, 700)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 0.8)
    sampled = cv2.remap(
        noise, ((angle / np.pi + 1) * 345).astype(np.float32), (reach * 8).astype(np.float32), cv2.INTER_LINEAR
    )
    return 1 + 0.12 * sampled / (noise.std() + 1e-6) + 0.10 * cloud(rng, x.shape, 12)


def surroundings(t: Traits, x, y, rng) -> np.ndarray:
    """The room, clothes, neck and ears, before the face is laid over them.  -> [S, S, 3]"""
    picture = room(t, x, y, rng)
    folds = 1 + 0.10 * cloud(rng, x.shape, 26) + 0.012 * cloud(rng, x.shape, 2)
    shoulders = edge(y - 1.16 - 0.28 * np.abs(x) ** 2.2, 0.02)
    picture = mix(picture, t.cloth * folds[..., None], shoulders)
    neck_light = 0.62 - 0.25 * bump(x, y, 0, 1.0, 0.6, 0.18) + 0.22 * t.light[0] * x
    neck = (
        edge(0.46 + 0.30 * np.clip(y - 1.05, 0, 1) ** 1.5 - np.abs(x), 0.018)
        * edge(y - 0.5, 0.05)
        * edge(1.30 - 0.30 * np.abs(x) - y, 0.02)
    )
    picture = mix(picture, t.skin * neck_light[..., None], neck)
    ear = 1 - np.hypot((np.abs(x) - t.width - 0.015) / 0.075, (y + 0.06 - 0.25 * (np.abs(x) - t.width)) / 0.19)
    hollow = 1 - 0.40 * pair(x, y, t.width + 0.03, -0.06, 0.025, 0.09)
    side = 0.72 + 0.30 * t.light[0] * np.sign(x)
    return mix(picture, t.skin * np.array([1.02, 0.90, 0.88]) * (hollow * side)[..., None], edge(ear, 0.08))


def room(t: Traits, x, y, rng) -> np.ndarray:
    """Plain wall, gradient, blurred shapes or darkness.  -> [S, S, 3]"""
    base = rng.uniform(0.12, 0.82) + rng.normal(0, 0.035, 3)
    slope = 1 + 0.25 * (rng.normal() * x + rng.normal() * y) / 1.5
    wall = np.clip(base, 0.03, 0.97) * slope[..., None]
    if t.scene == 2:
        for _ in range(6):
            cx, cy, size = rng.uniform(-1.5, 1.5), rng.uniform(-1.5, 1.0), rng.uniform(0.1, 0.5)
            wall = mix(
                wall,
                np.clip(rng.uniform(0.1, 0.9) + rng.normal(0, 0.07, 3), 0, 1),
                0.6 * edge(size - np.maximum(np.abs(x - cx), np.abs(y - cy)), 0.12),
            )
    if t.scene == 3:
        wall = wall * 0.35
    return np.clip(wall * (1 + 0.006 * cloud(rng, x.shape, 2.0) + 0.02 * cloud(rng, x.shape, 40))[..., None], 0, 1)


def head_area(t: Traits, x, y) -> np.ndarray:
    """What turns with the head: face, hair and ears, fading out towards neck and room.  -> [S, S]"""
    radius = np.sqrt((x / (t.width + 0.22)) ** 2 + ((y + 0.05) / 1.24) ** 2)
    return (1 - np.clip((radius - 1.0) / 0.18, 0, 1)).astype(np.float32)
