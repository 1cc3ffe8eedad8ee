"""Files and folders appear whole or not at all."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import InputError


def write_together(contents: dict[Path, bytes]) -> None:
    """Replace files only after all new ones lie on the disk: a full disk or a kill leaves the old ones whole."""
    for path in contents:
        path.parent.mkdir(parents=True, exist_ok=True)
    mark = secrets.token_hex(4)  # processes of two machines may have the same number
    partial = {path: path.with_name(f"{path.name}.{mark}.partial") for path in contents}
    try:
        for path, content in contents.items():
            with open(partial[path], "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for path in contents:
            os.replace(partial[path], path)
    finally:
        for path in partial.values():
            path.unlink(missing_ok=True)


def new_folder(out: str | Path) -> Path:
    """The full path of a folder that is to be made.  Raises `InputError` where something lies there already."""
    out = Path(out).resolve()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} exists already: choose a new folder, so that nothing is overwritten.")
    return out


@contextmanager
def appearing(out: Path) -> Iterator[Path]:
    """A hidden folder to write to, which takes its place when all is written."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as scratch:
        whole = Path(scratch) / "whole"
        whole.mkdir()
        yield whole
        if out.exists():
            out.rmdir()
        whole.rename(out)
