"""Checkpoints by name: cache, then Hub, then, for the shipped name alone, what came with the package."""

import json
import time

import pytest
from hub_lab import FIND, client, hub, one_sentence, push, requests

from aullm_lite import checkpoint
from aullm_lite.checkpoint import DEMO, SHIPPED
from aullm_lite.config import AULLMConfig
from aullm_lite.errors import InputError
from aullm_lite.model import AULLM

NAME = "lab/net"
RAW = """
import sys
from huggingface_hub import HfApi
HfApi().create_repo(sys.argv[1])
HfApi().upload_file(path_or_fileobj=b"{}", path_in_repo="config.json", repo_id=sys.argv[1])
"""
ROUND_TRIP = """
import json, torch
from aullm_lite import AULLM, AULLMConfig
torch.manual_seed(0)
clips = torch.rand(2, 6, 64, 64)
model = AULLM(AULLMConfig.from_preset("smoke")).eval()
said, commits = {}, {}
for tag in ("v1", "v2"):
    model.au_head.bias.data += 1
    said[tag] = model.probabilities(clips)
    commits[tag] = model.push_to_hub("lab/trip", tag=tag)
for tag, revision in [("v1", "v1"), ("v1", commits["v1"]), ("v2", commits["v2"]), ("v2", "v2"), ("v2", None)]:
    again = AULLM.from_pretrained("lab/trip", revision=revision)
    off = (again.probabilities(clips) - said[tag]).abs().max().item()
    print(json.dumps({"off": off, "right": again.source["revision"] == commits[tag], "from": again.source["from"]}))
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A Hub that holds a small checkpoint as v1, and the folder of its state."""
    folder = tmp_path_factory.mktemp("lab")
    AULLM(AULLMConfig.from_preset("smoke")).save_pretrained(folder / "net")
    with hub(folder / "hub") as url:
        done = push("checkpoint", "--repo", NAME, "--from", folder / "net", "--tag", "v1", url=url, home=folder)
        assert done.returncode == 0, done.stderr
        yield url, folder / "hub"


def find(*arguments, url, home, **environment):
    return client(FIND, *arguments, url=url, home=home, **environment)


def facts(done) -> dict:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def files_in(home) -> set[str]:
    """Names of the files in all cached commits."""
    return {path.name for path in home.glob("hub/models--*/snapshots/*/*")}


def test_a_model_comes_back_by_tag_by_commit_and_by_name(lab, tmp_path):
    done = client(ROUND_TRIP, url=lab[0], home=tmp_path)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 5, done.stderr
    assert all(row["right"] and row["off"] < 1e-2 for row in rows)  # stored in half precision
    assert [row["from"] for row in rows] == ["hub", "cache", "hub", "hub", "hub"]


def test_two_files_are_fetched_and_then_kept(lab, tmp_path):
    url, state = lab
    first = facts(find(NAME, "v1", url=url, home=tmp_path))
    asked = len(requests(state, "GET"))
    again = facts(find(NAME, "v1", url=url, home=tmp_path))
    assert first["from"] == "hub" and again == first | {"from": "cache"} and len(first["revision"]) == 40
    assert files_in(tmp_path) == {"config.json", "model.safetensors"}
    assert len(requests(state, "GET")) == asked  # a cached revision needs no request


def test_a_report_can_say_where_the_weights_came_from(lab, tmp_path):
    said = facts(find(NAME, url=lab[0], home=tmp_path))
    assert set(said) == {"name", "from", "revision", "weights_sha256"} and said["name"] == NAME


@pytest.mark.parametrize("arguments, sentence", [
    (["lab/nte"], "There is no checkpoint 'lab/nte': no folder here, and the Hub has no such repository"),
    ([SHIPPED], f"There is no checkpoint '{SHIPPED}': no folder here, and the Hub has no such repository"),
    ([NAME, "v9"], "'lab/net' has no revision 'v9'"),
    ([NAME, "0" * 40], "has no revision"),
    (["lab/a--b"], "no name on the Hub"),
])  # fmt: skip
def test_what_the_hub_does_not_have_never_falls_back(lab, tmp_path, arguments, sentence):
    assert sentence in one_sentence(find(*arguments, url=lab[0], home=tmp_path))


def test_a_private_repository_needs_the_token(lab, tmp_path):
    sentence = one_sentence(find(NAME, url=lab[0], home=tmp_path, HF_TOKEN=""))
    assert "hides it from you" in sentence and "hf auth login" in sentence


def test_a_wrong_token(lab, tmp_path):
    assert "does not accept the token" in one_sentence(find(NAME, url=lab[0], home=tmp_path, HF_TOKEN="hf_wrong"))


def test_a_repository_without_weights(lab, tmp_path):
    assert client(RAW, "lab/empty", url=lab[0], home=tmp_path).returncode == 0
    assert "lacks model.safetensors" in one_sentence(find("lab/empty", url=lab[0], home=tmp_path))


def test_a_broken_copy_in_the_cache_is_completed(lab, tmp_path):
    whole = facts(find(NAME, "v1", url=lab[0], home=tmp_path))
    (weights,) = tmp_path.glob("hub/models--*/snapshots/*/model.safetensors")
    weights.unlink()
    assert facts(find(NAME, "v1", url=lab[0], home=tmp_path)) == whole  # from the Hub again
    weights.unlink()
    assert "HF_HUB_OFFLINE" in one_sentence(find(NAME, "v1", url=lab[0], home=tmp_path, HF_HUB_OFFLINE="1"))


def test_a_dead_hub(lab, tmp_path):
    kept = facts(find(NAME, "v1", url=lab[0], home=tmp_path))
    with hub(tmp_path / "other") as url:
        pass
    assert facts(find(NAME, "v1", url=url, home=tmp_path)) == kept | {"from": "cache"}
    for arguments in (["lab/other"], [SHIPPED, "v1"]):  # a revision that was named is not replaced either
        assert "the Hub does not answer (" in one_sentence(find(*arguments, url=url, home=tmp_path))
    shipped = find(SHIPPED, url=url, home=tmp_path)
    assert facts(shipped)["from"] == "bundled" and "came with this package is used" in shipped.stderr


def test_a_hub_that_never_answers(tmp_path):
    with hub(tmp_path / "hub", "hang") as url:
        start = time.monotonic()
        sentence = one_sentence(find(NAME, url=url, home=tmp_path, HF_HUB_ETAG_TIMEOUT="1"))
    assert "the Hub does not answer (ReadTimeout)" in sentence and "HF_HUB_ETAG_TIMEOUT" in sentence
    assert time.monotonic() - start < 60  # with the imports of a busy machine; without a limit it is for ever


def test_offline(tmp_path):
    sentence = one_sentence(find(NAME, url="http://127.0.0.1:9", home=tmp_path, HF_HUB_OFFLINE="1"))
    assert "is no folder here and not cached, and HF_HUB_OFFLINE forbids fetching it" in sentence
    shipped = find(SHIPPED, url="http://127.0.0.1:9", home=tmp_path, HF_HUB_OFFLINE="1")
    assert facts(shipped)["from"] == "bundled"


# without a Hub


def test_demo_and_folders_are_found_without_the_hub(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "fetch", lambda *_: pytest.fail("the Hub was asked"))
    AULLM(AULLMConfig.from_preset("smoke")).save_pretrained(tmp_path / "mine")
    model = AULLM.from_pretrained(tmp_path / "mine")
    assert model.source["from"] == "folder" and model.source["name"] == "mine" and not model.source["revision"]
    assert checkpoint.find_source("demo").facts()["from"] == "bundled"
    model.load_weights(tmp_path / "mine")
    assert model.source is None  # they may be others now


@pytest.mark.parametrize("name", ["demo", DEMO])
def test_what_lies_here_has_no_revision(name):
    with pytest.raises(InputError, match="has no revision 'v1'"):
        checkpoint.find_source(name, "v1")


def test_the_model_facts_of_a_report_name_the_checkpoint(tmp_path):
    from aullm_lite.analysis import describe

    model = AULLM(AULLMConfig.from_preset("smoke"))
    assert "checkpoint" not in describe(model)
    model.save_pretrained(tmp_path)
    assert describe(AULLM.from_pretrained(tmp_path))["checkpoint"]["from"] == "folder"
