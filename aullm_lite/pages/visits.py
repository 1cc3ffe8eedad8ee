"""Which temporary files belong to which visitor, so that they go when the visitor goes.

Gradio keeps equal uploads as one file, so a file stays until the last visitor who has it has left.  What was never
noted here, such as the clip of a client without a page, is deleted by its age: see `delete_cache` in app.py.  A page
that only lost its connection comes back as the same visitor, who has left until the next upload or choice.  Of an
upload that broke off Gradio itself knows nothing: see `BrokenOff`.
"""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from uuid import uuid4

from gradio.processing_utils import save_file_to_cache
from gradio.route_utils import delete_files_created_by_app
from gradio.utils import get_upload_folder

_HELD: dict[str, set[str]] = {}
_LEFT: deque[str] = deque(maxlen=1000)  # the last to leave: their work may still run
_LOCK = Lock()
STALLED = 600  # seconds without a byte, after which an upload has broken off


def hold(visitor: str | None, path: str | Path) -> None:
    """Note that a file belongs to a visitor; nobody (None) is a request that no page has made."""
    if visitor:
        with _LOCK:
            _hold(visitor, str(path))


def copied(visitor: str | None, source: str | Path) -> str:
    """A copy of one of our files for a visitor.  Nobody else who leaves meanwhile can take it along."""
    with _LOCK:
        path = save_file_to_cache(str(source), get_upload_folder())  # the same for everybody who chooses it
        if visitor:
            _hold(visitor, path)
    return path


def _hold(visitor: str, path: str) -> None:
    if visitor in _LEFT:
        _LEFT.remove(visitor)
    _HELD.setdefault(visitor, set()).add(path)


def drop(visitor: str | None, path: str | Path) -> None:
    """Delete a file that a visitor needs no more, unless another visitor has it too."""
    with _LOCK:
        _HELD.get(visitor, set()).discard(str(path))
        if str(path) not in set().union(*_HELD.values()):
            remove(path)


def leave(visitor: str | None) -> None:
    """Delete the files of a visitor that no other visitor has too."""
    with _LOCK:
        mine = _HELD.pop(visitor, set())
        for path in mine - set().union(*_HELD.values()):
            remove(path)
        if visitor:
            _LEFT.append(visitor)


@contextmanager
def new_files(visitor: str | None, *names: str) -> Iterator[list[Path]]:
    """Where to write files for a visitor: in Gradio's own folder, the only one from which it serves.

    They go at once if the visitor has left before they were done.
    """
    folder = Path(get_upload_folder()) / uuid4().hex
    folder.mkdir(parents=True)
    paths = [folder / name for name in names]
    try:
        yield paths
    finally:
        with _LOCK:
            if visitor in _LEFT:
                for path in paths:
                    remove(path)
            elif visitor:
                _HELD.setdefault(visitor, set()).update(map(str, paths))


def stop(demo) -> None:
    """Everybody leaves, because the app stops.  Gradio deletes what nobody noted itself only where no page is open."""
    for visitor in list(_HELD):
        leave(visitor)
    delete_files_created_by_app(demo, None)


class BrokenOff(set):
    """The uploads that broke off, as one of the sets of files that Gradio deletes by their age, and when it stops.

    Gradio leaves what has come so far beside the finished uploads, and counts it nowhere.  Nobody says that they broke
    off, so what stalled within the last ten minutes may still go on, in another app too that has the same folder.
    """

    def __iter__(self) -> Iterator[str]:
        for path in Path(get_upload_folder()).glob("tmp*"):
            with suppress(FileNotFoundError):  # it was finished at this moment
                if path.is_file() and time.time() - path.stat().st_mtime > STALLED:
                    yield str(path)


def remove(path: str | Path) -> None:
    """Delete a file, and its folder where that is empty now."""
    Path(path).unlink(missing_ok=True)
    try:
        Path(path).parent.rmdir()
    except OSError:  # another file lies in it, or it is gone
        pass
