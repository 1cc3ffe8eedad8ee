"""SynthME on disk: each form holds what was drawn, and can be read as its readers will read it."""

import json
import re

import numpy as np
import openpyxl
import pytest
from datasets import IterableDataset, load_dataset
from listing import names

from aullm_lite.datasets import DATA_SETS, load
from aullm_lite.errors import InputError
from aullm_lite.synth import export, shards
from aullm_lite.synth.dataset import make_clips, tier_recipe
from aullm_lite.synth.export import read_dataset, script_from_json, script_json, write_dataset
from aullm_lite.synth.truth import truth_row
from aullm_lite.video import open_video

SIZE = dict(subjects=2, clips=3, tier="standard", seed=70)


def rows_of(path, header_row: int):
    book = openpyxl.load_workbook(path)
    table = list(book.active.iter_rows(min_row=header_row, values_only=True))
    return table[0], table[1:]


def numbers(cell) -> set[int]:
    return {int(n) for n in re.findall(r"\d+", str(cell or ""))} if cell != "?" else set()


@pytest.fixture
def small(monkeypatch):
    """Small frames, where the layout is tested and not the drawing."""
    monkeypatch.setattr(export, "FRAME_SIZE", 16)


def test_hf_round_trip(tmp_path):
    write_dataset(tmp_path / "set", **SIZE)
    read, drawn = read_dataset(tmp_path / "set"), make_clips(2, 3, tier_recipe("standard"), seed=70)
    assert np.array_equal(read.clips, drawn.clips) and np.array_equal(read.labels, drawn.labels)
    assert list(read.subjects) == list(drawn.subjects)
    assert [script_json(s) for s in read.scripts] == [script_json(s) for s in drawn.scripts]


def test_script_text_round_trip(clips):
    for script in clips.scripts[:10]:
        assert script_json(script_from_json(script_json(script))) == script_json(script)
        assert script_from_json(script_json(script)).aus == script.aus


def test_frames_and_truth(tmp_path):
    write_dataset(tmp_path / "set", **SIZE | {"clips": 1}, form="frames")
    truth = json.loads((tmp_path / "set" / "truth.json").read_text())
    row = truth["clips"][0]
    folder = tmp_path / "set" / row["person"] / "000"
    frames = list(open_video(folder, fps=truth["fps"]).frames())
    assert frames[0].rgb.shape == (256, 256, 3) and row["onset"] < row["apex"] < row["offset"] < len(frames)


def test_apex_is_where_the_skin_is_farthest(clips):
    script = next(
        s for s in make_clips(1, 8, tier_recipe("standard", none=0.0), seed=3).scripts if len(s.movements) == 1
    )
    row, movement = truth_row(script), script.movements[0]
    start = script.times[0] - 0.1
    assert abs((row["apex"] - 1) / 200 + start - movement.apex) <= 0.006


def test_casme2_layout(tmp_path, small):
    write_dataset(tmp_path / "set", **SIZE, form="casme2")
    header, rows = rows_of(tmp_path / "set" / "CASME2-coding-20190701.xlsx", 1)
    assert header == (
        "Subject",
        "Filename",
        None,
        "OnsetFrame",
        "ApexFrame",
        "OffsetFrame",
        None,
        "Action Units",
        "Estimated Emotion",
        "Objective Classes",
    )
    data = make_clips(2, 3, tier_recipe("standard"), seed=70)
    for row, script in zip(rows, data.scripts, strict=True):
        files = list((tmp_path / "set" / "CASME2_RAW" / "CASME2-RAW" / f"sub{row[0]}" / row[1]).glob("img*.jpg"))
        assert len(files) >= row[5] and numbers(row[7]) == {m.au for m in script.movements}
        assert row[4] == "/" or row[3] < row[4] <= row[5]


def test_samm_layout(tmp_path, small):
    write_dataset(tmp_path / "set", **SIZE, form="samm")
    header, rows = rows_of(tmp_path / "set" / "SAMM_Micro_FACS_Codes_v2.xlsx", 14)
    assert header[:6] == ("Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame", "Offset Frame")
    for row in rows:
        assert row[1].startswith(str(row[0])) and str(row[6]).startswith("=")
        folder = tmp_path / "set" / "SAMM" / str(row[0]) / row[1]
        assert all((folder / f"{row[0]}_{frame:05d}.jpg").is_file() for frame in (row[3], row[4], row[5]))


@pytest.mark.parametrize(
    "form, known, seed", [("casme2", ("90", "91"), 10_000_000), ("samm", ("900", "901"), 10_010_000)]
)
def test_a_tree_in_the_real_shape(tmp_path, monkeypatch, small, form, known, seed):
    """A small shape stands in: its clips are written, read by the loader, and everybody is named."""
    monkeypatch.setattr(export, "draw_shape", lambda name, seed: [(0, (4, 7)), (1, ()), (1, (12,))])
    assert write_dataset(tmp_path / "set", **SIZE | {"seed": None}, form=form, real_shape=True) == 3
    about = json.loads((tmp_path / "set" / "synthme.json").read_text())
    people = dict(zip(known, (f"drawn{seed}", f"drawn{seed + 1}")))
    assert about == {"people": people, "tier": "standard", "seed": seed, "generator": "SynthME"}
    samples = load(DATA_SETS[form], root=tmp_path / "set").samples
    assert [sample.subject for sample in samples] == [known[0], known[1], known[1]]
    assert [{au.num for au in sample.aus} for sample in samples] == [{4, 7}, set(), {12}]
    assert all(sorted(sample.frames) == list(range(sample.onset, sample.offset + 1)) for sample in samples)


def test_several_processes_write_the_same_tree(tmp_path, monkeypatch, small):
    for name, at_once in (("one", 5), ("two", 1)):
        monkeypatch.setattr(export, "AT_ONCE", at_once)
        write_dataset(tmp_path / name, subjects=1, clips=3, tier="easy", seed=5, form="samm")
    files = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*.jp*"))
    assert files and all((tmp_path / "one" / f).read_bytes() == (tmp_path / "two" / f).read_bytes() for f in files)


def test_other_forms_start_where_training_does(tmp_path):
    write_dataset(tmp_path / "set", subjects=1, clips=1, tier="easy")
    assert list(read_dataset(tmp_path / "set").subjects) == ["drawn00000000"]


def test_same_seed_same_files(tmp_path):
    for name in ("one", "two"):
        write_dataset(tmp_path / name, subjects=1, clips=1, tier="easy", seed=5, form="frames")
    files = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*.png"))
    assert files and all((tmp_path / "one" / f).read_bytes() == (tmp_path / "two" / f).read_bytes() for f in files)


def test_bad_places(tmp_path, monkeypatch):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        write_dataset(tmp_path / "full", **SIZE)
    with pytest.raises(InputError, match="at least one"):
        write_dataset(tmp_path / "new", subjects=0, clips=3, tier="easy", seed=0)
    with pytest.raises(InputError, match="synth"):
        read_dataset(tmp_path / "full")
    with pytest.raises(InputError, match="Only casme2 and samm"):
        write_dataset(tmp_path / "new", **SIZE, real_shape=True)
    with pytest.raises(InputError, match="as many photographs, not 1"):
        monkeypatch.setattr(export, "_photographs", lambda folder: [None])
        write_dataset(tmp_path / "new", **SIZE, form="samm", photos="me", real_shape=True)
    monkeypatch.undo()
    with pytest.raises(InputError, match="no photographs"):
        write_dataset(tmp_path / "new", **SIZE, photos=tmp_path / "full")


def test_a_killed_run_leaves_no_half_data_set(tmp_path, monkeypatch, small):
    monkeypatch.setattr("aullm_lite.synth.export.write_tree", lambda *a: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_dataset(tmp_path / "set", **SIZE, form="frames")
    assert names(tmp_path) == []


# Parquet shards


@pytest.fixture
def shards_of(monkeypatch):
    """Small files, and how often one is drawn."""
    drawn, render = [], shards.render_people

    def smaller(size):
        monkeypatch.setattr(shards, "SHARD", size)
        monkeypatch.setattr(shards, "render_people", lambda *some, **more: drawn.append(1) or render(*some, **more))
        return drawn

    return smaller


@pytest.mark.parametrize("size, files", [(4, 2), (2, 3), (1, 6)])  # files end within a person, and at one
def test_several_files_hold_what_one_does(tmp_path, shards_of, size, files):
    shards_of(size)
    write_dataset(tmp_path / "set", **SIZE)
    names = sorted(path.name for path in (tmp_path / "set" / "data").iterdir())
    assert names == [f"train-{n:05d}-of-{files:05d}.parquet" for n in range(files)]
    read, drawn = read_dataset(tmp_path / "set"), make_clips(2, 3, tier_recipe("standard"), seed=70)
    assert np.array_equal(read.clips, drawn.clips) and list(read.subjects) == list(drawn.subjects)
    ids = shards.table(tmp_path / "set", ["id"])["id"].to_pylist()
    assert ids == [f"drawn{70 + n // 3:08d}-{n:06d}" for n in range(6)]


def contents(folder) -> dict:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_killed_run_goes_on_after_its_last_whole_file(tmp_path, monkeypatch, shards_of):
    drawn, write = shards_of(2), shards.write_shard
    write_dataset(tmp_path / "whole", **SIZE)

    def dies(path, *rest):
        if "00002-of" in path.name:
            path.with_name(f"{path.name}.00000000.partial").write_bytes(b"PAR1")
            raise KeyboardInterrupt
        write(path, *rest)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(shards, "write_shard", dies)
        write_dataset(tmp_path / "set", **SIZE)
    assert not (tmp_path / "set").exists()
    with pytest.raises(InputError, match="holds another data set that was begun: delete it, or end it by its own"):
        write_dataset(tmp_path / "set", **SIZE | {"seed": 71})
    drawn.clear()
    write_dataset(tmp_path / "set", **SIZE)
    assert len(drawn) == 1 and contents(tmp_path / "set") == contents(tmp_path / "whole")
    assert names(tmp_path) == ["set", "whole"]


def test_a_missing_file_is_noticed(tmp_path, shards_of):
    shards_of(2)
    write_dataset(tmp_path / "set", **SIZE)
    (tmp_path / "set" / "data" / "train-00001-of-00003.parquet").unlink()
    for read in (read_dataset, lambda folder: next(shards.stream(folder))):
        with pytest.raises(InputError, match="holds 2 of 00003 files: copy the others, too"):
            read(tmp_path / "set")


def test_datasets_streams_it(tmp_path, shards_of, monkeypatch):
    monkeypatch.setattr(shards, "GROUP", 2)
    shards_of(4)
    write_dataset(tmp_path / "set", **SIZE | {"seed": 10_000_070})
    rows = load_dataset(str(tmp_path / "set"), split="test", streaming=True)
    assert isinstance(rows, IterableDataset) and rows.num_shards == 2 and rows.features == shards.features()
    assert [row["id"][-6:] for row in rows] == [f"{n:06d}" for n in range(6)]


def test_a_stream_gives_every_clip_once_in_an_order_of_the_seed(tmp_path, shards_of):
    shards_of(2)
    write_dataset(tmp_path / "set", **SIZE)
    whole = read_dataset(tmp_path / "set")
    plain = list(shards.stream(tmp_path / "set", batch_size=4, buffer=0))
    assert [len(batch) for batch in plain] == [4, 2]
    assert np.array_equal(np.concatenate([batch.clips for batch in plain]), whole.clips)
    assert np.array_equal(np.concatenate([batch.labels for batch in plain]), whole.labels)
    assert plain[1].subjects.tolist() == whole.subjects[4:].tolist() and plain[1].scripts[1].aus == whole.scripts[5].aus

    def order(**options) -> list[int]:
        clips = np.concatenate([b.clips for b in shards.stream(tmp_path / "set", batch_size=4, buffer=3, **options)])
        return [int(np.flatnonzero((whole.clips == clip).all((1, 2, 3)))[0]) for clip in clips]

    orders = [order(seed=seed, epoch=epoch) for seed in range(3) for epoch in range(2)]
    assert all(sorted(one) == list(range(6)) for one in orders) and len({*map(tuple, orders)}) > 3
    assert orders[0] == order(seed=0, epoch=0)


def test_what_earlier_versions_saved_is_still_read(tmp_path):
    write_dataset(tmp_path / "set", **SIZE)
    load_dataset(str(tmp_path / "set"), split="train", cache_dir=str(tmp_path / "cache")).save_to_disk(tmp_path / "old")
    old, new = read_dataset(tmp_path / "old"), read_dataset(tmp_path / "set")
    assert np.array_equal(old.clips, new.clips) and list(old.subjects) == list(new.subjects)
    with pytest.raises(InputError, match="holds no data set written by"):
        next(shards.stream(tmp_path / "nothing"))
