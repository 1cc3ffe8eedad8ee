"""Rows of a long study, kept clip by clip, so that a killed one goes on."""

import json
from pathlib import Path

from ..errors import InputError
from ..files import write_together


class Kept:
    """Rows in memory and, with a path, in a file of lines: first the settings, then one line a clip.

    What a kill cut off is dropped.  Raises `InputError` for a file of other settings, or of something else.
    """

    def __init__(self, path: Path | None, settings: dict):
        self.path, self.done = path, {}
        if path is None:
            return
        lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []  # all that ended
        try:
            found = json.loads(lines[0]) if lines else settings
            self.done = {entry["clip"]: entry["rows"] for entry in map(json.loads, lines[1:])}
        except (ValueError, KeyError, TypeError):
            found = None
        if found != settings:
            raise InputError(f"{path} holds rows of another grading: remove it, or choose another --json.")
        whole = [json.dumps(settings), *lines[1:]]
        write_together({path: ("\n".join(whole) + "\n").encode()})

    def add(self, number: int, rows: list[dict]) -> None:
        self.done[number] = rows
        if self.path:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps({"clip": number, "rows": rows}) + "\n")
