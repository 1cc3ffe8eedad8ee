"""Floors against published figures, against their formulas, and against answers drawn one by one."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aullm_lite import floors, metrics
from aullm_lite.errors import InputError

CASME2 = (256, (26, 22, 130, 39, 34, 27, 16, 25))
SAMM = (159, (18, 23, 46, 28))
DME4 = (267, (46, 54, 102, 25, 89, 53, 11))
# x 100: macro all-negative, macro random, macro random swept, its 95th percentile, positive-class all-positive
FIGURES = [
    (CASME2, (45.4, 41.7, 50.5, 52.5, 25.0)),
    (SAMM, (45.0, 43.9, 51.5, 54.5, 30.1)),
    (DME4, (44.1, 44.1, 51.0, 52.0, 32.4)),
]


def labels_of(n, positives):
    """Labels with these numbers of positives.  -> bool [N, K]"""
    return np.arange(n)[:, None] < np.array(positives)


def people(rng, subjects=26, clips=10, aus=6):
    """Labels of people who each have their own habits.  -> bool [N, K], subjects [N]"""
    rate = rng.beta(0.3, 1.5, (subjects, 1, aus))
    return (rng.random((subjects, clips, aus)) < rate).reshape(-1, aus), np.repeat(np.arange(subjects), clips)


@pytest.mark.parametrize("data, figures", FIGURES)
def test_floors_of_the_licensed_sets_come_from_their_counts(data, figures):
    found = floors.floors_of_counts(*data)
    negative, random, swept, high, positive = figures
    assert 100 * found["all_negative"]["f1_macro"] == pytest.approx(negative, abs=0.06)
    assert 100 * found["all_positive"]["f1"] == pytest.approx(positive, abs=0.06)
    assert 100 * found["random"]["f1_macro"] == pytest.approx(random, abs=0.3)
    assert 100 * found["random_swept"]["f1_macro"] == pytest.approx(swept, abs=0.7)
    assert 100 * found["random_swept"]["f1_macro_p95"] == pytest.approx(high, abs=0.8)


def test_floors_are_what_their_formulas_say():
    rate = np.array(SAMM[1]) / SAMM[0]
    found = floors.floors_of_counts(*SAMM)
    assert found["all_negative"]["f1"] == 0
    assert found["all_negative"]["f1_macro"] == pytest.approx(np.mean((1 - rate) / (2 - rate)))
    assert found["all_positive"]["f1"] == pytest.approx(np.mean(2 * rate / (1 + rate)))
    assert found["random"]["f1"] == pytest.approx(np.mean(rate / (rate + 0.5)), abs=0.01)


def test_counting_draws_is_the_same_as_drawing_scores():
    labels, rng = labels_of(*SAMM), np.random.default_rng(1)
    draws = []
    for _ in range(200):
        scores = rng.random(labels.shape)
        draws.append(np.max([metrics.f1_macro(labels, scores >= t) for t in floors.SWEEP], axis=0).mean())
    found = floors.floors(labels)["random_swept"]
    assert found["f1_macro"] == pytest.approx(np.mean(draws), abs=0.005)
    assert found["f1_macro_p95"] == pytest.approx(np.percentile(draws, 95), abs=0.012)


def test_four_hundred_draws_are_quick():
    start = time.perf_counter()
    floors.floors_of_counts(*CASME2, draws=400)
    assert time.perf_counter() - start < 2


def test_aus_without_positives_have_no_floor():
    assert floors.floors_of_counts(159, (*SAMM[1], 0)) == floors.floors_of_counts(*SAMM)
    assert set(floors.floors_of_counts(5, (0, 0))["random"].values()) == {None}


def test_more_positives_than_clips_are_refused():
    with pytest.raises(InputError, match="number of clips, 10"):
        floors.floors_of_counts(10, (11,))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.integers(1, n), min_size=1))))
def test_a_threshold_swept_on_the_test_never_hurts(data):
    found = floors.floors_of_counts(*data, draws=50)
    assert all(0 <= score <= 1 for scores in found.values() for score in scores.values())
    assert found["random_swept"]["f1_macro"] >= found["random"]["f1_macro"] - 0.05  # other draws of the same scores
    assert found == floors.floors_of_counts(*data, draws=50)


def test_identity_is_the_rate_in_the_other_clips_of_a_person():
    labels = np.array([(1, 0), (0, 0), (1, 1), (0, 1)])
    scores = floors.identity_scores(labels, ["a", "a", "a", "b"])
    assert scores.tolist() == [[0.5, 0.5], [1.0, 0.5], [0.5, 0.0], [0.5, 0.5]]


def test_identity_agrees_with_a_plain_loop():
    rng = np.random.default_rng(3)
    labels, subjects = people(rng)
    folds = rng.integers(0, 5, len(labels))
    scores = floors.identity_scores(labels, subjects, folds)
    for i in range(len(labels)):
        known = (subjects == subjects[i]) & (folds != folds[i])
        assert np.allclose(scores[i], labels[known].mean(0) if known.any() else labels.mean(0))


def test_who_it_is_tells_much_in_a_random_split_and_nothing_between_subjects():
    labels, subjects = people(np.random.default_rng(0))
    cut = floors.identity_thresholds(labels)
    leaky, sound = floors.identity_scores(labels, subjects), floors.identity_scores(labels, subjects, folds=subjects)
    floor = floors.floors(labels)
    assert metrics.f1_macro(labels, leaky >= cut).mean() > floor["random_swept"]["f1_macro_p95"] + 0.05
    assert np.ptp(sound, axis=0).max() == 0 and (metrics.auroc(labels, sound) == 0.5).all()
    assert metrics.f1_macro(labels, sound >= cut).mean() <= floor["all_negative"]["f1_macro"]


def test_every_clip_needs_a_subject():
    with pytest.raises(InputError, match="one subject and one fold"):
        floors.identity_scores(np.eye(3), ["a", "b"])
