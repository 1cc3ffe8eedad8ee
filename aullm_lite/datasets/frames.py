"""Join rows and frames: what is missing is reported, and where the data set says so, the folder is right."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import InputError
from .folders import ClipIndex, Place, archives, index_frames
from .records import Sample, entry, repair_apex
from .spec import DataSetSpec


def attach_all(
    samples: Sequence[Sample], place: Place, spec: DataSetSpec
) -> tuple[list[Sample], list[dict], list[str], list[str]]:
    """The samples with their frames, the log, the warnings, and those of them that say that clips are lost.

    Raises `InputError` where no clip has a folder.
    """
    index = ClipIndex(place.folder, spec.subject_width)
    done, log, warnings = [], [], []
    for sample in samples:
        sample, repairs, more = _attach_found(sample, index.find(spec.folder_names(sample), sample.subject), place)
        done.append(sample)
        log += repairs
        warnings += more
    without = [f"{sample.subject}/{sample.clip}" for sample in done if "no_folder" in sample.flags]
    packed = _unpack_first(place) if without else []
    if without and len(without) == len(samples):
        raise InputError(packed[0] if packed else _nothing(place, without[0]))
    known = [folder for folder in index.unused if index.key(folder) in spec.without_row]
    rows, unused = _rows_without(without), _without_row([folder for folder in index.unused if folder not in known])
    # With many events in one, folders are recordings, and many show no micro-expression.
    lost = packed + ([] if spec.many_rows_a_clip else unused)
    return done, log, list(dict.fromkeys(warnings + rows + packed + unused + _without_row(known))), lost


def _attach_found(sample: Sample, folders: list[Path], place: Place) -> tuple[Sample, list[dict], list[str]]:
    """The same as `attach`, for a clip with any number of folders."""
    if not folders:
        return sample.flagged("no_folder"), [], []
    copies = []
    if len(folders) > 1:
        copies = [f"{sample.subject}/{sample.clip} has {len(folders)} folders: {folders[0]} was read."]
        sample = sample.flagged("two_folders")
    sample, log, warnings = attach(sample, folders[0], place.stream.trust)
    return sample, log, copies + warnings


def _rows_without(clips: list[str]) -> list[str]:
    """Rows without a folder, in a sentence."""
    return [f"{len(clips)} rows have no folder of frames: {_some(clips)}."] if clips else []


def _without_row(folders: list[Path]) -> list[str]:
    """Folders without a row, in a sentence."""
    names = [f"{folder.parent.name}/{folder.name}" for folder in folders]
    return [f"{len(names)} folders of frames have no row: {_some(names)}."] if names else []


def _nothing(place: Place, example: str) -> str:
    return f"{place.folder} holds no folder of any clip of the table, such as {example}: check --root."


def _unpack_first(place: Place) -> list[str]:
    """A sentence where archives lie in the place of folders."""
    packed = archives(place.folder)
    return [f"{place.folder} holds archives where frames are expected: unpack {_some(packed)} first."] if packed else []


def attach(sample: Sample, folder: Path, trust: str) -> tuple[Sample, list[dict], list[str]]:
    """One sample with the files of onset..offset; its window and apex repaired where the folder differs."""
    files, warnings = index_frames(folder)
    sample, log = _trust_folder(sample, files, trust) if files else (sample, [])
    frames = {number: path for number, path in files.items() if sample.onset <= number <= sample.offset}
    sample = replace(sample, frames=frames)
    where = f"{sample.subject}/{sample.clip}"
    missing = max(sample.offset - sample.onset + 1, 0) - len(frames)
    if not frames:
        warnings.append(f"{where} has no frame between its onset and its offset ({sample.onset}..{sample.offset}).")
        return sample.flagged("no_frames"), log, warnings
    if missing:
        warnings.append(f"{where} lacks {missing} of its {missing + len(frames)} frames.")
        sample = sample.flagged("frames_missing")
    if sample.apex not in frames:
        nearest = min(frames, key=lambda number: abs(number - sample.apex))
        log.append(entry(sample, "apex", nearest, "the apex frame is not on disk; the nearest one is taken"))
        sample = replace(sample, apex=nearest, apex_source="nearest").flagged("apex_not_on_disk")
    return sample, log, warnings


def _trust_folder(sample: Sample, files: dict[int, Path], trust: str) -> tuple[Sample, list[dict]]:
    """The window that the folder shows, with its apex, where the folder is the one to trust."""
    first, last = min(files), max(files)
    window = (first, last)
    if trust == "table":
        return sample, []
    if trust == "clip" and max(sample.onset, first) < min(sample.offset, last):
        window = max(sample.onset, first), min(sample.offset, last)
    if window == (sample.onset, sample.offset):
        return sample, []
    why = f"the folder holds frames {first} to {last}"
    changes = {"onset": window[0], "offset": window[1]}
    log = [entry(sample, name, value, why) for name, value in changes.items() if getattr(sample, name) != value]
    flags = tuple(flag for flag in sample.flags if not flag.startswith(("apex_", "bad_window")))
    changed = replace(sample, **changes, flags=flags).flagged("window_from_folder")
    if trust == "clip":
        changed = replace(changed, apex=None)
    repaired, repairs = repair_apex(changed)
    return repaired, log + [{**line, "from": sample.apex} for line in repairs]


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")
