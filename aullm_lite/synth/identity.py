"""A face at rest: what every synthetic clip moves."""

from dataclasses import dataclass

import numpy as np

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # what each colour adds to the grey
CANVAS = 256  # pixels of an identity's square canvas
EXTENT = 1.5  # it shows [-EXTENT, EXTENT] in face coordinates: 85 pixels a unit


@dataclass(frozen=True)
class Identity:
    """One person at rest on a square canvas in face coordinates; S = CANVAS pixels, float32 values in 0..1.

    skin    [S, S, 3]  RGB of all that moves with the skin: face, brows, lids, lips, hair, glasses, background too
    cover   [S, S]     1 where `skin` hides what lies beneath, 0 inside the eye openings (soft edge)
    eyes    [S, S, 3]  RGB of the eyeballs beneath the openings: sclera, iris, pupil; drawn beyond the lids' edge
    head    [S, S]     1 on the head (face, hair, neck fading out), 0 on the background: what turns when the head turns
    mouth   x and y of the middle of the line between the lips, and half its width, in face coordinates
    """

    subject: str
    skin: np.ndarray
    cover: np.ndarray
    eyes: np.ndarray
    head: np.ndarray
    mouth: tuple[float, float, float]
