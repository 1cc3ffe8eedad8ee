"""Finished rows in a folder, a file for each seed and row, so that a killed study goes on where it was."""

import json
import tempfile
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..errors import InputError
from ..files import write_together

SETTINGS = "settings.json"
OTHERS = {"budget": "another budget", "llm": "another language model", "version": "another version of this package"}
Arrays = dict[str, np.ndarray]


class Kept:
    """`add` what ends, `read` what has ended.

    Raises `InputError` where the folder holds rows of other settings, or any rows unless `go_on`.
    """

    def __init__(self, out: Path | str, settings: dict, *, go_on: bool):
        self.out, self.folder, self.settings = Path(out), Path(out) / "rows", settings
        self.out.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=self.out).close()  # a closed folder is noticed before hours are spent
        found = self._settings()
        if other := [key for key in settings if found and found.get(key) != settings[key]]:
            said = " and ".join(OTHERS.get(key, f"another {key}") for key in other)
            raise InputError(f"{self.out} holds rows of {said}: choose another --out.")
        if not go_on and any(self.folder.glob("*.safetensors")):
            raise InputError(f"{self.out} holds finished rows: pass --resume to go on, or choose another --out.")
        write_together({self.out / SETTINGS: (json.dumps(settings, indent=1) + "\n").encode()})

    def _settings(self) -> dict:
        path = self.out / SETTINGS
        try:
            return json.loads(path.read_text()) if path.exists() else {}
        except ValueError as error:
            raise InputError(f"{path} cannot be read ({error}): choose another --out.") from None

    def path(self, seed: int, row: str) -> Path:
        return self.folder / f"{row}-seed{seed}.safetensors"

    def has(self, seed: int, row: str) -> bool:
        return self.path(seed, row).exists()

    def add(self, seed: int, rows: dict[str, tuple[Arrays, dict]]) -> None:
        """Keep rows of one seed, arrays and facts of each, all of them or none."""
        files = {self.path(seed, name): to_bytes(arrays, facts) for name, (arrays, facts) in rows.items()}
        write_together(files)

    def read(self, seed: int, row: str) -> tuple[Arrays, dict]:
        """Arrays and facts of a row.  Raises `InputError` for a damaged file."""
        return from_file(self.path(seed, row))

    def people(self) -> tuple[Arrays, dict] | None:
        """Labels of the tested clips, and who they are, where an earlier run has written them."""
        path = self.out / "people.safetensors"
        return from_file(path) if path.exists() else None

    def add_people(self, labels: Arrays, facts: dict) -> None:
        write_together({self.out / "people.safetensors": to_bytes(labels, facts)})


def to_bytes(arrays: Arrays, facts: dict) -> bytes:
    """Arrays and facts as one safetensors file."""
    return save({name: np.ascontiguousarray(some) for name, some in arrays.items()}, {"facts": json.dumps(facts)})


def from_file(path: Path) -> tuple[Arrays, dict]:
    """What `to_bytes` wrote.  Raises `InputError` for a damaged file."""
    try:
        with safe_open(path, "np") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, json.loads(file.metadata()["facts"])
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        why = " ".join(str(error).split())
        raise InputError(f"{path} cannot be read ({why}): delete it and run with --resume.") from None
