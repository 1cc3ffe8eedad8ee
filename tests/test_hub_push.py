"""`push` against a fake Hub: what arrives, and one sentence with status 2 for everything that can go wrong."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hub_lab import client, hub, one_sentence, push, requests

from aullm_lite.checkpoint import DEMO, weights_hash
from aullm_lite.config import AULLMConfig
from aullm_lite.errors import InputError
from aullm_lite.hub.upload import check_name, check_tag
from aullm_lite.model import AULLM
from aullm_lite.synth.export import read_dataset, write_dataset

CHECKPOINT = {"config.json", "model.safetensors", "README.md", "SHA256SUMS"}
PULL = """
import sys
from huggingface_hub import snapshot_download
print(snapshot_download(sys.argv[1], repo_type=sys.argv[2], revision=sys.argv[3]))
"""


FILL = """
import json, sys
from huggingface_hub import HfApi
HfApi().create_repo("lab/net", private=True)
for name, text in json.loads(sys.argv[1]).items():
    HfApi().upload_file(path_or_fileobj=text.encode(), path_in_repo=name, repo_id="lab/net")
"""


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    """A small checkpoint."""
    folder = tmp_path_factory.mktemp("net")
    AULLM(AULLMConfig.from_preset("smoke")).save_pretrained(folder)
    return folder


def state(folder) -> dict:
    """What the Hub holds, by kind and name."""
    return json.loads((folder / "index.json").read_text())


def commit_of(done) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout.split("commit ")[1][:40]


def pull(name, kind, revision, *, url, home):
    done = client(PULL, name, kind, revision, url=url, home=home)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def test_a_checkpoint_arrives_whole_private_and_tagged(net, tmp_path):
    with hub(tmp_path / "hub") as url:
        order = ["--repo", "lab/net", "--from", net, "--tag", "v1"]
        commit = commit_of(push("checkpoint", *order, url=url, home=tmp_path))
        got = pull("lab/net", "model", "v1", url=url, home=tmp_path)
    repo = state(tmp_path / "hub")["models/lab/net"]
    assert repo["private"] and repo["refs"] == {"main": commit, "v1": commit}
    assert {path.name for path in got.iterdir()} == CHECKPOINT | {".gitattributes"}
    assert (got / "model.safetensors").read_bytes() == (net / "model.safetensors").read_bytes()
    for line in (got / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((got / name).read_bytes()).hexdigest() == digest


def test_the_same_again_makes_no_new_commit(net, tmp_path):
    with hub(tmp_path / "hub") as url:
        order = ["--repo", "lab/net", "--from", net, "--tag", "v1", "--public"]
        commits = {commit_of(push("checkpoint", *order, url=url, home=tmp_path)) for _ in range(2)}
    assert len(commits) == 1 and len(requests(tmp_path / "hub", "PUT")) == 1
    assert not state(tmp_path / "hub")["models/lab/net"]["private"]


def test_a_tag_does_not_move_and_nothing_is_sent_under_one_that_is_taken(net, tmp_path):
    other = tmp_path / "other"
    AULLM(AULLMConfig.from_preset("smoke", aus=(1, 2))).save_pretrained(other)
    with hub(tmp_path / "hub") as url:
        first = commit_of(push("checkpoint", "--repo", "lab/net", "--from", net, "--tag", "v1", url=url, home=tmp_path))
        order = ["--repo", "lab/net", "--from", other]
        before = state(tmp_path / "hub")
        sentence = one_sentence(push("checkpoint", *order, "--tag", "v1", url=url, home=tmp_path))
        assert "has a tag 'v1' already" in sentence and state(tmp_path / "hub") == before
        second = commit_of(push("checkpoint", *order, "--tag", "v2", url=url, home=tmp_path))
    assert state(tmp_path / "hub")["models/lab/net"]["refs"] == {"main": second, "v1": first, "v2": second}


def test_what_an_earlier_push_has_sent_goes(net, tmp_path):
    more = tmp_path / "more"
    shutil.copytree(net, more)
    model = AULLM.from_pretrained(more)
    scores = json.loads((DEMO / "eval.json").read_text()) | {"model": weights_hash(model)}
    (more / "eval.json").write_text(json.dumps(scores))
    with hub(tmp_path / "hub") as url:
        commits = [
            commit_of(push("checkpoint", "--repo", "lab/net", "--from", folder, url=url, home=tmp_path))
            for folder in (more, net)
        ]
    held = [set(state(tmp_path / "hub")["models/lab/net"]["commits"][commit]) for commit in commits]
    assert held[0] - held[1] == {"eval.json"} and held[1] == CHECKPOINT | {".gitattributes"}


@pytest.mark.parametrize("lists", [None, "a list of mine", f"{'0' * 64}  weights.bin"])
def test_a_repository_of_somebody_elses_files_is_left_alone(net, tmp_path, lists):
    with hub(tmp_path / "hub") as url:
        put = {"thesis.md": "work of months"} | ({"SHA256SUMS": lists} if lists else {})
        assert client(FILL, json.dumps(put), url=url, home=tmp_path).returncode == 0
        before = state(tmp_path / "hub")
        sentence = one_sentence(push("checkpoint", "--repo", "lab/net", "--from", net, url=url, home=tmp_path))
    assert "such as thesis.md: choose another name" in sentence and state(tmp_path / "hub") == before


def test_nothing_private_becomes_public_and_nothing_public_gets_what_is_private(net, tmp_path):
    order = ["--repo", "lab/net", "--from", net]
    with hub(tmp_path / "hub") as url:
        commit_of(push("checkpoint", *order, "--public", url=url, home=tmp_path))
        before = state(tmp_path / "hub")
        sentence = one_sentence(push("checkpoint", *order, url=url, home=tmp_path))
    assert "lab/net is public on the Hub: pass --public" in sentence and state(tmp_path / "hub") == before


@pytest.mark.parametrize("token, sentence", [
    ("", "There is no token for the Hub: run `hf auth login`"),
    ("hf_wrong", "The Hub does not accept the token"),
    ("hf_read", "The Hub does not let this token write to lab/net (You have read access"),
])  # fmt: skip
def test_a_token_that_may_not_write(net, tmp_path, token, sentence):
    with hub(tmp_path / "hub") as url:
        done = push("checkpoint", "--repo", "lab/net", "--from", net, url=url, home=tmp_path, HF_TOKEN=token)
    assert sentence in one_sentence(done) and not (tmp_path / "hub" / "index.json").exists()


def test_a_dead_hub_a_silent_hub_and_no_network(net, tmp_path):
    order = ["--repo", "lab/net", "--from", net]
    with hub(tmp_path / "hub") as url:
        pass
    again = "run the same command again to complete it"
    assert again in one_sentence(push("checkpoint", *order, url=url, home=tmp_path))
    with hub(tmp_path / "hub", "hang") as url:
        sentence = one_sentence(push("checkpoint", *order, url=url, home=tmp_path))
    assert "(ReadTimeout)" in sentence and again in sentence
    offline = push("checkpoint", *order, url=url, home=tmp_path, HF_HUB_OFFLINE="1")
    assert "HF_HUB_OFFLINE is set, so nothing can be sent" in one_sentence(offline)


@pytest.mark.parametrize("fault, sent", [("die-in-upload", 2), ("die-at-commit", 1)])
def test_half_an_upload_is_completed_by_a_second_try(net, tmp_path, fault, sent):
    order = ["--repo", "lab/net", "--from", net, "--tag", "v1"]
    with hub(tmp_path / "hub", fault) as url:
        sentence = one_sentence(push("checkpoint", *order, url=url, home=tmp_path))
    before = state(tmp_path / "hub")["models/lab/net"]
    assert "broke or got no answer" in sentence and "run the same command again" in sentence
    assert [set(files) for files in before["commits"].values()] == [{".gitattributes"}]  # nothing by halves
    with hub(tmp_path / "hub") as url:
        commit = commit_of(push("checkpoint", *order, url=url, home=tmp_path))
    repo = state(tmp_path / "hub")["models/lab/net"]
    assert repo["refs"]["v1"] == commit and set(repo["commits"][commit]) == CHECKPOINT | {".gitattributes"}
    assert len(requests(tmp_path / "hub", "PUT")) == sent  # what had arrived was not sent twice


def test_a_data_set_arrives_and_can_be_read(tmp_path):
    write_dataset(tmp_path / "set", subjects=2, clips=3, tier="standard", seed=70)
    with hub(tmp_path / "hub") as url:
        commit = commit_of(push("dataset", "--repo", "lab/synthme", "--from", tmp_path / "set", url=url, home=tmp_path))
        got = pull("lab/synthme", "dataset", commit, url=url, home=tmp_path)
    assert list(state(tmp_path / "hub")) == ["datasets/lab/synthme"]
    assert np.array_equal(read_dataset(got).clips, read_dataset(tmp_path / "set").clips)


def test_a_space_arrives(tmp_path):
    with hub(tmp_path / "hub") as url:
        commit = commit_of(push("space", "--repo", "lab/app", "--public", url=url, home=tmp_path))
    repo = state(tmp_path / "hub")["spaces/lab/app"]
    assert {"app.py", "README.md", "requirements.txt", "aullm_lite/model.py"} < set(repo["commits"][commit])


@pytest.mark.parametrize("tag", ["", "v 1", "-v1", "a/b"])
def test_what_is_no_name_of_a_tag(tag):
    with pytest.raises(InputError, match="is no name of a tag"):
        check_tag(tag)


@pytest.mark.parametrize("name", ["net", "a/b/c", "lab/a--b", "lab/.net", "lab/net.git", "", "la b/net"])
def test_what_is_no_name_on_the_hub(name):
    with pytest.raises(InputError, match="give ORG/NAME"):
        check_name(name)
