"""The language of AU cells, as annotators write it: `4+L10`, `(R6 or R12)+R15`, `AU4(k)+L7`, `ref(7B)+43C`.

cell := part (SEP part)*         SEP is + , ; or their full-width forms, outside parentheses
part := alt ("or" alt)* | "(" alts ")" | "ref(" alt ")"
alt  := [AU|AD|M] [side] number [intensity] [side] ["(k)"] ["?"]
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby

from .cells import plain_text

EMPTY = {"", "?", "/", "\\", "none", "nan"}
_FULL_WIDTH = str.maketrans("，＋；（）？\u3000", ",+;()? ")  # of Chinese keyboards
_ALTERNATIVE = re.compile(
    r"""(?P<kind>AU|AD|M)? \s* (?P<before>A/L|A/R|[LRATBU])? \s*
        (?P<num>[0-9]{1,2}) \s* (?P<intensity>[A-E](/[A-E])?)? \s* (?P<after>A/L|A/R|[LRTU])? \s*
        (?P<static>\(\s*K\s*\))? \s* (?P<uncertain>\?)?""",
    re.VERBOSE,
)
_OR = re.compile(r"(?<![^\W\d_])or(?![^\W\d_])", re.IGNORECASE)  # the word, not a piece of one
_WRAPPED = re.compile(r"(ref)?\s*\((.+)\)", re.IGNORECASE)


@dataclass(frozen=True)
class AU:
    """One label of a cell.

    `kind` is AU, AD (descriptor) or M (movement); `side` the subject's L or R, A (asymmetric), T or B (upper or lower
    lip) or U; `intensity` A to E or a range like `A/B`; `static` held through the clip (`(k)`); `uncertain` marked `?`;
    `ref` inside `ref(...)`; alternatives joined by `or` share an `alt_group`, counted from 1 in each cell.
    """

    num: int
    kind: str = "AU"
    side: str | None = None
    intensity: str | None = None
    static: bool = False
    uncertain: bool = False
    ref: bool = False
    alt_group: int | None = None


@dataclass(frozen=True)
class Cell:
    """What a cell says; `unknown` where the annotator wrote only `?`; `warnings` on what could not be read."""

    aus: tuple[AU, ...] = ()
    unknown: bool = False
    warnings: tuple[str, ...] = ()


def parse_cell(value: object) -> Cell:
    """Read one cell: text, a number, or nothing.  Never raises; what does not fit the grammar becomes a warning."""
    text = plain_text(value).translate(_FULL_WIDTH)
    if text.casefold() in EMPTY:
        return Cell(unknown=text == "?")
    aus, warnings, groups = [], [], 0
    for part in _split(text):
        wrapped = _WRAPPED.fullmatch(part)
        words = [word.strip() for word in _OR.split(wrapped[2] if wrapped else part)]
        read = [(word, _alternative(word)) for word in words]
        warnings += [_complaint(word, text) for word, au in read if au is None]
        found = [au for _, au in read if au]
        groups += len(found) > 1
        group = groups if len(found) > 1 else None
        aus += [replace(au, ref=bool(wrapped and wrapped[1]), alt_group=group) for au in found]
    return Cell(tuple(aus), False, tuple(warnings))


def write_cell(aus: Iterable[AU]) -> str:
    """The inverse of `parse_cell` for what the grammar can say; sides stand before the number."""
    parts = []
    for _, members in groupby(enumerate(aus), key=lambda item: item[1].alt_group or -item[0]):
        members = [au for _, au in members]
        text = " or ".join(_write(au) for au in members)
        parts.append(f"ref({text})" if members[0].ref else f"({text})" if len(members) > 1 else text)
    return "+".join(parts)


def _write(au: AU) -> str:
    kind = "" if au.kind == "AU" else au.kind
    ending = "(k)" * au.static + "?" * au.uncertain
    return f"{kind}{au.side or ''}{au.num}{au.intensity or ''}{ending}"


def _split(text: str) -> list[str]:
    """The parts between separators that stand outside parentheses."""
    depth, parts = 0, [""]
    for letter in text:
        depth = max(0, depth + (letter == "(") - (letter == ")"))
        if depth == 0 and letter in "+,;":
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def _alternative(word: str) -> AU | None:
    """A letter before the number is a side, one after it an intensity, except that L and R are always sides."""
    match = _ALTERNATIVE.fullmatch(word.upper())
    if match is None or (match["before"] and match["after"]):
        return None
    side = (match["before"] or match["after"] or "").removeprefix("A/") or None
    return AU(
        int(match["num"]),
        match["kind"] or "AU",
        side,
        match["intensity"],
        static=bool(match["static"]),
        uncertain=bool(match["uncertain"]),
    )


def _complaint(word: str, cell: str) -> str:
    if re.search(r"[0-9]{3}", word):
        return f"{word!r} in the AU cell {cell!r} has three or more digits and was left out."
    return f"{word!r} in the AU cell {cell!r} is no AU and was left out."
