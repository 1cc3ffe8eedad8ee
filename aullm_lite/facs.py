"""The face and its Action Units: the one coordinate frame and the one table that everything else shares.

**Face coordinates.** x to the image's right, y down, the visible face in [-1, 1] x [-1, 1], the eye centres at fixed
points (`EYES`).  The aligner maps every face into this frame; synthetic faces, motion fields, region masks and
attributions live in it.  A crop of S pixels has S/2 pixels per unit and pixel centres at (i + 0.5) / S * 2 - 1.

**Sides** are the subject's, as in FACS: `L` is the subject's left and lies at the image's right (x > 0).

Sources: muscles after PMC7264164 Table 1 and Molecular Autism 2021 Table 2; the ellipses in `REGIONS` are our own
reading of them on the proportions of the MediaPipe canonical face mesh, scaled to our eye distance.
"""

from dataclasses import dataclass

import numpy as np

EYES = ((-0.35, -0.32), (0.35, -0.32))  # image-left (the subject's right), image-right: 22.4 pixels apart at 64


@dataclass(frozen=True)
class ActionUnit:
    """One row of the FACS table: what moves, which muscle pulls it, and where to look."""

    number: int
    name: str
    muscle: str
    region: str

    def __str__(self) -> str:
        return f"AU{self.number} {self.name}"


_TABLE = (
    (1, "Inner brow raiser", "frontalis, pars medialis", "inner brows, mid forehead"),
    (2, "Outer brow raiser", "frontalis, pars lateralis", "outer brows, lateral forehead"),
    (4, "Brow lowerer", "depressor glabellae, depressor supercilii, corrugator", "glabella, brows"),
    (5, "Upper lid raiser", "levator palpebrae superioris, superior tarsal", "upper lids"),
    (6, "Cheek raiser", "orbicularis oculi, pars orbitalis", "top of the cheeks, outer eye corners"),
    (7, "Lid tightener", "orbicularis oculi, pars palpebralis", "eyelids"),
    (9, "Nose wrinkler", "levator labii superioris alaeque nasi", "nose bridge and sides"),
    (10, "Upper lip raiser", "levator labii superioris, caput infraorbitalis", "upper lip, nasolabial fold"),
    (12, "Lip corner puller", "zygomaticus major", "lip corners, cheeks"),
    (14, "Dimpler", "buccinator", "lip corners"),
    (15, "Lip corner depressor", "depressor anguli oris", "lip corners to jaw"),
    (17, "Chin raiser", "mentalis", "chin boss, lower lip"),
    (18, "Lip pucker", "incisivii labii superioris and inferioris", "whole lips"),
    (20, "Lip stretcher", "risorius, with platysma", "lip corners"),
    (23, "Lip tightener", "orbicularis oris", "lips"),
    (24, "Lip pressor", "orbicularis oris", "lips"),
    (25, "Lips part", "depressor labii inferioris, or relaxed mentalis or orbicularis oris", "mouth opening"),
    (26, "Jaw drop", "masseter; relaxed temporalis and internal pterygoid", "jaw, mouth"),
    (45, "Blink", "relaxed levator palpebrae superioris; orbicularis oculi, pars palpebralis", "eyelids"),
)
ACTION_UNITS = {row[0]: ActionUnit(*row) for row in _TABLE}

# The twelve AUs of CD6ME (Varanka et al.) and of every shipped checkpoint, in the order of the logits.
CD6ME_AUS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17)

# Where an AU shows: ellipses (centre x, centre y, radius x, radius y) of the image-right half.
REGIONS = {
    1: ((0.15, -0.60, 0.17, 0.26),),
    2: ((0.52, -0.60, 0.20, 0.24),),
    4: ((0.22, -0.50, 0.30, 0.17),),
    5: ((0.35, -0.38, 0.19, 0.10),),
    6: ((0.45, -0.14, 0.26, 0.17),),
    7: ((0.35, -0.30, 0.20, 0.12),),
    9: ((0.10, -0.12, 0.14, 0.28),),
    10: ((0.12, 0.28, 0.20, 0.18),),
    12: ((0.36, 0.34, 0.24, 0.26),),
    14: ((0.32, 0.45, 0.20, 0.18),),
    15: ((0.30, 0.58, 0.16, 0.20),),
    17: ((0.0, 0.72, 0.28, 0.22),),
}

# The face cut into zones that do not overlap, and the AUs of each; what belongs to none is "elsewhere".
ZONES = {
    "inner brows": (1, 4),
    "outer brows": (2,),
    "eyelids": (5, 7),
    "nose": (9,),
    "cheeks": (6,),
    "upper lip": (10,),
    "lip corners": (12, 14, 15),
    "chin": (17,),
    "elsewhere": (),
}
ZONE_RIM = 1.4  # squared radius, in those of the ellipses, at which a zone ends


def action_unit(number: int) -> ActionUnit:
    """The table row of an AU number.  Raises `ValueError` for a number the table does not hold."""
    try:
        return ACTION_UNITS[int(number)]
    except (KeyError, ValueError, TypeError):
        known = " ".join(str(n) for n in ACTION_UNITS)
        raise ValueError(f"Unknown Action Unit {number!r}: choose one of {known}.") from None


def face_grid(size: int, extent: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Face coordinates of the pixel centres of a square crop that shows [-extent, extent].  S -> [S, S], [S, S]"""
    axis = ((np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1) * extent
    return np.meshgrid(axis, axis, indexing="xy")


def region_mask(number: int, size: int = 64, side: str = "both") -> np.ndarray:
    """Soft mask of where an AU shows, 0..1, peak 1.  S -> [S, S]

    `side` is the subject's: `L` (image right), `R` (image left) or `both`.
    """
    return np.exp(-np.maximum(_squared_radius(number, size, side) - 0.5, 0) * 1.5)


def _squared_radius(number: int, size: int, side: str) -> np.ndarray:
    """Squared distance from the nearest ellipse of an AU, 1 on its rim.  S -> [S, S]"""
    action_unit(number)
    if number not in REGIONS:
        raise ValueError(f"AU{number} has no region mask: choose one of {' '.join(map(str, REGIONS))}.")
    x, y = face_grid(size)
    distances = [
        ((x - sign * cx) / rx) ** 2 + ((y - cy) / ry) ** 2
        for sign in {"L": (1,), "R": (-1,), "both": (1, -1)}[side]
        for cx, cy, rx, ry in REGIONS[number]
    ]
    return np.minimum.reduce(distances)


def zone_map(size: int = 64) -> np.ndarray:
    """Which of `ZONES` each pixel belongs to: the nearest, or the last, "elsewhere".  S -> int [S, S]"""
    named = [aus for aus in ZONES.values() if aus]
    distances = [np.minimum.reduce([_squared_radius(au, size, "both") for au in aus]) for aus in named]
    return np.argmin([*distances, np.full((size, size), ZONE_RIM)], axis=0)
