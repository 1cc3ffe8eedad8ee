"""Load an annotation table, and with a root its frames: rows to `Sample`s, everything odd in the open."""

from collections import Counter
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path

from ..errors import InputError
from .cells import clip_name, emotion_name, frame_number, objective_class, plain_text, subject_id
from .codes import parse_cell
from .folders import locate
from .frames import attach_all
from .people import named
from .policy import Policy
from .records import Sample, apply_fixups, repair_apex
from .spec import DataSetSpec
from .tables import Table, find_columns, normal, read_table, refuse_others
from .versions import name_version


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A loaded data set.  `rows` are all readable rows of the table as annotated, `samples` those that can be used.

    `problems` are the warnings that say a clip is lost and that no flag of a sample tells.
    """

    spec: DataSetSpec
    policy: Policy
    version: str
    table: Table
    rows: tuple[Sample, ...]
    samples: tuple[Sample, ...]
    repairs: tuple[dict, ...]
    warnings: tuple[str, ...]
    problems: tuple[str, ...] = ()
    frames_from: Path | None = None


def load(
    spec: DataSetSpec,
    *,
    annotations: str | Path | None = None,
    root: str | Path | None = None,
    policy: Policy = Policy(),
    fps: float | None = None,
) -> Loaded:
    """Read a table, and the frames where `root` is given; `fps` replaces the data set's own rate.

    Raises `InputError` for a missing, ambiguous or wrong table, and for a root that is no folder.  A `synthme.json`
    beside the table, or in `root`, names the people.
    """
    if fps is not None and not 1 <= fps <= 10_000:
        raise InputError(f"fps must lie between 1 and 10000, got {fps}.")
    table = read_table(annotations or find_annotations(spec, root), spec.sheet)
    rows, warnings, variant = _rows(table, spec, fps or spec.fps)
    version, about = name_version(rows, spec, variant)
    rows = named([replace(row, version=version) for row in spec.adjust(rows)], (table.path.parent, root))
    samples, repairs, more, lost = _repaired(rows, spec, policy, apex_column="apex" in spec.variants[variant])
    found = {"rows": rows, "samples": samples, "repairs": repairs, "warnings": warnings + about + lost + more}
    found = {name: tuple(values) for name, values in found.items()}
    loaded = Loaded(spec=spec, policy=policy, version=version, table=table, problems=tuple(lost), **found)
    return loaded if root is None else _with_frames(loaded, root)


def _with_frames(loaded: Loaded, root: str | Path) -> Loaded:
    """The same with the frames of each sample, and what was found on the disk."""
    place = locate(root, loaded.spec.streams)
    samples, repairs, warnings, lost = attach_all(loaded.samples, place, loaded.spec)
    return replace(
        loaded,
        samples=tuple(samples),
        repairs=(*loaded.repairs, *repairs),
        warnings=(*loaded.warnings, *([place.note] if place.note else []), *warnings),
        problems=(*loaded.problems, *lost),
        frames_from=place.folder,
    )


def find_annotations(spec: DataSetSpec, root: str | Path | None) -> Path:
    """The one annotation file in `root`.  Raises `InputError` where there is none, or more than one."""
    if root is None:
        raise InputError(f"Give the annotation table of {spec.title}, or the folder that holds it as --root.")
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"There is no folder {str(root)!r}: check --root.")
    found = _tables_of(spec, root)
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(path.name for path in found)
        raise InputError(f"{root} holds {len(found)} annotation files ({names}): name one with --annotations.")
    raise InputError(f"{root} holds no annotation file of {spec.title}: {_where_else(spec, root)}.")


def _tables_of(spec: DataSetSpec, folder: Path) -> list[Path]:
    names = [pattern.casefold() for pattern in spec.annotations]
    files = sorted(path for path in folder.iterdir() if not path.name.startswith(("~$", ".")))
    return [path for path in files if any(fnmatch(path.name.casefold(), name) for name in names)]


def _where_else(spec: DataSetSpec, root: Path) -> str:
    """What to do: the table may lie a level higher, or belong to another data set."""
    for folder in root.resolve().parents[:3]:
        if above := _tables_of(spec, folder):
            return f"{above[0].name} lies in {folder}, so give that as --root"
    others = ", ".join(path.name for path in sorted(root.glob("*.xls*")) if not path.name.startswith("~$"))
    said = f"it holds {others}; check the name of the data set, or name a table with --annotations"
    return said if others else "check --root"


def _rows(table: Table, spec: DataSetSpec, fps: float) -> tuple[list[Sample], list[str], str]:
    """Every row as annotated, the warnings, and which layout of columns the table has."""
    refuse_others(table, spec.title)
    variant, columns = find_columns(table, spec.variants, spec.title)
    optional = {field: normal(header) for field, header in spec.optional.items()}
    samples, warnings = [], []
    for row in table.rows:
        fields = {field: row.cells.get(header) for field, header in (columns | optional).items()}
        about: list[str] = []
        fields = spec.tidy(fields, row, about)
        sample = _sample(fields, spec, fps, about) if fields else None
        samples += [replace(sample, row=row.number)] if sample else []
        warnings += [f"{table.path.name}, row {row.number}: {sentence}" for sentence in about]
    if not samples:
        raise InputError(f"{table.path.name} holds no row of {spec.title} with a subject and a clip.")
    return samples, warnings, variant


def _sample(fields: dict, spec: DataSetSpec, fps: float, warnings: list[str]) -> Sample | None:
    subject, clip = subject_id(fields["subject"], spec.subject_width), clip_name(fields["clip"])
    if not (subject and clip):
        warnings.append(f"no subject ({plain_text(fields['subject'])!r}) or no clip ({clip!r}); it was left out.")
        return None
    cell = parse_cell(fields["aus"])
    warnings += cell.warnings
    return Sample(
        dataset=spec.name,
        version="unknown",
        subject=subject,
        clip=clip,
        **{name: frame_number(fields.get(name)) for name in ("onset", "apex", "offset", "apex_end")},
        fps=fps,
        event=frame_number(fields["onset"]) if spec.many_rows_a_clip else None,
        aus=cell.aus,
        emotion_raw=plain_text(fields.get("emotion")),
        emotion=emotion_name(fields.get("emotion_code") or fields.get("emotion")),
        objective=objective_class(fields.get("objective")),
        flags=("au_unknown",) if cell.unknown else (),
    )


def _repaired(rows: list[Sample], spec: DataSetSpec, policy: Policy, apex_column: bool):
    """The samples that can be used, the log, warnings, and what was lost.  -> (Samples, dicts, sentences, sentences)"""
    fixed, log = apply_fixups(rows, spec.fixups, policy)
    whole = [s for s in fixed if None not in (s.onset, s.offset)]
    half = [s for s in fixed if None in (s.onset, s.offset)]
    lost = [f"{s.subject}/{s.clip} has no onset or no offset; it was left out." for s in half]
    samples, warnings = [], []
    keys = Counter(sample.key for sample in whole)
    for sample in whole:
        sample, more = repair_apex(sample)
        if "bad_window" in sample.flags:
            where = f"{sample.subject}/{sample.clip}"
            warnings.append(f"{where} ends at frame {sample.offset}, not after its onset {sample.onset}.")
        long = spec.longest and sample.offset - sample.onset + 1 > spec.longest
        flags = {"long": long, "doubled": keys[sample.key] > 1}
        samples.append(sample.flagged(*(flag for flag, holds in flags.items() if holds)))
        log += more if apex_column else []
    if not apex_column:
        warnings.append("The table has no apex: the middle of each clip is taken.")
    warnings += [f"{key[1]}/{key[2]} stands in {n} rows." for key, n in keys.items() if n > 1]
    return samples, log, warnings, lost
