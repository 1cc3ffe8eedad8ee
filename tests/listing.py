"""What lies in a folder, but locks: whether the file of one stays is up to the library that holds it."""

from pathlib import Path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def everything(folder: Path) -> list[str]:
    """With all that is inside, by path."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix != ".lock")
