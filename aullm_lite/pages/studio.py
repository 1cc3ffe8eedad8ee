"""The studio: Action Units moved by hand on a drawn face or a photo, and what the model makes of them.

Whatever is shown here is generated, so the truth is known: what moved, how far, on which side, and which skin.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from ..errors import InputError
from ..explain.grading import Truth, truth_of
from ..facs import CD6ME_AUS, action_unit
from ..report import AUFinding, verdict_of
from ..synth.dataset import HELD_OUT
from ..synth.drawn import draw_identity
from ..synth.fields import MIDLINE
from ..synth.photo import photo_identity
from ..synth.render import Actor, render
from ..synth.script import Camera, Movement, Script
from ..video import FRAMES, read_picture

AUS = CD6ME_AUS
SIDED = tuple(au for au in AUS if au not in MIDLINE)
SIDES = {"both": "both sides", "L": "left", "R": "right"}  # those of the person
STRONGEST, STEP = 4.0, 0.05  # pixels of a face that is 64 pixels wide
SHORTEST, LONGEST = 0.1, 1.0  # seconds
APEX = 0.48  # where in a movement its peak lies, as in training
NOISE = 0.004  # of the camera: the middle of what training has seen
PEOPLE = 10_000  # drawn people to choose from, none of whom training has seen
STRENGTHS = tuple(np.round(np.geomspace(0.1, STRONGEST, 12), 2).tolist())  # that the search for the limit tries


@dataclass(frozen=True, eq=False)
class Answer:
    """One clip of the studio, and what the model says of every AU in it."""

    actor: Actor
    script: Script
    clip: np.ndarray  # [T, H, W] grey, 0..1
    findings: Mapping[int, AUFinding]

    @property
    def moved(self) -> dict[int, Movement]:
        """The truth."""
        return {movement.au: movement for movement in self.script.movements}

    @property
    def seconds(self) -> float:
        return float(self.script.times[-1])

    def truth(self, au: int) -> Truth | None:
        """Where and when an AU moved; None where it did not."""
        movement = self.moved.get(au)
        return movement and truth_of(self.actor, self.script, movement)


@lru_cache(maxsize=16)
def drawn(number: int) -> Actor:
    """A drawn person whom training has never seen; the same number is the same person."""
    seed = HELD_OUT + int(within(number, 0, PEOPLE - 1, "The number of a person"))
    return Actor(draw_identity(seed), seed)


def photographed(path: str | Path, finder) -> Actor:
    """The face of a photo, found once.  Raises `InputError` where there is none."""
    picture = read_picture(Path(path))
    if picture is None:
        raise InputError("This file is not a picture that can be read: choose a jpg or png file.")
    return Actor(photo_identity(picture, "this photo", finder), 1)


def within(value, low: float, high: float, what: str) -> float:
    """The value, if it is a number in this range.  Raises `InputError`: sliders can be passed by."""
    if not isinstance(value, (int, float)) or not low <= value <= high:
        raise InputError(f"{what} must be a number from {low:g} to {high:g}.")
    return value


def side_of(au: int, values: Sequence) -> str:
    """The side chosen for an AU; `values` are the peaks of all AUs, then the sides of those that have two."""
    side = values[len(AUS) + SIDED.index(au)] if au in SIDED else "both"
    if side not in SIDES:
        raise InputError(f"Choose a side for AU{au}: both, left or right.")
    return side


def movements(seconds: float, values: Sequence) -> tuple[Movement, ...]:
    """What the sliders ask for, of all AUs that move."""
    within(seconds, SHORTEST, LONGEST, "The duration")
    peaks = {au: within(peak, 0, STRONGEST, f"AU{au}") for au, peak in zip(AUS, values)}
    return tuple(
        Movement(au, side_of(au, values), float(peak), 0.0, APEX * seconds, float(seconds))
        for au, peak in peaks.items()
        if peak > 0
    )


def script_of(moving: tuple[Movement, ...], seconds: float, seed: int) -> Script:
    """From the start of the movements to their end, filmed by a still camera with a little noise."""
    return Script(np.linspace(0, seconds, FRAMES), moving, camera=Camera(noise=NOISE), seed=seed)


def look(model, actor: Actor, scripts: Sequence[Script]) -> list[Answer]:
    """Show clips to the model, all at once, in the 256 shades of a video."""
    shades = np.round(np.stack([render(actor, script, model.config.size) for script in scripts]) * 255)
    clips = (shades / 255).astype(np.float32)  # [B, T, H, W]
    rows = model.probabilities(torch.from_numpy(clips).to(model.device)).tolist()
    return [
        Answer(actor, script, clip, findings_of(model.config, row)) for script, clip, row in zip(scripts, clips, rows)
    ]


def findings_of(config, probabilities: Sequence[float]) -> dict[int, AUFinding]:
    """Verdicts on all AUs of a model, by number."""
    rows = zip(config.aus, probabilities, config.thresholds, config.not_sure)
    return {au: AUFinding(au, p, threshold, verdict_of(p, *band)) for au, p, threshold, band in rows}


def answer(model, actor: Actor, seconds: float, values: Sequence) -> Answer:
    """What the model says of the clip that the sliders make."""
    moving = movements(seconds, values)
    return look(model, actor, [script_of(moving, seconds, actor.seed)])[0]


def record(model, best: Movement | None, given: Answer) -> Movement | None:
    """The weakest movement so far that the model has seen, alone on a face on which it sees nothing at rest."""
    if len(given.moved) != 1:
        return best
    (movement,) = given.moved.values()
    found = given.findings.get(movement.au)
    if found is None or found.verdict != "present" or (best and best.peak <= movement.peak):
        return best
    still = look(model, given.actor, [replace(given.script, movements=())])[0]
    return best if still.findings[movement.au].verdict == "present" else movement


def weakest(model, actor: Actor, au: int, side: str, seconds: float) -> float | None:
    """The weakest of `STRENGTHS` at which the model says that an AU is present; None where it does at none.

    Raises `InputError` where it does so on the still face, and for an AU that the model does not know.
    """
    within(seconds, SHORTEST, LONGEST, "The duration")
    if au not in model.config.aus:
        raise InputError(f"This model does not know AU{au}.")
    peaks = (0.0, *STRENGTHS)
    each = ((Movement(au, side, p, 0.0, APEX * seconds, seconds),) if p else () for p in peaks)
    seen = look(model, actor, [script_of(moving, seconds, actor.seed) for moving in each])
    present = [given.findings[au].verdict == "present" for given in seen]
    if present[0]:
        raise InputError(f"The model sees {action_unit(au)} even when this face is still: choose another person.")
    return min((peak for peak, there in zip(peaks, present) if there), default=None)
