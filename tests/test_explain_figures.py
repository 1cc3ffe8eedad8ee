"""Pictures of attributions: everything named, one scale, nothing blank."""

import json

import matplotlib
import numpy as np
import pytest
from sample_report import sample_window
from test_explain import made_by_hand
from test_grading import rows_of

from aullm_lite.explain import Attribution, figures
from aullm_lite.explain.grades import grade_table
from aullm_lite.facs import ZONES


def words(figure) -> str:
    return " | ".join(text.get_text() for text in figure.findobj(matplotlib.text.Text) if text.get_text())


def test_the_sheet_names_zones_muscles_frames_and_the_grade(tmp_path):
    window = sample_window()
    figure = figures.why_figure(
        made_by_hand(), window.clip, face=window.onset_crop, times=window.times, grade="Graded well.", verdict="present"
    )
    text = words(figure)
    assert all(zone in text for zone in ZONES) and "zygomaticus major" in text and "Graded well." in text
    assert "Why AU12 Lip corner puller?  (present)" in text and "0.90 s, first" in text and ", apex" in text
    assert "for AU12" in text and "against AU12" in text
    figure.savefig(tmp_path / "why.png")
    assert (tmp_path / "why.png").stat().st_size > 30_000


def test_parts_become_bars():
    made = Attribution(12, "fusion", "features", parts={"mid features": 2.0, "high features": -1.0})
    figure = figures.why_figure(made, sample_window().clip)
    assert "mid features" in words(figure) and [bar.get_width() for bar in figure.axes[0].patches] == [2.0, -1.0]


def test_one_scale_for_all_frames():
    figure = figures.strip_figure(made_by_hand(), sample_window().clip)
    shown = [ax.images[0].get_array() for ax in figure.axes if ax.images]
    plain = figures.overlay(sample_window().clip[4], np.zeros((64, 64)), 1.0)
    assert len(shown) >= 6 and np.array_equal(shown[4], plain)  # nothing is said of this frame, so nothing is drawn


def test_colour_says_for_or_against():
    face, made = np.full((64, 64), 0.5), np.zeros((64, 64))
    made[20:24, 20:24], made[40:44, 40:44] = 1, -1
    picture = figures.overlay(face, made, 1.0).astype(int)
    speaks_for, against = picture[86, 86], picture[168, 168]
    assert speaks_for[0] > 200 > 100 > speaks_for[2] and against[2] > against[1] and against[0] < 130
    assert abs(picture[200, 60] - 128).max() <= 1


def test_own_zones_are_bold():
    plain, outlined = (figures.overlay(np.zeros((64, 64)), np.zeros((64, 64)), 1.0, au) for au in (None, 12))
    assert plain.max() == 0 and (outlined > 200).any() and ((outlined > 50) & (outlined < 100)).any()


def test_bars_of_zones_have_both_phases():
    widths = [round(bar.get_width(), 3) for bar in figures.zones_figure(made_by_hand()).axes[0].patches]
    row = 2 * list(ZONES).index("lip corners")
    assert widths[row : row + 2] == [3.0, 0.0]


@pytest.mark.parametrize("ours", [0.2, 0.7])
def test_grades_stand_with_their_controls(ours, tmp_path):
    table = json.loads(json.dumps(grade_table(rows_of(ours, 0.4), {"tier": "standard"})))
    figure = figures.grades_figure(table)
    assert all(name in words(figure) for name in (*table["methods"], *table["controls"], "pointing game"))
    figure.savefig(tmp_path / "grades.png")
