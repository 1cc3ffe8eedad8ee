"""A full disk: one sentence and exit status 2, what was there before stays, and with more room the work goes on.

Instead of a full disk, which only root can make, no file may grow beyond a number of bytes: see `.github/full_disk.py`.
"""

from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

import pytest
from listing import names
from sample_report import sample_report
from test_protocols_cli import blind, casme2_tree  # noqa: F401  no face is looked for

from aullm_lite import bench
from aullm_lite.cli import main
from aullm_lite.model import AULLM
from aullm_lite.synth import export

resource = pytest.importorskip("resource")
pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")  # no second error behind one
AGAIN = "free some space or choose another place, then run the same command again"


@contextmanager
def full(size: int):
    """No file may hold more bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def contents(folder: Path) -> dict:
    """All files by name but locks, which are empty."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def run(*arguments) -> int:
    return main([str(argument) for argument in arguments])


@pytest.fixture
def refused(capsys):
    """Run a command that finds no room for a file, and is to say so."""

    def refuses(size: int, file: Path | str, *command) -> str:
        with full(size):
            assert run(*command) == 2
        said, error = capsys.readouterr()
        again = f"{AGAIN} with --resume" if command[0] in ("train", "loso") and "--resume" not in command else AGAIN
        assert fnmatch(error.splitlines()[-1], f"{command[0]}: File too large ({file}): {again}.")
        assert "Traceback" not in error and "Exception ignored" not in error
        return said

    return refuses


def test_train(tmp_path, refused):
    data, out = tmp_path / "data", tmp_path / "out"
    assert run("synth", data, "--subjects", 4, "--clips", 6, "--seed", 900) == 0
    short = ["--preset", "smoke", "--epochs", 1, "--warmup", 1, "--batch-size", 8]
    command = ["train", "--data", data, *short, "--out", out]
    refused(20_000, out / "state.safetensors", *command)
    assert set(contents(out)) == {"metrics.jsonl"}
    assert run(*command, "--resume") == 0
    before = contents(out)
    refused(20_000, out / "model.safetensors", *command, "--resume")
    assert contents(out) == before


def test_loso(tmp_path, refused):
    cache, out = tmp_path / "cache", tmp_path / "out"
    command = ["loso", "--data", "casme2", "--root", casme2_tree(tmp_path / "set"), "--cache", cache, "--out", out]
    command += ["--preset", "smoke", "--init", "scratch", "--model", "identity"]
    refused(20_000, f"{cache}/casme2-90-*.parquet", *command)
    assert contents(cache) == contents(out) == {}
    assert run(*command, "--folds", "0/2") == 0
    before = contents(out)
    refused(4_000, f"{out}/folds/identity/casme2-91-*.parquet", *command, "--resume")
    assert contents(out) == before
    refused(10_000, out / "table.png", *command, "--resume")
    assert len(contents(out)) == 5 and "table.json" not in contents(out)
    assert run(*command, "--resume") == 0


@pytest.mark.parametrize("form, size", [("hf", 4_000), ("frames", 500), ("casme2", 2_000)])
def test_synth(tmp_path, refused, monkeypatch, form, size):
    """Where the rows, a frame, or the table of a form do not find room."""
    monkeypatch.setattr(export, "FRAME_SIZE", 16)
    command = ["synth", tmp_path / "set", "--subjects", 1, "--clips", 1, "--seed", 70, "--format", form]
    refused(size, tmp_path / "set", *command)
    assert not (tmp_path / "set").exists()  # shards that are whole wait in a hidden folder for the next try
    assert names(tmp_path) == ([".set.begun"] if form == "hf" else [])
    assert run(*command) == 0
    assert names(tmp_path) == ["set"]


@pytest.fixture
def report(monkeypatch):
    """What every model finds in every video."""
    monkeypatch.setattr(AULLM, "from_pretrained", lambda name: AULLM)
    monkeypatch.setattr(AULLM, "analyze", lambda path, **options: sample_report())
    return sample_report()


@pytest.mark.parametrize("option, name", [("--json", "report.json"), ("--figure", "report.png")])
def test_analyze(report, tmp_path, refused, option, name):
    file = tmp_path / name
    file.write_text("older")
    assert str(report) in refused(1_000, file, "analyze", "clip.mp4", option, file)
    assert contents(tmp_path) == {name: b"older"}
    assert run("analyze", "clip.mp4", option, file) == 0 and len(contents(tmp_path)[name]) > 1_000


def test_evaluate(smoke, tmp_path, refused):
    smoke.save_pretrained(tmp_path / "model")
    file = tmp_path / "scores.json"
    file.write_text("older")
    command = ["evaluate", tmp_path / "model", "--subjects", 2, "--clips", 4, "--tier", "macro", "--json", file]
    assert "floor all positive: F1" in refused(1_000, file, *command)
    assert file.read_text() == "older" and run(*command) == 0


def test_bench(tmp_path, refused, monkeypatch):
    monkeypatch.setattr(bench, "run", lambda *args, **how: {"figures": "x" * 2_000})
    monkeypatch.setattr(bench, "as_text", lambda figures: "They are these.")
    assert "They are these." in refused(1_000, tmp_path / "bench.json", "bench", "--json", tmp_path / "bench.json")


def test_a_checkpoint(smoke, tmp_path):
    smoke.save_pretrained(tmp_path)
    before = contents(tmp_path)
    smoke.au_head.weight.data += 1
    with full(20_000), pytest.raises(OSError, match="File too large: .*model.safetensors"):
        smoke.save_pretrained(tmp_path)
    assert contents(tmp_path) == before
