"""The language of the spoken report: what is said of a movement, as a sentence and back.

    AU4 brow lowerer on both sides, strong, apex at frame 3; AU7 lid tightener on the left, weak, apex at frame 2.
    The lower face shows no known Action Unit.

The model sees six frames and no clock, so it counts frames; `with_times` turns them into seconds where these are known.
Sides are the subject's.  Strength is how far the skin moves from where it is in the first frame, in pixels of a face of
64.  Nothing is said to be still: lips part, lids blink, and neither is among the Action Units that are known.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..facs import ACTION_UNITS, action_unit

SIDES = {"both": "on both sides", "L": "on the left", "R": "on the right"}
STRENGTHS = {"weak": 0.0, "medium": 0.5, "strong": 1.0}  # from how many pixels on
FRAMES = (2, 3, 4, 5, 6)  # in which a movement can be at its apex; it is seen against the first
NOTHING = "No known Action Unit appeared."
HALVES = {"upper": (1, 2, 4, 5, 6, 7, 45), "lower": (9, 10, 12, 14, 15, 17, 18, 20, 23, 24, 25, 26)}
ONE_SIDED = frozenset(ACTION_UNITS) - {17}  # the chin boss has one muscle on each side, but they pull as one


@dataclass(frozen=True, order=True)
class Statement:
    """One thing that is said: an AU, the subject's side, how strong, and the frame of its apex, counted from 1."""

    au: int
    side: str  # a key of SIDES
    strength: str  # a key of STRENGTHS
    frame: int

    def __str__(self) -> str:
        name = action_unit(self.au).name.lower()
        return f"AU{self.au} {name} {SIDES[self.side]}, {self.strength}, apex at frame {self.frame}"


def strength_of(pixels: float) -> str:
    """The word for a peak displacement in pixels at 64."""
    return [word for word, least in STRENGTHS.items() if pixels >= least][-1]


def statements_of(script, aus: Iterable[int], mirrored: bool = False) -> tuple[Statement, ...]:
    """The truth of a SynthME clip in words, for those of `aus` that can be seen in it; left and right swap mirrored."""
    found = []
    for movement in script.movements:
        if movement.au in script.aus and movement.au in aus:
            moved = movement.amount(script.times) - movement.amount(script.times[:1])
            side = {"L": "R", "R": "L"}.get(movement.side, "both") if mirrored else movement.side
            found.append(Statement(movement.au, side, strength_of(moved.max()), int(np.argmax(moved)) + 1))
    return tuple(sorted(found))


def tell(statements: Iterable[Statement]) -> str:
    """One or two sentences; the second says in which half of the face nothing known appeared."""
    statements = sorted(statements)
    if not statements:
        return NOTHING
    return "; ".join(map(str, statements)) + "." + empty_half([one.au for one in statements])


def empty_half(seen: Iterable[int]) -> str:
    """The sentence on the half of the face without any of these AUs; empty where both have some."""
    seen = set(seen)
    halves = [half for half, aus in HALVES.items() if not seen & set(aus)]
    return "".join(f" The {half} face shows no known Action Unit." for half in halves)


_STATEMENT = re.compile(r"AU(\d{1,2}) ([a-z ]+?) (on both sides|on the left|on the right), (\w+), apex at frame (\d)")


def parse(text: str) -> tuple[Statement, ...]:
    """What a spoken report says.  Raises `ValueError` with the reason for what `tell` would never say.

    Such are other words, an AU twice or under another's name, a one-sided chin, a half of the face that is called empty
    though an AU was named there.
    """
    sides = {words: side for side, words in SIDES.items()}
    matches = [_STATEMENT.fullmatch(part) for part in text.split(". ")[0].rstrip(".").split("; ")]
    if text != NOTHING and None in matches:
        raise ValueError("it is no report")
    said = () if text == NOTHING else tuple(Statement(int(m[1]), sides[m[3]], m[4], int(m[5])) for m in matches)
    for one in said:
        _check(one)
    if tell(said) != text or len({one.au for one in said}) < len(said):
        raise ValueError("it contradicts itself")
    return said


def _check(said: Statement) -> None:
    if said.au not in ACTION_UNITS or said.strength not in STRENGTHS:
        raise ValueError(f"it invents AU{said.au} or calls it {said.strength}")
    if said.frame not in FRAMES:
        raise ValueError(f"frame {said.frame} cannot be an apex")
    if said.side != "both" and said.au not in ONE_SIDED:
        raise ValueError(f"AU{said.au} cannot move on one side")


def with_times(text: str, times: Sequence[float]) -> str:
    """The report with seconds in place of frame numbers.  T times, one a frame"""
    return re.sub(r"at frame (\d)", lambda match: f"at {times[int(match[1]) - 1]:.2f} s", text)
