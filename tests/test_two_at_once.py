"""Two processes that write to one place: the second is refused in a sentence, or they share the work."""

import json
from concurrent.futures import ThreadPoolExecutor, wait
from types import SimpleNamespace

import pytest
from listing import everything
from protocol_data import Spy, noise
from test_train import start

from aullm_lite.ablate import study
from aullm_lite.ablate.budget import BUDGETS
from aullm_lite.cli import main
from aullm_lite.errors import InputError
from aullm_lite.files import alone
from aullm_lite.protocols import experiment, loso
from aullm_lite.protocols.folds import Folds
from aullm_lite.synth.export import write_dataset

TAKEN = "Another process is writing to .*: wait until it has ended, or"


@pytest.fixture
def spy(monkeypatch):
    """Every row is a method that answers by chance."""
    monkeypatch.setattr(experiment, "build", lambda *_: Spy().method)


def run(data, out, *rows, **options) -> dict:
    return loso(data).run(out, rows, ["scratch"], preset="smoke", **options)


def test_a_second_training_is_refused_before_anything_is_drawn_and_again_after(clips, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("aullm_lite.cli.training._first_model", lambda args: pytest.fail("The work has begun."))
    waiting = start(clips, tmp_path)
    with alone(tmp_path):
        assert main(["train", "--preset", "smoke", "--out", str(tmp_path)]) == 2
        assert "Another process is writing" in capsys.readouterr().err
        with pytest.raises(InputError, match=TAKEN):
            waiting.run()
    assert everything(tmp_path) == []


def test_a_training_that_came_too_late_does_not_replace_what_was_trained_meanwhile(clips, tmp_path):
    late = start(clips, tmp_path)
    start(clips, tmp_path).run()
    before = (tmp_path / "model.safetensors").read_bytes()
    with pytest.raises(InputError, match="--resume"):
        late.run()
    assert (tmp_path / "model.safetensors").read_bytes() == before


def test_a_second_study_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(study, "_run", lambda *_: pytest.fail("The work has begun."))
    with alone(tmp_path), pytest.raises(InputError, match=TAKEN):
        study.ablate(tmp_path, BUDGETS["small"], llm="random", go_on=True)
    assert everything(tmp_path) == []


def test_a_second_data_set_is_refused_by_its_own_name(tmp_path):
    size = dict(subjects=1, clips=1, tier="easy")
    with alone(tmp_path, "set"), pytest.raises(InputError, match="writing to .*set: wait"):
        write_dataset(tmp_path / "set", **size)
    assert everything(tmp_path) == []
    write_dataset(tmp_path / "set", **size)


def test_a_second_grading_is_refused(tmp_path, capsys, monkeypatch):
    model = SimpleNamespace(to=lambda device: model)
    monkeypatch.setattr("aullm_lite.model.AULLM.from_pretrained", lambda name: model)
    with alone(tmp_path, "grade.json.rows.jsonl"):
        assert main(["grade", "--json", str(tmp_path / "grade.json")]) == 2
    assert "Another process is writing" in capsys.readouterr().err


def test_a_share_of_folds_is_refused_while_another_process_has_it(spy, tmp_path):
    data = noise(4)
    with Folds(tmp_path, "identity", {}).share("1/3", ()):
        for folds in ("1/3", "01/3", "0/2", None):
            with pytest.raises(InputError, match=f"{TAKEN} give each process its own share with --folds"):
                run(data, tmp_path, "motion", "identity", folds=folds)
        run(data, tmp_path, "motion")
        run(data, tmp_path, "identity", folds="0/3")
    done = run(data, tmp_path, "identity", go_on=True)
    assert set(done["table"]["rows"]) == {"motion", "identity"}


def test_shares_that_begin_at_once_do_not_refuse_each_other(tmp_path):
    """Also where the lock of an earlier run with another number of shares has stayed."""
    folds = Folds(tmp_path, "identity", {})
    folds.folder.mkdir(parents=True)
    (folds.folder / ".share-0-of-1.lock").touch()

    def begins(number: int) -> None:
        for _ in range(100):
            with folds.share(f"{number}/4", ()):
                pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(begins, range(4)))


def test_a_table_is_not_written_from_what_was_read_before_another_row_ended(spy, tmp_path, monkeypatch):
    data, build_table = noise(4), experiment.build_table
    with ThreadPoolExecutor(1) as pool:

        def slow(*parts):
            monkeypatch.setattr(experiment, "build_table", build_table)
            others.append(pool.submit(run, data, tmp_path, "motion"))
            assert not wait(others, timeout=1).done  # it cannot end meanwhile
            return build_table(*parts)

        others = []
        monkeypatch.setattr(experiment, "build_table", slow)
        run(data, tmp_path, "identity")
        others[0].result()
    assert set(json.loads((tmp_path / "table.json").read_text())["rows"]) == {"motion", "identity"}
