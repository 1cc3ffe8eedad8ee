"""What every reader must make of any bytes: a right answer or an `InputError` of one sentence, and no file left behind.

Each target takes bytes and raises where that does not hold.  `test_fuzz.py` gives them a few hundred, and
`.github/fuzz.py` as many as there is time for.  The first byte chooses which part of a good file the others replace.
"""

import gc
import io
import json
import math
import os
import re
import struct
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from unittest import mock
from xml.sax.saxutils import escape

import av
import cv2
import numpy as np
import stand_ins
import torch
from sample_report import StillFinder

from aullm_lite import assets
from aullm_lite.checkpoint import CONFIG, WEIGHTS
from aullm_lite.config import AULLMConfig
from aullm_lite.datasets import DATA_SETS, Loaded, load
from aullm_lite.datasets.records import why_lost
from aullm_lite.datasets.summary import as_text, summary
from aullm_lite.errors import InputError
from aullm_lite.model import AULLM
from aullm_lite.video import LARGEST, open_video
from aullm_lite.windows import windows

ROWS = {
    "casme2": [stand_ins.CASME2, stand_ins.casme2_row(90, "EP01_1", 1, 5, 9, "4+L10 or 12", "disgust")],
    "samm": [stand_ins.SAMM, stand_ins.samm_row("006_1_2", 562, 567, 605, "(7B or 43)+4?")],
    "4dme": [stand_ins.FOURDME, ["sub90", "90_1", "Positive", 3, "7", 12.0, "AU1+AU4", 1, 0, 1, 2, "no"]],
}
CODECS = {"mp4": "libx264", "webm": "libvpx", "avi": "mpeg4"}
SHEET = "xl/worksheets/sheet1.xml"
PICTURES = ("png", "jpg", "bmp", "tif")


# --- what must hold ---


def answer(read: Callable, *args, **options):
    """What a reader gives, or None where it refuses as it should."""
    try:
        return read(*args, **options)
    except InputError as error:
        sentence = str(error)
        assert sentence.strip() and len(sentence.splitlines()) == 1 and sentence.encode(), repr(sentence)
        return None


@contextmanager
def folder() -> Iterator[Path]:
    """A folder, also for temporary files, which must hold in the end what was there before the reader came."""
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings(), mock.patch("tempfile.tempdir", scratch):
        warnings.simplefilter("ignore")
        yield Path(scratch)


@contextmanager
def untouched(place: Path) -> Iterator[None]:
    """Nothing in the folder or the working directory changes, and no file stays open."""
    before = _state(place)
    yield
    if _state(place) != before:
        gc.collect()  # FFmpeg's files are closed with the errors that hold them
    assert _state(place) == before, "a file was left behind"


def _state(place: Path) -> tuple:
    files = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
    opened = Path("/proc/self/fd")
    return files, sorted(os.listdir()), len(os.listdir(opened)) if opened.is_dir() else 0


# --- the readers ---


def config(data: bytes) -> None:
    """Settings, as JSON."""
    read = answer(AULLMConfig.from_json, data)
    if read is not None:
        assert AULLMConfig.from_json(read.to_json()) == read
        assert len(read.aus) == len(read.thresholds) == len(read.calibration) == len(read.not_sure)
        assert all(math.isfinite(number) for pair in read.calibration for number in pair)


def checkpoint(data: bytes) -> None:
    """A checkpoint: its settings (0), the head of its weights (1), all of them (2) or single bytes (3) are others."""
    settings, weights = good_checkpoint()
    part, rest = data[:1], data[1:]
    with folder() as place:
        (place / CONFIG).write_bytes(settings if part in (b"\1", b"\2", b"\3") else rest)
        (place / WEIGHTS).write_bytes(_damaged(weights, part, rest))
        with untouched(place), offline():
            model = answer(AULLM.from_pretrained, place)
        if model is not None:
            assert all(torch.isfinite(value).all() for value in model.trained_state().values())
            assert model.probabilities(torch.zeros(1, 6, 64, 64)).shape == (1, len(model.config.aus))


def _damaged(weights: bytes, part: bytes, rest: bytes) -> bytes:
    """Single bytes are a place (four bytes) and what stands there (one), as often as there are any."""
    if part == b"\1":
        return struct.pack("<Q", len(rest)) + rest + weights[8 + weights_head() :]
    if part == b"\3":
        changed = bytearray(weights)
        for at, value in struct.iter_unpack("<IB", rest[: len(rest) // 5 * 5]):
            changed[at % len(changed)] = value
        return bytes(changed)
    return rest if part == b"\2" else weights


@contextmanager
def offline() -> Iterator[None]:
    """No language model but the random one: neither the Hub nor a package index is asked."""
    absent = InputError("No language model is fetched here.")
    with mock.patch.object(assets, "smollm2_folder", side_effect=absent):
        with mock.patch("huggingface_hub.constants.HF_HUB_OFFLINE", True):
            yield


def tables(data: bytes) -> None:
    """An annotation table of bytes: cells in lines and tabs (0), the whole xlsx (1), or one of its members (2 on)."""
    name = (*ROWS,)[data[1] % len(ROWS)] if len(data) > 1 else "casme2"
    part, rest = data[0] if data else 0, data[2:]
    members = sorted(good_table(name))
    with folder() as place:
        path = place / "table.xlsx"
        if part == 0:
            rows = [line.split("\t") for line in rest.decode(errors="replace").split("\n")]
            path.write_bytes(zipped(good_table(name) | {SHEET: sheet([ROWS[name][0], *rows])}))
        elif part == 1:
            path.write_bytes(rest)
        else:
            path.write_bytes(zipped(good_table(name) | {members[part % len(members)]: rest}))
        with untouched(place):
            loaded = answer(load, DATA_SETS[name], annotations=path)
    if loaded is not None:
        check_table(loaded)


def check_table(loaded: Loaded) -> None:
    """What is read can be used, counted and written down."""
    for sample in loaded.samples:
        assert sample.subject and sample.clip and why_lost(sample, frames=False) in (None, *_REASONS)
        assert type(sample.onset) is type(sample.offset) is int and min(sample.onset, sample.offset) >= 0
        assert "bad_window" in sample.flags or sample.onset < sample.apex <= sample.offset
    facts = summary(loaded)
    assert json.dumps(facts, ensure_ascii=False).encode() and as_text(facts).encode()
    assert facts["rows"] >= facts["subjects"] > 0 and facts["rows"] >= len(loaded.samples) >= facts["clips"]


def videos(data: bytes) -> None:
    """A video file (0 to 2: mp4, webm, avi), or a picture among the frames of a folder (3 on: png, jpg, bmp, tif)."""
    part, rest = data[0] % (len(CODECS) + len(PICTURES)) if data else 0, data[1:]
    with folder() as place:
        path = place / f"clip.{(*CODECS, *PICTURES)[part]}"
        path.write_bytes(rest)
        if part >= len(CODECS):
            for number in (2, 3):
                (place / f"clip{number}.bmp").write_bytes(good_picture("bmp"))
            path = path.rename(place / f"clip1{path.suffix}").parent
        with untouched(place):
            answer(watch, path)


def watch(path: Path) -> None:
    """Look at all frames and all windows of at most a minute."""
    times = []
    for frame in open_video(path, longest=60).frames():
        assert frame.rgb.dtype == np.uint8 and frame.rgb.ndim == 3 and frame.rgb.shape[2] == 3
        assert 0 < max(frame.rgb.shape[:2]) <= LARGEST
        times.append(frame.time)
    assert times[0] == 0 and times[-1] <= 60 and (np.diff(times) > 0).all()
    for window in windows(open_video(path, longest=60), StillFinder()):
        assert window.clip.shape == (6, 64, 64) and np.isfinite(window.clip).all() and window.start < window.end


TARGETS = {"config": config, "checkpoint": checkpoint, "tables": tables, "videos": videos}


# --- good files, to begin with ---


def seeds(name: str) -> list[bytes]:
    """What a target reads without complaint; the first byte of each says of what kind it is."""
    if name == "config":
        whole = AULLMConfig.from_preset("smoke").to_json()
        single = [{name: value} for name, value in json.loads(whole).items()]
        return [whole.encode(), *(json.dumps(setting).encode() for setting in single)]
    if name == "checkpoint":
        settings, weights = good_checkpoint()
        return [b"\0" + settings, b"\1" + weights[8 : 8 + weights_head()], b"\2" + weights, b"\3"]
    if name == "videos":
        films = [bytes([part]) + good_video(suffix) for part, suffix in enumerate(CODECS)]
        return films + [bytes([part]) + good_picture(suffix) for part, suffix in enumerate(PICTURES, len(CODECS))]
    return [seed for number, data_set in enumerate(ROWS) for seed in _table_seeds(number, data_set)]


def _table_seeds(number: int, name: str) -> Iterator[bytes]:
    cells = "\t".join("" if cell is None else str(cell) for cell in ROWS[name][1])
    yield bytes([0, number]) + cells.encode()
    yield bytes([1, number]) + zipped(good_table(name))
    members = sorted(good_table(name))
    for index, member in enumerate(members):
        yield bytes([index + len(members), number]) + good_table(name)[member]


@cache
def good_checkpoint() -> tuple[bytes, bytes]:
    """config.json and model.safetensors of the smallest model."""
    with tempfile.TemporaryDirectory() as scratch:
        AULLM(AULLMConfig.from_preset("smoke")).save_pretrained(scratch)
        return (Path(scratch) / CONFIG).read_bytes(), (Path(scratch) / WEIGHTS).read_bytes()


def weights_head() -> int:
    """Bytes of the JSON at the start of the weights."""
    return struct.unpack("<Q", good_checkpoint()[1][:8])[0]


@cache
def good_table(name: str) -> dict[str, bytes]:
    """The members of an xlsx."""
    with tempfile.TemporaryDirectory() as scratch:
        with zipfile.ZipFile(stand_ins.table(Path(scratch) / "t.xlsx", ROWS[name])) as packed:
            return {member: packed.read(member) for member in packed.namelist()}


def zipped(members: dict[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return whole.getvalue()


@cache
def good_video(suffix: str) -> bytes:
    """Two thirds of a second of noise."""
    whole = io.BytesIO()
    with av.open(whole, "w", format=suffix) as container:
        stream = container.add_stream(CODECS[suffix], rate=30)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for picture in np.random.default_rng(0).integers(50, 200, (20, 32, 32, 3), np.uint8):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode())
    return whole.getvalue()


@cache
def good_picture(suffix: str) -> bytes:
    return cv2.imencode(f".{suffix}", np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8))[1].tobytes()


_REASONS = frozenset({"does not end after its onset", "stands in more than one row"})


def sheet(rows: list[list]) -> bytes:
    """A worksheet of cells: what looks like a number is one, and letters that XML cannot hold are left out."""
    start = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    lines = ("".join(map(_cell, row)).join(("<row>", "</row>")) for row in rows)
    return start + "".join(lines).encode() + b"</sheetData></worksheet>"


def _cell(value: object) -> str:
    text = escape("".join(letter for letter in str("" if value is None else value) if letter.isprintable()))
    number = re.fullmatch(r"-?[0-9]+(\.[0-9]*)?(e[0-9]+)?", text)
    return f"<c><v>{text}</v></c>" if number else f'<c t="inlineStr"><is><t>{text}</t></is></c>'
