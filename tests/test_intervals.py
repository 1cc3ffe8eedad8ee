"""Intervals: do they cover the truth, do they mind the subjects, and does "better" mean it?"""

import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from aullm_lite import confusion, intervals, metrics
from aullm_lite.errors import InputError

CASME2, SAMM = (255, 26, (26, 22, 130, 39, 34, 27, 16, 25)), (159, 29, (18, 23, 46, 28))


def people(rng, subjects=26, clips=10, aus=3):
    """Clips of people who differ in their habits and in how well they are read.  -> [N, K], [N, K], [N]"""
    rate, hit = rng.beta(1, 3, (subjects, 1, aus)), rng.uniform(0.3, 0.9, (subjects, 1, 1))
    labels = rng.random((subjects, clips, aus)) < rate
    decisions = rng.random(labels.shape) < np.where(labels, hit, 0.1)
    return labels.reshape(-1, aus), decisions.reshape(-1, aus), np.repeat(np.arange(subjects), clips)


def like(rng, n, subjects, positives):
    """Clips with these counts, and two answers with hit rate 0.6 and false alarm rate 0.06.  -> [N, K] x 3, [N]"""
    labels = rng.permuted(np.arange(n)[:, None] < np.array(positives), axis=0)
    first, second = rng.random((2, *labels.shape)) < np.where(labels, 0.6, 0.06)
    return labels, first, second, rng.integers(0, subjects, n)


def half(interval):
    return 50 * (interval[1] - interval[0])


def mean_interval(score, groups, labels, decisions, **options):
    values = intervals.resampled(score, confusion.counts_by(groups, labels, decisions), **options)[:, -1]
    return np.percentile(values, [2.5, 97.5])


def test_weights_are_the_same_as_drawing_subjects_one_by_one():
    labels, decisions, subjects = people(np.random.default_rng(0), subjects=6)
    found = intervals.resampled(confusion.f1, confusion.counts_by(subjects, labels, decisions), draws=20, seed=5)
    weights = np.random.default_rng(5).multinomial(6, [1 / 6] * 6, size=20)
    for row, weight in zip(found, weights):
        clips = np.concatenate([np.flatnonzero(subjects == s) for s in range(6) for _ in range(weight[s])])
        expected = [f1_score(y, d) if y.any() else np.nan for y, d in zip(labels[clips].T, decisions[clips].T)]
        assert np.allclose(row, [*expected, np.nanmean(expected)], equal_nan=True)


def test_intervals_cover_the_truth_nearly_as_often_as_they_say():
    rng = np.random.default_rng(0)
    truth = metrics.f1_positive(*people(rng, subjects=100_000)[:2]).mean()
    covered = []
    for seed in range(150):
        labels, decisions, subjects = people(rng)
        low, high = mean_interval(confusion.f1, subjects, labels, decisions, draws=400, seed=seed)
        covered.append(low <= truth <= high)
    assert 0.87 <= np.mean(covered) <= 0.99


def test_people_who_differ_make_intervals_wider_than_clips_would():
    labels, decisions, subjects = people(np.random.default_rng(1))
    by_subject, by_clip = (
        half(mean_interval(confusion.f1, groups, labels, decisions)) for groups in (subjects, np.arange(len(labels)))
    )
    assert by_subject > 1.15 * by_clip


@pytest.mark.parametrize("size, f1, f1_macro", [(CASME2, 5.4, 3.0), (SAMM, 7.9, 4.5)])
def test_noise_of_small_data_is_what_was_published(size, f1, f1_macro):
    rows = []
    for seed in range(10):
        labels, decisions, _, subjects = like(np.random.default_rng(seed), *size)
        table = intervals.interval_table(range(labels.shape[1]), labels, decisions, subjects)
        rows.append((half(table["mean"]["f1"]), half(table["mean"]["f1_macro"])))
    assert np.mean(rows, axis=0) == pytest.approx((f1, f1_macro), rel=0.15)


def test_table_has_every_au_and_none_without_positives():
    labels, decisions, subjects = people(np.random.default_rng(2))
    labels[:, 2] = False
    table = intervals.interval_table((1, 2, 4), labels, decisions, subjects)
    assert table["per_au"]["4"] == {"f1": None, "f1_macro": None} and table["n_subjects"] == 26
    for name, score in intervals.SCORES.items():
        point = score(confusion.counts(labels, decisions))[:2]
        assert table["mean"][name][0] < point.mean() < table["mean"][name][1]
        assert table["per_au"]["1"][name][0] < point[0] < table["per_au"]["1"][name][1]
    json.dumps(table, allow_nan=False)


def test_data_without_positives_have_no_interval_and_no_winner():
    labels, decisions, subjects = people(np.random.default_rng(2))
    nothing = np.zeros_like(labels)
    assert intervals.interval_table((1, 2, 4), nothing, decisions, subjects)["mean"]["f1"] is None
    with pytest.raises(InputError, match="add clips"):
        intervals.paired_difference(nothing, decisions, decisions, subjects)


def test_one_subject_is_not_enough():
    labels, decisions, _ = people(np.random.default_rng(2))
    with pytest.raises(InputError, match="at least two subjects"):
        intervals.interval_table((1, 2, 4), labels, decisions, ["a"] * len(labels))


def test_the_same_answers_do_not_differ():
    labels, decisions, subjects = people(np.random.default_rng(3))
    found = intervals.paired_difference(labels, decisions, decisions.copy(), subjects)
    assert found == {"difference": 0.0, "interval": [0.0, 0.0], "p": 1.0}


def test_swapping_two_methods_turns_the_difference_round():
    labels, decisions, subjects = people(np.random.default_rng(3))
    other = labels & decisions
    there, back = (
        intervals.paired_difference(labels, *pair, subjects, score=confusion.f1_macro)
        for pair in ((decisions, other), (other, decisions))
    )
    assert there["difference"] == -back["difference"] < 0 and there["p"] == back["p"]
    assert np.allclose(there["interval"], [-edge for edge in back["interval"][::-1]])


def test_verdicts():
    labels, first, second, subjects = like(np.random.default_rng(4), *CASME2)
    rows = {"ours": first, "equal": second, "perfect": labels, "silent": np.zeros_like(labels)}
    pairs = [(name, "ours") for name in rows if name != "ours"]
    found = {row["name"]: row for row in intervals.compare(rows, pairs, labels, subjects)}
    assert [row["verdict"] for row in found.values()] == ["no difference shown", "better", "worse"]
    assert all(row["p"] <= row["p_holm"] <= 1 for row in found.values())
    assert intervals.compare({"ours": first}, [], labels, subjects) == []
    with pytest.raises(InputError, match="name two of ours, equal"):
        intervals.compare(rows, [("ours", "theirs")], labels, subjects)


def test_equal_methods_are_seldom_told_apart():
    rng, differ = np.random.default_rng(5), []
    for _ in range(60):
        labels, first, second, subjects = like(rng, *SAMM)
        row = intervals.compare({"a": first, "b": second}, [("a", "b")], labels, subjects, draws=400)[0]
        differ.append(row["verdict"] != "no difference shown")
    assert np.mean(differ) <= 0.15


def test_holm_worked_example():
    assert intervals.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert intervals.holm([0.6, 0.9]).tolist() == [1.0, 1.0] and intervals.holm([]).size == 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10), st.randoms())
def test_holm_keeps_the_order_and_lies_between_p_and_bonferroni(p_values, random):
    adjusted = intervals.holm(p_values)
    assert (np.array(p_values) <= adjusted).all()
    assert (adjusted <= np.minimum(1, len(p_values) * np.array(p_values)) + 1e-12).all()
    order = random.sample(range(len(p_values)), len(p_values))
    assert np.allclose(intervals.holm(np.array(p_values)[order]), adjusted[order])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.randoms())
def test_the_order_of_clips_does_not_matter(seed, random):
    labels, decisions, subjects = people(np.random.default_rng(seed), subjects=5, clips=4)
    order = random.sample(range(len(labels)), len(labels))
    tables = [
        intervals.interval_table((1, 2, 4), labels[rows], decisions[rows], subjects[rows], draws=50)
        for rows in (slice(None), order)
    ]
    assert tables[0] == tables[1]
    assert all(0 <= low <= high <= 1 for low, high in filter(None, tables[0]["mean"].values()))


def test_eight_methods_are_compared_within_a_second():
    labels, _, _, subjects = like(np.random.default_rng(6), *CASME2)
    rows = {str(i): np.random.default_rng(i).random(labels.shape) < 0.2 for i in range(8)}
    start = time.perf_counter()
    intervals.compare(rows, [(n, "0") for n in rows if n != "0"], labels, subjects, draws=2000)
    assert time.perf_counter() - start < 1
