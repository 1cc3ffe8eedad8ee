import numpy as np
import pytest
import torch

from aullm_lite.events import find_events, median3, movement_span, region_energy, runs
from aullm_lite.facs import CD6ME_AUS, region_mask

TIMES = np.linspace(0, 0.5, 6)


def test_energy_is_felt_where_the_skin_moves():
    masks = torch.from_numpy(np.stack([region_mask(au) for au in CD6ME_AUS]))
    motion = torch.zeros(2, 2, 5, 64, 64)
    motion[1, 0, 2] = 3 * masks[CD6ME_AUS.index(17)]
    motion[1, 1, 2] = 4 * masks[CD6ME_AUS.index(17)]
    energy = region_energy(motion, masks)
    assert energy.shape == (2, 12, 6) and not energy[0].any() and not energy[1, :, [0, 1, 2, 4, 5]].any()
    assert int(energy[1, :, 3].argmax()) == CD6ME_AUS.index(17) and 2 < energy[1, CD6ME_AUS.index(17), 3] <= 5


def test_median_removes_a_lone_window_and_keeps_a_pair():
    series = np.array([[0, 0], [0.9, 0.9], [0, 0.8], [0, 0]])
    assert median3(series).max(0).tolist() == [0, 0.8]
    assert median3(np.array([[0.7, 0.2]])).tolist() == [[0.7, 0.2]]


@pytest.mark.parametrize("above, expected", [
    ("", []), ("0000", []), ("0110", [(1, 3)]), ("1", [(0, 1)]), ("1001", [(0, 4)]), ("10001", [(0, 1), (4, 5)]),
])  # fmt: skip
def test_runs_are_joined_over_short_gaps(above, expected):
    assert runs(np.array([c == "1" for c in above], bool), 0.1 * np.arange(len(above))) == expected


def test_a_lost_face_parts_two_events():
    assert runs(np.array([True, True, True]), np.array([0.0, 0.1, 3.0])) == [(0, 2), (2, 3)]


def test_span_is_interpolated_between_samples():
    onset, apex, offset = movement_span(TIMES, np.array([0, 0, 1.0, 2.0, 0, 0]), edge=0.25)
    assert (onset, apex, offset) == pytest.approx((0.15, 0.3, 0.375))


def test_span_of_a_movement_cut_off_by_the_window():
    onset, apex, offset = movement_span(TIMES, np.array([0, 0.1, 0.5, 0.8, 0.9, 1.0]))
    assert onset == pytest.approx(0.1375) and apex == offset == 0.5


def test_span_without_movement_is_a_point():
    assert movement_span(TIMES, np.zeros(6)) == (0, 0, 0)


@pytest.mark.parametrize("onset, apex, offset", [(0.12, 0.27, 0.42), (0.05, 0.2, 0.3)])
def test_span_finds_a_smooth_movement_within_a_frame(onset, apex, offset):
    rise, fall = np.clip((TIMES - onset) / (apex - onset), 0, 1), np.clip((offset - TIMES) / (offset - apex), 0, 1)
    found = movement_span(TIMES, 0.5 - 0.5 * np.cos(np.pi * np.minimum(rise, fall)))
    assert np.abs(np.array(found) - (onset, apex, offset)).max() < 0.08


def test_event_is_timed_in_the_window_that_shows_it_whole():
    """Three windows see the same movement; only the middle one sees it rise and fall."""
    samples = np.stack([TIMES, TIMES + 0.1, TIMES + 0.2])
    energy = np.array([[0, 0, 0, 0, 1, 2.0], [0, 0, 0, 1, 2.0, 0], [0, 0, 0.1, 1.0, 0, 0]])
    (event,) = find_events(12, np.array([0.9, 0.9, 0.9]), 0.5, samples, energy)
    assert (event.au, event.apex_s, event.probability) == (12, 0.5, 0.9)
    assert event.onset_s == pytest.approx(0.35) and event.offset_s == pytest.approx(0.575)


def test_no_event_under_the_threshold():
    assert find_events(12, np.array([0.4, 0.49]), 0.5, np.stack([TIMES] * 2), np.ones((2, 6))) == ()
