"""Oddities of the real tables, spread over the generated ones: a loader that reads these can read those.

Which row is odd follows from its index alone.  No oddity changes the AUs that a reader finds with the default policy.
"""

from ..facs import CD6ME_AUS

EVERY = 16  # rows until the same oddity comes again
SLASH, AT_OFFSET, PAST_OFFSET, NEXT_TO_ONSET = 3, 10, 11, 20  # rows with an odd apex, one each
ALTERNATIVE = 8  # the first row from here on with a lone plain AU is written as `7 or 43`


def mixed(number: int, index: int, usual: type = int) -> int | float | str:
    """A number cell of the usual type, now and then text instead of an integer or the reverse, or a decimal."""
    kinds = {5: str if usual is int else int, 9: float}
    return kinds.get(index % EVERY, usual)(number)


def spaced(name: str, index: int) -> str:
    """A clip's name, now and then with spaces after it."""
    return name + "  " * (index % EVERY == 7)


def casme2_apex(row: dict, index: int) -> int | str:
    """One slash, to be read as the midpoint, and one apex at the offset."""
    return {SLASH: "/", AT_OFFSET: row["offset"]}.get(index, row["apex"])


def samm_apex(row: dict, index: int) -> int:
    """One apex past the offset, to be read as the midpoint, and one beside the onset; counted as `row` counts."""
    return {PAST_OFFSET: row["offset"] + 100, NEXT_TO_ONSET: row["onset"] + 1}.get(index, row["apex"])


def au_parts(row: dict) -> list[str]:
    """The AUs of a row with their sides: `4`, `L10`."""
    moved = (m for m in row["movements"] if m["au"] in CD6ME_AUS)
    return [("" if m["side"] == "both" else m["side"]) + str(m["au"]) for m in moved]


def au_cell(row: dict, index: int) -> str | int | float | None:
    """AUs as annotators write them: `4+L10`, ` 4 + 7`, `AU4`, `04`; a lone plain number is mostly a number cell."""
    parts, kind = au_parts(row), index % EVERY
    if not parts:
        return "?" if index % EVERY == 1 else None
    if kind == 6:
        parts[0] = parts[0].zfill(2) if parts[0].isdigit() else parts[0]
    if kind == 11:
        parts[0] = "AU" + parts[0]
    if len(parts) == 1 and parts[0].isdigit() and kind != 6:
        return mixed(int(parts[0]), index)
    return " + ".join(parts) + " " if kind in (2, 13) else "+".join(parts)


def with_alternative(cells: list) -> list:
    """One cell becomes `7 or 43`; whoever takes the first reads what was there."""
    row = next((i for i, cell in enumerate(cells) if i >= ALTERNATIVE and isinstance(cell, int)), None)
    return [f"{cell} or 43" if i == row else cell for i, cell in enumerate(cells)]
