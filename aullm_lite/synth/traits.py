"""What makes one drawn person differ from the next: a few dozen numbers, drawn from a seed."""

from dataclasses import dataclass

import numpy as np

# The ten tones of the Monk skin-tone scale (Google, 2022), sRGB.
MONK = (
    np.array(
        [
            (246, 237, 228),
            (243, 231, 219),
            (246, 230, 208),
            (234, 218, 186),
            (215, 189, 150),
            (160, 126, 86),
            (130, 92, 67),
            (96, 65, 52),
            (58, 49, 42),
            (41, 36, 32),
        ]
    )
    / 255
)
HAIR = (
    np.array(
        [
            (28, 22, 20),
            (45, 32, 25),
            (70, 46, 32),
            (105, 72, 45),
            (150, 112, 70),
            (190, 155, 105),
            (120, 55, 30),
            (150, 148, 145),
            (205, 203, 200),
        ]
    )
    / 255
)
IRIS = (
    np.array([(70, 45, 28), (50, 34, 24), (95, 68, 38), (105, 100, 62), (82, 105, 122), (98, 122, 138), (75, 95, 78)])
    / 255
)
CLOTH = (
    np.array(
        [
            (40, 48, 66),
            (92, 30, 36),
            (64, 78, 70),
            (190, 186, 178),
            (30, 30, 32),
            (120, 108, 92),
            (58, 84, 120),
            (176, 150, 120),
        ]
    )
    / 255
)
HAIR_STYLES = ("bald", "buzz", "short", "parted", "fringe", "curly", "long", "bun", "scarf")


@dataclass(frozen=True)
class Traits:
    """Proportions in face coordinates, colours as RGB in 0..1, shares in 0..1."""

    skin: np.ndarray
    hair: np.ndarray
    iris: np.ndarray
    cloth: np.ndarray
    style: str
    age: float
    width: float  # half-width of the face at the cheekbones
    jaw: float  # 0 pointed .. 1 square
    chin: float  # y of its lowest point
    hairline: float  # y at the middle of the forehead
    brow_height: float
    brow_thickness: float
    brow_arch: float
    eye_open: float
    eye_tilt: float
    eye_width: float
    crease: float  # 0 monolid .. 1 deep
    nose_width: float
    nose_length: float
    nose_height: float
    mouth_width: float
    mouth_y: float
    mouth_curve: float
    lip_upper: float
    lip_lower: float
    parted: float  # how far the lips stand open at rest
    beard: float  # 0 none .. 1 full
    stubble: float
    moustache: float
    freckles: float
    blotches: float
    pores: float
    make_up: float
    glasses: float
    light: np.ndarray  # direction towards the key light
    ambient: float
    shine: float
    skew: float  # asymmetry
    scene: int


def _skin(tone: int, rng) -> np.ndarray:
    """Albedo of a tone: swatches are seen flat and bright, skin is warmer, and dark skin shines in the light."""
    depth = tone / 9
    albedo = (
        MONK[tone] ** (0.95 - 0.25 * depth)
        * (0.86 + 0.14 * depth)
        * np.array([1.0, 0.87 + 0.05 * depth, 0.77 + 0.08 * depth])
    )
    return np.clip(albedo * (1 + rng.normal(0, 0.025, 3)), 0.08, 0.95)


def draw_traits(rng: np.random.Generator) -> Traits:
    """Everything about one person."""
    n = rng.normal
    tone = int(rng.integers(10))
    grey = rng.random() < 0.18
    man = rng.random() < 0.5
    bearded = man and rng.random() < 0.35
    style = str(rng.choice(HAIR_STYLES, p=(0.07, 0.11, 0.24, 0.16, 0.11, 0.10, 0.10, 0.07, 0.04)))
    dark_haired = tone >= 5 or rng.random() < 0.45
    hair = HAIR[rng.integers(7, 9)] if grey else HAIR[rng.integers(0, 3)] if dark_haired else HAIR[rng.integers(1, 7)]
    light = np.array([rng.uniform(-0.9, 0.9), rng.uniform(-0.9, 0.1), rng.uniform(0.7, 1.3)])
    return Traits(
        skin=_skin(tone, rng),
        hair=np.clip(hair * np.exp(n(0, 0.15)), 0.04, 0.9),
        iris=np.clip(IRIS[rng.integers(2) if tone >= 4 else rng.integers(len(IRIS))] * np.exp(n(0, 0.15)), 0.05, 0.7),
        cloth=np.clip(CLOTH[rng.integers(len(CLOTH))] * np.exp(n(0, 0.2)), 0.03, 0.95),
        style=style,
        age=float(np.clip(rng.beta(1.6, 2.0) + 0.25 * grey, 0, 1)),
        width=0.765 + n(0, 0.03),
        jaw=float(np.clip(rng.uniform(0, 1) * 0.7 + 0.25 * man, 0, 1)),
        chin=1.02 + n(0, 0.035),
        hairline=-0.86 + n(0, 0.04),
        brow_height=n(0, 0.018),
        brow_thickness=float(np.exp(n(0, 0.3))) * (0.042 if man else 0.032),
        brow_arch=n(0.07, 0.02),
        eye_open=float(np.exp(n(0, 0.15))),
        eye_tilt=n(0.06, 0.06),
        eye_width=0.128 * float(np.exp(n(0, 0.06))),
        crease=float(np.clip(rng.uniform(-0.2, 1.1), 0, 1)),
        nose_width=float(np.exp(n(0, 0.14))),
        nose_length=n(0, 0.03),
        nose_height=float(np.exp(n(0, 0.18))),
        mouth_width=0.268 + n(0, 0.025),
        mouth_y=0.455 + n(0, 0.02),
        mouth_curve=n(-0.01, 0.025),
        lip_upper=0.066 * float(np.exp(n(0, 0.25))),
        lip_lower=0.096 * float(np.exp(n(0, 0.22))),
        parted=rng.uniform(0.02, 0.06) if rng.random() < 0.15 else 0.0,
        beard=rng.uniform(0.6, 1) if bearded else 0.0,
        stubble=rng.uniform(0, 0.8) if man else 0.0,
        moustache=rng.uniform(0.5, 1) if bearded or (man and rng.random() < 0.1) else 0.0,
        freckles=rng.uniform(0.3, 1) if tone < 4 and rng.random() < 0.25 else 0.0,
        blotches=rng.uniform(0.3, 1),
        pores=rng.uniform(0.3, 1.2),
        make_up=rng.uniform(0.3, 1) if not man and rng.random() < 0.5 else 0.0,
        glasses=float(rng.random() < 0.15),
        light=light / np.linalg.norm(light),
        ambient=rng.uniform(0.25, 0.55),
        shine=rng.uniform(0.02, 0.10) + 0.014 * tone,
        skew=n(0, 0.012),
        scene=int(rng.integers(4)),
    )
