"""Loading: one invented row for each quirk of each data set, with its repair, and frames where they lie."""

import dataclasses

import pytest
import stand_ins
from stand_ins import casme2_row, frames, samm_row, table

from aullm_lite.datasets import DATA_SETS, Policy, Sample, load
from aullm_lite.datasets.codes import AU, parse_cell
from aullm_lite.datasets.records import apply_fixups
from aullm_lite.datasets.versions import au_counts, name_version
from aullm_lite.errors import InputError
from aullm_lite.facs import CD6ME_AUS


def loaded(tmp_path, name, rows, fixups="neutral", **options):
    path = table(tmp_path / "table.xlsx", [stand_ins.HEADERS[name], *rows])
    return load(DATA_SETS[name], annotations=path, policy=Policy(fixups=fixups), **options)


def window(sample) -> tuple:
    return sample.onset, sample.apex, sample.offset


def about_frames(result) -> list[str]:
    return [w for w in result.warnings if "known counts" not in w]


# Windows of any data set


@pytest.mark.parametrize(
    "apex, repaired, source, flags",
    [
        (15, 15, "table", ()),
        (20, 20, "table", ("apex_at_offset",)),
        (11, 11, "table", ("apex_near_onset",)),
        (10, 15, "midpoint", ("apex_outside",)),  # 05/EP09_05f: apex = onset
        (9, 15, "midpoint", ("apex_outside",)),
        (21, 15, "midpoint", ("apex_outside",)),
        ("/", 15, "midpoint", ("apex_missing",)),
        (" ", 15, "midpoint", ("apex_missing",)),
        (None, 15, "midpoint", ("apex_missing",)),
    ],
)
def test_the_apex(tmp_path, apex, repaired, source, flags):
    result = loaded(tmp_path, "casme2", [casme2_row(90, "EP01_1", 10, apex, 20)])
    sample = result.samples[0]
    assert (sample.apex, sample.apex_source, sample.flags) == (repaired, source, flags)
    assert [line["to"] for line in result.repairs] == [15] * (source == "midpoint")
    for line in result.repairs:
        assert set(line) == {"subject", "clip", "field", "from", "to", "why"}
        assert (line["subject"], line["clip"], line["field"]) == ("90", "EP01_1", "apex")
        assert line["from"] == (apex if isinstance(apex, int) else None)


@pytest.mark.parametrize("onset, offset, middle", [(7, 8, 8), (7, 9, 8), (7, 10, 8), (7, 7, 7)])
def test_the_middle_of_a_short_clip_is_not_its_onset(tmp_path, onset, offset, middle):
    (sample,) = loaded(tmp_path, "casme2", [casme2_row(90, "EP01_1", onset, "/", offset)]).samples
    assert (sample.apex, sample.apex_source) == (middle, "midpoint")
    assert ("bad_window" in sample.flags) == (onset == offset)


def test_windows_that_are_none(tmp_path):
    rows = [casme2_row(90, "a", 20, 15, 10), casme2_row(90, "b", "/", 5, 9), casme2_row(90, "c", 7, 7, 7)]
    result = loaded(tmp_path, "casme2", rows)
    assert [(s.clip, window(s), s.flags) for s in result.samples] == [
        ("a", (20, 15, 10), ("bad_window",)),
        ("c", (7, 7, 7), ("bad_window", "apex_outside")),
    ]
    assert len(result.rows) == 3 and any("90/b has no onset" in w for w in result.warnings)
    assert any("90/a ends at frame 10, not after its onset 20" in w for w in result.warnings)


def test_rows_without_subject_or_doubled_are_reported(tmp_path):
    rows = [casme2_row(90, "a", 1, 5, 9), casme2_row("sub90", " a ", 1, 5, 9), casme2_row(None, "b", 1, 5, 9)]
    result = loaded(tmp_path, "casme2", rows)
    assert [s.subject for s in result.samples] == ["90", "90"]
    assert any("row 4: no subject" in w for w in result.warnings) and "90/a stands in 2 rows." in result.warnings


def test_samples_carry_their_row(tmp_path):
    result = loaded(tmp_path, "casme2", [casme2_row("sub90", "EP09f", 1.0, "5", "9.0", "4+words", "Disgust")])
    sample = result.samples[0]
    assert (sample.key, sample.person) == (("casme2", "90", "EP09f", None), "casme2/90")
    assert (sample.fps, sample.emotion_raw, sample.emotion) == (200, "Disgust", "disgust")
    assert [au.num for au in sample.aus] == [4] and "table.xlsx, row 2: 'words'" in result.warnings[0]


# CASME II


def test_casme2_clip_names_are_kept_and_repeat_across_subjects(tmp_path):
    names = ["EP01_2", "EP08_1", "EP06_02_01", "EP06_02_02", " EP09f "]
    rows = [casme2_row(subject, name, 1, 5, 9) for subject in (90, 91) for name in names]
    result = loaded(tmp_path, "casme2", rows)
    assert [s.clip for s in result.samples] == [name.strip() for name in names] * 2
    assert len({s.key for s in result.samples}) == 10 and not about_frames(result)


def test_casme2_unknown_cells(tmp_path):
    result = loaded(tmp_path, "casme2", [casme2_row(90, "EP01_1", 1, 5, 9, "?")])
    assert result.samples[0].aus == () and result.samples[0].flags == ("au_unknown",)


def test_casme2_long_clips_stay(tmp_path):
    assert len(loaded(tmp_path, "casme2", [casme2_row(90, "EP01_1", 1, 60, 141)]).samples) == 1


KEYED = [
    ("casme2", casme2_row(4, "EP12_01f", 201, "/", 301), {"neutral": (201, 251, 301), "meb": (201, 279, 301)}),
    ("samm", samm_row("028_4_1", 1001, 1300, 1201), {"neutral": (1001, 1101, 1201), "meb": (1001, 1105, 1201)}),
    ("samm", samm_row("032_3_1", 4901, 490, 5001), {"neutral": (4901, 4951, 5001), "meb": (4901, 4945, 5001)}),
    ("samm", samm_row("032_3_2", 5101, 5102, 5161), {"neutral": (5101, 5102, 5161), "meb": (5101, 5130, 5161)}),
    (
        "casme3",
        ["spNO.149", "d", "111", "11", "131", "4", "I", "fear"],
        {"neutral": (111, 121, 131), "meb": (111, 123, 131)},
    ),
    (
        "casme3",
        ["spNo.216", "D", "9641", "2651", "2661", "4", "I", "fear"],
        {"neutral": None, "meb": (2647, 2651, 2661)},
    ),
    ("casme3", ["spNO.216", "e", "0", "0", "11", "4", "I", "fear"], {"neutral": (1, 6, 11), "meb": (1, 6, 11)}),
    ("casme3", ["spNO.214", "c", "21", "21", "4021", "4", "I", "fear"], {"neutral": None, "meb": (21, 27, 34)}),
]


@pytest.mark.parametrize("policy", ["neutral", "meb"])
@pytest.mark.parametrize("name, row, values", KEYED, ids=[f"{name}-{row[1]}" for name, row, _ in KEYED])
def test_known_typing_errors(tmp_path, name, row, values, policy):
    result = loaded(tmp_path, name, [row], fixups=policy)
    wanted = values[policy]
    if wanted is None:
        assert not result.samples and result.repairs[0]["field"] == "row"
    else:
        assert window(result.samples[0]) == wanted
        moved = window(result.rows[0]) != wanted
        assert bool(result.repairs) == moved and result.samples[0].apex_source in ("table", "fixup", "midpoint")


@pytest.mark.parametrize("name, row, values", KEYED, ids=[f"{name}-{row[1]}" for name, row, _ in KEYED])
def test_known_typing_errors_need_their_predicate_and_their_key(tmp_path, name, row, values):
    result = loaded(tmp_path, name, [row])
    good = dataclasses.replace(result.rows[0], onset=10, apex=15, offset=20)
    other = dataclasses.replace(result.rows[0], subject="90")
    kept, log = apply_fixups([good, other], DATA_SETS[name].fixups, Policy(fixups="meb"))
    assert kept == [good, other] and not log
    kept, log = apply_fixups(result.rows, DATA_SETS[name].fixups, Policy(fixups="none"))
    assert kept == list(result.rows) and not log


def test_two_rows_that_end_at_zero(tmp_path):
    rows = [
        ["spNO.40", "e", onset, apex, "0", "4", "I", "fear"] for onset, apex in (("1801", "1821"), ("2301", "2351"))
    ]
    assert not loaded(tmp_path, "casme3", rows).samples
    assert [window(s) for s in loaded(tmp_path, "casme3", rows, fixups="meb").samples] == [
        (1801, 1821, 1845),
        (2301, 2351, 2403),
    ]
    untouched = loaded(tmp_path, "casme3", rows, fixups="none")
    assert [s.flags for s in untouched.samples] == [("bad_window",)] * 2 and not untouched.repairs


# SAMM


def test_samm_rows(tmp_path):
    rows = [
        samm_row("900_1_1", 3577, 3590, 3610, 12, "Others"),
        samm_row("900_1_2", 1, 5, 9, "L12 or L14", "OTHER"),
        samm_row("901_1_1", 1, 2, 9, "", "Anger"),
    ]
    path = table(tmp_path / "t.xlsx", [["text"]] * 13 + [stand_ins.SAMM, *rows], sheet="MICRO_ONLY")
    samples = load(DATA_SETS["samm"], annotations=path).samples
    assert [s.subject for s in samples] == ["900", "900", "901"] and samples[0].objective == 7
    assert [s.emotion for s in samples] == ["others", "others", "anger"]
    assert [[au.num for au in s.aus] for s in samples] == [[12], [12, 14], []]
    assert samples[2].flags == ("apex_near_onset",) and samples[2].apex == 2


# 4DME


def fourdme_row(clip, aus, ones=(0, 0, 0)) -> list:
    return [90, clip, "Surprise+Positive", 1, 5, 9, aus, *ones, 1, 0]


def test_4dme_rows(tmp_path):
    rows = [
        fourdme_row("a", "AU4(k)+L7"),
        fourdme_row("b", "R2(k)+1", (1, 0, 0)),
        fourdme_row("c", "AU4", (0, 1, 1)),
    ]
    result = loaded(tmp_path, "4dme", rows)
    assert au_counts(result.rows, Policy())[4] == 1 and au_counts(result.rows, Policy())[2] == 0
    assert [au.static for au in result.rows[0].aus] == [True, False]
    differences = [w for w in result.warnings if "disagree" in w]
    assert len(differences) == 1 and "row 4" in differences[0] and "AU2" in differences[0]
    assert result.rows[0].emotion_raw == "Surprise+Positive" and result.rows[0].fps == 60
    assert result.version == "v1" and any("nearest version v1" in w for w in result.warnings)  # soft
    assert loaded(tmp_path, "4dme", rows, fps=30).rows[0].fps == 30
    with pytest.raises(InputError, match="fps"):
        loaded(tmp_path, "4dme", rows, fps=0)


def test_4dme_swapped_rows_only_in_the_table_of_267(tmp_path):
    rows = [fourdme_row(f"c{n}", "AU4", (0, 0, 1)) for n in range(267)]
    flagged = [s.clip for s in loaded(tmp_path, "4dme", rows).samples if "fourdme_swap" in s.flags]
    assert flagged == ["c144", "c145"]
    assert not any("fourdme_swap" in s.flags for s in loaded(tmp_path, "4dme", rows[1:]).samples)


def test_4dme_before_its_release(tmp_path):
    rows = [
        ["S93", "1st", "001", "01", 1, 99, "Positive", 1, 5, 9, 9, "AU6+AU12"],
        ["S94", "1st", "001", "02", 1, 99, "Others", 1, 5, 9, 9, "AU4+)x"],
        [None, None, "Total", None, None, None, None, None, None, None, 18, None],
    ]
    path = table(tmp_path / "t.xlsx", [stand_ins.PRE_4DME, *rows])
    result = load(DATA_SETS["4dme"], annotations=path)
    assert [(s.subject, s.clip) for s in result.samples] == [("93", "S93_1st_001_01"), ("94", "S94_1st_001_02")]
    assert result.version == "pre-release" and any("row 3: ')x'" in w for w in result.warnings)
    assert any("row 4: no subject" in w for w in result.warnings)


# CASME


def test_casme_ranges(tmp_path):
    row = [90, "EP01_12", None, 73, 80, 84, 90, None, 1217, 300, "9+14", "disgust"]
    rows = [row, [*row[:1], "EP02_01", *row[2:5], "\\", *row[6:]], [*row[:1], "EP02_02", *row[2:4], "\\", *row[5:]]]
    samples = loaded(tmp_path, "casme", rows).samples
    assert [(s.apex, s.apex_end, s.apex_source) for s in samples] == [
        (80, 84, "table"),
        (80, None, "table"),
        (81, 84, "midpoint"),
    ]
    assert samples[0].fps == 60 and [au.num for au in samples[0].aus] == [9, 14]


def test_casme_trusts_the_folder(tmp_path):
    row = [90, "EP01_12", None, 73, 80, 84, 90, None, 1217, 300, "9", "disgust"]
    frames(tmp_path / "Cropped" / "sub90" / "EP01_12", "reg_EP01_12-{:03d}.jpg", range(75, 99))
    result = loaded(tmp_path, "casme", [row], root=tmp_path)
    sample = result.samples[0]
    assert window(sample) == (75, 82, 90) and list(sample.frames) == list(range(75, 91))
    assert [(line["field"], line["from"], line["to"]) for line in result.repairs] == [
        ("onset", 73, 75),
        ("apex", 80, 82),
    ]
    assert "window_from_folder" in sample.flags and sample.apex_source == "midpoint"


# CAS(ME)^3


def casme3_row(subject, clip, onset, apex, offset, aus="4", emotion="Others") -> list:
    return [subject, clip, str(onset), str(apex), str(offset), aus, "VII", emotion]


def test_casme3_rows_overlap_and_are_keyed_by_onset(tmp_path):
    rows = [
        casme3_row("spNO.901", "a", 355, 360, 370),
        casme3_row("spNo.901", "a", 360, 360, 480),  # apex = onset; longer than 100 frames
        casme3_row("spNO.902", "J", 3, 5, 9, "2\uff0c4", "sad"),
    ]
    result = loaded(tmp_path, "casme3", rows)
    assert [(s.subject, s.onset, s.apex) for s in result.samples] == [
        ("901", 355, 360),
        ("901", 360, 420),
        ("902", 3, 5),
    ]
    assert "long" in result.samples[1].flags and "long" not in result.samples[0].flags
    assert [s.emotion for s in result.samples] == ["others", "others", "sadness"] and not about_frames(result)
    assert result.samples[2].objective == 7 and [au.num for au in result.samples[2].aus] == [2, 4]


def test_casme3_frames_in_both_layouts(tmp_path):
    rows = [casme3_row("spNO.91", "a", 355, 360, 370), casme3_row("spNO.91", "j", 3, 6, 9)]
    frames(tmp_path / "one" / "part_A" / "spNo.91" / "A" / "color", "{}.jpg", range(300, 400))
    frames(tmp_path / "one" / "part_A" / "spNo.91" / "A" / "depth", "{}.png", range(300, 400))
    frames(tmp_path / "one" / "part_A" / "spNO.91" / "J" / "color", "{}.jpg", [3, 4, 5, 8, 9])
    two = tmp_path / "two" / "part_a_me_clip" / "frame"
    frames(two / "spNo.91_a_355", "{}.jpg", range(355, 371))
    frames(two / "spNo.91_J_3", "{}.jpg", [3, 4, 5, 8, 9])
    for root in ("one", "two"):
        result = loaded(tmp_path, "casme3", rows, root=tmp_path / root)
        first, second = result.samples
        assert list(first.frames) == list(range(355, 371)) and {p.suffix for p in first.frames.values()} == {".jpg"}
        assert (second.apex, second.apex_source) == (5, "nearest") and "apex_not_on_disk" in second.flags
        assert about_frames(result) == ["91/j lacks 2 of its 7 frames."]


def test_casme3_folders_keep_the_onset_of_the_table(tmp_path):
    frames(tmp_path / "Part_A_ME_clip" / "frame" / "spNo.216_d_9641", "{}.jpg", range(2640, 2670))
    row = casme3_row("spNO.216", "d", 9641, 2651, 2661)
    sample = loaded(tmp_path, "casme3", [row], fixups="meb", root=tmp_path).samples[0]
    assert (sample.onset, sample.key[-1], list(sample.frames)) == (2647, 9641, list(range(2647, 2662)))


def test_casme3_part_c_has_no_apex(tmp_path):
    path = table(tmp_path / "t.xlsx", [stand_ins.CASME3_C, [91, 1, 10, 20, "2\uff0c4"], [91, 2, 30, 40, "4,7"]])
    result = load(DATA_SETS["casme3"], annotations=path)
    assert result.version == "C" and [(s.clip, s.apex, s.apex_source) for s in result.samples] == [
        ("1", 15, "midpoint"),
        ("2", 35, "midpoint"),
    ]
    assert not result.repairs and result.warnings == ("The table has no apex: the middle of each clip is taken.",)


def test_casme3_macro_rows_are_left_out(tmp_path):
    rows = [[*casme3_row("spNO.91", "a", 1, 5, 9), kind] for kind in ("Micro-expression", "Macro-expression")]
    path = table(tmp_path / "t.xlsx", [[*stand_ins.CASME3, "Expression type"], *rows], sheet="label")
    result = load(DATA_SETS["casme3"], annotations=path)
    assert len(result.rows) == 1 and any("row 3: 'macro-expression'" in w for w in result.warnings)


# MMEW


def test_mmew_folders_decide_and_others_may_lie_in_repression(tmp_path):
    rows = [
        ["S93", "S93-04-001", 1, 20, 30, "4R+7", "repression", None],
        ["S93", "S93-01-002", 1, 5, 9, "6", "happiness", None],
    ]
    base = tmp_path / "MMEW_Final" / "Micro_Expression"
    frames(base / "repression" / "S93-04-001", "{}.jpg", range(1, 13))
    frames(base / "S93" / "happiness" / "S93-01-002", "{}.jpg", range(1, 10))
    result = loaded(tmp_path, "mmew", rows, root=tmp_path)
    first, second = result.samples
    assert window(first) == (1, 6, 12) and first.apex_source == "midpoint" and window(second) == (1, 5, 9)
    assert [s.emotion for s in result.samples] == ["others", "happiness"] and first.emotion_raw == "repression"
    assert [(au.num, au.side) for au in first.aus] == [(4, "R"), (7, None)] and not about_frames(result)


# Folders


def test_casme2_cropped_is_trusted_and_recording_is_not(tmp_path):
    rows = [casme2_row(90, "EP01_1", 10, 28, 30), casme2_row(91, "EP01_1", 10, 15, 20)]
    for subject in ("sub90", "sub91"):
        frames(tmp_path / "Cropped" / "Cropped" / subject / "EP01_1", "reg_img{}.jpg", range(10, 21))
        frames(tmp_path / "raw" / "CASME2_RAW" / "CASME2-RAW" / subject / "EP01_1", "img{}.jpg", range(1, 41))
    result = loaded(tmp_path, "casme2", rows, root=tmp_path)
    assert [window(s) for s in result.samples] == [(10, 15, 20)] * 2 and not about_frames(result)
    assert [(line["field"], line["from"], line["to"]) for line in result.repairs] == [
        ("offset", 30, 20),
        ("apex", 28, 15),
    ]
    assert {s.frames[10].parent.parent.name for s in result.samples} == {"sub90", "sub91"}
    result = loaded(tmp_path, "casme2", rows, root=tmp_path / "raw")
    assert window(result.samples[0]) == (10, 28, 30) and len(result.samples[0].frames) == 21 and not result.repairs


@pytest.mark.parametrize(
    "below, notes",
    [
        ("set", 0),
        (".", "lies above the data set's folder set"),
        ("set/casme2_raw", "lies below the data set's own folder"),
        ("set/casme2_raw/casme2-raw", "lies below the data set's own folder"),
    ],
)
def test_a_root_too_high_or_too_low_is_found_and_said(tmp_path, below, notes):
    frames(tmp_path / "set" / "casme2_raw" / "casme2-raw" / "SUB90" / "ep01_1", "IMG{}.JPG", range(1, 21))
    result = loaded(tmp_path, "casme2", [casme2_row(90, "EP01_1", 5, 8, 9)], root=tmp_path / below)
    assert len(result.samples[0].frames) == 5
    said = about_frames(result)
    assert said == [] if notes == 0 else len(said) == 1 and notes in said[0]


def test_a_root_that_is_one_subject(tmp_path):
    rows = [casme2_row(90, "EP01_1", 5, 8, 9), casme2_row(91, "EP01_1", 5, 8, 9)]
    frames(tmp_path / "Cropped" / "sub90" / "EP01_1", "reg_img{}.jpg", range(5, 10))
    result = loaded(tmp_path, "casme2", rows, root=tmp_path / "Cropped" / "sub90")
    assert [len(s.frames) for s in result.samples] == [5, 0] and "no_folder" in result.samples[1].flags


def test_files_that_are_no_frames(tmp_path):
    folder = frames(tmp_path / "SAMM" / "900" / "900_1_1", "900_{:05d}.jpg", range(3577, 3580))
    for suffix, number in ((".jpeg", 3580), (".png", 3581), (".bmp", 3582)):
        frames(folder, "reg_900_{}" + suffix, [number])
    for name in ("~$900_1.jpg", "._900_03577.jpg", "Thumbs.db", "notes 9000.txt"):
        (folder / name).write_bytes(b"x")
    (folder / "cover.jpg").write_bytes(b"x")
    (folder / "900_3577.png").write_bytes(b"x")
    result = loaded(tmp_path, "samm", [samm_row("900_1_1", 3577, 3580, 3582)], root=tmp_path)
    assert list(result.samples[0].frames) == list(range(3577, 3583))
    assert sorted(about_frames(result)) == [
        "900_1_1 holds frame 3577 twice: 900_3577.png was left out.",
        "cover.jpg in 900_1_1 has no number in its name and was left out.",
    ]


def test_missing_frames_and_folders_are_reported(tmp_path):
    rows = [samm_row(f"900_1_{n}", 11, 15, 20) for n in (1, 2, 3, 4)]
    frames(tmp_path / "SAMM" / "900" / "900_1_1", "900_{}.jpg", [11, 12, 17, 18, 19, 20])
    frames(tmp_path / "SAMM" / "900" / "900_1_3", "900_{}.jpg", [51, 52])
    frames(tmp_path / "SAMM" / "900" / "900_1_4", "cover.jpg", [0])
    frames(tmp_path / "SAMM" / "901" / "901_1_1", "901_{}.jpg", [1, 2])
    frames(tmp_path / "SAMM" / ".thumbnails" / "902_1_1", "902_{}.jpg", [1, 2])
    result = loaded(tmp_path, "samm", rows, root=tmp_path)
    assert [s.flags for s in result.samples] == [
        ("frames_missing", "apex_not_on_disk"),
        ("no_folder",),
        ("no_frames",),
        ("no_frames",),
    ]
    assert result.samples[0].apex == 17 and result.samples[0].apex_source == "nearest"
    assert [w for w in about_frames(result) if "no number" not in w] == [
        "900/900_1_1 lacks 4 of its 10 frames.",
        "900/900_1_3 has no frame between its onset and its offset (11..20).",
        "900/900_1_4 has no frame between its onset and its offset (11..20).",
        "1 rows have no folder of frames: 900/900_1_2.",
        "1 folders of frames have no row: 901/901_1_1.",
    ]


def test_a_folder_that_is_trusted_mends_a_window(tmp_path):
    frames(tmp_path / "Cropped" / "sub90" / "EP01_1", "reg_img{}.jpg", range(10, 21))
    result = loaded(tmp_path, "casme2", [casme2_row(90, "EP01_1", 30, 20, 20)], root=tmp_path)
    assert window(result.samples[0]) == (10, 20, 20)
    assert result.samples[0].flags == ("window_from_folder", "apex_at_offset")


def test_two_copies_of_a_folder(tmp_path):
    for copy in ("a", "b"):
        frames(tmp_path / "SAMM" / copy / "900" / "900_1_1", "{}.jpg", range(1, 10))
    result = loaded(tmp_path, "samm", [samm_row("900_1_1", 1, 5, 9)], root=tmp_path)
    assert len(about_frames(result)) == 1 and "has 2 folders" in about_frames(result)[0]


def test_no_root(tmp_path):
    with pytest.raises(InputError, match="There is no folder"):
        loaded(tmp_path, "samm", [samm_row("900_1_1", 1, 5, 9)], root=tmp_path / "gone")
    with pytest.raises(InputError, match="no folder of any clip of the table, such as 900/900_1_1: check --root"):
        loaded(tmp_path, "samm", [samm_row("900_1_1", 1, 5, 9)], root=tmp_path)


def test_a_root_for_a_table_without_usable_rows(tmp_path):
    frames(tmp_path / "SAMM" / "900" / "900_1_1", "900_{}.jpg", [1, 2])
    result = loaded(tmp_path, "samm", [samm_row("900_1_1", "/", 5, 9)], root=tmp_path)
    assert not result.samples and "1 folders of frames have no row: 900/900_1_1." in result.warnings


def test_where_else_a_table_may_be(tmp_path):
    """A root one level too low, and the folder of another data set."""
    spec = DATA_SETS["casme2"]
    path = table(tmp_path / "CASME2-coding-20190701.xlsx", [stand_ins.CASME2, casme2_row(90, "EP01_1", 1, 5, 9)])
    (tmp_path / "CASME2_RAW").mkdir()
    with pytest.raises(InputError, match=f"{path.name} lies in {tmp_path}, so give that as --root"):
        load(spec, root=tmp_path / "CASME2_RAW")
    with pytest.raises(InputError, match=f"it holds {path.name}; check the name of the data set"):
        load(DATA_SETS["samm"], root=tmp_path)
    with pytest.raises(InputError, match="There is no folder"):
        load(spec, root=tmp_path / "nowhere")


def test_the_annotation_file_is_found_or_asked_for(tmp_path):
    spec, rows = DATA_SETS["casme2"], [stand_ins.CASME2, casme2_row(90, "EP01_1", 1, 5, 9)]
    with pytest.raises(InputError, match="no annotation file of CASME II"):
        load(spec, root=tmp_path)
    with pytest.raises(InputError, match="Give the annotation table"):
        load(spec)
    frames(tmp_path / "Cropped" / "sub90" / "EP01_1", "img{}.jpg", range(1, 10))
    table(tmp_path / "casme2-coding-20190701.xlsx", rows)
    table(tmp_path / "~$CASME2-coding-20190701.xlsx", rows)
    assert load(spec, root=tmp_path).table.path.name == "casme2-coding-20190701.xlsx"
    table(tmp_path / "CASME2-coding-20140508.xlsx", rows)
    with pytest.raises(InputError, match="2 annotation files .* name one with --annotations"):
        load(spec, root=tmp_path)


# Versions


def counted(spec, expected, alternatives="meb"):
    """Invented rows that have the published counts of a version, and nothing else in common with it."""
    rows = [[] for _ in range(expected.rows)]
    counts = expected.counts[alternatives]
    for au, count in zip(CD6ME_AUS, counts):
        for row in rows[:count]:
            row.append(AU(au))
    spare = (AU(60 + i // expected.rows) for i in range(counts[-1] - sum(counts[:-1])))
    for i, au in enumerate(spare):
        rows[i % expected.rows].append(au)
    emotions = [e for e, n in (expected.emotions or {None: expected.rows}).items() for _ in range(n)]
    classes = [c for c, n in enumerate(expected.objective or (), 1) for _ in range(n)] or [None] * expected.rows
    names = dict(dataset=spec.name, version="", onset=1, apex=2, offset=3, fps=1)
    return [
        Sample(
            subject=f"{900 + i % (expected.subjects or 9)}",
            clip=str(i),
            aus=tuple(aus),
            emotion=emotions[i],
            objective=classes[i],
            flags=("au_unknown",) if i >= expected.rows - (expected.unknown_cells or 0) else (),
            **names,
        )
        for i, aus in enumerate(rows)
    ]


VERSIONS = [(spec, expected) for spec in DATA_SETS.values() for expected in spec.expected if spec.name != "samm"]


@pytest.mark.parametrize("spec, expected", VERSIONS, ids=[f"{s.name}-{e.version}" for s, e in VERSIONS])
def test_versions_are_known_by_their_counts(spec, expected):
    rows = counted(spec, expected)
    assert name_version(rows, spec, "table") == (expected.version, [])
    name, warnings = name_version(rows[:-1], spec, "table")
    assert name == (expected.version if expected.soft else "unknown")
    assert f"rows {expected.rows - 1}, not {expected.rows}" in warnings[0]


def test_samm_is_counted_under_two_policies():
    spec = DATA_SETS["samm"]
    rows = counted(spec, spec.expected[0])
    name, warnings = name_version(rows, spec, "table")
    assert name == "unknown" and "AU6 3, not 5; AU12 28, not 30; AU17 6, not 7; AU labels 226, not 232" in warnings[0]
    moved = [(20, "6 or 12", 12), (21, "6 or 12", 12), (10, None, 14), (11, None, 14), (12, None, 14)]
    for i, text, old in moved:  # five labels of plain rows become the five cells with `or`
        kept = tuple(au for au in rows[i].aus if au.num != old)
        rows[i] = dataclasses.replace(rows[i], aus=kept + (parse_cell(text).aus if text else ()))
    for i, text in ((100, "L12 or L14"), (101, "L12 or L14"), (102, "R14A or 17A or 24A")):
        rows[i] = dataclasses.replace(rows[i], aus=rows[i].aus + parse_cell(text).aus)
    assert name_version(rows, spec, "table") == ("v2", [])
    published = {"all": (30, 13, 5), "first": (28, 11, 5), "meb": (28, 13, 3), "drop": (26, 10, 3)}
    for alternatives, wanted in published.items():
        found = au_counts(rows, Policy(alternatives=alternatives))
        assert (found[12], found[14], found[6]) == wanted
