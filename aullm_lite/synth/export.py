"""SynthME on disk: as a `datasets` folder, as plain frames, or in the layout of a licensed data set.

A data set is written to a hidden folder beside its place and moved there when it is whole.
"""

import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np
from tqdm.auto import tqdm

from ..clips import ClipSet
from ..errors import InputError
from .dataset import check_order, labels_of, make_clips, tier_recipe
from .drawn import draw_identity
from .identity import Identity
from .render import Actor, render
from .script import Camera, Movement, Script

FPS = 200  # of the licensed data sets
FRAME_SIZE, FRAME_EXTENT = 256, 1.5
NEUTRAL = 0.1  # seconds of stillness before the onset and after the offset


def write_dataset(
    out: str | Path,
    *,
    subjects: int,
    clips: int,
    tier: str,
    seed: int,
    form: str = "hf",
    photos: str | Path | None = None,
) -> None:
    """Write `clips` clips of each of `subjects` people to a new folder, as `hf`, `frames`, `casme2` or `samm`.

    With `photos` the people are the photographs of that folder.
    """
    out = Path(out).resolve()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} exists already: choose a new folder, so that nothing is overwritten.")
    check_order(subjects, clips, seed)
    people = _photographs(photos) if photos else subjects
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as scratch:
        whole = Path(scratch) / "whole"
        whole.mkdir()
        if form == "hf":
            write_hf(whole, make_clips(people, clips, tier_recipe(tier), seed=seed), tier)
        else:
            write_tree(whole, people, clips, tier, seed, form)
        if out.exists():
            out.rmdir()
        whole.rename(out)


def _photographs(folder) -> list[Identity]:
    from .photo import folder_photos

    return folder_photos(folder)


def write_hf(folder: Path, data: ClipSet, tier: str) -> None:
    """A `datasets.Dataset`: frames as bytes with their shape, labels, subject, and the script as the truth."""
    from datasets import Dataset

    def rows():
        for number, (clip, script) in enumerate(zip(data.clips, data.scripts)):
            yield {
                "id": f"{data.subjects[number]}-{number:06d}",
                "subject": str(data.subjects[number]),
                "tier": tier,
                "clip": clip.tobytes(),
                "shape": list(clip.shape),
                "aus": sorted(script.aus),
                "times_s": script.times.tolist(),
                "movements": [asdict(m) for m in script.movements],
                "script": script_json(script),
            }

    Dataset.from_list(list(rows())).save_to_disk(folder)


def read_dataset(folder: str | Path) -> ClipSet:
    """Read what `write_hf` wrote.  Raises `InputError` for any other folder."""
    from datasets import load_from_disk

    try:
        table = load_from_disk(str(folder)).with_format("arrow")[:]
        columns = {name: table.column(name).to_pylist() for name in ("clip", "shape", "subject", "script")}
        scripts = tuple(script_from_json(text) for text in columns["script"])
        clips = [np.frombuffer(clip, np.uint8).reshape(shape) for clip, shape in zip(columns["clip"], columns["shape"])]
        clips = np.stack(clips)
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise InputError(
            f"{folder} holds no data set written by `python -m aullm_lite synth --format hf` ({type(error).__name__})."
        ) from None
    return ClipSet(clips, np.stack([labels_of(script) for script in scripts]), np.array(columns["subject"]), scripts)


def script_json(script: Script) -> str:
    """A script as text; `script_from_json` is its inverse."""
    return json.dumps(asdict(replace(script, times=script.times.tolist())))


def script_from_json(text: str) -> Script:
    values = json.loads(text)
    camera = {name: tuple(v) if isinstance(v, list) else v for name, v in values.pop("camera").items()}
    moving = {name: tuple(Movement(**m) for m in values.pop(name)) for name in ("movements", "others")}
    plain = {name: tuple(v) if isinstance(v, list) and name != "times" else v for name, v in values.items()}
    return Script(**plain | moving | {"times": np.array(plain["times"]), "camera": Camera(**camera)})


def filmed(script: Script) -> tuple[Script, int]:
    """The same event at 200 frames a second with stillness around it, and the number of neutral frames before it."""
    start, end = script.times[0] - NEUTRAL, script.times[-1] + NEUTRAL
    times = start + np.arange(round((end - start) * FPS) + 1) / FPS
    return replace(script, times=times), round(NEUTRAL * FPS)


def truth_row(script: Script) -> dict:
    """Onset, apex and offset (frame numbers from 1) of the clip's event, and its movements.

    The apex is the frame with the largest displacement of all AUs together.
    """
    long, before = filmed(script)
    total = sum((m.amount(long.times) for m in long.movements), np.zeros(len(long.times)))
    last = len(long.times) - before
    apex = int(total.argmax()) + 1 if script.movements else (1 + before + last) // 2
    return {"onset": 1 + before, "apex": apex, "offset": last, "movements": [asdict(m) for m in script.movements]}


def write_tree(folder: Path, people: int | list[Identity], clips: int, tier: str, seed: int, form: str) -> None:
    """Colour frames at 200 a second, one folder a clip, and a table of the truth in the form's own layout."""
    from .licensed import LAYOUTS

    layout, rows = LAYOUTS[form], []
    count = people if isinstance(people, int) else len(people)
    for index in tqdm(range(count), desc=f"SynthME as {form}", unit="person"):
        identity = draw_identity(seed + index) if isinstance(people, int) else people[index]
        actor = Actor(identity, seed + index)
        for number in range(clips):
            script = tier_recipe(tier)(np.random.default_rng((seed + index, number)))
            row = truth_row(script) | {"subject": index, "clip": number, "person": identity.subject}
            write_frames(folder / layout.folder(row), actor, script, lambda n, row=row: layout.frame(row, n))
            rows.append(row)
    layout.table(folder, rows)


def write_frames(folder: Path, actor: Actor, script: Script, name: Callable[[int], str]) -> None:
    """The frames of one clip, numbered from 1."""
    folder.mkdir(parents=True)
    frames = render(actor, filmed(script)[0], FRAME_SIZE, colour=True, extent=FRAME_EXTENT)
    for number, frame in enumerate((frames * 255 + 0.5).astype(np.uint8), 1):
        path = folder / name(number)
        quality = [cv2.IMWRITE_JPEG_QUALITY, 95] if path.suffix == ".jpg" else []
        path.write_bytes(cv2.imencode(path.suffix, frame[..., ::-1], quality)[1].tobytes())
