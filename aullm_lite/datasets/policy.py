"""The choices that turn annotated AUs into labels.  Every result states them."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import InputError
from .codes import AU

CHOICES = {
    "alternatives": ("meb", "all", "first", "drop"),
    "unknown_cell": ("zero", "mask"),
    "fixups": ("neutral", "meb", "none"),
}
# What tvaranka/meb, whose counts are published, took for `a or b`; anything else is the first.
_MEB = {frozenset({6, 12}): 12, frozenset({12, 14}): 14, frozenset({14, 17, 24}): 14}
CODES_FROM = 50  # head, eye and gross movements: never in the AU vector


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What `7 or 43`, `(k)`, a lone `?` and known typing errors of the tables count as."""

    alternatives: str = "meb"
    drop_static: bool = True
    unknown_cell: str = "zero"
    fixups: str = "neutral"

    def __post_init__(self):
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise InputError(f"{name} must be one of {', '.join(choices)}, not {getattr(self, name)!r}.")


def chosen(aus: Sequence[AU], policy: Policy) -> tuple[AU, ...]:
    """The AUs that count as present."""
    groups: dict[int, list[int]] = {}
    for au in aus:
        if au.alt_group is not None:
            groups.setdefault(au.alt_group, []).append(au.num)
    picks = {group: _pick(numbers, policy.alternatives) for group, numbers in groups.items()}
    present = (au for au in aus if au.alt_group is None or au.num in picks[au.alt_group])
    return tuple(au for au in present if not (au.static and policy.drop_static))


def _pick(numbers: list[int], alternatives: str) -> set[int]:
    if alternatives == "all":
        return set(numbers)
    if alternatives == "drop":
        return set()
    return {_MEB.get(frozenset(numbers), numbers[0]) if alternatives == "meb" else numbers[0]}


def numbers(aus: Sequence[AU], policy: Policy) -> tuple[int, ...]:
    """The numbers of all labels that count as present, descriptors and movements included."""
    return tuple(sorted({au.num for au in chosen(aus, policy)}))


def positives(aus: Sequence[AU], policy: Policy) -> tuple[int, ...]:
    """The numbers that may enter the AU vector: kind AU, below 50."""
    return tuple(sorted({au.num for au in chosen(aus, policy) if au.kind == "AU" and au.num < CODES_FROM}))
