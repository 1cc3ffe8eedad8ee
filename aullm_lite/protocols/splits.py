"""Who trains, who chooses, who is tested: three groups of people that never share anybody.

A `SubjectSplit` cannot be made with a person in two groups, and every use of it checks what it is given.  `LeakError`
is what a mistake becomes.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..clips import ClipSet
from ..errors import InputError
from ..people import unpack

INNER_SHARE = 0.2  # of the people who are not tested
DRAWS = 200  # of inner groups, of which the most even one is taken


class LeakError(InputError):
    """Something about the people or clips to be tested would be known before the test."""


@dataclass(frozen=True)
class SubjectSplit:
    """The people of one fold: `train` fit the weights, `inner` choose epoch, calibration and thresholds, `test` test.

    Raises `LeakError` for a person in two groups, and `InputError` for an empty group.
    """

    name: str
    train: frozenset[str]
    inner: frozenset[str]
    test: frozenset[str]

    def __post_init__(self):
        groups = {"train": self.train, "inner": self.inner, "test": self.test}
        if not all(groups.values()):
            raise InputError(f"Fold {self.name} has nobody to {min(groups, key=lambda g: len(groups[g]))}: add people.")
        for one, other in (("train", "test"), ("inner", "test"), ("train", "inner")):
            if both := groups[one] & groups[other]:
                raise LeakError(f"Fold {self.name}: {_some(both)} would be in {one} and in {other}.")

    def parts(self, data: ClipSet) -> tuple[ClipSet, ClipSet, ClipSet]:
        """Train, inner and test clips; the test clips without their labels.  Raises `LeakError` for copied clips."""
        rows = [np.isin(data.subjects, sorted(group)) for group in (self.train, self.inner, self.test)]
        train, inner, test = (data.select(mask) for mask in rows)
        known = fingerprints(train) | fingerprints(inner)
        if copies := [name for name, print_ in zip(test.ids, map(_digest, test.clips)) if print_ in known]:
            raise LeakError(f"Fold {self.name}: the pictures of {_some(copies)} are also in train or inner.")
        return train, inner, hidden(test)

    def check_chooser(self, data: ClipSet) -> None:
        """Raise `LeakError` unless every clip is of an inner person: nobody else may choose a threshold or an epoch."""
        if others := set(data.subjects.tolist()) - self.inner:
            raise LeakError(f"Fold {self.name}: {_some(others)} would help to choose, but only inner people may.")

    def check_weights(self, trained_on: Iterable[str]) -> None:
        """Raise `LeakError` for weights that have seen a person who is tested, or choose by one who is not new."""
        known = unpack(trained_on)
        if seen := known & (self.test | self.inner):
            raise LeakError(
                f"Fold {self.name}: the checkpoint was trained on {_some(seen)}. Start from another checkpoint "
                "(--init), or where the data are generated, make them with another --seed."
            )


def hidden(data: ClipSet) -> ClipSet:
    """The same clips with nothing that gives the answer: labels are NaN, scripts are gone."""
    return replace(data, labels=np.full_like(data.labels, np.nan), scripts=None)


def fingerprints(data: ClipSet) -> set[bytes]:
    """A digest of the pictures of each clip."""
    return {_digest(clip) for clip in data.clips}


def _digest(clip: np.ndarray) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(clip)).digest()


def choose_inner(data: ClipSet, people: Sequence[str], seed: int, share: float = INNER_SHARE) -> frozenset[str]:
    """A share of the people whose clips hold about that share of every AU's positives.

    Of many random groups the most even one: with a handful of people a blind draw often lacks an AU altogether.
    Raises `InputError` for fewer than two people.
    """
    people = sorted(people)
    if len(people) < 2:
        raise InputError("Besides the tested person a fold needs at least 2 people (one to choose by): add subjects.")
    counts = np.stack([data.labels[data.subjects == person].sum(0) for person in people])  # [S, K]
    size, rng = max(1, round(share * len(people))), np.random.default_rng(seed)
    groups = [rng.permutation(len(people))[:size] for _ in range(DRAWS)]
    wanted = share * counts.sum(0)
    distance = [(((counts[group].sum(0) - wanted) ** 2) / np.maximum(wanted, 1)).sum() for group in groups]
    return frozenset(people[i] for i in groups[int(np.argmin(distance))])


def leave_one_subject_out(data: ClipSet, seed: int) -> list[SubjectSplit]:
    """One fold for each person (LOSO)."""
    return [_split(data, person, {person}, seed) for person in sorted(set(data.subjects.tolist()))]


def leave_one_set_out(data: ClipSet, seed: int, tested: Sequence[str] | None = None) -> list[SubjectSplit]:
    """One fold for each data set, or for those in `tested` alone: train on all others (cross-domain, CD6ME).

    Raises `LeakError` for a person in two data sets.
    """
    sets = data_sets(data)
    _check_strangers(data, sets)
    names = sorted(set(sets.tolist())) if tested is None else list(tested)
    return [_split(data, name, set(data.subjects[sets == name].tolist()), seed) for name in names]


def _check_strangers(data: ClipSet, sets: np.ndarray) -> None:
    home: dict[str, str] = {}
    for person, name in zip(data.subjects.tolist(), sets.tolist()):
        if home.setdefault(person, name) != name:
            raise LeakError(
                f"{person} would be in {home[person]} and in {name}: leave out one of them, or where the data are "
                "generated, make them with another --seed."
            )


def data_sets(data: ClipSet) -> np.ndarray:
    """The data set of each clip, the first part of its id.  -> [N] str"""
    return np.array([name.split("/")[0] for name in data.ids])


def _split(data: ClipSet, name: str, test: set[str], seed: int) -> SubjectSplit:
    rest = set(data.subjects.tolist()) - test
    inner = choose_inner(data.select(~np.isin(data.subjects, sorted(test))), sorted(rest), seed)
    return SubjectSplit(name, frozenset(rest - inner), inner, frozenset(test))


def _some(names: Iterable[str]) -> str:
    names = sorted(names)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
