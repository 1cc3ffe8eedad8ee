"""Splits: a leak becomes an error, whichever way it comes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from protocol_data import noise

from aullm_lite.clips import join
from aullm_lite.errors import InputError
from aullm_lite.people import pack
from aullm_lite.protocols import LeakError, SubjectSplit, cd6me, cross, loso
from aullm_lite.protocols.folds import decisions_by
from aullm_lite.protocols.splits import choose_inner, hidden, leave_one_set_out, leave_one_subject_out

WHO = {"a": "casme2/90", "b": "casme2/91", "c": "casme2/92", "d": "casme2/93"}


def split(train="ab", inner="c", test="d"):
    return SubjectSplit("casme2/93", *(frozenset(WHO[x] for x in group) for group in (train, inner, test)))


@pytest.mark.parametrize(
    "groups, words",
    [
        (("ad", "c", "d"), "casme2/93 would be in train and in test"),
        (("ab", "cd", "d"), "casme2/93 would be in inner and in test"),
        (("abc", "c", "d"), "casme2/92 would be in train and in inner"),
    ],
)
def test_nobody_is_in_two_groups(groups, words):
    with pytest.raises(LeakError, match=words):
        split(*groups)


@pytest.mark.parametrize(
    "groups, word", [(("", "c", "d"), "train"), (("a", "", "d"), "inner"), (("a", "c", ""), "test")]
)
def test_no_group_is_empty(groups, word):
    with pytest.raises(InputError, match=f"has nobody to {word}"):
        split(*groups)


def test_parts_are_the_groups_and_the_test_hides_the_truth():
    data = noise(4)
    train, inner, test = split().parts(data)
    assert [set(part.subjects) for part in (train, inner, test)] == [{WHO["a"], WHO["b"]}, {WHO["c"]}, {WHO["d"]}]
    assert np.isnan(test.labels).all() and test.scripts is None
    assert test.labels.shape == (3, 2) and np.array_equal(test.clips, data.clips[-3:])
    assert np.array_equal(train.labels, data.labels[:6])


def test_hidden_leaves_the_original_as_it_was():
    data = noise(2)
    before = data.labels.copy()
    assert np.isnan(hidden(data).labels).all() and hidden(data).scripts is None
    assert np.array_equal(data.labels, before) and data.scripts


@pytest.mark.parametrize("row", [0, 7])  # of somebody who trains, and of an inner one
def test_the_same_pictures_under_another_name_are_a_leak(row):
    data = noise(4)
    data.clips[9] = data.clips[row]
    with pytest.raises(LeakError, match="pictures of casme2/93/EP09 are also in train or inner"):
        split().parts(data)


def test_the_same_pictures_twice_in_one_group_are_none():
    data = noise(4)
    data.clips[1], data.clips[10] = data.clips[0], data.clips[9]
    split().parts(data)


@pytest.mark.parametrize("person", ["drawn008", "drawn009"])
def test_weights_that_have_seen_somebody(person):
    groups = SubjectSplit("f", frozenset({"drawn001"}), frozenset({"drawn008"}), frozenset({"drawn009"}))
    packed = pack(f"drawn{n:03d}" for n in range(5, 10) if f"drawn{n:03d}" == person or n < 8)
    assert any(".." in entry for entry in packed)
    with pytest.raises(LeakError, match=f"trained on {person}. Start from another"):
        groups.check_weights(packed)
    groups.check_weights(pack(["drawn001", "drawn002"]))  # those of the fold's own training people
    groups.check_weights(())


def test_only_inner_people_choose():
    data = noise(4)
    rows = dict(zip("abcd", np.split(np.arange(12), 4)))
    choose = lambda people: decisions_by(  # noqa: E731
        split(), data.select(np.concatenate([rows[p] for p in people])), np.zeros((3 * len(people), 2))
    )
    choose("c")
    for people in ("a", "d", "cd"):
        with pytest.raises(LeakError, match="would help to choose, but only inner people may"):
            choose(people)


def test_inner_people_are_a_fifth_and_always_the_same():
    data = noise(20)
    people = sorted(set(data.subjects))
    chosen = choose_inner(data, people, 0)
    assert len(chosen) == 4 and chosen < set(people) and chosen == choose_inner(data, people[::-1], 0)
    assert len({choose_inner(data, people, seed) for seed in range(5)}) > 1
    assert len(choose_inner(data, people[:2], 0)) == 1


@pytest.mark.parametrize("seed", range(5))
def test_inner_people_show_every_au_that_they_can(seed):
    data = noise(15, each=4, aus=(1, 2, 4))
    data.labels[:] = 0
    data.labels[:, 2] = 1
    for k, people in (
        (0, (0, 3, 5)),
        (1, (3, 8, 9, 11)),
    ):  # a blind draw of three people lacks AU1 in half of all cases
        data.labels[[4 * person for person in people], k] = 1
    inner = np.isin(data.subjects, sorted(choose_inner(data, sorted(set(data.subjects)), seed)))
    assert data.labels[inner].any(0).all() and data.labels[~inner].any(0).all()


def test_one_person_is_not_enough():
    with pytest.raises(InputError, match="at least 2 people"):
        choose_inner(noise(1), ["casme2/90"], 0)
    with pytest.raises(InputError, match="at least 2 people"):
        loso(noise(2))


def test_loso_tests_every_clip_once():
    data = noise(5)
    folds = leave_one_subject_out(data, 0)
    assert [fold.test for fold in folds] == [{person} for person in sorted(set(data.subjects))]
    tested = np.concatenate([fold.parts(data)[2].ids for fold in folds])
    assert sorted(tested) == sorted(data.ids)
    assert all(fold.train | fold.inner | fold.test == set(data.subjects) for fold in folds)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 9), min_size=3, max_size=40), st.integers(0, 5))
def test_no_assignment_of_clips_to_people_shares_anybody(numbers, seed):
    who = np.array([f"casme2/{number}" for number in numbers])
    data = replace(noise(len(numbers), each=1, seed=seed), subjects=who)
    if len(set(numbers)) < 3:
        with pytest.raises(InputError):
            leave_one_subject_out(data, seed)
        return
    for fold in leave_one_subject_out(data, seed):
        train, inner, test = ({*part.subjects} for part in fold.parts(data))
        assert not (train & inner or train & test or inner & test) and train and inner and test
        assert len(train | inner | test) == len(set(numbers))


# Several data sets


def test_equal_subject_numbers_of_two_data_sets_are_two_people():
    experiment = cross(noise(4), noise(4, name="samm"))
    assert [fold.test for fold in experiment.splits] == [{f"samm/{n}" for n in range(90, 94)}]
    assert experiment.splits[0].train | experiment.splits[0].inner == {f"casme2/{n}" for n in range(90, 94)}
    experiment.splits[0].parts(experiment.data)
    assert set(experiment.tested.ids) == set(noise(4, name="samm").ids)


@pytest.mark.parametrize("protocol", [cross, lambda one, two: cd6me(join(one, two))])
def test_one_person_in_two_data_sets_is_a_leak(protocol):
    one, two = noise(4), noise(4, name="samm")
    two.subjects[0] = one.subjects[0]
    with pytest.raises(LeakError, match="casme2/90 would be in casme2 and in samm"):
        protocol(one, two)


def test_cd6me_tests_each_set_once():
    data = join(join(noise(4), noise(3, name="samm")), noise(2, name="mmew"))
    folds = leave_one_set_out(data, 0)
    assert [fold.name for fold in folds] == ["casme2", "mmew", "samm"]
    assert sorted(np.concatenate([fold.parts(data)[2].ids for fold in folds])) == sorted(data.ids)


def test_sets_that_cannot_be_compared():
    with pytest.raises(InputError, match="got casme2 alone"):
        cd6me(noise(4))
    with pytest.raises(InputError, match="both are casme2: give two different data sets"):
        cross(noise(4), noise(4, seed=1))
    with pytest.raises(InputError, match="AUs"):
        cross(noise(4), noise(4, name="samm", aus=(12, 4)))
