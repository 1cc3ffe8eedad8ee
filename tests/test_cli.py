"""The command line: contracts, and one sentence with exit status 2 for what cannot be used."""

import json
import subprocess
import sys
import warnings

import numpy as np
import pytest
from listing import names
from sample_report import sample_report
from test_grading import rows_of

from aullm_lite import cli
from aullm_lite.cli import main
from aullm_lite.cli.options import au_number, seed_number
from aullm_lite.explain import study
from aullm_lite.model import AULLM
from aullm_lite.video import write_video


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A smoke checkpoint made by the command itself, and the data it was trained on."""
    folder = tmp_path_factory.mktemp("cli")
    data, out = folder / "data", folder / "out"
    assert main(["synth", str(data), "--subjects", "4", "--clips", "6", "--seed", "900"]) == 0
    command = [
        "train",
        "--data",
        str(data),
        "--preset",
        "smoke",
        "--out",
        str(out),
        "--epochs",
        "1",
        "--warmup",
        "1",
        "--batch-size",
        "8",
    ]
    assert main(command) == 0
    return data, out, command


def test_train_writes_weights_figures_and_a_plot(checkpoint):
    _, out, _ = checkpoint
    assert {"config.json", "model.safetensors", "metrics.jsonl", "metrics.png"} <= {p.name for p in out.iterdir()}
    assert AULLM.from_pretrained(out).config.preset == "smoke"


def test_train_again_needs_resume(checkpoint, capsys):
    _, _, command = checkpoint
    assert main(command) == 2 and "--resume" in capsys.readouterr().err
    assert main([*command, "--resume"]) == 0


def test_evaluate_on_a_folder_and_on_synth(checkpoint, tmp_path):
    data, out, _ = checkpoint
    for extra in (["--data", str(data)], ["--subjects", "2", "--clips", "4", "--tier", "macro"]):
        assert main(["evaluate", str(out), *extra, "--json", str(tmp_path / "e.json")]) == 0
        scores = json.loads((tmp_path / "e.json").read_text())
        assert {"f1", "f1_macro", "ap", "n_pos"} < set(scores["mean"]) == set(scores["per_au"]["12"])


@pytest.mark.parametrize("arguments, word", [
    (["analyze", "nowhere.mp4", "--model", "nothing"], "checkpoint"),
    (["evaluate", "nothing"], "checkpoint"),
    (["evaluate", "CHECKPOINT", "--data", "EMPTY"], "synth"),
    (["train", "--data", "EMPTY", "--preset", "smoke", "--out", "OUT"], "synth"),
    (["analyze", "nowhere.mp4", "--model", "CHECKPOINT"], "path"),
    (["analyze", "TEXT", "--model", "CHECKPOINT"], "not a video"),
    (["analyze", "TEXT", "--model", "CHECKPOINT", "--figure", "a.xyz"], "svg"),
    (["evaluate", "CHECKPOINT", "--subjects", "0"], "at least one subject"),
    (["train", "--preset", "smoke", "--out", "OUT", "--subjects", "2", "--clips", "0"], "one clip"),
    (["train", "--preset", "smoke", "--out", "OUT", "--seed", "10000000"], "kept for evaluation"),
    (["train", "--preset", "smoke", "--out", "OUT", "--epochs", "0"], "at least 1"),
    (["synth", ".", "--subjects", "1"], "new folder"),
])  # fmt: skip
def test_bad_input_is_status_2_and_one_sentence(checkpoint, tmp_path, capsys, arguments, word):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.mp4").write_text("hello " * 100)
    places = {
        "CHECKPOINT": checkpoint[1],
        "EMPTY": tmp_path / "empty",
        "OUT": tmp_path / "out",
        "TEXT": tmp_path / "text.mp4",
    }
    capsys.readouterr()
    assert main([str(places.get(argument, argument)) for argument in arguments]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert word in error and "Traceback" not in error


SEEDED = {
    "loso": ["--data", "casme2", "--root", "x", "--out", "x"],
    "cross": ["--train", "casme2:x", "--test", "samm:x", "--out", "x"],
    "cd6me": ["--data", "casme2:x", "samm:x", "--out", "x"],
    "leaks": ["--out", "x"],
    "train": ["--out", "x"],
    "evaluate": ["demo"],
    "synth": ["x"],
}


@pytest.mark.parametrize("command", SEEDED)
@pytest.mark.parametrize("seed", ["-1", "4294967296", "1.5", "many", "9" * 5000])
def test_a_seed_is_one_that_every_generator_takes(capsys, command, seed):
    with pytest.raises(SystemExit) as error:
        main([command, *SEEDED[command], "--seed", seed])
    assert error.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert f"argument --seed: give a whole number as seed, from 0 to 4294967295, not '{seed}'" in last


def test_the_largest_seed_is_taken():
    assert seed_number("4294967295") == 2**32 - 1 and seed_number("0") == 0


def test_synth_does_not_overwrite(checkpoint, capsys):
    data, _, _ = checkpoint
    before = sorted(p.stat().st_mtime for p in data.iterdir())
    assert main(["synth", str(data)]) == 2
    assert sorted(p.stat().st_mtime for p in data.iterdir()) == before


def test_the_commands_know_every_row_of_a_table():
    from aullm_lite.protocols.methods import MODELS

    assert cli.ROWS == MODELS


@pytest.mark.parametrize(
    "category, shown", [(UserWarning, "It was so.\n"), (FutureWarning, "FutureWarning: It was so.")]
)
def test_a_warning_of_ours_is_a_plain_sentence(monkeypatch, capsys, category, shown):
    monkeypatch.setattr(cli.data, "_inspect", lambda args: warnings.warn("It was so.", category))
    before = warnings.showwarning
    assert main(["inspect", "samm"]) == 0 and warnings.showwarning is before
    error = capsys.readouterr().err
    assert error == shown if category is UserWarning else shown in error


def test_help_is_quick_to_import():
    code = (
        "import sys; from aullm_lite.cli import main\ntry: main(['--help'])\n"
        "except SystemExit: pass\nsys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


@pytest.mark.model
def test_analyze_writes_the_promised_json(checkpoint, tmp_path):
    from aullm_lite.demo import RECIPES, render_example

    write_video(tmp_path / "clip.mp4", render_example(RECIPES[0], fps=50)[:50], 50)
    command = ["analyze", str(tmp_path / "clip.mp4"), "--model", str(checkpoint[1]), "--json", str(tmp_path / "r.json")]
    assert main([*command, "--figure", str(tmp_path / "r.png")]) == 0
    report = json.loads((tmp_path / "r.json").read_text())
    assert [row["au"] for row in report["aus"]] == [1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17]
    assert {"au", "name", "probability", "verdict", "onset_s", "apex_s", "offset_s"} <= set(report["aus"][0])
    assert len(report["timeline"]["t"]) == len(report["timeline"]["au12"]) > 0
    assert set(report["video"]) == {"fps", "frames", "seconds"} and "warnings" in report and "model" in report
    assert np.isclose(report["video"]["fps"], 50, atol=0.5) and (tmp_path / "r.png").stat().st_size > 10_000


# explain and grade


def test_methods_in_the_help_are_those_there_are():
    from aullm_lite.cli import models
    from aullm_lite.explain import methods

    assert models.MAPS == tuple(methods.MAPS) and models.PARTS == tuple(methods.PARTS)


@pytest.mark.parametrize("text", ["12", "AU12", "au 12"])
def test_an_au_may_be_written_either_way(text):
    assert au_number(text) == 12


def test_what_is_no_au_is_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["explain", "clip.mp4", "--au", "smile", "--out", "out"])
    assert "give the number of an Action Unit, such as 12, not 'smile'" in capsys.readouterr().err


def test_files_and_folders_are_told_apart_before_any_work(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["explain", "absent.mp4", "--au", "12", "--out", str(tmp_path / "file")]) == 2
    assert "--out must name a folder" in capsys.readouterr().err
    assert main(["grade", "--json", str(tmp_path)]) == 2
    assert "--json must name a file" in capsys.readouterr().err and len(list(tmp_path.iterdir())) == 1


@pytest.fixture
def seen(monkeypatch):
    """A video in which the analysis finds what is in `sample_report`."""
    monkeypatch.setattr(AULLM, "analyze", lambda self, path, **options: sample_report())


@pytest.mark.parametrize("method, files", [("ig", ["json", "npz", "png"]), ("fusion", ["json", "png"])])
def test_explain_writes_a_picture_numbers_and_the_map(checkpoint, seen, tmp_path, capsys, method, files):
    _, model, _ = checkpoint
    command = ["explain", "clip.mp4", "--au", "12", "--method", method, "--model", str(model), "--out", str(tmp_path)]
    assert main(command) == 0
    assert sorted(path.suffix[1:] for path in tmp_path.iterdir()) == files
    facts = json.loads(next(tmp_path.glob("*.json")).read_text())
    said = capsys.readouterr().out
    assert facts["au"] == 12 and facts["method"] == method and facts["text"] in said and "present, probability" in said
    assert all(path.name in said for path in tmp_path.iterdir()) and ("npz" in said) == ("npz" in files)


@pytest.mark.parametrize(
    "change, sentence",
    [
        (["--au", "AU99"], "does not know AU99: choose one of 1 2 4"),
        (["--au", "12", "--method", "magic"], "Unknown method 'magic': choose one of ig, saliency"),
    ],
)
def test_explain_refuses_before_it_reads_the_video(checkpoint, tmp_path, capsys, change, sentence):
    _, model, _ = checkpoint
    assert main(["explain", "absent.mp4", "--model", str(model), "--out", str(tmp_path / "out"), *change]) == 2
    assert sentence in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_grade_writes_json_and_removes_its_rows(checkpoint, tmp_path, capsys, monkeypatch):
    _, model, _ = checkpoint
    monkeypatch.setattr(study, "grade", lambda *_, rows, **__: rows.write_text("") and None or rows_of(0.7, 0.4))
    assert main(["grade", "--model", str(model), "--json", str(tmp_path / "grade.json")]) == 0
    table = json.loads((tmp_path / "grade.json").read_text())
    assert table["methods"]["ig"]["ratio"] == pytest.approx(7.25) and names(tmp_path) == ["grade.json"]
    assert "pointing" in capsys.readouterr().out


def test_grade_refuses_what_makes_no_map(checkpoint, tmp_path, capsys):
    _, model, _ = checkpoint
    command = ["grade", "--methods", "fusion", "--model", str(model), "--json", str(tmp_path / "grade.json")]
    assert main(command) == 2 and "no map by 'fusion'" in capsys.readouterr().err
