"""The shape of CASME II and SAMM, filled with generated people: how many clips each has, and which AUs.

Drawn from published sums alone: subjects, clips, positives of each AU, and clips without any AU of the protocol.  Those
hold exactly.  Who has which clip is invented, with two things that make the real sets hard kept: few people have most
of the clips, and people have habits, so that much can be guessed without a look at the face.
"""

from dataclasses import dataclass

import numpy as np

from ..clips import ClipSet
from ..datasets.casme2 import CASME2
from ..datasets.samm import SAMM
from ..datasets.spec import DataSetSpec, Expected
from ..errors import InputError
from ..facs import CD6ME_AUS
from .dataset import HELD_OUT, render_people
from .script import LIFTS, Script, draw_script

HABIT = 0.45  # shape of the gamma distribution of a person's rate over everybody's: the smaller, the firmer the habits
MOST_AUS = 4  # in one clip
MOVES, SWAPS = 30_000, 400  # steps after which the start is forgotten


@dataclass(frozen=True)
class Shape:
    """`none` clips show no AU of the protocol (`spec.aus`); the person with most clips has up to `most`."""

    spec: DataSetSpec
    version: str
    none: int
    most: int

    @property
    def known(self) -> Expected:
        return next(expected for expected in self.spec.expected if expected.version == self.version)


SHAPES = {"casme2": Shape(CASME2, "2019", none=16, most=35), "samm": Shape(SAMM, "v2", none=58, most=20)}


def draw_shape(name: str, seed: int) -> list[tuple[int, tuple[int, ...]]]:
    """Subject (counted from 0) and AUs of each clip of `casme2` or `samm`, in the order of subjects.

    Raises `InputError` for another data set.
    """
    if name not in SHAPES:
        raise InputError(f"There is no shape of {name!r}: choose one of {', '.join(SHAPES)}.")
    shape, rng = SHAPES[name], np.random.default_rng((seed, 0, 1))  # no clip's own
    sizes = _fold_sizes(shape, rng)
    people = np.repeat(np.arange(len(sizes)), sizes)
    table = _by_habit(_combinations(shape, rng), people, rng)
    return [(int(person), tuple(np.array(CD6ME_AUS)[row].tolist())) for person, row in zip(people, table)]


def _fold_sizes(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """Clips of each subject, at least one, as uneven as chance makes them.  -> [subjects]"""
    clips, subjects = shape.known.rows, shape.known.subjects
    while True:
        sizes = 1 + rng.multinomial(clips - subjects, rng.dirichlet(np.ones(subjects)))
        if 0.85 * shape.most <= sizes.max() <= shape.most:
            return sizes


def _dealt(shape: Shape) -> np.ndarray:
    """A table with the right sums: AUs of the protocol dealt round to all but the last `none` clips.  -> [N, 12]"""
    table = np.zeros((shape.known.rows, len(CD6ME_AUS)), bool)
    for protocol, clips in ((True, shape.known.rows - shape.none), (False, shape.known.rows)):
        columns = [k for k, au in enumerate(CD6ME_AUS) if (au in shape.spec.aus) == protocol]
        labels = np.repeat(columns, [shape.known.counts["meb"][k] for k in columns])
        table[np.arange(len(labels)) % clips, labels] = True
    return table


def _combinations(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """Which AUs occur together: labels move between clips (Metropolis) as `LIFTS` has it, sums kept.  -> [N, 12]"""
    table = _dealt(shape)
    lifts = np.array([[np.log(LIFTS.get((min(a, b), max(a, b)), 1.0)) for b in CD6ME_AUS] for a in CD6ME_AUS])
    protocol = np.isin(CD6ME_AUS, shape.spec.aus)
    labels, open_to = np.argwhere(table), len(table) - shape.none * protocol  # the last clips are closed to those
    for chosen, chance in zip(rng.integers(len(labels), size=MOVES), rng.random((MOVES, 2))):
        clip, au = labels[chosen]
        other = int(chance[0] * open_to[au])
        full = table[other, au] or table[other].sum() >= MOST_AUS
        needed = protocol[au] and table[clip, protocol].sum() == 1 and clip < open_to[au]
        gain = (table[other].astype(int) - table[clip]) @ lifts[au]
        if not full and not needed and np.log(chance[1]) < gain:
            table[clip, au], table[other, au], labels[chosen, 0] = False, True, other
    return table


def _by_habit(table: np.ndarray, people: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The clips, handed out by each person's own rates: pairs swap (Metropolis).  [N, 12], [N] -> [N, 12]"""
    habits = np.log(rng.gamma(HABIT, size=(people.max() + 1, table.shape[1])) + 1e-9)
    table = rng.permutation(table)
    for _ in range(SWAPS):
        one, two = np.array_split(rng.permutation(len(table)), 2)
        one = one[: len(two)]
        change = table[two].astype(float) - table[one]
        gain = (change * (habits[people[one]] - habits[people[two]])).sum(1)
        swap = np.log(rng.random(len(gain))) < gain
        table[one[swap]], table[two[swap]] = table[two[swap]], table[one[swap]]
    return table


def scripts_of(shape: list[tuple[int, tuple[int, ...]]], seed: int, tier: str) -> list[list[Script]]:
    """The scripts of each person in turn, who are drawn from `seed` upward."""
    scripts = [[] for _ in range(shape[-1][0] + 1)]
    for person, aus in shape:
        rng = np.random.default_rng((seed + person, len(scripts[person])))
        scripts[person].append(_visible(rng, tier, aus))
    return scripts


def _visible(rng: np.random.Generator, tier: str, aus: tuple[int, ...]) -> Script:
    """Drawn again where six frames would miss an AU: the counts are to hold in what can be seen."""
    while (script := draw_script(rng, tier, aus=aus)).aus != set(aus):
        pass
    return script


def shaped_clips(
    name: str, seed: int = HELD_OUT, tier: str = "standard", *, size: int = 64, workers: int = -1
) -> ClipSet:
    """SynthME in the shape of `casme2` (255 clips of 26 people) or `samm` (159 of 29), in memory.

    `seed` is the first person's, as in `make_clips`.  Raises `InputError` for another data set or tier.
    """
    scripts = scripts_of(draw_shape(name, seed), seed, tier)
    return render_people([None] * len(scripts), scripts, seed=seed, size=size, workers=workers)
