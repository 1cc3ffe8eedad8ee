"""A planted shortcut: a mark in the corner that moves whenever AU12 does.  A map must show what the model relies on."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from aullm_lite.config import AULLMConfig
from aullm_lite.explain import explain
from aullm_lite.explain.grading import energy_in_mask
from aullm_lite.model import AULLM
from aullm_lite.recipe import TrainConfig
from aullm_lite.synth.dataset import make_clips, tier_recipe
from aullm_lite.train import Trainer

AU, PLACE = 12, np.s_[2:13, 2:13]
EXPOSED = 4  # times chance


def with_mark(data, shown: np.ndarray):
    """The same clips; in those that are `shown` a bright square moves up and down in the corner."""
    clips = data.clips.copy()
    for n in np.flatnonzero(shown):
        for t in range(6):
            at = 4 + round(2 * np.sin(np.pi * t / 5))
            clips[n, t, 3:11, 3:11] = 60
            clips[n, t, at : at + 4, 4:9] = 220
    return replace(data, clips=clips)


@pytest.fixture(scope="module")
def people():
    return make_clips(40, 8, tier_recipe("easy"), seed=3000)


def trained(people, shown) -> AULLM:
    torch.manual_seed(0)
    model = AULLM(AULLMConfig.from_preset("smoke").changed(language_model="none"))
    Trainer(model, with_mark(people, shown), TrainConfig(epochs=6, warmup=0, batch_size=32), bars=False).fit()
    return model.eval()


def shown_by_maps(model) -> float:
    """Energy in the corner against chance, in clips of other people that hold both AU12 and the mark."""
    test = make_clips(4, 2, tier_recipe("easy", aus=(AU,)), seed=9000)
    clips = torch.from_numpy(with_mark(test, np.ones(len(test), bool)).clips).float() / 255
    corner = np.zeros((64, 64), bool)
    corner[PLACE] = True
    return np.mean([energy_in_mask(explain(model, clip, AU).map, corner) for clip in clips]) / corner.mean()


def test_maps_expose_a_shortcut_where_there_is_one(people):
    labelled = people.labels[:, people.aus.index(AU)] == 1
    by_chance = np.random.default_rng(1).random(len(people)) < labelled.mean()
    assert shown_by_maps(trained(people, labelled)) > EXPOSED
    assert shown_by_maps(trained(people, by_chance)) < EXPOSED
