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
    ({"lora_rank": 0}, "must be 1 to 1024, got 0 and 32"),
    ({"end_token": -1}, "must be the number of a token, got -1"),
    ({"lora_rank": 10**9}, "must be 1 to 1024, got 1000000000 and 32"),
    ({"lora_alpha": 10**400}, "must be 1 to 1024"),
    ({"prompt": "a" * 10_001}, "prompt is empty or longer than 10000 letters"),
    ({"drop_rate": 1.0}, "drop_rate must be at least 0 and below 1, got 1.0"),
    ({"thresholds": (0.5, 0.5)}, "thresholds has 2 rows for 12 AUs"),
    ({"thresholds": (float("nan"),) * 12}, "thresholds are probabilities"),
    ({"calibration": ((float("inf"), 0.0),) * 12}, "calibration must be .* up to 1e\\+06"),
    ({"not_sure": ((0.7, 0.3),) * 12}, "not_sure must be"),
])  # fmt: skip
def test_impossible_settings(changes, sentence):
    with pytest.raises(InputError, match=sentence):
        AULLMConfig(**changes)


@pytest.mark.parametrize("changes", [
    {"aus": 12}, {"aus": "12"}, {"aus": {"1": 2}}, {"aus": [[1], [2]]}, {"aus": [1.0]}, {"aus": [True, 2]},
    {"frames": "6"}, {"frames": 6.0}, {"size": [64]}, {"lora_rank": True}, {"lora_rank": None}, {"lora_alpha": 0.5},
    {"lora_dropout": "0"}, {"drop_rate": [0.1]}, {"drop_rate": 10**400}, {"end_token": "2"}, {"end_token": True},
    {"preset": ["lite"]}, {"motion": {}}, {"language_model": 5}, {"prompt": ["a"]}, {"base_fingerprint": None},
    {"speaks": 1}, {"speaks": "no"}, {"trained_on": "me"}, {"trained_on": [1]}, {"trained_on": [["me"]]},
    {"calibration": 1}, {"calibration": [1.0] * 12}, {"calibration": [[1.0, 0.0, 0.0]] * 12},
    {"calibration": [["1", "0"]] * 12}, {"calibration": [[10**400, 0]] * 12}, {"thresholds": 0.5},
    {"thresholds": [None] * 12}, {"thresholds": 0}, {"thresholds": [[0.5]] * 12}, {"trained_on": None},
    {"not_sure": [[0.4, [0.6]]] * 12},
])  # fmt: skip
def test_a_setting_of_another_type_is_named(changes):
    (name,) = changes
    with pytest.raises(InputError, match=f"config.json cannot be used: {name} must be of type"):
        AULLMConfig.from_json(json.dumps(changes))


def test_whole_numbers_do_for_floats():
    config = AULLMConfig.from_json(json.dumps({"calibration": [[1, 0]] * 12, "drop_rate": 0}))
    assert config.calibration == ((1, 0),) * 12 and AULLMConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"aus":' * 100_000, '{"prompt": "\\ud800"}', "[]", '""', '[["preset", "lite"]]']
)
def test_json_that_is_no_table_of_settings(text):
    with pytest.raises(InputError, match="config.json"):
        AULLMConfig.from_json(text)


@pytest.mark.parametrize("text", ["", "{", "[1]", "3", "null", b"\xff\xfe", '{"aus": 5}', '{"lora_rank": "16"}'])
def test_broken_json_is_bad_input(text):
    with pytest.raises(InputError, match="config.json"):
        AULLMConfig.from_json(text)


def test_unknown_setting_is_named():
    with pytest.raises(InputError, match="does not know: 'colour'"):
        AULLMConfig.from_json(json.dumps({"colour": 1}))


def test_unknown_preset_is_refused():
    with pytest.raises(InputError, match="choose one of lite, paper, smoke"):
        AULLMConfig.from_preset("huge")
