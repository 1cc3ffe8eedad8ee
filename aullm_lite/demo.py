"""Three example clips for the app: two drawn people and one photograph in the public domain, moved by SynthME.

They are rendered once, into the asset cache, and each shows one thing that is worth seeing.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from .assets import cache_folder
from .synth.dataset import HELD_OUT
from .synth.drawn import draw_identity
from .synth.identity import Identity
from .synth.photo import astronaut
from .synth.render import Actor, render
from .synth.script import Camera, Movement, Script
from .video import write_video

FPS, SECONDS, SIZE, EXTENT = 100, 1.6, 256, 1.5
VERSION = 1  # raise it when the examples change, so that cached ones are made again


@dataclass(frozen=True)
class Recipe:
    """Who moves which AUs; `seed` fixes the person's anatomy and the noise of the camera."""

    name: str
    title: str
    person: Callable[[], Identity]
    movements: tuple[Movement, ...]
    seed: int


@dataclass(frozen=True)
class Example:
    """A rendered recipe: the clip, a still of its strongest moment, and what to call it."""

    title: str
    video: str
    poster: str


RECIPES = (
    Recipe("brows", "Brows", lambda: draw_identity(HELD_OUT + 32), (
        Movement(1, "both", 1.4, 0.50, 0.68, 0.92), Movement(2, "both", 1.3, 0.52, 0.68, 0.94)), 31),
    Recipe("corners", "Lip corners", lambda: draw_identity(HELD_OUT + 36), (
        Movement(12, "both", 1.6, 0.48, 0.70, 1.00), Movement(6, "both", 1.1, 0.52, 0.70, 0.98)), 58),
    Recipe("astronaut", "Photograph", astronaut, (
        Movement(4, "both", 1.4, 0.50, 0.68, 0.92),), 3),
)  # fmt: skip


@cache
def example_clips() -> tuple[Example, ...]:
    """The examples, rendered at the first call on a machine, with a progress bar."""
    folder = cache_folder() / f"examples-{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    missing = [recipe for recipe in RECIPES if not _is_made(recipe, folder)]
    for recipe in tqdm(missing, desc="Drawing the example clips", disable=not missing):
        _make(recipe, folder)
    return tuple(Example(r.title, str(folder / f"{r.name}.mp4"), str(folder / f"{r.name}.png")) for r in RECIPES)


def _is_made(recipe: Recipe, folder: Path) -> bool:
    files = [folder / f"{recipe.name}{suffix}" for suffix in (".mp4", ".png")]
    return all(file.is_file() and file.stat().st_size for file in files)


def _make(recipe: Recipe, folder: Path) -> None:
    """Write poster and clip; the clip appears last and whole, so that a half-made example is made again."""
    frames = render_example(recipe)
    apex = round(recipe.movements[0].apex * FPS)
    Image.fromarray(frames[apex]).save(folder / f"{recipe.name}.png")
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        part = Path(scratch) / "part.mp4"
        write_video(part, frames, FPS)
        part.replace(folder / f"{recipe.name}.mp4")


def render_example(recipe: Recipe, fps: int = FPS, size: int = SIZE) -> np.ndarray:
    """Frames of a recipe in colour.  -> [T, S, S, 3] uint8"""
    times = np.arange(round(SECONDS * fps)) / fps
    script = Script(times, recipe.movements, camera=Camera(noise=0.002), seed=recipe.seed)
    frames = render(Actor(recipe.person(), recipe.seed), script, size, colour=True, extent=EXTENT)
    return (frames * 255 + 0.5).astype(np.uint8)
