"""Preparing licensed data: aligned clips with their labels, kept on disk; what is missing is named, never skipped."""

import errno
import json
import os
import shutil
import time
import warnings
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import stand_ins
from stand_ins import casme2_row, samm_row, table

from aullm_lite.datasets import DATA_SETS, Policy, load, prepare, preparing, store, to_clips
from aullm_lite.datasets.crops import _scaled, crop_clip
from aullm_lite.errors import InputError
from aullm_lite.faces import FaceFinder, face_transform
from aullm_lite.facs import CD6ME_AUS
from aullm_lite.synth.dataset import make_clips, tier_recipe
from aullm_lite.synth.export import write_dataset

SIZE = dict(subjects=2, clips=2, tier="easy", seed=70)


def loaded(folder, name, rows, **options):
    table(folder / "table.xlsx", [stand_ins.HEADERS[name], *rows])
    return again(folder, name, **options)


def again(folder, name, **options):
    """The same table, untouched."""
    return load(DATA_SETS[name], annotations=folder / "table.xlsx", root=folder, **options)


def ramp(folder, pattern, numbers, side=16):
    """Grey pictures whose brightness is their number, and their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        cv2.imwrite(str(folder / pattern.format(number)), np.full((side, side), number, np.uint8))
    return folder


def casme2_set(folder, subjects=(90, 91), clips=("a", "b"), numbers=range(1, 41)):
    """Two people with two clips each, grey in every frame."""
    for subject in subjects:
        for clip in clips:
            ramp(folder / "CASME2_RAW" / f"sub{subject}" / clip, "img{}.png", numbers)
    return [casme2_row(subject, clip, 11, 20, 36, "4+L12") for subject in subjects for clip in clips]


@pytest.fixture(autouse=True)
def no_surprises():
    """A warning that a test does not ask for is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.filterwarnings("ignore", "No face was found|Crops of faces")
        yield


@pytest.fixture
def blind(monkeypatch):
    """A detector that sees no face anywhere, and counts how often it looks."""
    finder = SimpleNamespace(looks=0, find=lambda rgb: setattr(finder, "looks", finder.looks + 1) or [])
    monkeypatch.setattr(preparing, "_finder", lambda: finder)
    return finder


# Records


def test_a_record(tmp_path, blind):
    data = loaded(tmp_path, "casme2", casme2_set(tmp_path))
    records = prepare(data, cache=tmp_path / "cache")
    assert records["id"] == [f"casme2/{s}/{c}" for s in (90, 91) for c in "ab"] and records["row"] == [2, 3, 4, 5]
    record = records[3]
    assert (record["person"], record["subject"], record["clip"], record["emotion"]) == (
        "casme2/91",
        "91",
        "b",
        "others",
    )
    assert (record["onset"], record["apex"], record["offset"], record["fps"]) == (11, 20, 36, 200)
    assert (record["onset_s"], record["apex_s"], record["offset_s"]) == (0, 9 / 200, 25 / 200)
    assert (record["aus"], record["au_unknown"], record["apex_source"]) == ([4, 12], False, "table")
    assert record["flags"] == ["no_face_found"] and record["version"] == "unknown"
    assert (record["frames_shape"], record["pair_shape"]) == ([6, 64, 64], [2, 128, 128])


def test_six_frames_lie_evenly_in_time(tmp_path, blind):
    clips = to_clips(prepare(loaded(tmp_path, "casme2", casme2_set(tmp_path)), cache=tmp_path / "cache"), (12, 1, 4))
    assert clips.clips.shape == (4, 6, 64, 64) and clips.pairs.shape == (4, 2, 128, 128)
    assert clips.clips[0, :, 9, 9].tolist() == [11, 16, 21, 26, 31, 36] and clips.clips[0].std((1, 2)).max() == 0
    assert clips.pairs[0, :, 5, 5].tolist() == [11, 20]
    assert clips.labels.tolist() == [[1, 0, 1]] * 4 and clips.labels.dtype == np.float32 and clips.aus == (12, 1, 4)
    assert clips.subjects.tolist() == ["casme2/90"] * 2 + ["casme2/91"] * 2 and clips.ids[0] == "casme2/90/a"


def test_gaps_are_bridged_in_time_and_said(tmp_path, blind):
    ramp(tmp_path / "SAMM" / "900" / "900_1_1", "900_{:05d}.jpg", [10, 20, 22, 40, 41, 42, 43, *range(50, 61)], 64)
    ramp(tmp_path / "SAMM" / "900" / "900_1_2", "900_{:05d}.jpg", [10, 30, *range(40, 61)])
    data = loaded(tmp_path, "samm", [samm_row("900_1_1", 40, 45, 60), samm_row("900_1_2", 30, 45, 60)])
    with pytest.warns(UserWarning, match="2 clips lack some of their frames"):
        clips = to_clips(prepare(data, cache=tmp_path / "cache"), CD6ME_AUS)
    assert clips.clips[0, :, 9, 9].tolist() == [40, 44, 48, 52, 56, 60]  # 44 and 48 are mixed of 43 and 50
    assert clips.clips[1, :, 9, 9].tolist() == [30, 36, 42, 48, 54, 60]


def test_few_frames_are_mixed(tmp_path, blind):
    ramp(tmp_path / "Part_A_ME_clip" / "frame" / "spNo.91_a_10", "{}.png", [10, 20, 30])
    row = ["spNO.91", "a", "10", "20", "30", "4", "I", "fear"]
    data = loaded(tmp_path, "casme3", [row])
    with pytest.raises(InputError, match="has only 3 of its 21 frames"):
        prepare(data, cache=tmp_path / "cache")
    ramp(tmp_path / "Part_A_ME_clip" / "frame" / "spNo.91_a_10", "{}.png", [11, 12])
    row = ["spNO.91", "a", "10", "11", "12", "4", "I", "fear"]
    clips = to_clips(prepare(loaded(tmp_path, "casme3", [row]), cache=tmp_path / "cache"), CD6ME_AUS)
    assert clips.clips[0, :, 9, 9].tolist() == [10, 10, 11, 11, 12, 12]  # 10.4 and 11.6, in whole grey values


def test_without_a_face_the_whole_picture_is_taken(tmp_path, blind):
    folder = tmp_path / "Cropped" / "sub90" / "a"
    folder.mkdir(parents=True)
    picture = np.zeros((40, 80), np.uint8)
    picture[:, 40:] = 200
    for number in range(1, 9):
        cv2.imwrite(str(folder / f"reg_img{number}.png"), picture)
    data = loaded(tmp_path, "casme2", [casme2_row(90, "a", 1, 4, 8)])
    with pytest.warns(UserWarning, match="No face was found in 1 clips"):
        records = prepare(data, cache=tmp_path / "cache")
    clip = to_clips(records, CD6ME_AUS).clips[0, 0]
    assert (clip[:, :31] == 0).all() and (clip[:, 33:] == 200).all() and blind.looks == 2
    assert records[0]["flags"] == ["no_face_found"]


def test_masked_cells_are_left_out_of_clips(tmp_path, blind):
    rows = casme2_set(tmp_path)
    rows[1][7] = "?"
    for choice, known in (("zero", 4), ("mask", 3)):
        data = loaded(tmp_path, "casme2", rows, policy=Policy(unknown_cell=choice))
        records = prepare(data, cache=tmp_path / "cache")
        assert records["au_unknown"] == [False, True, False, False] and len(to_clips(records, (4,))) == known
    with pytest.raises(InputError, match="No record has AUs that are known"):
        to_clips(records.select([1]), (4,))


EVERY = {
    "4dme": ("4DMicro/gray_micro/90/a/{}.png", [90, "a", "Surprise+Positive", 1, 5, 9, "AU4", 0, 0, 1, 1, 0]),
    "casme": ("Cropped/sub90/EP01_12/reg_EP01_12-{}.png", [90, "EP01_12", None, 1, 5, 6, 9, None, 1, 1, "4", "x"]),
    "mmew": (
        "MMEW_Final/Micro_Expression/disgust/S90-03-001/{}.png",
        ["S90", "S90-03-001", 1, 5, 9, "4", "disgust", None],
    ),
    "casme3": ("part_A/spNO.90/a/color/{}.png", ["spNO.90", "a", "1", "5", "9", "4", "I", "disgust"]),
}


@pytest.mark.parametrize("name", EVERY)
def test_every_data_set_goes_the_same_way(tmp_path, blind, name):
    pattern, row = EVERY[name]
    ramp((tmp_path / pattern).parent, pattern.rpartition("/")[2], range(1, 10))
    records = prepare(loaded(tmp_path, name, [row]), cache=tmp_path / "cache")
    clips = to_clips(records, (4, 1))
    assert clips.clips[0, 0, 0, 0] == 1 and clips.clips[0, -1, 0, 0] == 9 and clips.labels.tolist() == [[1, 0]]
    assert clips.ids[0].startswith(f"{name}/90/") and clips.ids[0].endswith(
        "/a/1" if name == "casme3" else clips.ids[0]
    )


def test_events_of_one_recording_have_their_own_ids(tmp_path, blind):
    ramp(tmp_path / "part_A" / "spNO.90" / "a" / "color", "{}.png", range(1, 40))
    ramp(tmp_path / "part_A" / "spNO.90" / "b" / "color", "{}.png", range(1, 40))  # a recording without an event
    rows = [["spNO.90", "a", str(n), str(n + 3), str(n + 9), "4", "I", "fear"] for n in (1, 5, 20)]
    records = prepare(loaded(tmp_path, "casme3", rows), cache=tmp_path / "cache")
    assert records["id"] == ["casme3/90/a/1", "casme3/90/a/5", "casme3/90/a/20"]


def test_equal_subject_numbers_of_two_data_sets(tmp_path, blind):
    one, two = tmp_path / "one", tmp_path / "two"
    ramp(one / "4DMicro" / "gray_micro" / "90" / "a", "{}.png", range(1, 10))
    first = prepare(loaded(one, "4dme", [EVERY["4dme"][1]]), cache=tmp_path / "cache")
    second = prepare(loaded(two, "casme2", casme2_set(two)), cache=tmp_path / "cache")
    names = {path.name.rpartition("-")[0] for path in (tmp_path / "cache").iterdir()}
    assert names == {"4dme-90", "casme2-90", "casme2-91"}
    assert not set(first["person"]) & set(second["person"]) and not set(first["id"]) & set(second["id"])


# What is wrong is named


def spoil(tmp_path, kind, rows):
    """One fault of each kind, and what is said about it."""
    folder = tmp_path / "CASME2_RAW" / "sub91" / "b"
    if kind == "no folder":
        shutil.rmtree(folder)
        return r"91/b \(row 5\) has no folder of frames"
    if kind == "no frames":
        for number in range(11, 37):
            (folder / f"img{number}.png").unlink()
        return r"91/b \(row 5\) has no frame between its onset and its offset"
    if kind == "most frames gone":
        for number in range(13, 33):
            (folder / f"img{number}.png").unlink()
        return r"91/b \(row 5\) has only 6 of its 26 frames"
    if kind == "empty picture":
        (folder / "img11.png").write_bytes(b"")
        return r"91/b \(row 5\): sub91/b/img11.png is empty, or no picture"
    if kind == "half a picture":
        content = (folder / "img36.png").read_bytes()
        (folder / "img36.png").write_bytes(content[: len(content) // 2])
        return r"91/b \(row 5\): sub91/b/img36.png is empty, or no picture"
    if kind == "a dangling link":
        (folder / "img20.png").unlink()
        (folder / "img20.png").symlink_to(tmp_path / "nowhere")
        return r"91/b \(row 5\): sub91/b/img20.png cannot be read \(No such file"
    if kind == "another size":
        ramp(folder, "img{}.png", [36], side=20)
        return r"sub91/b/img36.png has 20x20 pixels, the clip's first frame 16x16"
    if kind == "window":
        rows[3][3:6] = [30, 20, 11]
        return r"91/b \(row 5\) does not end after its onset"
    if kind == "no onset":
        rows[3][3] = "/"
        return "91/b has no onset or no offset"
    if kind == "doubled row":
        rows.insert(3, list(rows[3]))
        return r"91/b \(row 5\) stands in more than one row"
    if kind == "two copies":
        shutil.copytree(folder, tmp_path / "CASME2_RAW" / "copy" / "sub91" / "b")
        return r"91/b \(row 5\) has more than one folder"
    ramp(tmp_path / "CASME2_RAW" / "sub92" / "c", "img{}.png", [1, 2])
    return "1 folders of frames have no row: sub92/c"


FAULTS = ["no folder", "no frames", "most frames gone", "empty picture", "half a picture", "a dangling link"]
FAULTS += ["another size", "window", "no onset", "doubled row", "two copies", "no row"]


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_stops_at_the_end_or_is_left_out(tmp_path, blind, kind):
    rows = casme2_set(tmp_path)
    sentence = spoil(tmp_path, kind, rows)
    data = loaded(tmp_path, "casme2", rows)
    for _ in range(2):  # what is kept remembers what was wrong
        with pytest.raises(InputError, match=sentence) as error:
            prepare(data, cache=tmp_path / "cache")
        assert str(error.value).endswith("with --incomplete (incomplete=True).") and "table.xlsx" in str(error.value)
        assert len(list((tmp_path / "cache").iterdir())) == 2
    looks = blind.looks
    with pytest.warns(UserWarning, match=sentence):
        records = prepare(data, cache=tmp_path / "cache", incomplete=True)
    assert blind.looks == looks and len(records) == (4 if kind == "no row" else 3)


def test_a_folder_that_only_the_old_list_names_is_said_and_does_not_stop(tmp_path, blind):
    rows = casme2_set(tmp_path)
    ramp(tmp_path / "CASME2_RAW" / "sub24" / "EP02_07", "img{}.png", [1, 2])
    data = loaded(tmp_path, "casme2", rows)
    assert len(prepare(data, cache=tmp_path / "cache")) == 4
    assert "1 folders of frames have no row: sub24/EP02_07." in data.warnings
    ramp(tmp_path / "CASME2_RAW" / "sub25" / "EP02_07", "img{}.png", [1, 2])  # the same name of another person
    with pytest.raises(InputError, match="have no row: sub25/EP02_07: mend"):
        prepare(again(tmp_path, "casme2"), cache=tmp_path / "cache")


def test_many_problems_are_counted(tmp_path, blind):
    rows = casme2_set(tmp_path, clips=("a", "b", "c", "d"))
    shutil.rmtree(tmp_path / "CASME2_RAW" / "sub91")
    rows += [casme2_row(92, "a", 11, 20, 36), casme2_row(92, "b", 11, 20, 36)]
    with pytest.raises(InputError, match="not complete, 6 problems with .*; and 1 more: mend this"):
        prepare(loaded(tmp_path, "casme2", rows), cache=tmp_path / "cache")


def test_nothing_is_left(tmp_path, blind):
    rows = casme2_set(tmp_path, subjects=(90,), clips=("a",))
    for path in (tmp_path / "CASME2_RAW" / "sub90" / "a").iterdir():
        path.write_bytes(b"")
    data = loaded(tmp_path, "casme2", rows)
    with pytest.warns(UserWarning, match="img11.png"), pytest.raises(InputError, match="no clip that can be prepared"):
        prepare(data, cache=tmp_path / "cache", incomplete=True)
    with pytest.raises(InputError, match="need their frames: give the folder as --root"):
        prepare(load(DATA_SETS["casme2"], annotations=tmp_path / "table.xlsx"))


@pytest.mark.parametrize("name", ["CASME2_RAW.zip", "CASME2-RAW.part1.rar", "frames.7z.001", "raw.tar.gz", "RAW.TGZ"])
def test_archives_are_to_be_unpacked(tmp_path, blind, name):
    for place in (tmp_path, tmp_path / "CASME2_RAW"):
        place.mkdir(exist_ok=True)
        (place / name).write_bytes(b"x")
        with pytest.raises(InputError, match=f"archives where frames are expected: unpack {name} first"):
            loaded(tmp_path, "casme2", [casme2_row(90, "a", 1, 5, 9)])


def test_some_are_still_packed(tmp_path, blind):
    rows = casme2_set(tmp_path)
    shutil.rmtree(tmp_path / "CASME2_RAW" / "sub91")
    (tmp_path / "CASME2_RAW" / "sub91.zip").write_bytes(b"x")
    with pytest.raises(InputError, match=r"91/b \(row 5\) has no folder of frames; .* unpack sub91.zip first"):
        prepare(loaded(tmp_path, "casme2", rows), cache=tmp_path / "cache")


@pytest.mark.parametrize("below", [".", "set", "set/CASME2_RAW"])
def test_a_root_too_high_or_too_low_makes_the_same_clips(tmp_path, blind, below):
    rows = casme2_set(tmp_path / "set")
    path = table(tmp_path / "table.xlsx", [stand_ins.CASME2, *rows])
    data = load(DATA_SETS["casme2"], annotations=path, root=tmp_path / below)
    records = prepare(data, cache=tmp_path / "cache")
    assert len(records) == 4 and any("--root lies" in warning for warning in data.warnings) == (below != "set")


# What is kept


def test_nothing_is_read_again(tmp_path, blind, monkeypatch):
    rows = casme2_set(tmp_path)
    first = prepare(loaded(tmp_path, "casme2", rows), cache=tmp_path / "cache")
    monkeypatch.setattr(preparing, "crop_clip", lambda *a: pytest.fail("a picture was read"))
    assert prepare(again(tmp_path, "casme2"), cache=tmp_path / "cache").to_dict() == first.to_dict()
    moved = tmp_path / "moved"
    moved.mkdir()
    shutil.copytree(tmp_path / "CASME2_RAW", moved / "CASME2_RAW")  # which keeps the times of files
    shutil.copy(tmp_path / "table.xlsx", moved)
    assert prepare(again(moved, "casme2"), cache=tmp_path / "cache").to_dict() == first.to_dict()


def test_the_default_place(tmp_path, blind, monkeypatch):
    monkeypatch.setenv("AULLM_CACHE", str(tmp_path / "user"))
    prepare(loaded(tmp_path, "casme2", casme2_set(tmp_path)))
    assert len(list((tmp_path / "user" / "clips").glob("casme2-9?-*.parquet"))) == 2


def test_crops_of_faces_are_closed_to_others_and_said_once(tmp_path, blind):
    data, cache = loaded(tmp_path, "casme2", casme2_set(tmp_path)), tmp_path / "user" / "clips"
    for mode in ("always", "error"):  # the second time nothing is made
        with warnings.catch_warnings(record=mode == "always") as said:
            warnings.filterwarnings(mode, "Crops of faces")
            prepare(data, cache=cache)
        if said:
            (about,) = [warning for warning in said if "Crops" in str(warning.message)]
            assert str(cache) in str(about.message) and "delete these files at any time" in str(about.message)
            assert about.filename == __file__
    assert cache.stat().st_mode & 0o777 == 0o700
    os.chmod(cache, 0o750)  # a folder that is there is its owner's to open
    prepare(data, cache=cache)
    assert cache.stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize("change", ["touched", "content", "table", "policy", "fps", "format"])
def test_a_change_makes_clips_anew(tmp_path, blind, monkeypatch, change):
    rows = casme2_set(tmp_path)
    prepare(loaded(tmp_path, "casme2", rows), cache=tmp_path / "cache")
    before, options = blind.looks, {}
    picture = tmp_path / "CASME2_RAW" / "sub91" / "b" / "img11.png"
    if change == "touched":
        os.utime(picture, ns=(1, 1))
    elif change == "content":
        cv2.imwrite(str(picture), np.full((16, 16), 200, np.uint8))
    elif change == "table":
        rows[3][5] = 35
        table(tmp_path / "table.xlsx", [stand_ins.CASME2, *rows])
    elif change == "format":
        monkeypatch.setattr(store, "FORMAT", store.FORMAT + 1)
    else:
        options = {"policy": {"policy": Policy(alternatives="all")}, "fps": {"fps": 100}}[change]
    records = prepare(again(tmp_path, "casme2", **options), cache=tmp_path / "cache")
    clips = 2 if change in ("touched", "content") else 4  # of one subject, or of all
    assert blind.looks - before == 2 * clips and records[3]["offset"] == (35 if change == "table" else 36)
    assert to_clips(records, (4,)).clips[3, 0, 0, 0] == (200 if change == "content" else 11)


@pytest.mark.parametrize("damage", [b"", b"PAR1", None])
def test_a_damaged_file_is_made_again(tmp_path, blind, damage):
    data = loaded(tmp_path, "casme2", casme2_set(tmp_path))
    first = prepare(data, cache=tmp_path / "cache")
    path = sorted((tmp_path / "cache").iterdir())[0]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(bytes(content) if damage is None else damage)
    assert prepare(data, cache=tmp_path / "cache").to_dict() == first.to_dict()
    assert store.read(path).num_rows == 2


def test_a_killed_run_goes_on_where_it_was(tmp_path, blind, monkeypatch):
    data = loaded(tmp_path, "casme2", casme2_set(tmp_path))

    def killed(sample, finder):
        if sample.subject == "91":
            raise KeyboardInterrupt
        return crop_clip(sample, finder)

    monkeypatch.setattr(preparing, "crop_clip", killed)
    with pytest.raises(KeyboardInterrupt):
        prepare(data, cache=tmp_path / "cache")
    assert [path.name[:9] for path in (tmp_path / "cache").iterdir()] == ["casme2-90"] and blind.looks == 4
    monkeypatch.setattr(preparing, "crop_clip", crop_clip)
    assert len(prepare(data, cache=tmp_path / "cache")) == 4 and blind.looks == 8
    for name, written in {"old.01234567.partial": 1, "young.01234567.partial": time.time()}.items():
        (tmp_path / "cache" / name).touch()
        os.utime(tmp_path / "cache" / name, (written, written))
    prepare(data, cache=tmp_path / "cache")  # where nothing is written any more
    assert [path.name for path in (tmp_path / "cache").glob("*.partial")] == ["young.01234567.partial"]


def test_a_place_that_cannot_be_written(tmp_path, blind, monkeypatch):
    data = loaded(tmp_path, "casme2", casme2_set(tmp_path))
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(OSError) as error:
        prepare(data, cache=tmp_path / "file")
    assert str(tmp_path / "file") in str(error.value.filename)
    written = []

    def full(file):
        written.append(file)
        if len(written) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("aullm_lite.files.os.fsync", full)
    with pytest.raises(OSError) as error:
        prepare(data, cache=tmp_path / "cache")
    assert error.value.errno == errno.ENOSPC and "casme2-91" in error.value.filename
    assert len(list((tmp_path / "cache").iterdir())) == 1


# People


def test_generated_people_have_names(tmp_path, blind):
    rows = casme2_set(tmp_path)
    names = {"people": {"90": "drawn10000000", "sub91": "drawn10000001"}}
    before = prepare(loaded(tmp_path, "casme2", rows), cache=tmp_path / "cache")
    (tmp_path / "synthme.json").write_text(json.dumps(names))
    records = prepare(loaded(tmp_path, "casme2", rows), cache=tmp_path / "cache")
    assert set(before["person"]) == {"casme2/90", "casme2/91"} and records["subject"] == before["subject"]
    assert to_clips(records, (4,)).subjects.tolist() == ["drawn10000000"] * 2 + ["drawn10000001"] * 2


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"people": []}', '{"people": {"x": "y"}}', '{"people": {"90": 3}}'])
def test_names_that_cannot_be_read(tmp_path, text):
    (tmp_path / "synthme.json").write_text(text)
    rows = casme2_set(tmp_path)
    with pytest.raises(InputError, match="synthme.json does not map subjects to people"):
        loaded(tmp_path, "casme2", rows)
    (tmp_path / "synthme.json").write_text('{"people": {"90": "drawn1"}}')
    with pytest.raises(InputError, match="names no person for subject 91"):
        again(tmp_path, "casme2")


# Faces


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    """A generated data set in the layout of CASME II."""
    root = tmp_path_factory.mktemp("generated") / "set"
    write_dataset(root, **SIZE, form="casme2")
    return root


@pytest.fixture(scope="session")
def generated(tree, tmp_path_factory):
    """Its records, and where they are kept."""
    cache = tmp_path_factory.mktemp("clips")
    with pytest.warns(UserWarning, match="Crops of faces are kept"):
        return prepare(load(DATA_SETS["casme2"], root=tree), cache=cache), cache


def alike(one, two) -> float:
    """Correlation of what is well inside the face.  [..., 64, 64] twice"""
    inner = np.s_[..., 12:56, 12:52]
    return np.corrcoef(one[inner].ravel(), two[inner].ravel())[0, 1]


@pytest.mark.model
class TestGenerated:
    def test_labels_and_movements_are_those_that_were_drawn(self, generated):
        import torch

        from aullm_lite.motion.lucas_kanade import LucasKanadeMotion

        clips, drawn = to_clips(generated[0], CD6ME_AUS), make_clips(2, 2, tier_recipe("easy"), seed=70)
        assert np.array_equal(clips.labels, drawn.labels) and len(set(clips.subjects)) == 2
        assert not any(generated[0]["flags"][i] for i in (0, 1, 2))
        flow = LucasKanadeMotion()
        for row in np.flatnonzero(drawn.labels.any(1)):
            one, two = (flow(torch.tensor(c[row, None] / 255.0).float())[0, :2] for c in (clips.clips, drawn.clips))
            assert alike(one.detach().numpy(), two.detach().numpy()) > 0.7
            assert alike(clips.clips[row, 0], drawn.clips[row, 0]) > 0.8

    def test_one_transform_for_all_frames(self, tree):
        sample, finder = load(DATA_SETS["casme2"], root=tree).samples[0], FaceFinder()
        looks = []
        watched = SimpleNamespace(find=lambda rgb: looks.append(rgb) or finder.find(rgb))
        still = {number: sample.frames[sample.onset] for number in sample.frames}
        clip, pair, found = crop_clip(sample.__class__(**{**vars(sample), "frames": still}), watched)
        assert found and len(looks) == 1 and (clip == clip[0]).all() and (pair == pair[0]).all()
        face = finder.find(looks[0])[0]
        assert np.allclose(_scaled(face_transform(face, 128), 0.5), face_transform(face, 64))

    def test_tight_crops_get_a_margin(self, tree):
        sample, finder = load(DATA_SETS["casme2"], root=tree).samples[0], FaceFinder()
        blinkered = SimpleNamespace(find=lambda rgb: finder.find(rgb) if rgb.shape[0] == 512 else [])
        whole, padded = crop_clip(sample, finder), crop_clip(sample, blinkered)
        assert padded[2] and np.abs(whole[0].astype(int) - padded[0]).mean() < 6

    def test_processes_make_the_same(self, tree, generated, tmp_path, monkeypatch):
        monkeypatch.setattr(preparing, "LARGE", 1)
        records = prepare(load(DATA_SETS["casme2"], root=tree), cache=tmp_path)
        assert records.to_dict() == generated[0].to_dict()
        assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in generated[1].iterdir())
