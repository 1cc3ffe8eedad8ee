"""Damaged and invented files in their hundreds; `.github/fuzz.py` goes on where this ends."""

import json
from dataclasses import fields

import fuzzed
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripts import script

from aullm_lite.config import PRESETS, AULLMConfig
from aullm_lite.errors import InputError

NAMES = [field.name for field in fields(AULLMConfig)]
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([*PRESETS, "random", ""])
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2))
WORDS = [
    "4",
    "AU12",
    "L10",
    "R14a",
    " or ",
    "+",
    "(",
    ")",
    "?",
    "ref(",
    "/",
    "9" * 9,
    "0",
    "17.0",
    "1e400",
    "nan",
    "　",
    "\n",
]
CELLS = st.lists(st.text() | st.lists(st.sampled_from(WORDS), max_size=6).map("".join), min_size=8, max_size=12)


def few(examples: int):
    """The same examples on every machine and every day."""
    slow = (HealthCheck.too_slow, HealthCheck.data_too_large)
    return settings(max_examples=examples, derandomize=True, database=None, deadline=None, suppress_health_check=slow)


def damaged(name: str, kind: int | None = None) -> st.SearchStrategy[bytes]:
    """A good file, of a kind, with some bytes exchanged, put in or taken out, and cut short."""
    edits = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 8), st.binary(max_size=8)), max_size=6)
    good = [seed for seed in fuzzed.seeds(name) if kind in (None, seed[0])]
    return st.builds(_edited, st.sampled_from(good), edits, st.just(1) | st.floats(0, 1))


def _edited(content: bytes, edits: list, length: float) -> bytes:
    for where, out, new in edits:
        at = 1 + int(where * len(content))  # the first byte chooses what is read
        content = content[:at] + new + content[at + out :]
    return content[: 1 + int(length * len(content))]


@pytest.mark.parametrize("name", fuzzed.TARGETS)
def test_good_files_are_read(name, monkeypatch):
    """Else all the others could be refused, and nobody would notice."""
    read = []
    monkeypatch.setattr(fuzzed, "answer", lambda reader, *args, **options: read.append(reader(*args, **options)))
    for seed in fuzzed.seeds(name):
        fuzzed.TARGETS[name](seed)
    assert len(read) == len(fuzzed.seeds(name))


OPEN = []


def leaves_a_file(place):
    (place / "left").touch()


def leaves_it_open(place):
    OPEN.append(open(place / "clip.mp4"))


def says_two_lines(place):
    raise InputError("This is one line.\nThis is another.")


def raises_something_else(place):
    raise KeyError("clip")


@pytest.mark.parametrize("reader", [leaves_a_file, leaves_it_open, says_two_lines, raises_something_else])
def test_what_a_reader_must_not_do_is_noticed(reader):
    with pytest.raises((AssertionError, KeyError)), fuzzed.folder() as place:
        (place / "clip.mp4").touch()
        with fuzzed.untouched(place):
            fuzzed.answer(reader, place)


def test_the_long_form_has_the_same_targets_and_writes_findings_once(tmp_path):
    long_form = script("fuzz")
    assert long_form.NAMES == (*fuzzed.TARGETS,)
    for data in (b"first", b"second"):
        try:
            raises_something_else(tmp_path)
        except KeyError as error:
            long_form.record(error, data, tmp_path / "config")
    (found,) = (path for path in tmp_path.iterdir() if not path.suffix)
    assert found.read_bytes() == b"first" and "KeyError: 'clip'" in found.with_suffix(".txt").read_text()


@few(300)
@given(st.dictionaries(st.sampled_from(NAMES) | st.text(), VALUES, max_size=4) | VALUES)
def test_settings_of_any_kind(values):
    fuzzed.config(json.dumps(values).encode())


@few(200)
@given(st.binary() | damaged("config"))
def test_damaged_settings(content):
    fuzzed.config(content)


@few(40)
@given(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=2))
def test_a_checkpoint_with_settings_of_any_kind(changes):
    values = json.loads(fuzzed.good_checkpoint()[0]) | changes
    fuzzed.checkpoint(b"\0" + json.dumps(values).encode())


@few(40)
@given(damaged("checkpoint") | st.binary().map(b"\2".__add__))
def test_a_damaged_checkpoint(content):
    fuzzed.checkpoint(content)


@few(20)
@given(st.binary(min_size=200, max_size=400))
def test_weights_with_other_bytes(content):
    fuzzed.checkpoint(b"\3" + content)


@few(100)
@given(st.integers(0, 2), st.lists(CELLS, min_size=1, max_size=5))
def test_tables_of_any_cells(data_set, rows):
    fuzzed.tables(bytes([0, data_set]) + "\n".join("\t".join(row) for row in rows).encode(errors="replace"))


@few(100)
@given(damaged("tables", kind=1))
def test_damaged_tables(content):
    fuzzed.tables(content)


@few(100)
@given(damaged("tables"))
def test_tables_with_a_damaged_member(content):
    fuzzed.tables(content)


@few(150)
@given(damaged("videos") | st.binary())
def test_damaged_videos_and_pictures(content):
    fuzzed.videos(content)
