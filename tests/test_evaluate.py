"""Scores of a model on data, and the figures that the README quotes."""

import json

import numpy as np
import pytest

from aullm_lite import card, evaluate
from aullm_lite.errors import InputError
from aullm_lite.people import pack
from aullm_lite.synth.dataset import HELD_OUT, held_out_seed
from aullm_lite.synth.drawn import draw_identity


def test_seeds_of_evaluation_are_never_trained_on():
    assert held_out_seed(7) >= HELD_OUT and held_out_seed(HELD_OUT + 5) == HELD_OUT + 5
    with pytest.raises(InputError, match="negative"):
        held_out_seed(-5)
    assert held_out_seed(8) - held_out_seed(7) >= 1000  # data sets of neighbouring seeds share nobody


def test_table_counts_and_scores(smoke, clips):
    table = evaluate.evaluate(smoke, clips)
    assert table["n_clips"] == len(clips) and table["mean"]["n_pos"] == int(clips.labels.sum())
    assert set(table["per_au"]) == {str(au) for au in smoke.config.aus}
    assert set(table["floors"]) == {"all_negative", "all_positive", "random", "random_swept"}
    json.dumps(table, allow_nan=False)


def test_a_perfect_model_scores_one(smoke, clips, monkeypatch):
    monkeypatch.setattr(evaluate, "probabilities", lambda model, c: clips.labels.astype(float))
    table = evaluate.evaluate(smoke, clips)
    assert table["mean"]["f1"] == table["mean"]["ap"] == 1.0


def test_false_alarms_count_clips_not_aus(smoke, clips, monkeypatch):
    answers = np.zeros((len(clips), 12))
    answers[:3, :5] = 1.0
    monkeypatch.setattr(evaluate, "probabilities", lambda model, c: answers)
    assert evaluate.false_alarms(smoke, clips) == pytest.approx(3 / len(clips))


def test_other_label_order_is_refused(smoke, clips):
    smoke.config = smoke.config.changed(aus=smoke.config.aus[::-1])
    with pytest.raises(InputError, match="must be the same"):
        evaluate.evaluate(smoke, clips)


def test_people_that_the_checkpoint_was_trained_on_are_counted(smoke, clips):
    assert "notes" not in evaluate.evaluate(smoke, clips)
    smoke.config = smoke.config.changed(trained_on=pack(clips.subjects[:16]))
    assert "on 2 of these 6 people" in evaluate.as_text(evaluate.evaluate(smoke, clips))


def test_data_without_any_au_is_not_scored_as_zero(smoke, clips):
    rows = clips.labels.sum(1) == 0
    table = evaluate.evaluate(smoke, clips.select(rows))
    json.dumps(table, allow_nan=False)
    assert table["mean"]["f1"] is None is table["floors"]["random"]["f1"] and "n/a" in evaluate.as_text(table)


def test_full_report_has_every_figure(smoke):
    report = evaluate.full_report(smoke, [draw_identity(3)], subjects=2, clips=3, say=lambda text: None)
    assert set(report["tiers"]) == {"easy", "standard", "hard", "macro"}
    assert set(report["head_motion"]) == set(report["open_mouths"]) == {"drawn", "photographs"}
    assert card.scores(report).count("\n") >= 9 and "standard" in evaluate.as_text(report)


def test_json_is_written_whole(tmp_path):
    evaluate.write_json(tmp_path / "new" / "a.json", {"a": 1})
    assert json.loads((tmp_path / "new" / "a.json").read_text()) == {"a": 1}
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.json"]
