"""The grading study: every map and every control on clips whose truth is known, of people never trained on.

Half of the clips are drawn as the tier draws them, the others show two AUs that move different skin.  A decision is
graded where the model finds an AU that is there, the first in a clip of the one kind, both in one of the other; what it
misses is counted.  Checks that need many runs of the model are made on a part of the clips.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import combinations
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from tqdm.auto import tqdm

from ..checkpoint import weights_hash
from ..errors import InputError
from ..facs import CD6ME_AUS
from ..synth.dataset import held_out_seed
from ..synth.drawn import draw_identity
from ..synth.fields import au_mask
from ..synth.render import Actor, render
from ..synth.script import PEAKS, Script, draw_script
from . import faithful, grading
from .attribution import Attribution, EmptyAttribution
from .controls import CONTROLS, randomised
from .decision import Decision, frozen
from .kept import Kept
from .methods import MAPS, explain

CLIPS_EACH = 5  # of one person
APART = 0.05  # largest overlap of the skin of two AUs, as a share of both
CHECKED, SHAKEN = 20, 60  # the first two of so many clips are checked for faithfulness, and for tremor
ON_PIXELS = ("ig", "saliency", "inputxgradient", "gradshap")
RANDOM = "randomised weights"


def variants(names) -> dict[str, tuple[str, str]]:
    """Key of each graded map, and its method and input.

    On pixels only gradients are graded: GradCAM is the same from both, and what is removed from pixels leaves edges
    that the front end takes for movement.
    """
    unknown = [name for name in names if name not in MAPS]
    if unknown:
        raise InputError(f"There is no map by {unknown[0]!r} to grade: choose some of {' '.join(MAPS)}.")
    on_motion = {name: (name, "motion") for name in names}
    return on_motion | {f"{name}-pixels": (name, "pixels") for name in names if name in ON_PIXELS}


@dataclass(frozen=True, eq=False)
class Case:
    """One clip and its truth."""

    number: int
    subject: str
    actor: Actor
    script: Script
    clip: torch.Tensor  # [T, H, W]

    @cached_property
    def truths(self) -> dict[int, grading.Truth]:
        """Of the AUs that a viewer of these frames can see."""
        seen = [m for m in self.script.movements if m.au in self.script.aus]
        return {m.au: grading.truth_of(self.actor, self.script, m) for m in seen}


@cache
def pairs_apart() -> list[tuple[int, int]]:
    """Two AUs that move different skin."""
    masks = {au: au_mask(au) for au in CD6ME_AUS}
    overlap = lambda a, b: (masks[a] & masks[b]).sum() / (masks[a] | masks[b]).sum()  # noqa: E731
    return [pair for pair in combinations(CD6ME_AUS, 2) if overlap(*pair) < APART]


def draw_case(number: int, tier: str, seed: int) -> Case:
    """Clip `number` of a study: even ones as the tier has them, odd ones with two AUs apart."""
    person = held_out_seed(seed) + number // CLIPS_EACH
    rng = np.random.default_rng((person, number))
    aus = pairs_apart()[rng.integers(len(pairs_apart()))] if number % 2 else None
    script = draw_script(rng, tier, view="window", none=0.0, aus=aus)
    identity = draw_identity(person)
    actor = Actor(identity, person)
    clip = (render(actor, script) * 255 + 0.5).astype(np.uint8)
    return Case(number, identity.subject, actor, script, torch.from_numpy(clip).float() / 255)


def grade_case(model, case: Case, which: dict[str, tuple[str, str]]) -> Iterator[dict]:
    """A row for each AU that the model finds here and each map of it, and one for each map of both."""
    config, answers = model.config, model.probabilities(case.clip[None].to(model.device))[0].tolist()
    present = [au for au in case.truths if au in config.aus]
    found = [au for au in present if answers[k := config.aus.index(au)] >= config.thresholds[k]]
    about = {"clip": case.number, "subject": case.subject}
    yield about | {"kind": "clip", "present": len(present), "found": len(found)}
    made = {au: _maps_of(model, case, au, which) for au in (found if case.number % 2 else found[:1])}
    for au, maps in made.items():
        for key, (values, row) in maps.items():
            yield about | {"kind": "map", "au": au, "map": key, **grading.scores(values, case.truths[au]), **row}
    if len(made) == 2:
        (one, first), (other, second) = made.items()
        for key in first:
            value = grading.specificity(first[key][0], second[key][0], case.truths[one], case.truths[other])
            yield about | {"kind": "pair", "map": key, "specificity": value}


def _maps_of(model, case: Case, au: int, which) -> dict[str, tuple[np.ndarray, dict]]:
    """Every map of one decision, and what was measured of it."""
    made = {key: _map(model, case.clip, au, *how) for key, how in which.items()}
    with frozen(model):
        decision = Decision(model, case.clip, au)
        made |= {name: (control(decision), {}) for name, control in CONTROLS.items()}
        with randomised(model, case.number):
            made[RANDOM] = _map(model, case.clip, au, "ig", "motion", steps=16)[0], {}
        if case.number % CHECKED < 2:
            for values, row in made.values():
                row |= faithful.curves(decision, values, case.number)
                row["infidelity"] = faithful.unexplained(decision, values, case.number)
    if case.number % CHECKED < 2:
        _compare_with_random(model, case, au, which, made)
    if case.number % SHAKEN < 2:
        for key, how in which.items():
            if not made[key][1]["silent"]:
                again = lambda clip, how=how: _map(model, clip, au, *how)[0]  # noqa: E731
                made[key][1]["max_sensitivity"] = faithful.tremor(decision, again)
    return made


def _map(model, clip, au: int, method: str, on: str, **options) -> tuple[np.ndarray, dict]:
    """A map, and what it cost; a method that attributes nothing gets a flat one, which is counted as silent."""
    start = perf_counter()
    try:
        made = explain(model, clip, au, method, on, **options)
    except EmptyAttribution:
        return np.ones(clip.shape, np.float32), {"silent": 1.0}
    return made.map, {"seconds": perf_counter() - start, "silent": 0.0, **_missed(made)}


def _missed(made: Attribution) -> dict[str, float]:
    """How much of the difference of the logits the sum of a map misses, as a share, where it promises none."""
    whole = made.logits[0] - made.logits[1] if made.logits else 0.0
    return {} if made.delta is None or not whole else {"missed": abs(made.delta / whole)}


def _compare_with_random(model, case: Case, au: int, which, made) -> None:
    """What is left of each map where the weights are random (Adebayo et al. 2018)."""
    with randomised(model, case.number):
        for key, how in which.items():
            blind, row = _map(model, case.clip, au, *how)
            if not row["silent"] and not made[key][1]["silent"]:
                made[key][1]["rank_correlation"] = grading.rank_correlation(made[key][0], blind)


def grade(model, *, methods=tuple(MAPS), clips=200, tier="standard", seed=7, rows: Path | None = None) -> list[dict]:
    """The rows of a whole study.  With `rows`, a file that keeps them, a killed study goes on where it was.

    Raises `InputError` for a method that makes no map, an unknown tier, fewer than ten clips, or rows of another study.
    """
    if tier not in PEAKS or clips < 2 * CLIPS_EACH:
        raise InputError(f"A grading needs at least {2 * CLIPS_EACH} clips of a tier out of {', '.join(PEAKS)}.")
    which = variants(methods)
    kept = Kept(rows, {"maps": list(which), "tier": tier, "seed": seed, "model": weights_hash(model)})
    for number in tqdm(range(clips), desc="grading", unit="clip"):
        if number not in kept.done:
            kept.add(number, list(grade_case(model, draw_case(number, tier, seed), which)))
    return [row for number in range(clips) for row in kept.done[number]]
