"""What can be taken away: links, files, the annotated video; and that files go with their visitor."""

import csv
import io
import json
import re
from collections import deque
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote

import gradio as gr
import numpy as np
import pytest
from sample_report import face_crop, sample_report

from aullm_lite.pages import annotate, downloads, visits
from aullm_lite.video import Frame, open_video, write_video

ME, YOU = SimpleNamespace(session_hash="me"), SimpleNamespace(session_hash="you")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """Gradio's own folder, for one test."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "served"))
    monkeypatch.setattr(visits, "_HELD", {})
    monkeypatch.setattr(visits, "_LEFT", deque())
    return tmp_path / "served"


@pytest.fixture
def clip(tmp_path) -> Path:
    path = tmp_path / "clip.mp4"
    write_video(path, np.stack([np.roll(face_crop(), n, 0) for n in range(40)]), 20)
    return path


def test_table_has_a_line_for_each_au():
    rows = list(csv.DictReader(io.StringIO(downloads.csv_text(sample_report()))))
    assert [int(row["au"]) for row in rows] == [f.au for f in sample_report().findings]
    smile = next(row for row in rows if row["au"] == "12")
    assert smile["verdict"] == "present" and smile["apex_s"] == "1.15" and smile["name"] == "Lip corner puller"
    assert rows[-1]["apex_s"] == ""


def test_links_hold_the_report_itself():
    html = downloads.links_html(sample_report())
    found = dict(re.findall(r'href="data:[^,]*,([^"]*)" download="([^"]*)"', html))
    files = {name: unquote(text) for text, name in found.items()}
    assert json.loads(files["au-report.json"]) == json.loads(sample_report().to_json())
    assert files["au-report.csv"] == downloads.csv_text(sample_report())


def make(report, source, request=ME):
    return downloads.make_files(report, source, request, progress=lambda *_: None)


def test_files_are_made_and_go_with_their_visitor(clip, folder):
    picture, film = make(sample_report(), (str(clip), None))
    assert picture["interactive"] and film["interactive"]
    picture, film = Path(picture["value"]), Path(film["value"])
    assert picture.read_bytes().startswith(b"\x89PNG") and film.read_bytes()[4:8] == b"ftyp"
    assert folder in picture.parents and folder in film.parents
    visits.leave("you")
    assert picture.exists()
    visits.leave("me")
    assert not [path for path in folder.rglob("*")]


def test_files_of_who_left_before_they_were_done_go_at_once(clip, folder, monkeypatch):
    def leave_and_write(path, report, target, **_):
        visits.leave("me")
        target.write_bytes(b"a face")

    monkeypatch.setattr(downloads, "annotate", leave_and_write)
    make(sample_report(), (str(clip), None))
    assert not [path for path in folder.rglob("*")]


def test_an_example_stays_while_anybody_has_chosen_it(clip, folder):
    mine = visits.copied("me", clip)
    visits.leave("me")
    yours = visits.copied("you", clip)
    assert yours == mine and Path(yours).read_bytes() == clip.read_bytes()
    visits.leave("you")


def test_no_clip_means_no_video_but_the_picture(folder):
    with pytest.warns(UserWarning, match="This file is no longer here"):
        picture, film = make(sample_report(), ("gone.mp4", None))
    assert Path(picture["value"]).exists() and film == downloads.closed()
    assert len([path for path in folder.rglob("*.*") if path.is_file()]) == 1


def test_no_report_is_one_sentence():
    with pytest.raises(gr.Error, match="Find the Action Units of a clip first"):
        make(None, None)


# --- visits ---


def test_equal_files_stay_until_the_last_visitor_leaves(tmp_path):
    shared, mine = tmp_path / "a" / "shared.mp4", tmp_path / "b" / "mine.mp4"
    for path in (shared, mine):
        path.parent.mkdir()
        path.write_bytes(b"0")
    visits.hold("me", shared)
    visits.hold("you", shared)
    visits.hold("me", mine)
    visits.leave("me")
    assert shared.exists() and not mine.parent.exists()
    visits.leave("you")
    assert not shared.parent.exists()
    visits.leave("you")
    visits.leave(None)


def test_requests_without_a_page_hold_nothing(tmp_path):
    visits.hold(None, tmp_path / "clip.mp4")
    assert visits._HELD == {}


# --- the annotated video ---


def annotated(clip, tmp_path, **options):
    annotate.annotate(clip, sample_report(), tmp_path / "out.mp4", **options)
    video = open_video(tmp_path / "out.mp4")
    return video, list(video.frames())


def test_annotated_video_keeps_the_time_and_adds_a_band(clip, tmp_path):
    shares = []
    video, frames = annotated(clip, tmp_path, progress=shares.append)
    assert frames[0].rgb.shape == (640 + annotate.BAND, 640, 3)
    assert frames[-1].time == pytest.approx(39 / 20, abs=0.1) and shares[0] == 0 and max(shares) <= 1


def test_names_stand_below_while_something_moves(clip, tmp_path):
    _, frames = annotated(clip, tmp_path)
    names = [f.rgb[640 : 640 + 66, 20:].astype(float).std() for f in frames]
    times = np.array([f.time for f in frames])
    moving = (times > 1.05) & (times < 1.35)  # AU12 and AU6 of the sample report
    assert np.mean(np.array(names)[moving]) > 3 * np.mean(np.array(names)[times < 0.8])


def test_outline_lies_on_the_face():
    rims = annotate.outlines(sample_report())
    start, end, lines = rims[12]
    points = np.concatenate([line.reshape(-1, 2) for line in lines])
    assert (start, end) == (0.9, 1.4) and (points > 0).all() and (points < 192).all()
    assert points[:, 1].mean() > 96  # the lip corners lie in the lower half


@pytest.mark.parametrize("rate, count", [(20, 20), (10, 10), (40, 40)])
def test_ticks_take_the_nearest_frame(rate, count):
    frames = [Frame(n / 20, np.full((2, 2, 3), n, np.uint8)) for n in range(20)]
    shown = [int(frame.rgb[0, 0, 0]) for frame in annotate.steady(frames, rate)]
    assert len(shown) == pytest.approx(count, abs=1) and shown[0] == 0 and shown[-1] >= 18
    assert shown == sorted(shown)


def test_gaps_in_time_are_filled():
    frames = [Frame(0.0, np.zeros((2, 2, 3), np.uint8)), Frame(1.0, np.ones((2, 2, 3), np.uint8))]
    assert len(list(annotate.steady(frames, 10))) == 11


def test_any_shape_of_picture_can_be_annotated():
    for height, width in ((64, 64), (1280, 720), (3, 200)):
        sheet = annotate.page(np.zeros((height, width, 3), np.uint8), 1.2, 4.0, sample_report(), {})
        assert max(sheet.shape[0] - annotate.BAND, sheet.shape[1]) == 640
        assert sheet.shape[0] % 2 == 0 and sheet.shape[1] % 2 == 0 and sheet.dtype == np.uint8
