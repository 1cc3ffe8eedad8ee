"""From a loaded data set to records: one aligned clip for each annotated event, made once and kept."""

import warnings
from functools import cache as once
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from joblib import delayed
from tqdm.auto import tqdm

from ..errors import InputError
from ..faces import FaceFinder
from ..files import sweep_old
from ..processes import processes
from . import store
from .clip_records import NO_FACE, as_dataset, facts_of, with_pictures
from .crops import crop_clip
from .loading import Loaded
from .records import Sample, why_lost

if TYPE_CHECKING:
    from datasets import Dataset

LARGE = 60  # clips from which on several processes are faster than one
SHOWN = 5  # problems that an error names
BRIDGED = {"frames_missing", "apex_not_on_disk"}


def prepare(loaded: Loaded, *, cache: Path | None = None, incomplete: bool = False) -> "Dataset":
    """One record for each clip: `frames` uint8 [6, 64, 64], `pair` uint8 [2, 128, 128] (onset, apex), labels, times.

    Pictures are bytes beside their shapes; `onset_s`, `apex_s` and `offset_s` are seconds from the onset; `aus` are
    the numbers present under the policy, and null where the cell is unknown and the policy masks it.  What was made
    is kept in `cache`, by default a folder in the user's, and a warning says so.  Raises `InputError` that names what
    is missing or damaged, after all the rest is made and kept; with `incomplete` that becomes a warning, and those
    clips are left out.
    """
    if loaded.frames_from is None:
        raise InputError(f"The clips of {loaded.spec.title} need their frames: give the folder as --root.")
    lost = [(sample, why) for sample in loaded.samples if (why := why_lost(sample))]
    tables = _tables(loaded, [sample for sample in loaded.samples if not why_lost(sample)], cache)
    problems = [f"{_where(sample)} {why}" for sample, why in lost]
    problems += [problem for table in tables for problem in store.problems_of(table)] + list(loaded.problems)
    _report(loaded, problems, incomplete)
    if not sum(table.num_rows for table in tables):
        raise InputError(f"{loaded.spec.title} has no clip that can be prepared: check the table and --root.")
    records = pa.concat_tables([table.replace_schema_metadata(None) for table in tables])
    _report_flags(records)
    return as_dataset(records)


def _where(sample: Sample) -> str:
    return f"{sample.subject}/{sample.clip} (row {sample.row})"


def _report(loaded: Loaded, problems: list[str], incomplete: bool) -> None:
    """Raise or warn: one sentence that names the first problems."""
    if not problems:
        return
    some = "; ".join(problem.rstrip(".") for problem in problems[:SHOWN])
    some += f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
    count = f"{len(problems)} problem{'s' * (len(problems) > 1)}"
    what = f"{loaded.spec.title} is not complete, {count} with {loaded.table.path.name} and the frames: {some}"
    if not incomplete:
        raise InputError(f"{what}: mend this, or leave these clips out with --incomplete (incomplete=True).")
    warnings.warn(f"{what}: these clips were left out.", stacklevel=3)


def _report_flags(records: pa.Table) -> None:
    """One warning for each thing that was done about pictures."""
    flags = [set(some) for some in records["flags"].to_pylist()]
    if bridged := sum(bool(some & BRIDGED) for some in flags):
        warnings.warn(f"{bridged} clips lack some of their frames: the nearest ones were taken.", stacklevel=3)
    if faceless := sum(NO_FACE in some for some in flags):
        warnings.warn(f"No face was found in {faceless} clips: their whole pictures were taken for it.", stacklevel=3)


def _tables(loaded: Loaded, samples: list[Sample], cache: Path | None) -> list[pa.Table]:
    """The table of each subject, read where it is kept, and made where it is not."""
    subjects: dict[str, list[Sample]] = {}
    for sample in samples:
        subjects.setdefault(sample.subject, []).append(sample)
    orders = []
    for some in subjects.values():
        facts = [facts_of(sample, loaded.policy) for sample in some]
        orders.append((store.file_of(some, facts, loaded, cache), some, facts))
    if orders:
        sweep_old(orders[0][0].parent)
    kept = [store.read(path) for path, *_ in orders]
    new = [order for order, table in zip(orders, kept) if table is None]
    _make(new, loaded.spec.title)
    if new:
        where = new[0][0].parent
        said = f"Crops of faces are kept in {where}, older ones too: you may delete these files at any time."
        warnings.warn(said, stacklevel=3)
    return [store.read(path) if table is None else table for (path, *_), table in zip(orders, kept)]


def _make(orders: list[tuple], title: str) -> None:
    """Prepare subjects, each kept as soon as it is done; many of them in several processes."""
    large = len(orders) > 1 and sum(len(samples) for _, samples, _ in orders) >= LARGE
    done = processes(-1 if large else 1)(delayed(_make_subject)(*order) for order in orders)
    for _ in tqdm(done, total=len(orders), desc=title, unit="subject", disable=not orders):
        pass


@once
def _finder() -> FaceFinder:
    """One for each process."""
    return FaceFinder()


def _make_subject(path: Path, samples: list[Sample], facts: list[dict]) -> None:
    """Crop the clips of one subject and keep them, with what went wrong."""
    finder, records, problems = _finder(), [], []
    for sample, fact in zip(samples, facts):
        try:
            records.append(with_pictures(fact, *crop_clip(sample, finder)))
        except InputError as error:
            problems.append(f"{_where(sample)}: {error}")
    store.write(path, records, problems)
