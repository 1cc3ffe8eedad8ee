"""Baselines: they see what they should, learn what is easy, and survive AUs that nobody shows."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from protocol_data import noise

from aullm_lite import metrics
from aullm_lite.baselines import flow, simple, sssnet
from aullm_lite.errors import InputError

FITS = {
    "flow-svm": flow.fit_flow_svm,
    "sssnet": sssnet.fit_sssnet,
    "motion": simple.fit_motion_energy,
    "identity": simple.fit_identity,
}


@pytest.fixture(scope="module")
def texture():
    """Smooth noise of 160 pixels, from which windows of 128 are cut."""
    noise = np.random.default_rng(0).integers(0, 256, (160, 160)).astype(np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)


def window(texture, dx=0, dy=0):
    return texture[16 - dy : 144 - dy, 16 - dx : 144 - dx]


def test_flow_finds_a_known_shift(texture):
    onset, moved = window(texture), window(texture).copy()
    moved[40:88, 40:88] = window(texture, dx=4, dy=-2)[40:88, 40:88]  # in pixels of 128; flow is in those of 64
    u, v, strain = flow.apex_flow(np.stack([onset, moved])[None])[0]
    inner = np.s_[23:41, 23:41]
    assert np.median(u[inner]) == pytest.approx(2, abs=0.15) and np.median(v[inner]) == pytest.approx(-1, abs=0.15)
    assert abs(np.median(u[:15])) < 0.05 and strain[inner].mean() < 0.2 < strain[18:46, 18:46].max()


def test_a_rigid_shift_has_neither_flow_nor_strain(texture):
    fields = flow.apex_flow(np.stack([window(texture), window(texture, dx=3)])[None])
    assert fields.shape == (1, 3, 64, 64) and fields.dtype == np.float32
    assert np.abs(fields[0, :, 8:-8, 8:-8]).mean() < 0.05


def test_without_pairs_there_is_no_flow():
    with pytest.raises(InputError, match="onset and the apex frame of each clip"):
        flow.with_flow(noise(2))


def test_what_is_measured_already_stays():
    data = replace(noise(2), flow=np.zeros((6, 3, 64, 64), np.float32), motion=torch.zeros(6, 2, 5, 8, 8))
    assert flow.with_flow(data) is data and simple.with_motion(data) is data


@pytest.fixture(scope="module")
def easy():
    """Twelve people whose AU4 moves the upper half of the flow, and AU12 the lower one; AU1 is never there."""
    data = noise(12, each=4, aus=(4, 12, 1), seed=3)
    data.labels[:, 2] = 0
    rng = np.random.default_rng(1)
    fields = rng.normal(0, 0.3, (48, 3, 64, 64)).astype(np.float32)
    fields[:, 1, :32] -= 0.5 * data.labels[:, 0, None, None]
    fields[:, 0, 32:] += 0.5 * data.labels[:, 1, None, None]
    motion = torch.from_numpy(rng.normal(0, 0.3, (48, 2, 5, 8, 8)).astype(np.float32))
    motion[:, 1] -= torch.from_numpy(data.labels[:, 0])[:, None, None, None]
    return replace(data, flow=fields, motion=motion)


def parts(data):
    number = np.array([int(who[-2:]) % 12 for who in data.subjects])
    return data.select(number < 6), data.select((number >= 6) & (number < 8)), data.select(number >= 8)


@pytest.mark.parametrize("name, learnt", [("flow-svm", [0, 1]), ("sssnet", [0, 1]), ("motion", [0])])
def test_what_is_easy_is_learnt_and_again_the_same(easy, monkeypatch, name, learnt):
    monkeypatch.setattr(sssnet, "EPOCHS", 6)
    train, inner, test = parts(easy)
    scores, again = (FITS[name](train, inner, 3)(test) for _ in range(2))
    precision = metrics.average_precision(test.labels, scores)
    assert (precision[learnt] > test.labels[:, learnt].mean(0) + 0.25).all(), precision
    assert np.array_equal(scores, again) and np.isfinite(scores).all() and scores.shape == test.labels.shape


@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_aus_that_nobody_or_everybody_shows(easy, monkeypatch, name, rate):
    monkeypatch.setattr(sssnet, "EPOCHS", 2)
    train, inner, test = parts(replace(easy, labels=np.full_like(easy.labels, rate)))
    assert np.isfinite(FITS[name](train, inner, 0)(test)).all()


def test_inner_people_without_any_au_choose_some_epoch(easy, monkeypatch):
    monkeypatch.setattr(sssnet, "EPOCHS", 2)
    train, inner, test = parts(easy)
    inner.labels[:] = 0
    assert np.isfinite(sssnet.fit_sssnet(train, inner, 0)(test)).all()


def test_training_that_goes_astray_is_one_sentence(easy, monkeypatch):
    monkeypatch.setattr(sssnet, "LR", float("inf"))
    train, inner, _ = parts(easy)
    with pytest.raises(InputError, match="answer that is not a number: leave sssnet out of --model"):
        sssnet.fit_sssnet(train, inner, 0)


def test_identity_knows_the_people_it_has_seen_and_nobody_else():
    train, inner, test = parts(noise(12, each=4))
    score = simple.fit_identity(train, inner, 0)
    assert np.ptp(score(test), axis=0).max() == 0
    assert np.ptp(score(train), axis=0).min() > 0
    assert np.allclose(1 / (1 + np.exp(-score(test)[0])), train.labels.mean(0))


def test_motion_energy_does_not_see_where(easy):
    train, inner, test = parts(easy)
    score = simple.fit_motion_energy(train, inner, 0)
    moved = replace(test, motion=test.motion.flip(-1).roll(3, -2))
    assert np.allclose(score(test), score(moved))
