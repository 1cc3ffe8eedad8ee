"""Folds: what a method is shown, what stays after a kill, and tables that are the same to the byte."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from listing import names
from protocol_data import Spy, filmed, noise

from aullm_lite.baselines import flow, simple
from aullm_lite.baselines.flow import with_flow
from aullm_lite.baselines.simple import with_motion
from aullm_lite.errors import InputError
from aullm_lite.files import write_together
from aullm_lite.protocols import LeakError, cross, experiment, loso, networks
from aullm_lite.protocols.folds import Folds, run_folds, shard
from aullm_lite.protocols.methods import build
from aullm_lite.recipe import TrainConfig

WRITTEN = ("predictions.parquet", "table.json", "table.md", "table.png")
SIMPLE = ["flow-svm", "motion", "identity"]


@pytest.fixture(scope="module")
def people(clips):
    """Four clips of each of four drawn people as CASME II would give them, measured already."""
    return with_motion(with_flow(filmed(clips, people=4).select(np.arange(0, 32, 2))))


@pytest.fixture
def spy(monkeypatch):
    """`identity` becomes a method that watches."""

    def watching(**options):
        watcher = Spy(**options)
        monkeypatch.setattr(experiment, "build", lambda *_: watcher.method)
        return watcher

    return watching


def run(data, out, models=("identity",), seed=0, **options):
    return loso(data, seed).run(out, models, ["scratch"], preset="smoke", **options)


def written(out) -> dict:
    return {name: (out / name).read_bytes() for name in WRITTEN}


def times(out) -> dict:
    """When each file was written, but for locks."""
    return {path: path.stat().st_mtime_ns for path in out.rglob("*.*") if path.suffix != ".lock"}


def folds_in(out, row="identity") -> list[str]:
    """The folds that are kept, without the hash that tells casme2/90 from casme2-90."""
    return sorted(path.stem.rpartition("-")[0] for path in (out / "folds" / row).glob("*.parquet"))


# What a method is shown


def test_no_label_and_no_person_of_the_test_is_shown(spy, tmp_path):
    watcher, data = spy(), noise(5)
    run(data, tmp_path)
    assert len(watcher.fits) == 5 and len(watcher.tested) == 10
    for (train, inner), shown, test in zip(watcher.fits, watcher.tested[::2], watcher.tested[1::2]):
        assert np.isnan(test.labels).all() and test.scripts is None and shown is inner
        groups = [set(part.subjects) for part in (train, inner, test)]
        assert len(groups[2]) == 1 and set.union(*groups) == set(data.subjects)
        assert not (groups[0] & groups[1] or groups[2] & (groups[0] | groups[1]))
        assert np.array_equal(train.labels, data.labels[np.isin(data.subjects, train.subjects)])
    assert {who for test in watcher.tested[1::2] for who in test.subjects} == set(data.subjects)


def test_what_is_measured_in_all_clips_is_measured_without_labels(spy, tmp_path):
    watcher = spy()
    run(noise(4), tmp_path)
    assert [np.isnan(data.labels).all() and data.scripts is None for data in watcher.measured] == [True]


def test_what_one_row_measured_serves_the_next(people, tmp_path, monkeypatch):
    done, fresh = [], replace(people, flow=None, motion=None)
    for module, name in ((flow, "apex_flow"), (simple, "measure_motion")):
        original = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, f=original, n=name: done.append(n) or f(*a))
    monkeypatch.setattr("aullm_lite.baselines.sssnet.EPOCHS", 1)
    run(fresh, tmp_path, ["flow-svm", "motion", "sssnet"])
    assert sorted(done) == ["apex_flow", "measure_motion"]


def test_weights_that_have_seen_somebody_stop_before_the_first_fold(spy, tmp_path):
    watcher = spy(trained_on=("casme2/93",))
    with pytest.raises(LeakError, match="trained on casme2/93"):
        run(noise(5), tmp_path)
    assert not watcher.fits and not folds_in(tmp_path)


@pytest.mark.parametrize("where", ["test", "inner"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_answers_that_are_no_numbers_are_refused(tmp_path, where, value):
    data = noise(4)
    split = loso(data).splits[0]
    watcher = Spy()
    wrong = lambda d: np.full(d.labels.shape, value if np.isnan(d.labels).any() == (where == "test") else 0.1)  # noqa: E731
    method = replace(watcher.method, fit=lambda *_: wrong)
    with pytest.raises(InputError, match="Spy gave an answer that is not a number"):
        run_folds(method, data, [split], 0)


# Kills, shares and repetitions


def test_a_killed_run_goes_on_to_the_same_bytes(spy, tmp_path):
    data = noise(6)
    spy()
    run(data, tmp_path / "whole")
    spy(dies_in=2)
    with pytest.raises(KeyboardInterrupt):
        run(data, tmp_path / "part")
    assert folds_in(tmp_path / "part") == ["casme2-90", "casme2-91"]
    assert not any((tmp_path / "part" / name).exists() for name in WRITTEN)
    before = [(path, path.stat().st_mtime_ns) for path in (tmp_path / "part" / "folds").rglob("*.parquet")]
    watcher = spy()
    run(data, tmp_path / "part", go_on=True)
    assert len(watcher.fits) == 4 and written(tmp_path / "part") == written(tmp_path / "whole")
    assert all(path.stat().st_mtime_ns == time for path, time in before)


def test_two_runs_and_two_halves_make_the_same_bytes(people, tmp_path):
    for out in ("one", "two"):
        run(people, tmp_path / out, SIMPLE)
    assert written(tmp_path / "one") == written(tmp_path / "two")
    for half in ("0/2", "1/2"):  # the second half needs no --resume: none of its folds is there
        done = run(people, tmp_path / "halves", SIMPLE, folds=half)
        assert set(done["missing"].values()) == {2 if half == "0/2" else 0} and ("table" in done) == (half == "1/2")
    assert written(tmp_path / "halves") == written(tmp_path / "one")


def copied(source, target):
    """As `cp -r source/. target/.` does."""
    shutil.copytree(source, target, dirs_exist_ok=True)


def test_folders_of_machines_that_share_nothing_are_copied_together(people, tmp_path):
    run(people, tmp_path / "one", SIMPLE)
    for i in range(3):
        run(people, tmp_path / f"machine{i}", SIMPLE, folds=f"{i}/3")
    for i in range(3):
        copied(tmp_path / f"machine{i}", tmp_path / "merged")
    done = run(people, tmp_path / "merged", SIMPLE, go_on=True)
    assert set(done["missing"].values()) == {0} and written(tmp_path / "merged") == written(tmp_path / "one")


def test_two_machines_write_the_same_file_at_once(tmp_path, monkeypatch):
    """Their processes may have the same number; the second begins and ends while the first is at it."""
    monkeypatch.setattr("os.getpid", lambda: 1)
    second = [lambda: write_together({tmp_path / "settings.json": b"second"})]
    monkeypatch.setattr("aullm_lite.files.os.fsync", lambda _: second and second.pop()())
    write_together({tmp_path / "settings.json": b"first"})
    assert (tmp_path / "settings.json").read_bytes() == b"first" and names(tmp_path) == ["settings.json"]


def test_another_seed_makes_other_folds(tmp_path):
    data = noise(8)
    inner = [[split.inner for split in loso(data, seed).splits] for seed in (0, 0, 1)]
    assert inner[0] == inner[1] != inner[2]
    assert run(data, tmp_path, seed=1)["table"]["seed"] == 1


def test_a_network_makes_the_same_bytes_too(people, tmp_path, monkeypatch):
    monkeypatch.setitem(networks.FROM_NOTHING, "llm", TrainConfig(warmup=1, epochs=1, batch_size=16))
    few = people.select(people.subjects != people.subjects[0])
    for out in ("one", "two"):
        run(few, tmp_path / out, ["aullm"])
    assert written(tmp_path / "one") == written(tmp_path / "two")
    facts = json.loads((tmp_path / "one" / "folds" / "aullm-scratch" / "settings.json").read_text())
    assert facts["title"] == "AU-LLM, from scratch (preset smoke)" and facts["method"]["training"]["epochs"] == 1


def test_rows_may_come_one_after_another(people, tmp_path):
    run(people, tmp_path / "apart", ["identity"])
    done = run(people, tmp_path / "apart", ["motion"])
    run(people, tmp_path / "together", ["identity", "motion"])
    assert list(done["table"]["rows"]) == ["motion", "identity"]
    assert written(tmp_path / "apart") == written(tmp_path / "together")


# Folders that are refused


def test_what_is_there_is_not_overwritten(people, tmp_path):
    run(people, tmp_path)
    before = times(tmp_path)
    with pytest.raises(InputError, match="holds folds of identity: pass --resume to go on, or another --out"):
        run(people, tmp_path, ["motion", "identity"])
    assert times(tmp_path) == before


CHANGED = {
    "seed": "another seed",
    "data": "other data",
    "aus": "other Action Units",
    "preset": "another preset or other first weights",
    "folds": "other data, another number of folds",
    "protocol": "another protocol",
    "version": "another version of this package",
}


@pytest.mark.parametrize("change", CHANGED)
def test_folds_of_another_run_are_refused_by_name(people, tmp_path, monkeypatch, change):
    run(people, tmp_path)
    data, options = people, {}
    if change == "seed":
        options["seed"] = 1
    elif change == "data":
        data = replace(people, clips=people.clips.copy())
        data.clips[0, 0, 0, 0] ^= 1
    elif change == "aus":
        data = replace(people, aus=(4, 1, 12))
    elif change == "folds":
        data = people.select(people.subjects != people.subjects[0])
    elif change == "version":
        monkeypatch.setattr(experiment, "__version__", "9")
    with pytest.raises(InputError, match=f"holds folds made with {CHANGED[change]}: choose another --out"):
        if change == "preset":
            loso(data).run(tmp_path, ["identity"], [], preset="lite", go_on=True)
        elif change == "protocol":
            replace(loso(data), protocol="Another").run(tmp_path, ["identity"], [], preset="smoke", go_on=True)
        else:
            run(data, tmp_path, go_on=True, **options)


def other_run(people, out, monkeypatch, change):
    """The second half of the folds as another machine might make them by mistake."""
    data, options, model = people, {"folds": "1/2"}, "identity"
    with monkeypatch.context() as patch:
        if change == "another seed":
            options["seed"] = 1
        elif change == "other data":
            data = replace(people, clips=people.clips ^ 1)
        elif change == "another version of this package":
            patch.setattr(experiment, "__version__", "9")
        elif change == "other first weights or training":
            method = replace(build("identity", None, "smoke", people.aus, 0), settings={"training": 2})
            patch.setattr(experiment, "build", lambda *_: method)
        preset = "lite" if change == "another preset or other first weights" else "smoke"
        loso(data, options.pop("seed", 0)).run(out, [model], [], preset=preset, **options)


@pytest.mark.parametrize("last", ["mine", "other"])
@pytest.mark.parametrize(
    "change",
    [
        "another seed",
        "other data",
        "another version of this package",
        "another preset or other first weights",
        "other first weights or training",
    ],
)
def test_folders_of_different_runs_cannot_be_copied_together(people, tmp_path, monkeypatch, change, last):
    """Whichever settings.json the copy leaves, each fold says how it was made."""
    run(people, tmp_path / "mine", folds="0/2")
    other_run(people, tmp_path / "other", monkeypatch, change)
    for name in ("mine", "other") if last == "other" else ("other", "mine"):
        copied(tmp_path / name, tmp_path / "merged")
    with pytest.raises(InputError, match=f"made with {change}: .*choose another --out"):
        run(people, tmp_path / "merged", go_on=True)
    assert not any((tmp_path / "merged" / name).exists() for name in WRITTEN)


def test_a_fold_without_a_word_of_its_making_is_refused(people, tmp_path):
    run(people, tmp_path)
    path = sorted((tmp_path / "folds" / "identity").glob("*.parquet"))[1]
    rows = pd.read_parquet(path)
    rows.attrs = {}
    rows.to_parquet(path)
    with pytest.raises(InputError, match=f"{path.name} does not say how it was made: delete it, run with --resume"):
        run(people, tmp_path, go_on=True)


def test_rows_of_another_run_are_noticed_before_anything_is_run(people, spy, tmp_path):
    run(people, tmp_path, ["motion"])
    watcher = spy()
    with pytest.raises(InputError, match="motion holds folds made with another seed"):
        run(people, tmp_path, ["identity"], seed=1)
    assert not watcher.fits and not folds_in(tmp_path)


@pytest.mark.parametrize("rows", [(["identity", "identity"], []), (["aullm"], ["runs/a/best", "runs/b/best"])])
def test_rows_of_one_name_are_refused(people, tmp_path, rows):
    with pytest.raises(InputError, match="names .* twice"):
        loso(people).run(tmp_path, *rows, preset="smoke")


def test_unknown_models_and_shares(people, tmp_path):
    with pytest.raises(InputError, match="no model 'svm': choose among aullm"):
        run(people, tmp_path, ["identity", "svm"])
    for share in ("4/4", "1", "-1/3", "0/0", "a/b"):
        with pytest.raises(InputError, match="--folds must be i/n"):
            run(people, tmp_path, folds=share)
    assert not (tmp_path / "folds").exists()
    splits = loso(people).splits
    assert shard(splits, None) == splits and shard(splits, "1/3") == splits[1::3]


@pytest.mark.parametrize("damage", [b"", b"PAR1 and no more", None])
def test_a_damaged_fold_is_named(people, tmp_path, damage):
    run(people, tmp_path)
    path = sorted((tmp_path / "folds" / "identity").glob("*.parquet"))[1]
    content = bytearray(path.read_bytes())
    content[len(content) // 4] ^= 255
    path.write_bytes(bytes(content) if damage is None else damage)
    with pytest.raises(InputError, match=f"{path.name} cannot be read .*: delete it, run with --resume"):
        run(people, tmp_path, go_on=True)
    path.unlink()
    run(people, tmp_path, go_on=True)


def test_folds_of_names_alike_have_their_own_files(tmp_path):
    names = ["casme2/90", "casme2-90", "casme2 90", "samm", "é", "è"]
    files = [Folds(tmp_path, "identity", {}).file(SimpleNamespace(name=name)).name for name in names]
    assert len(set(files)) == len(names) and files[0].startswith("casme2-90-")
    assert (files[1], files[3]) == ("casme2-90.parquet", "samm.parquet")


def test_damaged_settings_are_named(people, tmp_path):
    run(people, tmp_path)
    (tmp_path / "folds" / "identity" / "settings.json").write_text("{")
    with pytest.raises(InputError, match="settings.json cannot be read .*: choose another --out"):
        run(people, tmp_path, go_on=True)


def test_a_full_disk_keeps_the_folds_before(spy, tmp_path, monkeypatch):
    data, watcher = noise(5), spy()

    def full(file):
        if len(watcher.fits) == 3:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("aullm_lite.files.os.fsync", full)
    with pytest.raises(OSError):
        run(data, tmp_path)
    assert folds_in(tmp_path) == ["casme2-90", "casme2-91"] and not list(tmp_path.rglob("*.partial"))
    monkeypatch.undo()
    spy()
    assert "table" in run(data, tmp_path, go_on=True)


# Data that cannot make a table are refused before hours are spent


def test_data_without_a_table_in_them(spy, tmp_path):
    watcher, data = spy(), noise(4)
    one = noise(1, name="samm")
    silent = replace(data, labels=np.zeros_like(data.labels))
    doubled = replace(data, ids=np.array(["casme2/90/EP00"] * len(data)))
    nameless = replace(data, ids=None)
    for trial, words in (
        (lambda: cross(data, one), "two people"),
        (lambda: loso(silent), "AUs 4 12"),
        (lambda: loso(doubled), "casme2/90/EP00 stands for more than one clip"),
        (lambda: loso(nameless), "id"),
    ):
        with pytest.raises(InputError, match=words):
            trial().run(tmp_path, ["identity"], [])
    assert not watcher.fits


def test_a_row_keeps_its_clips_apart(people):
    """Answers carry the id of their clip, one row for each AU."""
    split = loso(people).splits[0]
    answers = run_folds(build("identity", None, "smoke", people.aus, 0), people, [split], 0)[0]
    assert list(answers) == ["id", "subject", "au", "label", "probability", "threshold", "fold"]
    assert len(answers) == 4 * 3 and not answers.duplicated(["id", "au"]).any()
    truth = people.select(people.subjects == split.name)
    table = answers.pivot(index="id", columns="au", values="label").loc[truth.ids.tolist(), list(people.aus)]
    assert np.array_equal(table, truth.labels) and answers["probability"].between(0, 1).all()


def test_folds_say_how_long_they_took(people, tmp_path):
    done = run(people, tmp_path)
    kept = Folds(tmp_path, "identity", {})
    assert done["fold_seconds"] == {"identity": kept.read(loso(people).splits).attrs["seconds"]}
    assert pd.read_parquet(tmp_path / "predictions.parquet")["model"].eq("identity").all()
