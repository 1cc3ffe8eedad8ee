"""Find the frames of clips on disk.  Names are read, never built: the last number in a file's name is its frame."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..video import pictures
from .cells import subject_id
from .spec import Stream

DEEPEST = 6  # levels below a stream's folder
LEFT_OUT = {"depth", "non_micro"}
INNER = {"color"}  # of CAS(ME)^3: the clip's name is one level above
_ARCHIVE = re.compile(r"\.(zip|rar|7z|tgz|tar(\.[a-z0-9]+)?)(\.[0-9]+)?$", re.IGNORECASE)
_SUBJECT_FOLDER = re.compile(r"(sub|subject|spno\.?|s)?[ _]?[0-9]+", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """Where the frames lie; `note` says so when the given root was a level too high or too low."""

    stream: Stream
    folder: Path
    note: str | None = None


def index_frames(folder: Path) -> tuple[dict[int, Path], list[str]]:
    """{frame number: file} in order, and warnings on files that have no number of their own."""
    frames: dict[int, Path] = {}
    warnings = []
    for path in pictures(folder):
        numbers = re.findall("[0-9]+", path.stem)
        if not numbers:
            warnings.append(f"{path.name} in {folder.name} has no number in its name and was left out.")
        elif frames.setdefault(int(numbers[-1]), path) != path:
            warnings.append(f"{folder.name} holds frame {int(numbers[-1])} twice: {path.name} was left out.")
    return dict(sorted(frames.items())), warnings


def locate(root: str | Path, streams: tuple[Stream, ...]) -> Place:
    """The first of the streams that lies under `root`, also where `root` is a level too high or too low.

    Without any of them the root itself is searched, and trusted like the first.  Raises `InputError` for no folder.
    """
    root = Path(root).resolve()
    if not root.is_dir():
        raise InputError(f"There is no folder {str(root)!r}: check --root.")
    for stream in streams:
        if found := _below(root, stream.path.split("/")):
            return Place(stream, found)
    for stream in streams:
        if found := _above(root, stream.path.split("/")):
            return Place(stream, found, f"--root lies below the data set's own folder: frames are read from {found}.")
    for child in sorted(path for path in root.iterdir() if path.is_dir()):
        for stream in streams:
            if found := _below(child, stream.path.split("/")):
                return Place(stream, found, f"--root lies above the data set's folder {child.name}, which was used.")
    return Place(Stream(".", streams[0].trust), root)


def _below(folder: Path, names: list[str]) -> Path | None:
    for name in names:
        folder = next(
            (p for p in sorted(folder.iterdir()) if p.name.casefold() == name.casefold() and p.is_dir()), None
        )
        if folder is None:
            return None
    return folder


def _above(root: Path, names: list[str]) -> Path | None:
    """The stream's folder where `root` is one of its outer levels, itself, or a level inside."""
    trail = [part.casefold() for part in root.parts]
    wanted = [name.casefold() for name in names]
    for depth in range(len(wanted), 0, -1):
        if trail[-depth:] == wanted[:depth] and (found := _below(root, names[depth:])):
            return found
    return root if trail[-len(wanted) - 1 : -1] == wanted else None


def clip_folders(base: Path) -> Iterator[Path]:
    """Every folder below `base`, or `base` itself, that holds pictures."""
    for place, names, files in os.walk(base):
        level = len(Path(place).relative_to(base).parts)
        names[:] = sorted(n for n in names if n.casefold() not in LEFT_OUT and n[0] != "." and level < DEEPEST)
        if files and pictures(Path(place)):
            yield Path(place)


def archives(base: Path) -> list[str]:
    """Names of the packed files in `base`, beside it, and a few levels below."""
    found = [path.name for path in sorted(base.parent.iterdir()) if path.is_file()]
    for place, names, files in os.walk(base):
        names[:] = sorted(names) if len(Path(place).relative_to(base).parts) < DEEPEST else []
        found += sorted(files)
    return [name for name in dict.fromkeys(found) if _ARCHIVE.search(name) and name[0] != "."]


class ClipIndex:
    """The clip folders of a stream by name; `unused` are those that no row asked for."""

    def __init__(self, base: Path, subject_width: int):
        self._width, self._base = subject_width, base
        self._by_name: dict[str, list[Path]] = {}
        self.unused: dict[Path, None] = {}
        for folder in clip_folders(base):
            self._by_name.setdefault(_name(folder).casefold(), []).append(folder)
            self.unused[folder] = None

    def find(self, names: Iterable[str], subject: str) -> list[Path]:
        """The folders of one clip: one where all is well, none, or copies."""
        folders = [f for name in names for f in self._by_name.get(name.casefold(), ())]
        folders = [f for f in folders if self._subject(f) in (subject, None)]
        for folder in folders:
            self.unused.pop(folder, None)
        return folders

    def key(self, folder: Path) -> tuple[str | None, str]:
        """The subject, where the path names one, and the name of the clip."""
        return self._subject(folder), _name(folder)

    def _subject(self, folder: Path) -> str | None:
        """The subject that the path names, if it does; clip names repeat across subjects."""
        for part in reversed(folder.relative_to(self._base.parent).parts[:-1]):
            if _SUBJECT_FOLDER.fullmatch(part):
                return subject_id(part, self._width)
        return None


def _name(folder: Path) -> str:
    """The name of the clip whose frames lie in a folder."""
    return folder.parent.name if folder.name.casefold() in INNER else folder.name
