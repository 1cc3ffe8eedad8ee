"""Draw a person: relief, light, colours and hair, all from one seed."""

import numpy as np

from ..facs import face_grid
from . import hair, paint
from .identity import CANVAS, EXTENT, Identity
from .relief import face_mask, relief, shade
from .traits import draw_traits

UNIT = CANVAS / 2 / EXTENT  # pixels in a unit of face coordinates


def drawn_name(seed: int) -> str:
    return f"drawn{seed:08d}"


def draw_identity(seed: int) -> Identity:
    """A person who does not exist, at rest; the same seed draws the same person."""
    rng = np.random.default_rng((seed, 2))
    traits = draw_traits(rng)
    x, y = face_grid(CANVAS, EXTENT)
    z = relief(traits, x, y, rng)
    light, shine = shade(traits, z, UNIT)
    face = paint.skin(traits, x, y, rng)
    face = paint.paint_lips(face, traits, x, y, rng)
    face = paint.paint_lids(face, traits, x, y)
    face = paint.paint_brows(face, traits, UNIT, rng)
    face = paint.paint_beard(face, traits, x, y, rng)
    face = face * light[..., None] + shine[..., None] * (
        1 - 0.7 * paint.beard_area(traits, x, y)[..., None] * traits.beard
    )
    picture = paint.mix(hair.surroundings(traits, x, y, rng), face, face_mask(traits, x, y))
    picture = hair.paint_hair(picture, traits, x, y, rng)
    if traits.glasses:
        picture = paint.paint_glasses(picture, traits, x, y, rng)
    return Identity(
        subject=drawn_name(seed),
        skin=np.clip(picture, 0, 1).astype(np.float32),
        cover=(1 - paint.eye_opening(traits, x, y)).astype(np.float32),
        eyes=paint.eyeballs(traits, x, y, rng),
        head=hair.head_area(traits, x, y),
        mouth=(0.0, traits.mouth_y, traits.mouth_width),
    )


def portrait(identity: Identity) -> np.ndarray:
    """The person as one picture.  -> uint8 [S, S, 3]"""
    cover = identity.cover[..., None]
    return ((identity.skin * cover + identity.eyes * (1 - cover)) * 255 + 0.5).astype(np.uint8)


def contact_sheet(identities: list[Identity], columns: int = 6) -> np.ndarray:
    """Many portraits side by side.  -> uint8 [.., .., 3]"""
    pictures = [portrait(identity) for identity in identities]
    pictures += [np.full_like(pictures[0], 255)] * (-len(pictures) % columns)
    rows = [np.concatenate(pictures[i : i + columns], 1) for i in range(0, len(pictures), columns)]
    return np.concatenate(rows)
