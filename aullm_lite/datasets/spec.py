"""What one data set is like: columns, layout, known counts.  Each data set's own file holds one `DataSetSpec`."""

from collections.abc import Callable
from dataclasses import dataclass

from .records import Fixup, Sample
from .tables import Row


@dataclass(frozen=True)
class Expected:
    """Published counts of one version: aggregates, never rows.

    `counts` maps a choice for `or` to the positives of the twelve AUs of CD6ME and the number of all labels; `soft`
    counts only warn, others decide the version.
    """

    version: str
    rows: int
    counts: dict[str, tuple[int, ...]]
    subjects: int | None = None
    unknown_cells: int | None = None
    emotions: dict[str, int] | None = None
    objective: tuple[int, ...] | None = None
    soft: bool = False


@dataclass(frozen=True)
class Stream:
    """A folder of frames under the root.  Whom to trust where its frames and the table disagree:

    `table`; `folder`, which holds onset..offset and nothing else; `clip`, where the table's window is cut to the folder
    and the apex is the midpoint.
    """

    path: str
    trust: str = "table"


def _unchanged(fields: dict, row: Row, warnings: list[str]) -> dict:
    return fields


def _as_they_are(samples: list[Sample]) -> list[Sample]:
    return samples


def _own_name(sample: Sample) -> tuple[str, ...]:
    return (sample.clip,)


@dataclass(frozen=True, kw_only=True)
class DataSetSpec:
    """Everything that is particular to one data set.

    `variants` maps the version of a layout of columns to {field: header}; `optional` headers may be missing.  `tidy`
    changes the fields of a row, or gives None to leave it out; `adjust` sees all samples; `folder_names` are the names
    that a clip's folder may have.  `without_row` are (subject, clip) whose folders some tables do not list.
    """

    name: str
    title: str
    fps: float
    aus: tuple[int, ...]  # the subset of the published protocols
    annotations: tuple[str, ...]  # patterns of file names
    variants: dict[str, dict[str, str]]
    optional: dict[str, str]
    streams: tuple[Stream, ...]
    expected: tuple[Expected, ...] = ()
    fixups: tuple[Fixup, ...] = ()
    subject_width: int = 2
    sheet: str | None = None
    longest: int | None = None  # frames; longer rows are flagged
    many_rows_a_clip: bool = False
    tidy: Callable[[dict, Row, list[str]], dict | None] = _unchanged
    adjust: Callable[[list[Sample]], list[Sample]] = _as_they_are
    folder_names: Callable[[Sample], tuple[str, ...]] = _own_name
    without_row: frozenset[tuple[str, str]] = frozenset()
