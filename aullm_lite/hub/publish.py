"""From what lies here to what the Hub holds: build the folder, then keep it or send it."""

import tempfile
from pathlib import Path

from ..errors import InputError
from .folders import build_checkpoint, build_dataset, write_sums
from .space import CHECKOUT, build_space
from .upload import check_name, check_ready, send

BUILDERS = {  # and what is taken where nothing is named
    "checkpoint": (build_checkpoint, "demo"),
    "dataset": (build_dataset, None),
    "space": (build_space, CHECKOUT),
}


def build(kind: str, source: str | Path | None, out: Path, repo: str) -> None:
    """Write to an empty folder exactly what the repository would hold, with the hashes of all files."""
    check_name(repo)
    builder, usual = BUILDERS[kind]
    if source is None and usual is None:
        raise InputError(f"Name the {kind} by --from FOLDER, as `synth --format hf` wrote it.")
    builder(usual if source is None else source, out, repo)
    write_sums(out)


def publish(kind: str, source: str | Path | None, repo: str, *, private: bool = True, tag: str | None = None) -> str:
    """Build a repository and send it; returns the commit.  Raises `InputError` where that cannot be."""
    check_ready(repo)  # before minutes are spent on the folder
    with tempfile.TemporaryDirectory() as scratch:
        build(kind, source, Path(scratch), repo)
        return send(Path(scratch), repo, kind, private=private, tag=tag)


def publish_model(model, repo: str, *, private: bool = True, tag: str | None = None) -> str:
    """Send a model as it is in memory, without scores; returns the commit."""
    with tempfile.TemporaryDirectory() as scratch:
        model.save_pretrained(scratch)
        return publish("checkpoint", scratch, repo, private=private, tag=tag)
