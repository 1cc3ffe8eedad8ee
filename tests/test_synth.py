"""SynthME: fields, scripts, frames and people are what they claim to be, and the same for the same seed."""

import hashlib
from dataclasses import asdict, replace

import numpy as np
import pytest

from aullm_lite.errors import InputError
from aullm_lite.facs import CD6ME_AUS, EYES, REGIONS, action_unit, face_grid, region_mask
from aullm_lite.synth import dataset
from aullm_lite.synth.dataset import labels_of, make_clips, tier_recipe, training_recipe
from aullm_lite.synth.drawn import contact_sheet, draw_identity, portrait
from aullm_lite.synth.fields import MIDLINE, au_field, au_mask, au_wrinkles
from aullm_lite.synth.identity import CANVAS, EXTENT
from aullm_lite.synth.render import Actor, displacement, head_field, render
from aullm_lite.synth.script import PEAKS, Camera, Movement, Script, draw_script

PLAIN = Camera()


@pytest.fixture(scope="module")
def actor():
    return Actor(draw_identity(11), 11)


@pytest.fixture(scope="module")
def scripts():
    rng = np.random.default_rng(0)
    return [draw_script(rng, "standard") for _ in range(1500)]


# --- facs ---


def test_region_masks_and_names():
    for au in REGIONS:
        left, right, both = (region_mask(au, 64, side) for side in ("L", "R", "both"))
        assert (
            np.allclose(left, right[:, ::-1])
            and np.allclose(both, np.maximum(left, right))
            and both.max() == pytest.approx(1)
        )
    assert set(CD6ME_AUS) == set(REGIONS) and str(action_unit(12)) == "AU12 Lip corner puller"
    for bad in (3, "smile", None):
        with pytest.raises(ValueError, match="Unknown Action Unit"):
            action_unit(bad)


def test_subjects_left_lies_at_the_images_right():
    x, _ = face_grid(64)
    weight = region_mask(2, 64, "L")
    assert (weight * x).sum() / weight.sum() > 0.3


# --- fields ---


@pytest.mark.parametrize("au", CD6ME_AUS)
def test_field_has_unit_peak_and_mirrors(au):
    both, left, right = (au_field(au, side) for side in ("both", "L", "R"))
    for field in (both, left, right):
        assert np.hypot(*field).max() == pytest.approx(1, abs=1e-5)
    assert np.allclose(both[0], -both[0][:, ::-1], atol=1e-5) and np.allclose(both[1], both[1][:, ::-1], atol=1e-5)
    if au not in MIDLINE:
        assert np.allclose(left[1], right[1][:, ::-1], atol=1e-5) and np.hypot(*left)[:, :20].max() < 0.2


@pytest.mark.parametrize(
    "au, x, y",
    [
        (1, 0, -1),
        (2, 0, -1),
        (4, -1, 1),
        (5, 0, -1),
        (6, 0, -1),
        (9, 0, -1),
        (10, 0, -1),
        (12, 1, -1),
        (15, 0, 1),
        (17, 0, -1),
    ],
)
def test_the_muscle_pulls_the_right_way(au, x, y):
    """Mean direction on the image-right half: x to the side, y down."""
    mean = au_field(au, "both" if au == 17 else "L").mean((1, 2))
    assert np.sign(mean[1]) == y and (x == 0 or np.sign(mean[0]) == x)


@pytest.mark.parametrize("au", CD6ME_AUS)
def test_movement_wrinkles_and_region_lie_together(au):
    region, mask = region_mask(au), au_mask(au)
    assert (region * mask).sum() / mask.sum() > 0.35 > region.mean()
    assert 0 <= au_wrinkles(au).min() and au_wrinkles(au).max() <= 1


def test_anatomy_varies_between_people_a_little():
    base, person = au_field(12), au_field(12, rng=np.random.default_rng(3))
    assert 0.05 < np.abs(base - person).max() < 0.8


# --- scripts ---


def test_timing_is_that_of_the_real_sets(scripts):
    moving = [s for s in scripts if s.movements]
    length = np.array([s.times[-1] - s.times[0] for s in moving])
    rise = np.array([(m.apex - s.times[0]) / (s.times[-1] - s.times[0]) for s in moving for m in s.movements])
    assert 0.28 < np.median(length) < 0.34 and 0.15 < np.quantile(length, 0.05) and np.quantile(length, 0.95) <= 0.56
    assert 0.45 < np.median(rise) < 0.57


def test_shares_of_sides_empty_clips_and_pairs(scripts):
    movements = [m for s in scripts for m in s.movements]
    assert 0.10 < np.mean([m.side != "both" for m in movements]) < 0.25
    assert 0.12 < np.mean([not s.movements for s in scripts]) < 0.18
    count = lambda *aus: sum(set(aus) <= {m.au for m in s.movements} for s in scripts)  # noqa: E731
    expected = lambda a, b: count(a) * count(b) / len(scripts)  # noqa: E731
    assert count(1, 2) > 2 * expected(1, 2) and count(4, 12) < expected(4, 12)


@pytest.mark.parametrize("tier", PEAKS)
def test_peaks_of_a_tier(tier):
    rng = np.random.default_rng(1)
    peaks = [m.peak for _ in range(100) for m in draw_script(rng, tier, none=0).movements]
    assert PEAKS[tier][0] <= min(peaks) and max(peaks) <= PEAKS[tier][1]


def test_every_movement_of_a_clip_can_be_seen(scripts):
    assert np.mean([s.aus == {m.au for m in s.movements} for s in scripts]) > 0.99


def test_undoing_a_movement_is_no_action_unit():
    rng = np.random.default_rng(2)
    assert np.mean([bool(draw_script(rng, "standard", view="release", none=0).aus) for _ in range(300)]) < 0.1


def test_still_heads_and_moving_heads():
    rng = np.random.default_rng(3)
    reach = lambda head: [np.abs(draw_script(rng, head=head).head).sum() for _ in range(200)]  # noqa: E731
    still, moving = reach("still"), reach("moving")
    assert np.median(still) < 0.4 and 0.5 <= min(moving) and max(moving) <= 4.0


def test_unknown_tier():
    with pytest.raises(InputError, match="easy, standard, hard, macro"):
        draw_script(np.random.default_rng(0), "huge")


def test_amount_rises_to_the_peak_and_ends():
    m = Movement(12, "both", 1.5, 0.1, 0.3, 0.6)
    assert np.allclose(m.amount(np.array([0.0, 0.1, 0.2, 0.3, 0.6, 0.7])), [0, 0, 0.75, 1.5, 0, 0])


# --- frames ---


def moved_script(**changes) -> Script:
    base = Script(np.array([0.0, 0.15, 0.3]), (Movement(12, "both", 3.0, 0.0, 0.15, 0.3),), camera=PLAIN)
    return replace(base, **changes)


def test_still_script_gives_the_same_frame(actor):
    frames = render(actor, moved_script(movements=()))
    assert frames.shape == (3, 64, 64) and frames.dtype == np.float32
    assert np.abs(frames - frames[:1]).max() < 1e-6


def test_frames_move_as_the_field_says(actor):
    """Pulling the apex frame back along the true displacement gives the onset frame again."""
    import cv2

    script = moved_script()
    frames, field = render(actor, script), displacement(actor, script)[1]
    x, y = np.meshgrid(np.arange(64, dtype=np.float32), np.arange(64, dtype=np.float32))
    back = cv2.remap(frames[1], x + field[0], y + field[1], cv2.INTER_LINEAR)
    mask = np.hypot(*field) > 0.7
    assert np.abs(back - frames[0])[mask].mean() < 0.55 * np.abs(frames[1] - frames[0])[mask].mean()


def test_movement_stays_in_its_region(actor):
    frames = render(actor, moved_script())
    change, field = np.abs(frames[1] - frames[0]), np.hypot(*displacement(actor, moved_script())[1])
    assert change[field < 0.02].max() < 0.01 < change[field > 1].mean()


def test_grey_is_the_luma_of_colour(actor):
    grey, colour = render(actor, moved_script()), render(actor, moved_script(), colour=True)
    assert colour.shape == (3, 64, 64, 3) and np.abs(colour @ [0.299, 0.587, 0.114] - grey).max() < 2e-3


@pytest.mark.parametrize("size, extent", [(32, 1.0), (96, 1.5)])
def test_any_size_and_extent(actor, size, extent):
    assert render(actor, moved_script(), size, extent=extent).shape == (3, size, size)


def test_blink_covers_the_eyes(actor):
    blink = Movement(45, "both", 3.5, 0.0, 0.15, 0.3)
    frames = render(actor, moved_script(movements=(), others=(blink,)))
    x, y = face_grid(64)
    eyes = (np.abs(np.abs(x) - EYES[1][0]) < 0.1) & (np.abs(y - EYES[1][1]) < 0.06)
    change = np.abs(frames[1] - frames[0])
    assert change[eyes].mean() > 5 * change[~eyes].mean()


@pytest.mark.parametrize("au", [25, 26])
def test_an_open_mouth_is_seen_and_is_no_label(actor, au):
    script = moved_script(movements=(), others=(Movement(au, "both", 3.0, 0.0, 0.15, 0.3),))
    frames, colour = render(actor, script), render(actor, script, colour=True)
    assert np.abs(colour @ [0.299, 0.587, 0.114] - frames).max() < 2e-3
    x, y = face_grid(64)
    inside = (np.abs(x) < 0.12) & (y > actor.identity.mouth[1]) & (y < actor.identity.mouth[1] + 0.06)
    assert np.abs(frames[1] - frames[0])[inside].mean() > 0.05 > np.abs(frames[2] - frames[0]).max()
    assert not script.aus and not labels_of(script).any()


def test_lips_part_with_many_smiles_and_speech_goes_on_beside():
    rng = np.random.default_rng(4)
    drawn = [draw_script(rng, "macro", none=0, mouth=True) for _ in range(600)]
    assert not any(m.au != 45 for _ in range(200) for m in draw_script(rng, "macro", none=0).others)
    smiles = [s for s in drawn if 12 in {m.au for m in s.movements}]
    assert 0.3 < np.mean([25 in {m.au for m in s.others} for s in smiles]) < 0.65
    assert 0.04 < np.mean([26 in {m.au for m in s.others} for s in drawn]) < 0.12


def test_head_field_reaches_what_its_pose_says():
    x, y = face_grid(64)
    for part, axis in ((4, 0), (5, 1)):
        pose = np.zeros(6)
        pose[part] = 3.0
        assert np.allclose(head_field(pose, x, y)[axis] * 32, 3.0, atol=1e-5)
    yaw = head_field((3, 0, 0, 0, 0, 0), x, y)[0] * 32
    assert 2.0 < yaw[36, 32] < 3.6 and abs(yaw[36, 1]) < 1.0  # the nose goes, the edge of the head hardly


# --- people and data sets ---


def test_the_same_seed_draws_the_same_person():
    one, again, other = draw_identity(5), draw_identity(5), draw_identity(6)
    assert np.array_equal(one.skin, again.skin) and not np.array_equal(one.skin, other.skin)
    assert one.subject == "drawn00000005"


def test_people_are_pictures_with_eyes_where_eyes_belong():
    x, y = face_grid(CANVAS, EXTENT)
    for seed in range(6):
        person = draw_identity(seed)
        for layer in (person.skin, person.cover, person.eyes, person.head):
            assert np.isfinite(layer).all() and 0 <= layer.min() and layer.max() <= 1 and layer.dtype == np.float32
        assert abs(person.mouth[0]) < 0.02 and 0.38 < person.mouth[1] < 0.53 and 0.2 < person.mouth[2] < 0.36
        for cx, cy in EYES:
            assert person.cover[np.hypot(x - cx, y - cy) < 0.02].mean() < 0.3
        assert person.cover[np.hypot(np.abs(x) - EYES[1][0], y - EYES[1][1]) > 0.2].min() > 0.95
    assert contact_sheet([person] * 7, 3).shape == (3 * CANVAS, 3 * CANVAS, 3) and portrait(person).dtype == np.uint8


def test_tones_of_skin_vary():
    cheeks = np.array([draw_identity(seed).skin[150:160, 165:175].mean() for seed in range(24)])
    assert cheeks.max() > 0.55 and cheeks.min() < 0.3


@pytest.mark.model
def test_a_face_detector_takes_them_for_faces():
    import cv2

    from aullm_lite.faces import FaceFinder

    finder = FaceFinder()
    pictures = [cv2.resize(portrait(draw_identity(10_000_000 + seed)), (512, 512)) for seed in range(20)]
    assert sum(bool(finder.find(picture)) for picture in pictures) >= 19


@pytest.mark.model
def test_photographs_become_people():
    from aullm_lite.synth.photo import builtin_photos, photo_identity

    astronaut = builtin_photos()[0]
    assert astronaut.subject == "photo-astronaut" and astronaut.skin.shape == (CANVAS, CANVAS, 3)
    x, y = face_grid(CANVAS, EXTENT)
    assert astronaut.mouth == pytest.approx((0.0, 0.46, 0.32), abs=0.06)
    for cx, cy in EYES:
        assert astronaut.cover[np.hypot(x - cx, y - cy) < 0.015].mean() < 0.3
    with pytest.raises(InputError, match="No face"):
        photo_identity(np.zeros((200, 200, 3), np.uint8), "black")


def plain(value) -> list:
    """All numbers and words of a script in order, to five decimals: the last bits differ between processors."""
    if isinstance(value, (dict, list, tuple, np.ndarray)):
        return [x for part in (value.values() if isinstance(value, dict) else value) for x in plain(part)]
    return [value if isinstance(value, str) else round(float(value), 5)]


@pytest.mark.parametrize(
    "recipe, scripts, means",
    [
        (tier_recipe("standard"), "7363a19b2e934e0d", [164.936, 129.523, 149.52, 103.88, 114.44, 112.861]),
        (training_recipe, "28dc3c7c664cf2d9", [144.716, 122.689, 119.983, 118.108, 133.976, 120.547]),
    ],
)
def test_seeds_draw_what_they_always_drew(recipe, scripts, means):
    """Published figures and trained checkpoints stand on these clips."""
    drawn = make_clips(2, 3, recipe, seed=70)
    text = repr([plain(asdict(script)) for script in drawn.scripts])
    assert hashlib.sha256(text.encode()).hexdigest().startswith(scripts)
    assert drawn.clips.mean((1, 2, 3)) == pytest.approx(means, abs=2e-3)


def test_data_set_is_the_same_for_any_number_of_processes(monkeypatch):
    one = make_clips(3, 4, training_recipe, seed=77)
    monkeypatch.setattr(dataset, "LARGE", 1)
    two = make_clips(3, 4, training_recipe, seed=77, workers=2)
    assert np.array_equal(one.clips, two.clips) and np.array_equal(one.labels, two.labels)
    assert len(set(one.subjects)) == 3 and one.clips.shape == (12, 6, 64, 64) and one.clips.dtype == np.uint8
    assert np.array_equal(one.labels, np.stack([labels_of(s) for s in one.scripts]))


def test_select_keeps_rows_together(clips):
    some = clips.select(clips.subjects == clips.subjects[0])
    assert len(some) == len(some.scripts) == len(some.labels) == 8 and set(some.subjects) == {clips.subjects[0]}


def test_no_au_recipe_has_none():
    data = make_clips(2, 6, tier_recipe("standard", head="moving", none=1.0), seed=88)
    assert data.labels.sum() == 0
