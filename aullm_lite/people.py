"""Who is who: names of people as a checkpoint keeps them, so that nobody is tested who was trained on."""

import re
from collections.abc import Iterable


def pack(names: Iterable[str]) -> tuple[str, ...]:
    """Names in order, runs of consecutive numbers as one: drawn07, drawn08, drawn09 -> drawn07..09."""
    packed: list[str] = []
    run: list[str] = []
    for name in sorted(set(names)):
        if run and name != _next(run[-1]):
            packed, run = [*packed, _as_one(run)], []
        run.append(name)
    return (*packed, _as_one(run)) if run else ()


def unpack(packed: Iterable[str]) -> set[str]:
    """All names that `pack` put together."""
    names: set[str] = set()
    for entry in packed:
        match = re.fullmatch(r"(.*?)(\d+)\.\.(\d+)", entry)
        if match:
            stem, first, last = match.groups()
            names |= {f"{stem}{number:0{len(first)}d}" for number in range(int(first), int(last) + 1)}
        else:
            names.add(entry)
    return names


def not_drawn(names: Iterable[str]) -> list[str]:
    """Those who were not drawn by us, in order: what shows them, or was learned from them, is not published."""
    return sorted(name for name in names if not re.fullmatch(r"drawn\d+", name))


def _next(name: str) -> str | None:
    """The name with its last number one higher and as many digits; None where there is none."""
    match = re.fullmatch(r"(.*?)(\d+)", name)
    return match and f"{match[1]}{int(match[2]) + 1:0{len(match[2])}d}"


def _as_one(run: list[str]) -> str:
    if len(run) == 1:
        return run[0]
    return f"{run[0]}..{re.search(r'[0-9]+$', run[-1])[0]}"
