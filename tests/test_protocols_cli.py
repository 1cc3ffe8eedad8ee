"""`loso`, `cross` and `cd6me` from a tree of frames to a table, and what cannot be used in one sentence."""

import json
import shutil
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import stand_ins
from listing import names
from openpyxl import load_workbook
from stand_ins import casme2_row, samm_row, table

from aullm_lite.cli import main
from aullm_lite.datasets import preparing
from aullm_lite.protocols import networks
from aullm_lite.recipe import TrainConfig

TABLES = {"casme2": "CASME2-coding-20190701.xlsx", "samm": "SAMM_Micro_FACS_Codes_v2.xlsx"}
CHEAP = ["--preset", "smoke", "--init", "scratch", "--model", "identity"]
FRAMES, AUS = range(2, 11), ("4+7", "R12", "2+12", "4")


def film(folder, pattern, seed):
    """Frames of a texture of its own that drifts."""
    folder.mkdir(parents=True)
    texture = cv2.resize(np.random.default_rng(seed).integers(0, 256, (12, 12)).astype(np.uint8), (48, 48))
    for number in FRAMES:
        cv2.imwrite(str(folder / pattern.format(number)), texture[number // 2 : 32 + number // 2, :32])


def casme2_tree(root):
    """Four people with two clips each, in the layout of CASME II."""
    rows = []
    for i in range(8):
        subject, clip = 90 + i // 2, f"EP{i % 2:02d}"
        film(root / "CASME2_RAW" / f"sub{subject}" / clip, "img{}.png", i)
        rows.append(casme2_row(subject, clip, 2, 6, 10, AUS[i % 4]))
    table(root / TABLES["casme2"], [stand_ins.CASME2, *rows])
    return root


def samm_tree(root):
    """The same many people in the layout of SAMM."""
    rows = []
    for i in range(8):
        clip = f"{900 + i // 2}_1_{i % 2 + 1}"
        film(root / "SAMM" / clip[:3] / clip, clip[:3] + "_{:05d}.png", 50 + i)
        rows.append(samm_row(clip, 2, 6, 10, AUS[i % 4]))
    table(root / TABLES["samm"], [stand_ins.SAMM, *rows])
    return root


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trees")
    return {"casme2": casme2_tree(folder / "casme2"), "samm": samm_tree(folder / "samm"), "cache": folder / "cache"}


@pytest.fixture
def tree(trees, tmp_path):
    """A tree of CASME II to be spoilt."""
    return shutil.copytree(trees["casme2"], tmp_path / "set")


@pytest.fixture(autouse=True)
def blind(monkeypatch):
    """No face is looked for; whole pictures are taken."""
    monkeypatch.setattr(preparing, "_finder", lambda: SimpleNamespace(find=lambda rgb: []))


def loso(root, out, *more) -> int:
    return main(["loso", "--data", "casme2", "--root", str(root), "--out", str(out), *CHEAP, *map(str, more)])


def refusal(capsys) -> str:
    """The one sentence on stderr."""
    error = capsys.readouterr().err.replace("\r", "\n").strip().splitlines()[-1]
    assert error.startswith("loso: ") and "Traceback" not in error
    return error


# From frames to a table


def test_loso_end_to_end(trees, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(networks.FROM_NOTHING, "llm", TrainConfig(warmup=0, epochs=1, batch_size=16))
    arguments = ["--cache", trees["cache"], "--model", "identity", "motion", "flow-svm", "aullm"]
    assert [loso(trees["casme2"], tmp_path / "out", *arguments) for _ in range(2)] == [0, 2]
    done = json.loads((tmp_path / "out" / "table.json").read_text())
    assert list(done["rows"]) == ["aullm-scratch", "flow-svm", "motion", "identity"]
    assert (done["clips"], done["subjects"], done["aus"]) == (8, 4, [1, 2, 4, 7, 12, 14, 15, 17])
    assert done["data"]["casme2"]["version"] == "unknown" and done["n_pos"]["4"] == 4
    printed = capsys.readouterr()
    assert (
        tmp_path / "out" / "table.md"
    ).read_text() in printed.out and "| AU-LLM, from scratch (preset smoke) |" in printed.out
    assert printed.err.strip().splitlines()[-1].endswith("pass --resume to go on, or another --out.")
    assert "No face was found in 8 clips: their whole pictures were taken for it.\n" in printed.err
    assert "UserWarning" not in printed.err
    assert done["data_notes"][0].startswith(f"CASME II, version unknown. Table {TABLES['casme2']} (SHA-256 ")


def test_shares_of_folds_and_resuming(trees, tmp_path, capsys):
    for share in ("1/2", "0/2"):
        assert loso(trees["casme2"], tmp_path, "--cache", trees["cache"], "--folds", share) == 0
        printed = capsys.readouterr().out
        assert ("identity: 2 of 4 folds are still to be run" in printed) == (share == "1/2")
    before = (tmp_path / "table.json").read_bytes()
    assert loso(trees["casme2"], tmp_path, "--cache", trees["cache"], "--resume") == 0
    assert (tmp_path / "table.json").read_bytes() == before


def test_cross_and_cd6me(trees, tmp_path):
    places = [f"{name}:{trees[name]}" for name in ("casme2", "samm")]
    shared = ["--cache", str(trees["cache"]), *CHEAP, "motion"]
    assert main(["cross", "--train", places[0], "--test", places[1], "--out", str(tmp_path / "cross"), *shared]) == 0
    done = json.loads((tmp_path / "cross" / "table.json").read_text())
    assert done["protocol"] == "Cross-domain, casme2 to samm" and done["aus"] == [2, 4, 7, 12]
    assert (done["clips"], set(done["data"])) == (8, {"train", "test"}) and len(done["data_notes"]) == 2
    assert main(["cd6me", "--data", *places, "--out", str(tmp_path / "cd6me"), *shared]) == 0
    done = json.loads((tmp_path / "cd6me" / "table.json").read_text())
    assert (done["clips"], len(done["aus"]), set(done["data"])) == (16, 12, {"casme2", "samm"})
    assert set(done["rows"]["motion"]["cd6me"]["per_set"]) == {"casme2", "samm"}


def test_generated_people_are_called_so(tree, tmp_path, capsys):
    people = {str(n): f"drawn100000{n}" for n in range(90, 94)}
    (tree / "synthme.json").write_text(json.dumps({"people": people}))
    assert loso(tree, tmp_path / "out", "--cache", tmp_path / "cache") == 0
    note = "Generated clips (SynthME) in the layout of CASME II: no score here is of a real face."
    assert note in (tmp_path / "out" / "table.md").read_text()
    assert json.loads((tmp_path / "out" / "table.json").read_text())["data_notes"][0].startswith(note)


@pytest.mark.parametrize("below, note", [("..", "lies above"), ("CASME2_RAW", "lies below")])
def test_a_root_too_high_or_too_low_is_found_and_said(tree, tmp_path, capsys, below, note):
    arguments = ["--annotations", tree / TABLES["casme2"], "--cache", tmp_path / "cache"]
    assert loso(tree / below, tmp_path / "out", *arguments) == 0
    assert f"CASME II: --root {note} the data set's" in capsys.readouterr().out


def test_columns_may_stand_in_another_order(tree, tmp_path):
    book = load_workbook(tree / TABLES["casme2"])
    book.active.move_range("H1:H9", cols=4)
    book.save(tree / TABLES["casme2"])
    assert loso(tree, tmp_path / "out", "--cache", tmp_path / "cache") == 0


# What cannot be used


def rename(tree):
    book = load_workbook(tree / TABLES["casme2"])
    book.active["H1"] = "Units"
    book.save(tree / TABLES["casme2"])


CLIP = "CASME2_RAW/sub91/EP01"
FAULTS = {
    "missing frames": (lambda t: [p.unlink() for p in sorted((t / CLIP).iterdir())[:6]], "91/EP01 (row 5) has only 3"),
    "empty frame": (
        lambda t: (t / CLIP / "img2.png").write_bytes(b""),
        "91/EP01 (row 5): sub91/EP01/img2.png is empty",
    ),
    "no picture": (lambda t: (t / CLIP / "img6.png").write_bytes(b"text"), "91/EP01 (row 5): sub91/EP01/img6.png"),
    "no folder": (lambda t: shutil.rmtree(t / CLIP), "91/EP01 (row 5) has no folder of frames"),
    "no row": (lambda t: shutil.copytree(t / CLIP, t / "CASME2_RAW/sub91/EP77"), "have no row: sub91/EP77"),
    "two copies": (
        lambda t: shutil.copytree(t / CLIP, t / "CASME2_RAW/again/sub91/EP01"),
        "91/EP01 (row 5) has more than one folder",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_names_the_table_the_clip_and_its_row(tree, tmp_path, capsys, fault):
    spoil, words = FAULTS[fault]
    spoil(tree)
    assert loso(tree, tmp_path / "out", "--cache", tmp_path / "cache") == 2
    error = refusal(capsys)
    assert words in error and TABLES["casme2"] in error and error.endswith("with --incomplete (incomplete=True).")
    assert not (tmp_path / "out" / "folds").exists()
    assert loso(tree, tmp_path / "out", "--cache", tmp_path / "cache", "--incomplete") == 0
    assert words in capsys.readouterr().err


def test_frames_that_are_still_packed(tree, tmp_path, capsys):
    shutil.rmtree(tree / "CASME2_RAW")
    (tree / "CASME2_RAW.zip").write_bytes(b"x")
    assert loso(tree, tmp_path / "out") == 2
    assert "unpack CASME2_RAW.zip first" in refusal(capsys)


@pytest.mark.parametrize(
    "spoil, more, words",
    [
        (rename, [], "lacks the column 'Action Units'"),
        (lambda t: (t / TABLES["casme2"]).unlink(), [], "holds no annotation file of CASME II"),
        (lambda t: shutil.copy(t / TABLES["casme2"], t / "CASME2-coding-2.xlsx"), [], "holds 2 annotation files"),
        (lambda t: (t / TABLES["casme2"]).write_bytes(b"x"), [], TABLES["casme2"]),
        (lambda t: shutil.rmtree(t), [], "There is no folder"),
        (lambda t: None, ["--data", "samm", "--annotations", "TABLE"], "lacks the column 'Inducement Code' of SAMM"),
    ],
)
def test_tables_that_cannot_be_read(tree, tmp_path, capsys, spoil, more, words):
    spoil(tree)
    more = [str(tree / TABLES["casme2"]) if word == "TABLE" else word for word in more]
    assert loso(tree, tmp_path / "out", *more) == 2
    assert words in refusal(capsys)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "more, words",
    [
        (["--folds", "4/4"], "--folds must be i/n with i from 0 to n-1, such as 0/4, got '4/4'"),
        (["--model", "identity", "identity"], "names identity twice"),
        (["--model", "aullm", "--init", "nothing"], "There is no checkpoint 'nothing'"),
        (["--out", "FILE/below"], "FILE"),
        (["--fps", "0"], "fps must lie between"),
    ],
)
def test_options_that_cannot_be(trees, tmp_path, capsys, more, words):
    (tmp_path / "file").write_text("x")
    more = [word.replace("FILE", str(tmp_path / "file")) for word in more]
    assert loso(trees["casme2"], tmp_path / "out", "--cache", trees["cache"], *more) == 2
    assert words.replace("FILE", str(tmp_path / "file")) in refusal(capsys)
    assert not (tmp_path / "out" / "folds").exists()


@pytest.mark.parametrize(
    "more, words",
    [
        (["--folds", "4/4"], "--folds must be i/n"),
        (["--model", "identity", "identity"], "names identity twice"),
        (["--out", "FILE"], "FILE"),
        (["--out", "FILE/below/it"], "FILE"),
    ],
)
@pytest.mark.parametrize("command", ["loso", "cross", "cd6me"])
def test_what_needs_no_data_is_checked_before_any_are_read(tmp_path, capsys, monkeypatch, command, more, words):
    monkeypatch.setattr("aullm_lite.protocols.sources.read", lambda *a, **b: pytest.fail("data were read"))
    (tmp_path / "file").write_text("x")
    more = [word.replace("FILE", str(tmp_path / "file")) for word in more]
    assert main([command, *SETS[command], "--out", str(tmp_path / "out"), *CHEAP, *more]) == 2
    error = capsys.readouterr().err
    assert words.replace("FILE", str(tmp_path / "file")) in error and error.count("\n") == 1
    assert names(tmp_path) == ["file"]


SETS = {
    "loso": ["--data", "casme2", "--root", "x"],
    "cross": ["--train", "casme2:x", "--test", "samm:y"],
    "cd6me": ["--data", "casme2:x", "samm:y"],
}


def test_a_model_is_one_of_those_there_are(capsys):
    with pytest.raises(SystemExit) as error:
        loso("x", "x", "--model", "svm")
    assert error.value.code == 2
    assert "argument --model: invalid choice: 'svm' (choose from" in capsys.readouterr().err


def test_a_table_is_named_where_a_root_holds_two(trees, tree, tmp_path, capsys):
    shutil.copy(tree / TABLES["casme2"], tree / "CASME2-coding-2.xlsx")
    shared = ["--cache", str(trees["cache"]), "--out", str(tmp_path / "out"), *CHEAP]
    places = [f"casme2:{tree}", f"samm:{trees['samm']}"]
    chosen = ["--annotations", f"casme2:{tree / 'CASME2-coding-2.xlsx'}"]
    for number, command in enumerate(
        (["cross", "--train", places[0], "--test", places[1]], ["cd6me", "--data", *places])
    ):
        shared[3] = str(tmp_path / f"out{number}")
        assert main([*command, *shared]) == 2
        assert "holds 2 annotation files" in capsys.readouterr().err
        assert main([*command, *shared, *chosen]) == 0
        assert "Table CASME2-coding-2.xlsx" in (tmp_path / f"out{number}" / "table.md").read_text()


@pytest.mark.parametrize(
    "tables, words",
    [
        (["FILE"], "such as casme2:/data/CASME2.xlsx, got 'FILE'"),
        (["casme3:FILE"], "--annotations names casme3, but the data sets are casme2, samm"),
        (["casme2:FILE", "casme2:FILE"], "--annotations names casme2 twice"),
        (["casme2:FILE", "samm:FILE.gone"], "There is no annotation file 'FILE.gone'"),
    ],
)
@pytest.mark.parametrize("command", ["cross", "cd6me"])
def test_tables_that_cannot_be_meant(tmp_path, capsys, command, tables, words):
    (tmp_path / "file").write_text("x")
    tables = [word.replace("FILE", str(tmp_path / "file")) for word in tables]
    assert main([command, *SETS[command], "--out", str(tmp_path / "out"), "--annotations", *tables]) == 2
    error = capsys.readouterr().err
    assert words.replace("FILE", str(tmp_path / "file")) in error and error.count("\n") == 1


@pytest.mark.parametrize(
    "command, words",
    [
        (["cd6me", "--data", "casme9:/x", "samm:/y"], "There is no data set 'casme9': choose among casme2"),
        (["cd6me", "--data", "casme2", "samm:/y"], "NAME:DIR, such as casme2:/data/CASME2, got 'casme2'"),
        (["cross", "--train", "casme2:", "--test", "samm:/y"], "NAME:DIR"),
    ],
)
def test_places_that_are_none(tmp_path, capsys, command, words):
    assert main([*command, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1 and not (tmp_path / "out").exists()


def test_one_data_set_is_not_several(trees, tmp_path, capsys):
    place, shared = f"casme2:{trees['casme2']}", ["--cache", str(trees["cache"]), "--out", str(tmp_path), *CHEAP]
    assert main(["cross", "--train", place, "--test", place, *shared]) == 2
    assert "both are casme2: give two different data sets" in capsys.readouterr().err
    assert main(["cd6me", "--data", place, place, *shared]) == 2
    assert "got casme2 alone" in capsys.readouterr().err
