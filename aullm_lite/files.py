"""Files appear whole or not at all."""

import os
from pathlib import Path


def write_together(contents: dict[Path, bytes]) -> None:
    """Replace files only after all new ones lie on the disk: a full disk or a kill leaves the old ones whole."""
    for path in contents:
        path.parent.mkdir(parents=True, exist_ok=True)
    partial = {path: path.with_name(f"{path.name}.{os.getpid()}.partial") for path in contents}
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
