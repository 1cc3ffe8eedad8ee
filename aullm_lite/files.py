"""Files and folders appear whole or not at all, and one process at a time writes them.

What a killed process has left half-written is never read.  It goes when the next one takes its place, or when the
folder is used again and nobody can still be at work on it.
"""

import errno
import glob
import io
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from .errors import InputError

MARK = "[0-9a-f]" * 8  # in the name of a half-written file, so that nobody else's is swept
STALE = 600  # seconds after which nobody can still be writing a half-written file


def write_together(contents: dict[Path, bytes]) -> None:
    """Replace files only after all new ones lie on the disk: a full disk or a kill leaves the old ones whole.

    Raises `OSError` with the name of the file.
    """
    for path in contents:
        path.parent.mkdir(parents=True, exist_ok=True)
    for folder in {path.parent for path in contents}:
        sweep_old(folder)
    mark = secrets.token_hex(4)  # processes of two machines may have the same number
    partial = {path: path.with_name(f"{path.name}.{mark}.partial") for path in contents}
    try:
        for path, content in contents.items():
            _write(partial[path], content, path)
        for path in contents:
            os.replace(partial[path], path)
    finally:
        for path in partial.values():
            path.unlink(missing_ok=True)


def _write(partial: Path, content: bytes, path: Path) -> None:
    try:
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        error.filename = str(path)  # a full disk does not say where
        raise


def _sweep(folder: Path, pattern: str, age: float = 0) -> None:
    """Delete what was left by processes that were killed."""
    for left in folder.glob(pattern):
        with suppress(OSError):  # another process has swept it, or it is not ours to sweep
            if time.time() - left.stat().st_mtime >= age:
                shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink()


def sweep_old(folder: Path) -> None:
    """Delete halves of files that nobody can still be writing."""
    _sweep(folder, f"*.{MARK}.partial", STALE)


def sweep_halves(*paths: Path) -> None:
    """Delete what killed processes have left of these files.  Only for who writes them alone."""
    for path in paths:
        _sweep(path.parent, f"{glob.escape(path.name)}.{MARK}.partial")


def drawn(figure, form: str = "png", **options) -> bytes:
    """A figure as the content of a file, so that it can be written whole or not at all."""
    content = io.BytesIO()
    figure.savefig(content, format=form, **options)
    return content.getvalue()


@contextmanager
def alone(folder: Path, part: str = "", *, wait: bool = False, advice: str = "choose another place") -> Iterator[None]:
    """Keep other processes out of a folder, or out of a part of it: an entry, or a share of the work.

    The system takes the lock from a process that ends, however it ends, so a kill leaves none; between machines it
    holds where their shared disk knows `flock`.  Waits for another process that is at work there, or raises
    `InputError`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f".{part or 'writing'}.lock"
    lock = FileLock(path)
    try:
        lock.acquire(timeout=-1 if wait else 0)
    except Timeout:
        place = folder / part
        raise InputError(f"Another process is writing to {place}: wait until it has ended, or {advice}.") from None
    try:
        if not part:
            _sweep(folder, f"*.{MARK}.partial")
        yield
    finally:
        lock.release()  # of its file only the library knows whether another process can hold it: some versions keep it


def new_folder(out: str | Path) -> Path:
    """The full path of a folder that is to be made.  Raises `InputError` where something lies there already."""
    out = Path(out).resolve()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} exists already: choose a new folder, so that nothing is overwritten.")
    return out


@contextmanager
def appearing(out: Path) -> Iterator[Path]:
    """A hidden folder to write to, which takes its place when all is written.

    Raises `InputError` where something lies there already, or another process is at work on it.
    """
    with alone(out.parent, out.name):
        new_folder(out)
        with hidden_beside(out) as whole:
            whole.mkdir()
            yield whole
            if out.exists():
                out.rmdir()
            whole.rename(out)


@contextmanager
def hidden_beside(place: Path) -> Iterator[Path]:
    """A new path for what is to take a place.  What is there at the end, or killed processes have left there, goes.

    Only for who holds the place alone.  Raises `OSError` that names the place, where it concerns what is hidden.
    """
    hidden = place.with_name(f".{place.name}.partial-{secrets.token_hex(4)}")
    sweep_hidden(place)
    try:
        with told_of(place, hidden):
            yield hidden
    finally:
        sweep_hidden(place)  # what processes have left, too, that a killed one had started, and that ended after it


def sweep_hidden(place: Path) -> None:
    """Delete what is hidden beside a place.  Only for who holds it alone, or where it is not made again."""
    _sweep(place.parent, f"{glob.escape(f'.{place.name}.partial-')}*")


@contextmanager
def told_of(place: Path, hidden: Path) -> Iterator[None]:
    """Errors of the disk tell of a place, and not of the hidden folder that stands for it."""
    try:
        yield
    except OSError as error:
        of_full_disk = error.filename is None and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        if of_full_disk or str(error.filename).startswith(str(hidden)):  # a full disk does not say where
            error.filename = str(place)
        raise
