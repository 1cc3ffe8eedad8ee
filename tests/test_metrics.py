"""Scores against scikit-learn and against what they must be by definition."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import brier_score_loss, f1_score, roc_auc_score

from aullm_lite import confusion, metrics
from aullm_lite.config import AULLMConfig
from aullm_lite.errors import InputError

RNG = np.random.default_rng(0)
LABELS = (RNG.random((300, 4)) < (0.5, 0.2, 0.1, 0.0)).astype(np.float32)
LOGITS = 2.0 * LABELS - 1 + RNG.normal(0, 1.5, LABELS.shape)
PROBABILITIES = 1 / (1 + np.exp(-LOGITS))
DECISIONS = LOGITS > 0
SHAPE = st.tuples(st.integers(1, 30), st.integers(1, 4))


def test_f1_scores_agree_with_scikit_learn():
    for k in range(3):
        truth, answer = LABELS[:, k], DECISIONS[:, k]
        assert metrics.f1_positive(LABELS, DECISIONS)[k] == pytest.approx(f1_score(truth, answer))
        assert metrics.f1_macro(LABELS, DECISIONS)[k] == pytest.approx(f1_score(truth, answer, average="macro"))


def test_an_au_without_positives_is_not_scored():
    table = metrics.score_table((1, 2, 4, 5), LABELS, DECISIONS.astype(float), [0.5] * 4)
    scores = ("f1", "f1_macro", "f1_at_half", "ap", "auroc", "ece", "brier")
    assert table["per_au"]["5"] == dict.fromkeys(scores) | {"n_pos": 0}
    assert table["mean"]["f1"] == pytest.approx(metrics.f1_positive(LABELS, DECISIONS)[:3].mean())
    assert table["mean"]["n_pos"] == int(LABELS.sum())


def test_auroc_and_brier_agree_with_scikit_learn():
    for k in range(3):
        truth, answer = LABELS[:, k], PROBABILITIES[:, k]
        assert metrics.auroc(LABELS, PROBABILITIES)[k] == pytest.approx(roc_auc_score(truth, answer))
        assert metrics.brier(LABELS, PROBABILITIES)[k] == pytest.approx(brier_score_loss(truth, answer))


def test_auroc_needs_both_classes():
    labels = np.array([(1, 0, 0), (1, 0, 1)])
    assert np.isnan(metrics.auroc(labels, labels.astype(float))).tolist() == [True, True, False]
    table = metrics.score_table((1, 2, 4), labels, labels.astype(float), [0.5] * 3)
    assert table["per_au"]["1"]["auroc"] is None and table["mean"]["auroc"] == 1.0
    json.dumps(table, allow_nan=False)


def test_calibration_error_is_the_gap_between_said_and_seen():
    said = np.full((10, 1), 0.8)
    assert metrics.calibration_error(np.arange(10)[:, None] < 8, said)[0] == pytest.approx(0)
    assert metrics.calibration_error(np.arange(10)[:, None] < 5, said)[0] == pytest.approx(0.3)


def test_calibration_error_agrees_with_a_plain_loop():
    error, truth, said = 0.0, LABELS[:, 0], PROBABILITIES[:, 0]
    for low in np.arange(10) / 10:
        rows = (said >= low) & (said < low + 0.1)
        error += rows.mean() * abs(truth[rows].mean() - said[rows].mean()) if rows.any() else 0
    assert metrics.calibration_error(LABELS, PROBABILITIES)[0] == pytest.approx(error)


def test_pooled_calibration_leaves_out_aus_without_positives():
    table = metrics.score_table((1, 2, 4, 5), LABELS, PROBABILITIES, [0.5] * 4)
    together = metrics.calibration_error(LABELS[:, :3].reshape(-1, 1), PROBABILITIES[:, :3].reshape(-1, 1))
    assert table["ece_pooled"] == pytest.approx(together[0])


def test_thresholds_may_differ_from_fold_to_fold():
    aus, plain = (1, 2, 4, 5), np.array([0.3, 0.5, 0.6, 0.5])
    rows = np.broadcast_to(plain, LABELS.shape)
    assert metrics.score_table(aus, LABELS, PROBABILITIES, rows) == metrics.score_table(
        aus, LABELS, PROBABILITIES, plain
    )
    folds = np.where(np.arange(300)[:, None] < 150, 0.3, 0.7) * np.ones(4)
    table = metrics.score_table(aus, LABELS, PROBABILITIES, folds)
    assert table["mean"]["f1"] == pytest.approx(metrics.f1_positive(LABELS, PROBABILITIES >= folds)[:3].mean())
    assert table["mean"]["f1_at_half"] == pytest.approx(metrics.f1_positive(LABELS, PROBABILITIES >= 0.5)[:3].mean())


def test_what_cannot_be_scored_is_refused():
    with pytest.raises(InputError, match="one per AU"):
        metrics.score_table((1, 2, 4, 5), LABELS, PROBABILITIES, [0.5] * 3)
    with pytest.raises(InputError, match="sigmoid"):
        metrics.score_table((1, 2, 4, 5), LABELS, LOGITS, [0.5] * 4)
    with pytest.raises(InputError, match="same shape"):
        metrics.f1_positive(LABELS, DECISIONS[1:])


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_scores_are_bounded_and_the_order_of_clips_does_not_matter(data):
    shape = data.draw(SHAPE)
    labels = data.draw(arrays.arrays(bool, shape))
    answers = data.draw(arrays.arrays(float, shape, elements=st.floats(0, 1, width=16)))
    order = data.draw(st.permutations(range(len(labels))))
    for score in (metrics.auroc, metrics.average_precision, metrics.brier, metrics.calibration_error):
        values = score(labels, answers)
        assert ((values >= 0) & (values <= 1 + 1e-9) | np.isnan(values)).all()
        assert np.allclose(values, score(labels[order], answers[order]), equal_nan=True)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_pooling_folds_is_adding_their_counts_in_any_order(data):
    shape = data.draw(SHAPE)
    labels, decisions = (data.draw(arrays.arrays(bool, shape)) for _ in range(2))
    folds = data.draw(arrays.arrays(int, shape[0], elements=st.integers(0, 5)))
    by_fold = confusion.counts_by(folds, labels, decisions)
    assert (by_fold.sum(0) == confusion.counts(labels, decisions)).all() and len(by_fold) == len(set(folds))
    assert (confusion.f1(by_fold[::-1].sum(0)) == metrics.f1_positive(labels, decisions)).all()


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


def test_an_au_without_positives_takes_the_common_threshold():
    labels = LABELS.copy()
    labels[:, 3] = 0
    probabilities = 1 / (1 + np.exp(-LOGITS))
    best = np.stack([metrics.f1_positive(labels, probabilities >= t) for t in np.linspace(0.05, 0.95, 91)]).max(0)
    assert metrics.best_thresholds(labels, probabilities)[3] == pytest.approx(best[:3].mean() / 2)
    assert metrics.best_thresholds(0 * labels, probabilities).tolist() == [0.5] * 4


@pytest.mark.parametrize("size", [0.03, 1.0, 100.0])
def test_calibration_does_not_care_how_large_scores_are(size):
    """Methods score in units of their own; an evaluator that preferred some of them would be no judge."""
    probabilities = []
    for logits in (LOGITS, size * LOGITS):
        scale, bias = metrics.fit_calibration(LABELS, logits).T
        probabilities.append(1 / (1 + np.exp(-(logits * scale + bias))))
    assert np.allclose(*probabilities, atol=1e-6)


def test_a_score_that_says_nothing_becomes_the_rate():
    scale, bias = metrics.fit_calibration(LABELS, np.full(LABELS.shape, 7.0)).T
    assert np.allclose(1 / (1 + np.exp(-(7.0 * scale + bias))), LABELS.mean(0), atol=0.01)
