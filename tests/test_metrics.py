"""Scores against scikit-learn and against what they must be by definition."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from aullm_lite import metrics
from aullm_lite.config import AULLMConfig

RNG = np.random.default_rng(0)
LABELS = (RNG.random((300, 4)) < (0.5, 0.2, 0.1, 0.0)).astype(np.float32)
LOGITS = 2.0 * LABELS - 1 + RNG.normal(0, 1.5, LABELS.shape)
DECISIONS = LOGITS > 0


def test_f1_scores_agree_with_scikit_learn():
    for k in range(3):
        truth, answer = LABELS[:, k], DECISIONS[:, k]
        assert metrics.f1_positive(LABELS, DECISIONS)[k] == pytest.approx(f1_score(truth, answer))
        assert metrics.f1_macro(LABELS, DECISIONS)[k] == pytest.approx(f1_score(truth, answer, average="macro"))


def test_an_au_without_positives_is_not_scored():
    table = metrics.score_table((1, 2, 4, 5), LABELS, DECISIONS.astype(float), [0.5] * 4)
    assert table["per_au"]["5"] == {"f1": None, "f1_macro": None, "ap": None, "n_pos": 0}
    assert table["mean"]["f1"] == pytest.approx(metrics.f1_positive(LABELS, DECISIONS)[:3].mean())
    assert table["mean"]["n_pos"] == int(LABELS.sum())


def test_floors_are_what_their_definition_says():
    floors = metrics.floors(LABELS)
    rate = LABELS[:, :3].mean(0)
    assert floors["all_negative"]["f1"] == 0
    assert floors["all_negative"]["f1_macro"] == pytest.approx(np.mean((1 - rate) / (2 - rate)))
    assert floors["all_positive"]["f1"] == pytest.approx(np.mean(2 * rate / (1 + rate)))
    assert floors["random"]["f1"] == pytest.approx(np.mean(rate / (rate + 0.5)), abs=0.02)


def test_best_threshold_is_better_than_a_bad_one():
    probabilities = 1 / (1 + np.exp(-(LOGITS - 2)))
    best = metrics.best_thresholds(LABELS[:, :3], probabilities[:, :3])
    tuned = metrics.f1_positive(LABELS[:, :3], probabilities[:, :3] >= best)
    assert (tuned >= metrics.f1_positive(LABELS[:, :3], probabilities[:, :3] >= 0.9) - 1e-9).all()
    assert tuned.mean() > metrics.f1_positive(LABELS[:, :3], probabilities[:, :3] >= 0.5).mean()


def test_calibration_brings_the_mean_probability_to_the_rate():
    scale, bias = metrics.fit_calibration(LABELS[:, :3], 5 * LOGITS[:, :3] - 7).T
    probabilities = 1 / (1 + np.exp(-((5 * LOGITS[:, :3] - 7) * scale + bias)))
    assert np.allclose(probabilities.mean(0), LABELS[:, :3].mean(0), atol=0.01)
    assert (scale > 0).all()


def test_band_surrounds_the_threshold():
    band = metrics.verdict_band(np.array([0.1, 0.5, 0.9]))
    assert np.allclose(band, [(0.1, 0.8), (0.2, 0.8), (0.2, 0.9)])


def test_calibrate_gives_what_a_config_holds():
    settings = metrics.calibrate(LABELS, LOGITS)
    config = AULLMConfig(aus=(1, 2, 4, 5), **settings)
    assert all(low <= threshold <= high for threshold, (low, high) in zip(config.thresholds, config.not_sure))
    scale, bias = np.array(config.calibration).T
    calibrated = 1 / (1 + np.exp(-(LOGITS * scale + bias)))
    assert np.allclose(calibrated.mean(0), LABELS.mean(0), atol=0.01)


def test_an_au_without_positives_keeps_a_plain_threshold():
    labels = LABELS.copy()
    labels[:, 3] = 0
    assert metrics.best_thresholds(labels, 1 / (1 + np.exp(-LOGITS)))[3] == 0.5
