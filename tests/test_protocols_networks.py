"""Networks in protocols: what is taken over from a checkpoint, and every fold starts from the same weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from protocol_data import filmed

from aullm_lite.config import AULLMConfig
from aullm_lite.errors import InputError
from aullm_lite.language import NoLanguageModel
from aullm_lite.model import AULLM
from aullm_lite.people import unpack
from aullm_lite.protocols import LeakError, loso, networks
from aullm_lite.protocols.methods import build
from aullm_lite.protocols.networks import further, logits, scratch
from aullm_lite.recipe import TrainConfig
from aullm_lite.run import TrainingRun
from aullm_lite.train import Trainer

SHORT = TrainConfig(warmup=0, epochs=1, batch_size=16, inner_share=0.34)
AUS = (12, 18, 4)  # another order than the checkpoint's, and one that it does not know


@pytest.fixture(scope="module")
def checkpoint(clips, tmp_path_factory):
    """A smoke checkpoint trained on six people, and its model."""
    torch.manual_seed(5)
    folder = tmp_path_factory.mktemp("checkpoint") / "smoke"
    TrainingRun(Trainer(AULLM(AULLMConfig.from_preset("smoke")), clips, SHORT, bars=False), folder).run()
    return folder, AULLM.from_pretrained(folder)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    for budgets in (networks.FROM_NOTHING, networks.FURTHER):
        monkeypatch.setitem(budgets, "llm", SHORT)
        monkeypatch.setitem(budgets, "none", SHORT)


def smoke(aus=AUS, **changes):
    return AULLMConfig.from_preset("smoke", aus=aus, **changes)


def test_shared_aus_keep_their_rows_and_new_ones_start_fresh(checkpoint):
    folder, source = checkpoint
    state, known = further(str(folder), smoke(), 0).first, source.trained_state()
    for name, value in state.items():
        if not name.startswith("au_head"):
            assert torch.equal(value, known[name]), name
    for name in ("au_head.weight", "au_head.bias"):
        for row, au in ((0, 12), (2, 4)):
            assert torch.equal(state[name][row], known[name][source.config.aus.index(au)])
        assert not any(torch.equal(state[name][1], row) for row in known[name])
    assert torch.equal(state["au_head.weight"][1], further(str(folder), smoke(), 0).first["au_head.weight"][1])
    other = further(str(folder), smoke(), 1).first["au_head.weight"]
    assert not torch.equal(other[1], state["au_head.weight"][1]) and torch.equal(other[0], state["au_head.weight"][0])


def test_the_control_takes_all_but_the_head(checkpoint, monkeypatch):
    folder, source = checkpoint
    with pytest.raises(InputError, match="too narrow or too wide: use --init scratch"):
        further(str(folder), smoke(language_model="none"), 0)
    monkeypatch.setattr(NoLanguageModel, "width", 64)  # that of the smoke preset
    network = further(str(folder), smoke(language_model="none"), 0)
    known = source.trained_state()
    shared = [name for name in network.first if not name.startswith("au_head")]
    assert shared and all(torch.equal(network.first[name], known[name]) for name in shared)
    assert network.config.language_model == "none"
    head, row = network.first["au_head.weight"], source.config.aus.index(12)
    assert not torch.equal(head[0], known["au_head.weight"][row])


def test_it_knows_whom_it_has_seen(checkpoint, clips):
    network = further(str(checkpoint[0]), smoke(), 0)
    assert unpack(network.trained_on) == set(clips.subjects)
    assert scratch(smoke(), 0).trained_on == ()


def test_people_of_the_checkpoint_are_not_tested(checkpoint, clips, tmp_path):
    with pytest.raises(LeakError, match="the checkpoint was trained on drawn"):
        loso(filmed(clips, people=4)).run(tmp_path, ["aullm"], [str(checkpoint[0])], preset="smoke")


@pytest.fixture(scope="module")
def parts(clips):
    data = filmed(clips)
    people = sorted(set(data.subjects))
    return [data.select(np.isin(data.subjects, some)) for some in (people[:3], people[3:5], people[5:])]


@pytest.mark.parametrize("changes", [{}, {"language_model": "none", "motion": "eulerian"}])
def test_every_fold_starts_from_the_same_weights(parts, changes):
    network = scratch(smoke(parts[0].aus, **changes), 0)
    train, inner, test = (network.measure(part) for part in parts)
    first = network(train, inner, 0)(test)
    network(inner, train, 1)  # another fold between
    again = network(train, inner, 0)(test)
    assert np.array_equal(first, again) and first.shape == test.labels.shape
    assert unpack(network.trained_on) == set() and network.config.trained_on == ()


def test_answers_are_the_same_from_motion_and_from_pictures(parts):
    network = scratch(smoke(parts[0].aus), 0)
    model = network.model.eval()
    measured = network.measure(parts[2])
    assert network.measure(measured) is measured
    assert np.allclose(logits(model, measured), logits(model, parts[2]), atol=2e-2)  # motion is kept in half precision


def test_a_front_end_that_learns_is_not_measured(parts):
    network = scratch(smoke(parts[0].aus, motion="eulerian"), 0)
    assert network.measure(replace(parts[0], motion=torch.zeros(1))).motion is None


@pytest.mark.parametrize(
    "change, words",
    [({"trained_on": ()}, "does not say whom it was trained on"), ({"motion": "eulerian"}, "has another front end")],
)
def test_checkpoints_that_cannot_be_used(tmp_path, change, words):
    model = AULLM(AULLMConfig.from_preset("smoke", **{"trained_on": ("somebody",)} | change))
    model.save_pretrained(tmp_path)
    with pytest.raises(InputError, match=words):
        further(str(tmp_path), smoke(), 0)


def test_titles_say_where_the_weights_come_from(checkpoint):
    build_ = lambda model, init: build(model, init, "smoke", AUS, 0)  # noqa: E731
    assert build_("aullm", f"{checkpoint[0]}/").title == "AU-LLM, from smoke (preset smoke)"
    assert build_("linear", "scratch").title == "Without LLM, from scratch (preset smoke)"
    led = build_("led", None)
    assert led.title.startswith("LED + 3D-CNN + linear head") and led.trained_on == ()
    assert (led.settings["model"]["motion"], led.settings["model"]["projector"]) == ("eulerian", "lite")


@pytest.mark.model
def test_the_shipped_checkpoint_goes_further():
    network = further("demo", AULLMConfig.from_preset("lite", aus=(4, 45)), 0)
    source = AULLM.from_pretrained("demo")
    row = source.config.aus.index(4)
    assert torch.equal(network.first["au_head.weight"][0], source.trained_state()["au_head.weight"][row])
    assert network.config.aus == (4, 45) and network.trained_on == source.config.trained_on
