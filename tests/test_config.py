"""Settings: presets, the JSON round trip, and one clear sentence for what cannot be."""

import json

import pytest

from aullm_lite.config import PRESETS, AULLMConfig
from aullm_lite.errors import InputError
from aullm_lite.facs import CD6ME_AUS


@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_json(name):
    config = AULLMConfig.from_preset(name, aus=[4, 12], not_sure=[[0.2, 0.7], [0.3, 0.4]])
    assert AULLMConfig.from_json(config.to_json()) == config
    assert config.preset == name and config.aus == (4, 12) and config.not_sure == ((0.2, 0.7), (0.3, 0.4))


def test_presets_are_those_of_the_design():
    lite, paper, smoke = (AULLMConfig.from_preset(name) for name in ("lite", "paper", "smoke"))
    assert lite == AULLMConfig() and lite.aus == CD6ME_AUS
    assert (lite.lora_rank, lite.lora_alpha, lite.lora_dropout, lite.motion) == (16, 32, 0.1, "lucas_kanade")
    assert (paper.motion, paper.projector, paper.drop_rate) == ("eulerian", "paper", 0.3)
    assert (smoke.language_model, smoke.lora_rank) == ("random", 4)


def test_uncalibrated_rows_follow_the_number_of_aus():
    config = AULLMConfig(aus=(1, 2, 4))
    assert config.calibration == ((1.0, 0.0),) * 3 and config.thresholds == (0.5,) * 3 and len(config.not_sure) == 3


@pytest.mark.parametrize("changes, sentence", [
    ({"aus": (1, 99)}, r"aus must be different numbers.*\[1, 99\]"),
    ({"aus": (1, 1)}, "aus must be different"),
    ({"aus": ()}, "aus must be different"),
    ({"motion": "optical"}, "Unknown motion 'optical': choose one of lucas_kanade, eulerian"),
    ({"projector": "big"}, "Unknown projector"),
    ({"preset": "huge"}, "Unknown preset"),
    ({"prompt": ""}, "prompt is empty"),
    ({"frames": 8}, "6 frames of 64 pixels, got frames=8"),
    ({"lora_rank": 0}, "must be positive, got 0 and 32"),
    ({"end_token": -1}, "must be the number of a token, got -1"),
    ({"end_token": "2"}, "must be the number of a token, got '2'"),
    ({"drop_rate": 1.0}, "drop_rate must be at least 0 and below 1, got 1.0"),
    ({"thresholds": (0.5, 0.5)}, "thresholds has 2 rows for 12 AUs"),
    ({"thresholds": (float("nan"),) * 12}, "thresholds are probabilities"),
    ({"calibration": ((float("inf"), 0.0),) * 12}, "calibration must be finite"),
    ({"not_sure": ((0.7, 0.3),) * 12}, "not_sure must be"),
])  # fmt: skip
def test_impossible_settings(changes, sentence):
    with pytest.raises(InputError, match=sentence):
        AULLMConfig(**changes)


@pytest.mark.parametrize("text", ["", "{", "[1]", "3", "null", b"\xff\xfe", '{"aus": 5}', '{"lora_rank": "16"}'])
def test_broken_json_is_bad_input(text):
    with pytest.raises(InputError, match="config.json"):
        AULLMConfig.from_json(text)


def test_unknown_setting_is_named():
    with pytest.raises(InputError, match="does not know: colour"):
        AULLMConfig.from_json(json.dumps({"colour": 1}))


def test_unknown_preset_is_refused():
    with pytest.raises(InputError, match="choose one of lite, paper, smoke"):
        AULLMConfig.from_preset("huge")
