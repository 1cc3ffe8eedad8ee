"""Who the subjects are, where a data set tells: generated ones name the drawn person behind each number."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ..errors import InputError
from .cells import subject_id
from .records import Sample

NAMES = "synthme.json"  # {"people": {subject as in the table: name}}


def named(samples: list[Sample], folders: Iterable[str | Path | None]) -> list[Sample]:
    """The samples with the names of their people, from the first folder that holds `synthme.json`.

    Raises `InputError` for a file that is damaged or lacks a subject.
    """
    for folder in folders:
        if folder is not None and (path := Path(folder) / NAMES).is_file():
            return [replace(sample, name=_name(path, sample, names)) for names in [_names(path)] for sample in samples]
    return samples


def _names(path: Path) -> dict[int, str]:
    """{subject's number: name}"""
    try:
        people = json.loads(path.read_text(encoding="utf-8"))["people"]
        names = {int(subject_id(subject, 1)): name for subject, name in people.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        names = {0: None}
    if not all(isinstance(name, str) and name for name in names.values()):
        raise InputError(f"{path} does not map subjects to people: write the data set anew, or remove the file.")
    return names


def _name(path: Path, sample: Sample, names: dict[int, str]) -> str:
    if (number := int(sample.subject)) not in names:
        raise InputError(
            f"{path} names no person for subject {sample.subject}: write the data set anew, or remove the file."
        )
    return names[number]
