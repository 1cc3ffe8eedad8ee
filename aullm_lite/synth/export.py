"""SynthME on disk: as Parquet shards (`shards.py`), as plain frames, or in the layout of a licensed data set.

A data set is written to a hidden folder beside its place and moved there when it is whole.
"""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from joblib import delayed
from tqdm.auto import tqdm

from ..errors import InputError
from ..files import appearing, new_folder
from ..processes import processes
from .dataset import check_order, draw_scripts, held_out_seed, tier_recipe
from .drawn import draw_identity
from .identity import Identity
from .licensed import LAYOUTS
from .render import Actor, render
from .script import Script
from .shape import SHAPES, draw_shape, scripts_of
from .shards import draw_shards, read_dataset, script_from_json, script_json, write_hf
from .truth import filmed, truth_rows

__all__ = ["read_dataset", "script_from_json", "script_json", "write_dataset", "write_frames", "write_hf"]

FIRST_SEEDS = {"casme2": held_out_seed(0), "samm": held_out_seed(1)}  # other people in each, for cross-domain runs
FRAME_SIZE, FRAME_EXTENT = 256, 1.5
AT_ONCE = 5  # clips of a person that one process writes in a row


def write_dataset(
    out: str | Path,
    *,
    subjects: int,
    clips: int,
    tier: str,
    seed: int | None = None,
    form: str = "hf",
    photos: str | Path | None = None,
    real_shape: bool = False,
) -> int:
    """Write a data set to a new folder as `hf`, `frames`, `casme2` or `samm`, and return its number of clips.

    It has `clips` clips of each of `subjects` people, or with `real_shape` what CASME II or SAMM has (`shape.py`).
    With `photos` the people are the photographs of that folder.  `seed` is the first person's: by default 0, and for
    `casme2` and `samm`, which are for protocols, the first that no training uses.
    """
    out = new_folder(out)
    if real_shape and form not in SHAPES:
        raise InputError(f"Only {' and '.join(SHAPES)} have a real shape: choose one of them as the format.")
    seed = FIRST_SEEDS.get(form, 0) if seed is None else seed
    check_order(subjects, clips, seed)
    people = _photographs(photos) if photos else None
    if form == "hf":
        people = people or [None] * subjects
        draw_shards(out, people, clips, tier, seed)
        return len(people) * clips
    if real_shape:
        scripts = scripts_of(draw_shape(form, seed), seed, tier)
    else:
        scripts = draw_scripts(len(people) if people else subjects, clips, tier_recipe(tier), seed)
    people = _cast(people, len(scripts))
    with appearing(out) as whole:
        write_tree(whole, people, scripts, tier, seed, form)
    return sum(map(len, scripts))


def _photographs(folder) -> list[Identity]:
    from .photo import folder_photos

    return folder_photos(folder)


def _cast(photos: list[Identity] | None, count: int) -> list[Identity | None]:
    """Who plays: the first photographs, or drawn people (None)."""
    if photos and len(photos) < count:
        raise InputError(f"The real shape has {count} people: give as many photographs, not {len(photos)}.")
    return photos[:count] if photos else [None] * count


def write_tree(
    folder: Path, people: list[Identity | None], scripts: list[list[Script]], tier: str, seed: int, form: str
) -> None:
    """Colour frames at 200 a second, one folder a clip, and a table of the truth in the form's own layout."""
    layout, rows = LAYOUTS[form], truth_rows(people, scripts, seed)
    total = sum(map(len, scripts))
    orders = (
        delayed(_film)(
            folder, person, seed + n, rows[n][k : k + AT_ONCE], scripts[n][k : k + AT_ONCE], form, FRAME_SIZE
        )
        for n, person in enumerate(people)
        for k in range(0, len(scripts[n]), AT_ONCE)
    )
    several = total > 2 * AT_ONCE  # fewer are written before the processes have started
    with tqdm(total=total, desc=f"SynthME as {form}", unit="clip") as progress:
        for done in processes(-1 if several else 1, "generator_unordered")(orders):
            progress.update(done)
    rows = [row for some in rows for row in some]
    layout.table(folder, rows)
    if layout.subject:
        people = {layout.subject(row): row["person"] for row in rows}
        about = {"people": people, "tier": tier, "seed": seed, "generator": "SynthME"}
        (folder / "synthme.json").write_text(json.dumps(about, indent=1) + "\n")


def _film(folder: Path, person: Identity | None, seed: int, rows: list[dict], scripts, form: str, size: int) -> int:
    """Write the frames of some of a person's clips, and return how many clips those are."""
    layout, actor = LAYOUTS[form], Actor(person or draw_identity(seed), seed)
    for row, script in zip(rows, scripts):
        write_frames(folder / layout.folder(row), actor, script, lambda n, row=row: layout.frame(row, n), size)
    return len(rows)


def write_frames(folder: Path, actor: Actor, script: Script, name: Callable[[int], str], size: int) -> None:
    """The frames of one clip, numbered from 1."""
    folder.mkdir(parents=True)
    frames = render(actor, filmed(script)[0], size, colour=True, extent=FRAME_EXTENT)
    for number, frame in enumerate((frames * 255 + 0.5).astype(np.uint8), 1):
        path = folder / name(number)
        quality = [cv2.IMWRITE_JPEG_QUALITY, 95] if path.suffix == ".jpg" else []
        path.write_bytes(cv2.imencode(path.suffix, frame[..., ::-1], quality)[1].tobytes())
