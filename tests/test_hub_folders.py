"""What would be published, file by file: cards made from the figures, front matter that the Hub's own classes read."""

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import yaml
from datasets import load_dataset
from huggingface_hub import DatasetCard, ModelCard, SpaceCard

from aullm_lite import card
from aullm_lite.checkpoint import DEMO, weights_hash
from aullm_lite.cli import main
from aullm_lite.config import AULLMConfig
from aullm_lite.errors import InputError
from aullm_lite.hub.folders import build_checkpoint
from aullm_lite.hub.model_card import METRICS, how_good, model_card
from aullm_lite.hub.space import CHECKOUT, pinned, requirements
from aullm_lite.model import AULLM
from aullm_lite.synth.export import read_dataset, script_json, write_dataset, write_hf

COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}  # all that a Space may have


def dry_run(kind, out, *more) -> int:
    return main(["push", kind, "--repo", "lab/thing", "--dry-run", str(out), *map(str, more)])


def names(folder) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def small(tmp_path):
    """A small checkpoint on disk, to be changed."""
    AULLM(AULLMConfig.from_preset("smoke")).save_pretrained(tmp_path / "small")
    return tmp_path / "small"


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """What `push checkpoint` would send of the shipped checkpoint."""
    out = tmp_path_factory.mktemp("shipped") / "out"
    assert dry_run("checkpoint", out) == 0
    return out


# checkpoints


def test_a_dry_run_writes_what_would_be_sent_and_lists_it(small, tmp_path, capsys):
    assert dry_run("checkpoint", tmp_path / "out", "--from", small) == 0
    said = capsys.readouterr().out
    assert names(tmp_path / "out") == {"config.json", "model.safetensors", "README.md", "SHA256SUMS"}
    assert all(name in said for name in names(tmp_path / "out")) and "Nothing was sent." in said


def test_scores_go_along_and_other_files_stay_at_home(shipped):
    spoken = {"spoken.json"} if (DEMO / "spoken.json").exists() else set()
    assert names(shipped) == {"config.json", "model.safetensors", "eval.json", "README.md", "SHA256SUMS"} | spoken
    for line in (shipped / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((shipped / name).read_bytes()).hexdigest() == digest
    assert len((shipped / "SHA256SUMS").read_text().splitlines()) == len(names(shipped)) - 1


def test_the_hub_reads_the_front_matter(shipped):
    data = ModelCard.load(shipped / "README.md").data
    assert data.license == "apache-2.0" and data.base_model == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert data.library_name == "aullm-lite" and "facs" in data.tags
    assert data.model_name == "thing"


def test_the_model_index_holds_every_score_of_the_file(shipped):
    scores = json.loads((shipped / "eval.json").read_text())
    results = ModelCard.load(shipped / "README.md").data.eval_results
    found = {(one.dataset_config, one.metric_type): one.metric_value for one in results}
    for tier, table in scores["tiers"].items():
        for metric in METRICS:
            assert found[tier, metric] == pytest.approx(table["mean"][metric], abs=1e-4)
    assert len(found) == len(results) == len(METRICS) * (len(scores["tiers"]) + len(scores["photographs"]))
    assert all("generated" in one.dataset_name for one in results)


def test_the_page_says_what_it_is_for_and_how_to_cite(shipped):
    text = (shipped / "README.md").read_text()
    config, scores = (json.loads((shipped / name).read_text()) for name in ("config.json", "eval.json"))
    for needed in ("never emotion", "2507.21778", "Article 5", 'from_pretrained("lab/thing")', scores["note"]):
        assert needed in text
    assert config["base_fingerprint"] in text and card.scores(scores) in text and "no licensed data" in text


def test_a_changed_score_changes_the_page():
    config = AULLMConfig.from_json((DEMO / "config.json").read_bytes())
    scores = json.loads((DEMO / "eval.json").read_text())
    before = model_card("lab/thing", config, scores, None)
    scores["tiers"]["hard"]["mean"]["f1"] = 0.1234
    after = model_card("lab/thing", config, scores, None)
    assert before != after and "0.1234" in after and "0.123 |" in after


def test_people_seen_in_training_are_not_called_unseen():
    scores = json.loads((DEMO / "eval.json").read_text())
    people = ("drawn00000001",)
    assert "Nobody in these clips was seen in training" in how_good(scores, people)
    assert "is not known" in how_good(scores, ()) and "Nobody" not in how_good(scores, ())
    note = "The checkpoint was trained on 3 of these 30 people: its scores mislead."
    scores["tiers"]["easy"]["notes"] = [note]
    assert note in how_good(scores, people) and "Nobody in these clips" not in how_good(scores, people)


def test_a_checkpoint_without_scores_says_so(small, tmp_path):
    (tmp_path / "out").mkdir()
    build_checkpoint(small, tmp_path / "out", "lab/thing")
    data, text = ModelCard.load(tmp_path / "out" / "README.md").data, (tmp_path / "out" / "README.md").read_text()
    assert data.eval_results is None and data.base_model is None and "model_name" not in text.split("---")[1]
    assert "Not known" in text and "names nobody from whose clips" in text


def set_config(folder, **changes):
    values = json.loads((folder / "config.json").read_text()) | changes
    (folder / "config.json").write_text(json.dumps(values))


def put_figures(folder, name, **figures):
    model = AULLM.from_pretrained(folder)
    (folder / name).write_text(json.dumps(figures | {"model": weights_hash(model)}))


SPOILT = {
    "people of a licensed set": (lambda f: set_config(f, trained_on=["drawn00000001", "samm-011"]), "from samm-011"),
    "photographs": (lambda f: set_config(f, trained_on=["photo-me"]), "learned from photo-me, who was not drawn"),
    "language model of this machine": (lambda f: set_config(f, language_model=str(f)), "which others do not have"),
    "cut weights": (lambda f: (f / "model.safetensors").write_bytes(b"\0" * 100), "cannot be read"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "lacks model.safetensors"),
    "broken scores": (lambda f: (f / "eval.json").write_text("{"), "eval.json cannot be read"),
    "no scores": (lambda f: (f / "eval.json").write_text('{"mean": 1}'), "eval.json cannot be read"),
    "scores of less": (lambda f: put_figures(f, "eval.json"), "is not what `evaluate --full`"),
    "scores of other weights": (lambda f: shutil.copy(DEMO / "eval.json", f), "was measured of other weights"),
    "words of other weights": (lambda f: shutil.copy(DEMO / "spoken.json", f), "was measured of other weights"),
}  # fmt: skip


@pytest.mark.parametrize("kind", SPOILT)
def test_what_others_cannot_use_or_may_not_have_is_refused(kind, small, tmp_path, capsys):
    spoil, sentence = SPOILT[kind]
    spoil(small)
    assert dry_run("checkpoint", tmp_path / "out", "--from", small) == 2
    error = capsys.readouterr().err
    assert sentence in error and error.count("\n") == 1 and not (tmp_path / "out").exists()


def test_a_dry_run_overwrites_nothing(small, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    assert dry_run("checkpoint", tmp_path / "out", "--from", small) == 2
    assert "choose a new folder" in capsys.readouterr().err and names(tmp_path / "out") == {"mine.txt"}


# data sets


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A small data set, and what would be sent of it."""
    folder = tmp_path_factory.mktemp("made")
    write_dataset(folder / "set", subjects=2, clips=4, tier="hard", seed=10_000_000)
    assert dry_run("dataset", folder / "out", "--from", folder / "set") == 0
    return folder / "out"


def test_a_data_set_is_the_rows_that_synth_wrote_and_a_card(made):
    assert names(made) == {"data/test-00000-of-00001.parquet", "README.md", "SHA256SUMS"}
    published, written = read_dataset(made), read_dataset(made.parent / "set")
    assert np.array_equal(published.clips, written.clips) and list(published.subjects) == list(written.subjects)
    assert [script_json(s) for s in published.scripts] == [script_json(s) for s in written.scripts]
    assert subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=made).returncode == 0


def test_a_large_data_set_goes_in_several_files(made, tmp_path, monkeypatch):
    monkeypatch.setattr("aullm_lite.synth.shards.SHARD", 3)
    write_dataset(tmp_path / "set", subjects=2, clips=4, tier="hard", seed=10_000_000)
    assert dry_run("dataset", tmp_path / "out", "--from", tmp_path / "set") == 0
    assert len(names(tmp_path / "out" / "data")) == 3
    assert np.array_equal(read_dataset(tmp_path / "out").clips, read_dataset(made).clips)


def test_what_earlier_versions_saved_is_published_too(made, tmp_path, monkeypatch):
    monkeypatch.setattr("aullm_lite.hub.folders.SHARD", 3)
    rows = load_dataset(str(made), split="test", cache_dir=str(tmp_path / "cache"))
    rows.save_to_disk(tmp_path / "old")
    assert dry_run("dataset", tmp_path / "out", "--from", tmp_path / "old") == 0
    assert len(names(tmp_path / "out" / "data")) == 3
    assert np.array_equal(read_dataset(tmp_path / "out").clips, read_dataset(made).clips)
    cards = [DatasetCard.load(folder / "README.md") for folder in (made, tmp_path / "out")]
    assert cards[0].text == cards[1].text and cards[0].data.dataset_info["features"]
    assert cards[0].data.dataset_info["features"] == cards[1].data.dataset_info["features"]


def test_the_card_of_a_data_set_is_counted(made):
    loaded = DatasetCard.load(made / "README.md")
    data, text = loaded.data, loaded.text
    assert data.license == "apache-2.0" and data.size_categories == ["n<1K"] and "synthetic" in data.tags
    (split,) = data.dataset_info["splits"]
    assert split["name"] == "test" and split["num_examples"] == 8
    assert {feature["name"] for feature in data.dataset_info["features"]} >= {"id", "subject", "clip", "aus", "script"}
    assert "8 clips of 2 people who do not exist (drawn10000000..10000001" in text and "tier `hard`" in text
    assert "no\nemotion label" in text or "no emotion label" in text


def test_the_published_folder_is_read_by_datasets(made, tmp_path):
    rows = load_dataset(str(made), split="test", cache_dir=str(tmp_path))
    assert len(rows) == 8 and set(rows["tier"]) == {"hard"} and len(rows[0]["clip"]) == 6 * 64 * 64


def test_only_drawn_people_are_published(clips, tmp_path, capsys):
    some = clips.select(np.arange(2))
    write_hf(tmp_path / "set", replace(some, subjects=np.array(["drawn00000001", "photo-me"])), "standard")
    assert dry_run("dataset", tmp_path / "out", "--from", tmp_path / "set") == 2
    assert "shows photo-me, who was not drawn: only drawn people may be published" in capsys.readouterr().err


@pytest.mark.parametrize("more, sentence", [([], "Name the dataset by --from"), (["--from", "nowhere"], "no data set")])
def test_no_data_set(tmp_path, capsys, more, sentence):
    assert dry_run("dataset", tmp_path / "out", *more) == 2
    assert sentence in capsys.readouterr().err and not (tmp_path / "out").exists()


# the Space


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    """The Space of this very repository, with things lying about that must not go along."""
    folder = tmp_path_factory.mktemp("space")
    checkout = folder / "checkout"
    shutil.copytree(CHECKOUT / "aullm_lite", checkout / "aullm_lite")
    for name in ("app.py", "LICENSE", "requirements.txt"):
        shutil.copyfile(CHECKOUT / name, checkout / name)
    subprocess.run("git init -q && git add -A", shell=True, cwd=checkout, check=True)
    inside = ("token.txt", "secret.py", ".hidden/x.py", "checkpoints/demo/face.png", "checkpoints/demo/notes.json")
    for stray in (*(f"aullm_lite/{name}" for name in inside), "aullm_lite/checkpoints/mine/x.safetensors", "notes.md"):
        (checkout / stray).parent.mkdir(exist_ok=True)
        (checkout / stray).write_text("private")
    assert dry_run("space", folder / "out", "--from", checkout) == 0
    return folder / "out"


def test_the_hub_reads_the_front_matter_of_the_space(space):
    data, text = SpaceCard.load(space / "README.md").data, (space / "README.md").read_text()
    assert data.sdk == "gradio" and data.app_file == "app.py" and (space / data.app_file).is_file()
    assert data.sdk_version == pinned((CHECKOUT / "requirements.txt").read_text(), "gradio")
    assert data.python_version == "3.12" and "python_version: '3.12'" in text  # else YAML reads a number
    assert data.models == ["HuggingFaceTB/SmolLM2-135M-Instruct"]
    assert data.license == "apache-2.0" and {data["colorFrom"], data["colorTo"]} <= COLOURS
    assert len(data["short_description"]) <= 60 and yaml.safe_load(text.split("---")[1])["title"] == "AU-LLM Lite"


def test_the_page_of_the_space_takes_its_figures_from_the_scores(space):
    table = json.loads((DEMO / "eval.json").read_text())["tiers"]["standard"]
    text = (space / "README.md").read_text()
    assert f"F1 of {table['mean']['f1']:.3f}" in text and f"{table['floors']['all_positive']['f1']:.3f}" in text
    assert "never emotion" in text and "No filmed person" in text


def test_a_space_installs_what_was_tested(space):
    lines = (space / "requirements.txt").read_text().splitlines()
    pins = [line for line in (CHECKOUT / "requirements.txt").read_text().splitlines() if "==" in line]
    assert lines == [pin for pin in pins if not pin.startswith("gradio")]  # the Space brings its own


def test_the_space_holds_the_package_and_nothing_that_lay_about(space):
    there = names(space)
    assert {"app.py", "LICENSE", "aullm_lite/cli/__init__.py", "aullm_lite/checkpoints/demo/model.safetensors"} <= there
    strays = ("token", "secret", "hidden", "face.png", "notes", "/mine/")
    assert not {name for name in there if any(stray in name for stray in strays)}
    assert not {name for name in there if "__pycache__" in name or name.endswith(".pyc")}
    code = "import aullm_lite.config; print(aullm_lite.config.__file__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=space, capture_output=True, text=True)
    assert done.stdout.startswith(str(space)), done.stderr


def test_comments_and_gradio_are_no_pins():
    text = "# a word\ntorch==1.0\n\ngradio==2.0\ngradio-client==3.0\n"
    assert requirements(text).splitlines() == ["torch==1.0", "gradio-client==3.0"]
    with pytest.raises(InputError, match="does not pin gradio"):
        pinned("torch==1.0\n", "gradio")


def test_a_space_needs_a_copy_of_the_repository(tmp_path, capsys):
    assert dry_run("space", tmp_path / "out", "--from", tmp_path) == 2
    assert "is no copy of this repository, for it lacks app.py" in capsys.readouterr().err
