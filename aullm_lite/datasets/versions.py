"""Which version of a table this is, by its content: the published counts of rows, subjects, AUs and classes."""

from collections import Counter
from collections.abc import Iterable, Sequence

from ..facs import CD6ME_AUS
from .policy import Policy, numbers, positives
from .records import Sample
from .spec import DataSetSpec, Expected

FIRST_VARIANT = "table"  # of columns: the layout that the published counts are about


def au_counts(rows: Iterable[Sample], policy: Policy) -> dict[int, int]:
    """Clips in which each AU is present: every AU that occurs, and the counted twelve even where none is."""
    counts = Counter(au for row in rows for au in positives(row.aus, policy))
    return {au: counts[au] for au in sorted(set(counts) | set(CD6ME_AUS))}


def name_version(rows: Sequence[Sample], spec: DataSetSpec, variant: str) -> tuple[str, list[str]]:
    """The version whose counts all agree, else `unknown`, and a warning that says what differs from the nearest.

    Soft counts never decide: their version keeps its name, with the warning.
    """
    if variant != FIRST_VARIANT:
        return variant, []
    if not spec.expected:
        return "unknown", []
    nearest = min(spec.expected, key=lambda expected: _distance(rows, expected))
    different = differences(rows, nearest)
    if not different:
        return nearest.version, []
    first = "; ".join(different[:4]) + (f"; {len(different) - 4} more" if len(different) > 4 else "")
    name = nearest.version if nearest.soft else "unknown"
    return name, [
        f"The table differs from the known counts of {spec.title}, nearest version {nearest.version}: {first}."
    ]


def _distance(rows: Sequence[Sample], expected: Expected) -> int:
    alternatives, known = next(iter(expected.counts.items()))
    found = au_counts(rows, Policy(alternatives=alternatives))
    return abs(len(rows) - expected.rows) + sum(abs(found[au] - count) for au, count in zip(CD6ME_AUS, known))


def differences(rows: Sequence[Sample], expected: Expected) -> list[str]:
    """What disagrees with published counts, as `rows 4, not 255`; empty where all agree."""
    pairs = [("rows", len(rows), expected.rows)]
    pairs += [("subjects", len({row.subject for row in rows}), expected.subjects)]
    pairs += [("unknown AU cells", sum("au_unknown" in row.flags for row in rows), expected.unknown_cells)]
    for alternatives, counts in expected.counts.items():
        policy = Policy(alternatives=alternatives)
        found = au_counts(rows, policy)
        pairs += [(f"AU{au}", found[au], count) for au, count in zip(CD6ME_AUS, counts)]
        pairs += [("AU labels", sum(len(numbers(row.aus, policy)) for row in rows), counts[-1])]
    if expected.emotions is not None:
        found = Counter(row.emotion for row in rows)
        pairs += [(name, found[name], count) for name, count in expected.emotions.items()]
    if expected.objective is not None:
        found = Counter(row.objective for row in rows)
        pairs += [(f"class {i}", found[i], count) for i, count in enumerate(expected.objective, 1)]
    return [f"{what} {is_}, not {known}" for what, is_, known in pairs if known is not None and is_ != known]
