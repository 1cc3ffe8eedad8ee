"""SynthME: many people, many clips, and the truth about each, deterministic by seed.

Every subject is drawn from its own seed and every clip from (subject seed, clip number), so a data set may be made in
any order, by any number of processes, and stays the same.  Training uses subject seeds below `HELD_OUT`, evaluation
those above.
"""

from collections.abc import Callable

import numpy as np
import torch
from joblib import delayed
from tqdm.auto import tqdm

from ..clips import ClipSet
from ..distributed import gathered, rank, share
from ..errors import InputError
from ..facs import CD6ME_AUS
from ..processes import processes
from .drawn import draw_identity, drawn_name
from .identity import Identity
from .render import Actor, render
from .script import Script, draw_script

HELD_OUT = 10_000_000  # subject seeds from here on are never trained on
LARGE = 200  # clips from which on several processes draw faster than one
SEEDS_APART = 10_000  # subjects of neighbouring evaluation seeds do not overlap


def held_out_seed(seed: int) -> int:
    """First subject seed of an evaluation set: always in the range that training never uses."""
    if seed < 0:
        raise InputError(f"A seed must not be negative, got {seed}.")
    return seed if seed >= HELD_OUT else HELD_OUT + seed * SEEDS_APART


def tier_recipe(tier: str, **changes) -> Callable[[np.random.Generator], Script]:
    """Scripts of one tier, seen from onset to offset as in the licensed data sets; `changes` go to `draw_script`."""
    return lambda rng: draw_script(rng, tier, **changes)


def training_recipe(rng: np.random.Generator) -> Script:
    """Scripts for training: all tiers, labelled spans and sliding windows, still heads and moving ones, open mouths.

    A third of the heads move, half of those without any AU; a tenth of the clips begin at the height of a movement and
    show only its undoing, which is no AU.
    """
    tier = rng.choice(["easy", "standard", "hard", "macro"], p=[0.15, 0.45, 0.20, 0.20])
    view = rng.choice(["clip", "loose", "window", "release"], p=[0.35, 0.25, 0.30, 0.10])
    head, none = ("moving", 0.5) if rng.random() < 0.35 else ("still", 0.12)
    return draw_script(rng, str(tier), view=str(view), head=head, none=none, mouth=True)


def labels_of(script: Script, aus=CD6ME_AUS) -> np.ndarray:
    """One zero or one per AU.  -> [K]"""
    seen = script.aus
    return np.array([au in seen for au in aus], np.float32)


def _person(identity: Identity | None, seed: int, scripts: list[Script], size: int) -> np.ndarray:
    """The clips of one person, drawn from the seed unless given.  -> uint8 [N, T, H, W]"""
    actor = Actor(identity or draw_identity(seed), seed)
    clips = np.stack([render(actor, script, size) for script in scripts])
    return (clips * 255 + 0.5).astype(np.uint8)


def check_order(subjects: int, clips: int, seed: int) -> None:
    """Raise `InputError` for a data set that cannot be made."""
    if subjects < 1 or clips < 1 or seed < 0:
        raise InputError(
            f"A data set needs at least one subject, one clip and a seed from 0 on, got {subjects}, {clips} and {seed}."
        )


def draw_scripts(subjects: int, clips: int, recipe, seed: int) -> list[list[Script]]:
    """The scripts of each person in turn, who are counted from `seed` upward."""
    return [
        [recipe(np.random.default_rng((seed + person, number))) for number in range(clips)]
        for person in range(subjects)
    ]


def make_clips(
    subjects: int | list[Identity], clips: int, recipe, *, seed: int = 0, size: int = 64, workers: int = -1
) -> ClipSet:
    """Render `clips` clips of each of `subjects` people (a number of drawn ones, or given identities).

    `seed` is the first subject's seed, the next subjects count up from it.  Large orders go to `workers` processes (-1:
    one for each core), and show their progress.  Raises `InputError` for an empty order.
    """
    count = subjects if isinstance(subjects, int) else len(subjects)
    check_order(count, clips, seed)
    people = [None] * count if isinstance(subjects, int) else subjects
    scripts = draw_scripts(count, clips, recipe, seed)
    return render_people(people, scripts, seed=seed, size=size, workers=workers)


def render_people(
    people: list[Identity | None], scripts: list[list[Script]], *, seed: int, size: int = 64, workers: int = -1
) -> ClipSet:
    """Render the scripts of each person; None is drawn.  The clips lie person by person.

    Of several processes that train together each renders its share of the people, and all get all.
    """
    large = len(people) > 1 and sum(map(len, scripts)) >= LARGE
    names = [drawn_name(seed + n) if who is None else who.subject for n, who in enumerate(people)]
    numbers, whose = range(len(people))[share(len(people))], np.repeat(np.arange(len(people)), [*map(len, scripts)])
    orders = (delayed(_person)(people[n], seed + n, scripts[n], size) for n in numbers)
    made = processes(workers if large else 1)(orders)
    made = list(
        tqdm(made, total=len(numbers), desc="SynthME", unit="person", leave=False, disable=not large or rank() > 0)
    )
    each = tuple(script for some in scripts for script in some)
    mine = torch.from_numpy(np.isin(whose, numbers))
    return ClipSet(
        clips=gathered(torch.from_numpy(np.concatenate(made)), mine, len(each)).numpy(),
        labels=np.stack([labels_of(script) for script in each]),
        subjects=np.array(names)[whose],
        scripts=each,
        ids=np.array([f"synthme/{name}/{n:03d}" for name, some in zip(names, scripts) for n in range(len(some))]),
    )
