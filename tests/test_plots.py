import json
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from sample_report import sample_report

from aullm_lite import plots
from aullm_lite.report import AUFinding


def words(figure) -> str:
    return " | ".join(text.get_text() for text in figure.findobj(matplotlib.text.Text) if text.get_text())


@pytest.fixture
def report():
    return sample_report()


@pytest.mark.parametrize("draw", [plots.verdict_figure, plots.timeline_figure, plots.report_figure])
def test_every_au_is_named_and_the_figure_can_be_saved(draw, report, tmp_path):
    figure = draw(report)
    assert all(finding.label in words(figure) for finding in report.findings)
    figure.savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000


def test_verdicts_stand_in_words(report):
    text = words(plots.verdict_figure(report))
    assert all(verdict in text for verdict in ("present", "not sure", "absent")) and "0.94" in text


def test_bars_run_from_the_surest_down(report):
    ax = plots.verdict_figure(report).axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == [f.label for f in report.top()]


def test_timeline_draws_each_event_in_its_lane(report):
    ax = plots.timeline_figure(report).axes[0]
    apexes = [line for line in ax.lines if line.get_marker() == "^" and len(line.get_xdata())]
    drawn = [(line.get_xdata()[0], line.get_ydata()[0] - plots.LANE / 2) for line in apexes]
    rows = [f.au for f in report.findings]
    assert drawn == [pytest.approx((event.apex_s, rows.index(event.au))) for event in report.events]
    assert ax.get_xlim() == (0, 4.0)


def test_curve_breaks_where_no_face_was_seen(report):
    times = np.array(report.times)
    times[20:] += 3
    curve = plots.timeline_figure(sample_report(times=tuple(times))).axes[0].lines[2]
    assert np.flatnonzero(np.isnan(curve.get_xdata())).tolist() == [20]


def test_a_single_window_is_visible(report):
    one = sample_report(times=(0.25,), series={f.au: (f.probability,) for f in report.findings}, events=())
    ax = plots.timeline_figure(one).axes[0]
    assert any(line.get_marker() == "o" and len(line.get_xdata()) == 1 for line in ax.lines)


def test_sheet_shows_the_crop_warnings_and_limits(report):
    figure = plots.report_figure(report)
    shown = [image.get_array() for image in figure.findobj(matplotlib.image.AxesImage)]
    assert len(shown) == 1 and np.array_equal(shown[0], report.crop)
    text = words(figure).replace("\n", " ")
    assert report.warnings[0] in text and "movement only" in text


def test_sheet_without_a_crop(report):
    assert not plots.report_figure(sample_report(crop=None)).findobj(matplotlib.image.AxesImage)


def test_few_aus_fit_too():
    finding, event = AUFinding(12, 0.9, 0.5, "present", 0.95, 1.15, 1.42), sample_report().events[0]
    report = sample_report(findings=(finding,), events=(event,))
    plots.report_figure(report).draw_without_rendering()


def test_training_curves(tmp_path):
    path = tmp_path / "metrics.jsonl"
    rows = [{"epoch": e, "loss": 1 / e, "f1": 0.2 * e, "ap": 0.25 * e} for e in (1, 2, 3)]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    left, right = plots.training_figure(path).axes
    assert list(left.lines[0].get_ydata()) == pytest.approx([1, 0.5, 1 / 3]) and len(right.lines) == 2


def test_pyplot_is_never_loaded():
    code = "import sys, aullm_lite.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
