"""Grades: what a perfect map, a map of chance and a wrong map get, and what a study keeps."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from aullm_lite.checkpoint import weights_hash
from aullm_lite.errors import InputError
from aullm_lite.explain import BEST, Decision, faithful, grades, grading, study
from aullm_lite.explain.controls import CONTROLS, randomised
from aullm_lite.intervals import mean_interval
from aullm_lite.model import AULLM
from aullm_lite.synth.drawn import draw_identity
from aullm_lite.synth.render import Actor, moved, render
from aullm_lite.synth.script import Camera, Movement, Script

AU = 12


@pytest.fixture(scope="module")
def scene():
    """One smile on the subject's left, seen from before its onset until after its offset."""
    movement = Movement(AU, "L", 2.0, 0.1, 0.3, 0.45)
    script = Script(np.linspace(0, 0.5, 6), (movement,), camera=Camera(), seed=1)
    actor = Actor(draw_identity(800_001), 800_001)
    return actor, script, movement


@pytest.fixture(scope="module")
def truth(scene):
    return grading.truth_of(*scene)


def like(truth, inside=1.0, outside=0.0) -> np.ndarray:
    made = np.full((6, 64, 64), outside)
    made[:, truth.mask] = inside
    return made


def test_truth_is_where_and_when_the_skin_moved(scene, truth):
    actor, script, movement = scene
    frames = render(actor, script)
    changed = np.abs(frames - frames[0]).max(0)
    assert changed[truth.mask].mean() > 8 * changed[~truth.mask].mean()
    assert np.argwhere(truth.mask)[:, 1].min() > 31  # the subject's left lies at the image's right
    assert truth.inside.tolist() == [False, True, True, True, True, False]
    assert moved(*scene)[0].max() == 0 and moved(*scene).max() == pytest.approx(2.0, abs=0.35)


def test_a_perfect_map_gets_everything_and_its_opposite_nothing(truth):
    perfect, wrong = like(truth), like(truth, 0.0, 1.0)
    for score in (grading.energy_in_mask, grading.pointing, grading.pixel_ap):
        assert score(perfect, truth.mask) == 1
    assert grading.energy_in_mask(wrong, truth.mask) == grading.pointing(wrong, truth.mask) == 0


def test_an_even_map_gets_what_chance_gives(truth):
    even, share = np.ones((6, 64, 64)), truth.mask.mean()
    for score in (grading.energy_in_mask, grading.pointing, grading.pixel_ap):
        assert score(even, truth.mask) == pytest.approx(share)
    assert grading.time_inside(even, truth.inside) == grading.scores(even, truth)["temporal_chance"] == 4 / 5


def test_what_speaks_against_does_not_count(truth):
    mixed = like(truth, 1.0, -5.0)
    assert grading.energy_in_mask(mixed, truth.mask) == 1
    assert grading.energy_in_mask(-like(truth), truth.mask) == 1  # nothing speaks for it: its size counts


def test_time_is_counted_by_frames(truth):
    made = np.zeros((6, 64, 64))
    made[0], made[2], made[5] = 9, 3, 1  # the first frame does not count
    assert grading.time_inside(made, truth.inside) == pytest.approx(0.75)


def test_specificity_of_own_maps_is_one_and_of_a_common_map_a_half(truth):
    mask = np.zeros((64, 64), bool)
    mask[5:15, 10:50] = True
    other = grading.Truth(1, mask, truth.inside)
    assert grading.specificity(like(truth), like(other), truth, other) == 1
    assert grading.specificity(like(other), like(truth), truth, other) == 0
    common = np.random.default_rng(0).random((6, 64, 64))
    assert grading.specificity(common, common, truth, other) == pytest.approx(0.5)


def test_rank_correlation_sees_order_alone(truth):
    rng = np.random.default_rng(0)
    made = rng.normal(size=(6, 8, 8))
    assert grading.rank_correlation(made, np.exp(made)) == pytest.approx(1)
    assert abs(grading.rank_correlation(made, rng.normal(size=(6, 8, 8)))) < 0.2
    assert grading.rank_correlation(made, np.ones_like(made)) == 0


# Checks without a truth


class Linear(nn.Module):
    """A logit that is a weighted sum of movement, so that its faithful map is known."""

    def __init__(self, weights: torch.Tensor):
        super().__init__()
        self.weights = weights  # [T-1, H, W]

    def logits_from_motion(self, motion):
        return (motion[:, 0] * self.weights).sum((1, 2, 3))[:, None]

    def probabilities_from_motion(self, motion):
        return torch.sigmoid(self.logits_from_motion(motion) / 20)


class Plain:
    """A decision of `Linear`, without a clip."""

    target = 0

    def __init__(self, weights, motion):
        self.model, self.motion, self.still_motion = Linear(weights), motion, torch.zeros_like(motion)


@pytest.fixture
def plain():
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(5, 16, 16, generator=generator).repeat_interleave(4, 1).repeat_interleave(4, 2)
    return Plain(weights, torch.rand(1, 1, 5, 64, 64, generator=generator))


def faithful_map(plain) -> np.ndarray:
    made = (plain.model.weights * plain.motion[0, 0]).numpy()
    return np.concatenate([np.zeros((1, 64, 64), np.float32), made])


def test_a_faithful_map_foresees_every_removal_and_another_does_not(plain):
    made = faithful_map(plain)
    assert faithful.unexplained(plain, made) < 1e-4
    assert faithful.unexplained(plain, 7 * made) < 1e-4  # up to one factor
    assert faithful.unexplained(plain, -made) == 1  # which may not turn its sign
    assert faithful.unexplained(Plain(torch.zeros(5, 64, 64), plain.motion), made) is None
    shuffled = made[:, ::-1].copy()
    assert 0.3 < faithful.unexplained(plain, shuffled) <= 1.001


def test_the_best_first_falls_soonest(plain):
    made = faithful_map(plain)
    best, worst = faithful.curves(plain, made), faithful.curves(plain, -made)
    for fill in ("still", "smear"):
        assert best[f"deletion_{fill}"] < worst[f"deletion_{fill}"]
        assert best[f"insertion_{fill}"] > worst[f"insertion_{fill}"]


def test_equals_are_taken_in_random_order():
    rank = faithful.order_of(np.ones((6, 64, 64)), seed=1)
    assert rank.shape == (5, 64, 64) and len(rank.unique()) == 5 * 16 * 16 and rank.max() < 1
    assert not torch.equal(rank, faithful.order_of(np.ones((6, 64, 64)), seed=2))


def test_a_map_that_never_changes_does_not_tremble(smoke, clips):
    decision = Decision(smoke, torch.from_numpy(clips.clips[0]).float() / 255, AU)
    assert faithful.tremor(decision, lambda clip: np.ones((6, 64, 64), np.float32)) == 0
    assert faithful.tremor(decision, lambda clip: clip.numpy()) < 0.1
    assert faithful.tremor(decision, lambda clip: np.random.default_rng().normal(size=(6, 64, 64))) > 1


# Controls


def test_controls_know_nothing_of_the_model(smoke, clips):
    decision = Decision(smoke, torch.from_numpy(clips.clips[0]).float() / 255, AU)
    for name, control in CONTROLS.items():
        assert control(decision).shape == (6, 64, 64), name
    assert not CONTROLS["flow size"](decision)[0].any() and CONTROLS["centre"](decision)[0].argmax() == 31 * 64 + 31


def test_randomised_weights_are_others_and_come_back(smoke):
    before = {name: value.clone() for name, value in smoke.trained_state().items()}
    with randomised(smoke):
        changed = [name for name, value in smoke.trained_state().items() if not torch.equal(value, before[name])]
        assert {"au_head.weight", "backbone.body.0.weight", "projector.mlp.1.weight"} <= set(changed)
        assert sum("lora_A" in name for name in changed) == 4 and not smoke.projector.training
        assert not any(value.any() for name, value in smoke.trained_state().items() if "lora_B" in name)
    assert all(torch.equal(value, before[name]) for name, value in smoke.trained_state().items())
    assert not smoke.training


# The study


def test_pairs_move_different_skin():
    pairs = study.pairs_apart()
    assert (1, 12) in pairs and (4, 17) in pairs and (1, 4) not in pairs and (5, 7) not in pairs


def test_a_case_is_the_same_each_time():
    one, again = study.draw_case(3, "standard", 7), study.draw_case(3, "standard", 7)
    assert torch.equal(one.clip, again.clip) and one.script.movements == again.script.movements
    assert len(one.script.movements) == 2 and study.draw_case(4, "standard", 7).subject == one.subject
    assert study.draw_case(5, "standard", 7).subject != one.subject


@pytest.fixture
def quick(monkeypatch):
    """Two methods, and the costly checks on the first two clips alone."""
    monkeypatch.setattr(study, "SHAKEN", 1000)
    monkeypatch.setattr(study, "CHECKED", 1000)
    return dict(methods=("saliency", "gradcam"), clips=10)


@pytest.fixture
def eager(smoke):
    """A model that finds every AU everywhere."""
    smoke.config = smoke.config.changed(thresholds=(0.0,) * 12, not_sure=((0.0, 0.0),) * 12)
    return smoke


def test_a_study_goes_on_after_a_kill(smoke, quick, tmp_path, monkeypatch):
    kept, seen = tmp_path / "rows.jsonl", []
    monkeypatch.setattr(study, "draw_case", lambda n, *_: seen.append(n) or n)
    monkeypatch.setattr(study, "grade_case", lambda model, n, which: [{"clip": n, "kind": "clip"}])
    whole = study.grade(smoke, **quick)
    monkeypatch.setattr(study, "draw_case", lambda n, *_: seen.append(n) or (n if n < 4 else 1 / 0))
    with pytest.raises(ZeroDivisionError):
        study.grade(smoke, **quick, rows=kept)
    with open(kept, "a") as file:
        file.write('{"clip": 4, "rows": [{"ki')  # the kill came while a row was written
    seen.clear()
    monkeypatch.setattr(study, "draw_case", lambda n, *_: seen.append(n) or n)
    assert study.grade(smoke, **quick, rows=kept) == whole and seen == [4, 5, 6, 7, 8, 9]
    seen.clear()
    assert study.grade(smoke, **quick, rows=kept) == whole and not seen  # the half row is gone from the file too


@pytest.mark.parametrize("content", ['{"seed": 1}\n', "[]\n", "no rows at all\n", '{"clip'])
def test_rows_of_something_else_are_refused(eager, quick, tmp_path, content):
    (tmp_path / "rows.jsonl").write_text(content)
    if content.endswith("\n"):
        with pytest.raises(InputError, match="another grading"):
            study.grade(eager, **quick, rows=tmp_path / "rows.jsonl")
    else:  # a kill in the first line
        assert study.Kept(tmp_path / "rows.jsonl", {"seed": 1}).done == {}


def test_another_checkpoint_is_another_study(smoke):
    before = weights_hash(smoke)
    with randomised(smoke):
        assert weights_hash(smoke) != before
    assert weights_hash(smoke) == before


def test_a_silent_method_is_counted_and_gets_no_credit_for_it(smoke, clips, monkeypatch):
    monkeypatch.setitem(study.MAPS, "gradcam", lambda decision, on: {"map": torch.zeros_like(decision.motion)})
    row = study._map(smoke, torch.from_numpy(clips.clips[0]).float() / 255, AU, "gradcam", "motion")[1]
    assert row == {"silent": 1.0}


def test_no_au_found_is_one_sentence():
    with pytest.raises(InputError, match="finds no AU"):
        grades.grade_table([{"kind": "clip", "clip": 0, "subject": "a", "present": 1, "found": 0}], {})


@pytest.mark.parametrize("wrong", [dict(methods=("fusion",)), dict(clips=3), dict(tier="odd")])
def test_studies_that_cannot_be(smoke, wrong):
    with pytest.raises(InputError):
        study.grade(smoke, **wrong)


def test_the_table_has_every_grade_and_says_who_stays_behind(eager, quick):
    which = study.variants(quick["methods"])
    rows = [row for n in range(4, 7) for row in study.grade_case(eager, study.draw_case(n, "standard", 7), which)]
    table = grades.grade_table(rows, {"tier": "standard"})
    assert list(table["methods"]) == ["saliency", "gradcam", "saliency-pixels"]
    assert list(table["controls"]) == [*CONTROLS, study.RANDOM]
    json.dumps(table, allow_nan=False)
    row = table["methods"]["gradcam"]
    assert row["energy_in_mask"][1] <= row["energy_in_mask"][0] <= row["energy_in_mask"][2]
    assert table["controls"]["uniform"]["energy_in_mask"][0] == pytest.approx(row["chance"])
    assert table["controls"]["flow size"]["specificity"][0] == pytest.approx(0.5)
    text = grades.as_text(table)
    assert "SynthME" in text and all(name in text for name in (*table["methods"], *table["controls"]))
    for loss in grades.losses(table):
        assert "stays behind a control in" in loss


def rows_of(ours: float, theirs: float) -> list[dict]:
    """Six people for whom one method and all controls get these grades."""
    rows = []
    for n in range(6):
        about = {"clip": n, "subject": f"p{n}"}
        rows.append(about | {"kind": "clip", "present": 1, "found": 1})
        for name, value in {"ig": ours, **dict.fromkeys(grades.RIVALS, theirs)}.items():
            grade = dict.fromkeys(("energy_in_mask", "pointing", "pixel_ap", "temporal"), value + n / 100)
            extra = {"silent": 0.0, "seconds": 1.0} if name == "ig" else {}
            rows.append(
                about | {"kind": "map", "map": name, "au": 1, "chance": 0.1, "temporal_chance": 0.5} | grade | extra
            )
            rows.append(about | {"kind": "pair", "map": name, "specificity": value})
    return rows


def test_a_method_that_loses_is_said_to_lose():
    table = grades.grade_table(rows_of(0.2, 0.6), {})
    assert ["uniform", "pointing"] in table["methods"]["ig"]["behind"]
    assert "ig stays behind a control in: energy in the moved skin (uniform)" in grades.losses(table)[0]
    assert "stays behind" in grades.sentence(table, "ig", "motion")
    assert grades.losses(grades.grade_table(rows_of(0.6, 0.2), {})) == []


def test_a_method_without_grades_gets_no_sentence():
    assert grades.sentence(grades.grade_table(rows_of(0.6, 0.2), {}), "ig", "pixels") == ""
    assert grades.sentence(None, "ig", "motion") == ""


def test_grades_of_the_shipped_checkpoint_are_not_those_of_another(smoke):
    assert grades.shipped(smoke) is None


def test_an_interval_of_means_draws_people():
    values, who = [0, 0, 1, 1], ["a", "a", "b", "b"]
    assert mean_interval(values, who) == [0.5, 0.0, 1.0]
    assert mean_interval([], []) is None and mean_interval([0.3], ["a"]) == [0.3, None, None]
    wide = mean_interval(np.repeat([0, 1] * 10, 5), np.repeat(range(20), 5))
    narrow = mean_interval(np.repeat([0, 1] * 10, 5), np.arange(100))
    assert wide[2] - wide[1] > 1.8 * (narrow[2] - narrow[1])


def test_the_default_method_is_behind_no_control_and_every_claim_has_its_figures():
    table = json.loads(grades.GRADE.read_text())
    best = table["methods"][BEST]
    assert best["behind"] == [] and best["missed_at_most"] <= 0.01 and table["note"] == grades.NOTE
    assert set(table["methods"]) == set(study.variants(study.MAPS)) and set(table["controls"]) == set(grades.RIVALS)


@pytest.mark.model
def test_shipped_grades_are_those_of_the_shipped_weights():
    assert grades.shipped(AULLM.from_pretrained("demo"))["clips"] >= 100
