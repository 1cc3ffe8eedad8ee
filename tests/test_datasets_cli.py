"""`inspect`: what it writes, what it refuses, and that SynthME in a licensed layout is read as it was drawn."""

import hashlib
import json

import pytest
import stand_ins
from stand_ins import casme2_row, samm_row, table

from aullm_lite.cli import LICENSED, main
from aullm_lite.datasets import DATA_SETS, load
from aullm_lite.facs import CD6ME_AUS
from aullm_lite.synth import export
from aullm_lite.synth.dataset import make_clips, tier_recipe
from aullm_lite.synth.truth import truth_row

KEYS = {"dataset", "version", "rows", "subjects", "au_counts", "sided", "warnings", "repairs", "annotations_sha256"}
SIZE = dict(subjects=2, clips=2, tier="standard", seed=70)


def inspect(tmp_path, *arguments) -> dict:
    assert main(["inspect", *map(str, arguments), "--json", str(tmp_path / "out" / "facts.json")]) == 0
    return json.loads((tmp_path / "out" / "facts.json").read_text())


def test_only_clips_that_have_their_frames_count_as_usable(tmp_path):
    """One whole, one without a folder, one with two of ten frames, one whose window is turned round."""
    rows = [casme2_row(90, clip, 1, 5, 10) for clip in ("whole", "none", "few")] + [casme2_row(90, "turned", 9, 5, 1)]
    path = table(tmp_path / "t.xlsx", [stand_ins.CASME2, *rows])
    assert inspect(tmp_path, "casme2", "--annotations", path)["clips"] == 3
    for clip, last in (("whole", 10), ("few", 2), ("turned", 10)):
        stand_ins.frames(tmp_path / "CASME2_RAW" / "sub90" / clip, "img{}.jpg", range(1, last + 1))
    assert inspect(tmp_path, "casme2", "--annotations", path, "--root", tmp_path)["clips"] == 1


def test_the_table_alone(tmp_path, capsys):
    rows = [casme2_row(90, "a", 1, "/", 9, "4+L10"), casme2_row(91, "b", 1, 5, 9, "?"), casme2_row(91, "c", 1, 5, 9, 4)]
    path = table(tmp_path / "t.xlsx", [stand_ins.CASME2, *rows])
    facts = inspect(tmp_path, "casme2", "--annotations", path)
    assert set(facts) >= KEYS and (facts["dataset"], facts["version"]) == ("casme2", "unknown")
    assert (facts["rows"], facts["clips"], facts["subjects"], facts["sided"]) == (3, 3, 2, 1)
    assert {au: n for au, n in facts["au_counts"].items() if n} == {"4": 2, "10": 1} and facts["au_counts"]["1"] == 0
    why = "the apex is missing"
    assert facts["repairs"] == [{"subject": "90", "clip": "a", "field": "apex", "from": None, "to": 5, "why": why}]
    assert facts["annotations"] == "t.xlsx"
    assert facts["annotations_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    chosen = {"alternatives": "meb", "drop_static": True, "unknown_cell": "zero", "fixups": "neutral"}
    assert facts["policy"] == chosen and facts["frames_from"] is None
    printed = capsys.readouterr().out
    assert "3 rows of 2 subjects" in printed and "AU4 2  AU10 1" in printed and "rows 3, not 255" in printed


@pytest.mark.parametrize("policy, aus", [("meb", {"14"}), ("all", {"12", "14"}), ("first", {"12"}), ("drop", set())])
def test_or_policies(tmp_path, policy, aus):
    path = table(tmp_path / "t.xlsx", [stand_ins.SAMM, samm_row("900_1_1", 1, 5, 9, "L12 or L14")])
    facts = inspect(tmp_path, "samm", "--annotations", path, "--or-policy", policy)
    assert {au for au, n in facts["au_counts"].items() if n} == aus and facts["sided"] == len(aus)
    assert facts["policy"]["alternatives"] == policy


def test_fixups_are_chosen(tmp_path):
    path = table(tmp_path / "t.xlsx", [stand_ins.SAMM, samm_row("028_4_1", 1001, 1300, 1201)])
    for choice, apex in (("neutral", 1101), ("meb", 1105), ("none", 1101)):
        facts = inspect(tmp_path, "samm", "--annotations", path, "--fixups", choice)
        assert [line["to"] for line in facts["repairs"]] == [apex] and facts["policy"]["fixups"] == choice


def test_many_warnings_are_cut_in_the_text_only(tmp_path, capsys):
    rows = [casme2_row(90, f"c{n}", 1, 5, 9, "some words") for n in range(30)]
    path = table(tmp_path / "t.xlsx", [stand_ins.CASME2, *rows])
    facts = inspect(tmp_path, "casme2", "--annotations", path)
    printed = capsys.readouterr().out
    assert len(facts["warnings"]) == 31 and "11 more warnings" in printed and printed.count("some words") == 40
    assert "No AU in any row." in printed


@pytest.mark.parametrize(
    "name, header, sentence",
    [
        ("casme2", stand_ins.SAMM, "a table of SAMM, not of CASME II"),
        ("samm", ["Subject", "Filename", "Onset", "Type"], "SAMM Long Videos"),
        ("samm", ["Subject", "Filename", "Inducement Code"], "lacks the column 'Onset Frame'"),
        ("4dme", ["no", "headers"], "has no header row"),
    ],
)
def test_one_sentence_and_status_2(tmp_path, capsys, name, header, sentence):
    path = table(tmp_path / "t.xlsx", [header, [90] * len(header)])
    assert main(["inspect", name, "--annotations", str(path), "--json", str(tmp_path / "facts.json")]) == 2
    error = capsys.readouterr().err
    assert sentence in error and error.startswith("inspect: ") and error.count("\n") == 1
    assert not (tmp_path / "facts.json").exists()


def test_neither_table_nor_root(tmp_path, capsys):
    assert main(["inspect", "mmew"]) == 2 and "Give the annotation table of MMEW" in capsys.readouterr().err
    assert main(["inspect", "mmew", "--root", str(tmp_path / "gone")]) == 2
    assert main(["inspect", "mmew", "--annotations", str(tmp_path)]) == 2


def test_the_command_knows_every_data_set():
    assert set(LICENSED) == set(DATA_SETS)


@pytest.fixture(scope="module", params=["casme2", "samm"])
def drawn(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn") / "set"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "FRAME_SIZE", 32)  # the layout is tested here, not the drawing
        export.write_dataset(folder, **SIZE, form=request.param)
    return request.param, folder


def test_drawn_data_in_a_licensed_layout_is_read_without_complaint(drawn, tmp_path):
    name, folder = drawn
    facts = inspect(tmp_path, name, "--root", folder)
    assert facts["rows"] == facts["clips"] == 4 and facts["subjects"] == 2
    assert len(facts["warnings"]) == 1 and "known counts" in facts["warnings"][0]  # four rows are no real table
    assert facts["frames_from"] in ("CASME2_RAW", "SAMM")


def test_drawn_data_is_read_as_it_was_drawn(drawn):
    name, folder = drawn
    samples = load(DATA_SETS[name], root=folder).samples
    scripts = make_clips(2, 2, tier_recipe("standard"), seed=70).scripts
    for i, (sample, script) in enumerate(zip(samples, scripts, strict=True)):
        truth, shift = truth_row(script), (4000 + 500 * (i % 2) if name == "samm" else 0)
        onset, offset = truth["onset"] + shift, truth["offset"] + shift
        apex = (onset + offset) // 2 if name == "casme2" and i == 3 else truth["apex"] + shift  # its cell is a slash
        assert (sample.onset, sample.apex, sample.offset) == (onset, apex, offset)
        sides = {(m.au, None if m.side == "both" else m.side) for m in script.movements if m.au in CD6ME_AUS}
        assert {(au.num, au.side) for au in sample.aus} == sides
        assert list(sample.frames) == list(range(onset, offset + 1))
