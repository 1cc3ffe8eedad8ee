import json
import os
import subprocess
import sys
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_DISABLE_TELEMETRY="1")

import gradio as gr
import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError, ValidationError
from sample_report import face_crop, sample_report, sample_window
from serve_app import app, fake_words  # it puts the repository's root, where app.py lies, on the path

from aullm_lite import page
from aullm_lite.errors import InputError
from aullm_lite.explain.grades import GRADE, sentence
from aullm_lite.pages import detect, detect_tab, events, gpu, loaded, visits
from aullm_lite.report import AUFinding
from aullm_lite.video import open_video, write_video


class Words(HTMLParser):
    """The text of a page, and a check that every element is closed."""

    def __init__(self, html: str):
        super().__init__()
        self.open, self.words = [], []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        if tag not in ("img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def __str__(self):
        return " ".join(" ".join(self.words).split())


def test_verdicts_say_in_words_what_the_bars_show():
    text = str(Words(page.verdicts_html(sample_report())))
    assert text.startswith("AU12 Lip corner puller, AU6 Cheek raiser Note: The video has 30 frames")
    assert "0.94 (threshold 0.50) ✓ present 0.95 – 1.15 – 1.42 s" in text and "? not sure" in text
    assert all(finding.label in text for finding in sample_report().findings)


@pytest.mark.parametrize("verdict, headline", [("not sure", "Nothing certain"), ("absent", "No Action Unit found")])
def test_headline_without_a_present_au(verdict, headline):
    report = sample_report(findings=(AUFinding(1, 0.5, 0.5, verdict),))
    assert str(Words(page.verdicts_html(report))).startswith(headline)


def test_warnings_are_escaped():
    html = page.verdicts_html(sample_report(warnings=("<script>alert(1)</script>",)))
    assert "<script>" not in html and "&lt;script&gt;" in html


def test_timeline_is_one_drawing_for_each_width_with_words_for_the_ear():
    html = page.timeline_html(sample_report())
    Words(html.replace("<?xml", ""))
    assert html.count("<svg") == 2 and "AU12 (present) from 0.95 to 1.42 s, apex 1.15 s" in html
    assert "currentColor" in html and "#1f2933" not in html


def test_details_hold_the_latency_and_the_face():
    html = page.details_html(sample_report())
    assert "Read and align 812 ms" in str(Words(html)) and "2.8 × real time" in html and 'src="data:image/png' in html
    assert "<img" not in page.details_html(sample_report(crop=None))


def test_a_gpu_is_lent_for_each_call_where_there_is_one_to_lend(monkeypatch):
    lent = []
    ask = lambda: "answer"  # noqa: E731
    assert gpu.for_a_moment(5)(ask) is ask
    lend = lambda duration: lambda function: lambda: lent.append(duration) or function()  # noqa: E731
    monkeypatch.setattr(gpu, "spaces", SimpleNamespace(GPU=lend))
    assert gpu.for_a_moment(5)(ask)() == "answer" and lent == [5]


def test_importing_the_app_loads_no_model():
    ask = "import app; from aullm_lite.pages import loaded; print(loaded._model.cache_info().currsize)"
    fresh = subprocess.run([sys.executable, "-c", ask], cwd=Path(app.__file__).parent, capture_output=True, text=True)
    assert fresh.stdout == "0\n"  # whatever other tests have loaded here


def test_module_level_demo_stores_nothing_for_long():
    assert isinstance(app.demo, gr.Blocks) and app.demo.delete_cache == (3600, 3600)


def test_page_says_what_it_is_for():
    for promise in ("adult who agreed", "deleted when you leave this page, at the latest within two hours"):
        assert promise in " ".join(detect_tab.CONSENT.split())
    assert "Movement, not emotion" in detect_tab.NOTES and "synthetic" in detect_tab.NOTES


def test_no_history_of_runs_is_kept_in_the_browser(client):
    assert httpx.get(f"{client.src}config").json()["run_history"] is False


@pytest.mark.parametrize("path", ["run-history/buckets", "run-history/records?bucket_id=me/runs", "runs"])
def test_no_history_of_runs_can_be_asked_for(client, path):
    answer = httpx.get(f"{client.src}gradio_api/{path}", headers={"host": "localhost"})
    assert answer.status_code == 404


def test_start_without_a_checkpoint_is_one_sentence(monkeypatch, capsys):
    def absent():
        raise InputError("There is no checkpoint: fetch it.")

    monkeypatch.setattr(loaded, "model", absent)
    with pytest.raises(SystemExit, match="2"):
        app.main()
    assert capsys.readouterr().err == "There is no checkpoint: fetch it.\n"


def asked(report, au=12, how="Integrated Gradients"):
    return detect.why(report, au, how, progress=lambda *_: None)


@pytest.fixture
def small(smoke, monkeypatch):
    monkeypatch.setattr(loaded, "model", lambda: smoke)


@pytest.mark.parametrize("how", list(detect.HOW))
def test_why_shows_places_zones_and_frames(small, how):
    html = asked(sample_report(), how=how)
    text = str(Words(html))
    assert html.count("<img") == 7 and "Why AU12?" in text and "AU17 mentalis" in text and " apex" in text


def test_why_without_a_result_is_one_sentence(small):
    with pytest.raises(gr.Error, match="Find the Action Units of a clip first"):
        asked(None)


def test_why_of_a_still_clip_is_one_sentence(small):
    still = sample_window()
    still.clip = still.clip[:1].repeat(6, 0)
    with pytest.raises(gr.Error, match="Nothing moves in this clip"):
        asked(sample_report(windows={12: still}))


@pytest.fixture
def speaker(smoke, small):
    smoke.config = smoke.config.changed(speaks=True)


def test_words_say_when_and_whether_the_guard_spoke(speaker, monkeypatch):
    assert detect.offer_questions().visible
    words = str(Words(detect.say(sample_report())))  # random weights say nothing that is a report
    assert "Sides are those of the person filmed. Its own text was left out, because it is no report." in words
    monkeypatch.setattr(detect, "describe_report", fake_words)
    words = str(Words(detect.say(sample_report())))
    assert words.startswith("AU6 cheek raiser on the left, weak") and "on 0.90 to 1.40 s" in words


def test_who_cannot_speak_is_silent(small):
    assert detect.say(sample_report()) == "" == detect.say(None) and not detect.offer_questions().visible
    with pytest.raises(gr.Error, match="has not learned to speak"):
        detect.answer(sample_report(), "Is AU12 present?")


@pytest.mark.parametrize("question", ["", "x" * 201, "Is she happy?", "¿Es AU12?", "<img src=x onerror=alert(1)>"])
def test_other_questions_are_refused_as_a_sentence(speaker, question):
    html = detect.answer(sample_report(), question)
    assert "<img" not in html and str(Words(html)).startswith(("Please ask", "I only report", "I cannot answer"))


def test_a_question_before_any_clip_gives_a_hint(speaker):
    with pytest.raises(gr.Error, match="Find the Action Units of a clip first"):
        detect.answer(None, "Is AU12 present?")


def test_the_grade_of_the_method_stands_beside_its_map(small, monkeypatch):
    table = json.loads(GRADE.read_text())
    monkeypatch.setattr(detect, "shipped", lambda model: table)
    for how, (method, on) in detect.HOW.items():
        grade = sentence(table, method, on)
        assert "chance" in grade and escape(grade) in asked(sample_report(), how=how)


def test_another_model_gets_no_grade(small):
    assert "How far to trust" not in asked(sample_report())


def test_the_verdict_stands_beside_the_question(small):
    assert "(absent, probability 0.0" in asked(sample_report(), au=17) and "(present, probability 0.94)" in asked(
        sample_report()
    )


def test_the_first_au_to_ask_about_is_the_surest():
    assert detect.surest(sample_report()) == 12


@pytest.fixture(scope="module")
def client():
    def answer(model, path, *, longest, **_):
        open_video(path, longest=longest)
        return sample_report()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loaded, "model", lambda: None)
        patch.setattr(detect, "analyze", answer)
        patch.setattr(detect, "example_clips", lambda: ())
        url = app.demo.launch(prevent_thread_lock=True, quiet=True, **app.LAUNCH)[1]
        yield Client(url, verbose=False)
        app.demo.close()


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.mp4"
    write_video(path, np.stack([face_crop(64)] * 20), 20)
    return handle_file(str(path))


def test_detect_is_the_only_public_endpoint(client):
    assert set(client.view_api(return_format="dict")["named_endpoints"]) == {"/detect"}


def test_programs_get_the_report(client, clip):
    assert client.predict(clip, api_name="/detect") == json.loads(sample_report().to_json())


def test_the_page_gets_verdicts_timeline_and_details(monkeypatch, tmp_path):
    monkeypatch.setattr(loaded, "model", lambda: None)
    monkeypatch.setattr(detect, "analyze", lambda *_, **__: sample_report())
    verdicts, timeline, details, data, report, source = detect.examine(__file__, 240, progress=lambda *_: None)
    assert "AU12 Lip corner puller" in verdicts and "<svg" in timeline and "real time" in details
    assert data == report.to_dict() and source == (__file__, 240)


def test_the_model_gets_the_bytes_of_the_upload(client, clip, monkeypatch):
    seen, sent = [], Path(clip["path"]).read_bytes()

    def listen(model, path, **_):
        seen.append(Path(path).read_bytes())
        return sample_report()

    monkeypatch.setattr(detect, "analyze", listen)
    client.predict(clip, api_name="/detect")
    assert seen == [sent]


@pytest.mark.parametrize("path", ["/etc/passwd", "app.py", "../app.py", "http://127.0.0.1:9/clip.mp4"])
def test_a_file_that_nobody_uploaded_is_refused(client, path):
    clip = {"path": path, "meta": {"_type": "gradio.FileData"}}
    queued = httpx.post(f"{client.src}gradio_api/call/detect", json={"data": [clip, None]})
    direct = httpx.post(f"{client.src}gradio_api/run/detect", json={"data": [clip, None]})
    assert 400 <= queued.status_code < 500 and direct.status_code != 200


@pytest.mark.parametrize("path", ["/etc/passwd", "app.py", "../app.py", "%2e%2e/app.py"])
def test_a_file_of_the_server_is_not_served(client, path):
    assert 400 <= httpx.get(f"{client.src}gradio_api/file={path}").status_code < 500


def test_a_clip_that_went_meanwhile_is_one_sentence():
    with pytest.raises(gr.Error, match="This file is no longer here"):
        detect.detect("gone.mp4", progress=lambda *_: None)


def test_what_comes_late_is_shown_only_where_it_still_belongs():
    report, other = sample_report(), sample_report()
    made = events.with_its_inputs(lambda *inputs: "why")(report, 12)
    assert events.if_current(made, report, 12) == "why"
    for now in ((other, 12), (report, 6), (None, 12)):
        assert events.if_current(made, *now) == gr.skip()


def test_all_that_is_left_goes_when_the_app_stops(tmp_path, monkeypatch):
    uploaded, noted = tmp_path / "upload" / "clip.mp4", tmp_path / "note" / "clip.mp4"
    for path in (uploaded, noted):
        path.parent.mkdir()
        path.touch()
    monkeypatch.setattr(loaded, "model", lambda: None)
    monkeypatch.setattr(app, "example_clips", lambda: ())
    monkeypatch.setattr(app.signal, "signal", lambda *_: None)
    monkeypatch.setattr(app.demo, "launch", lambda **_: visits.hold("somebody", noted))
    app.demo.upload_file_set.add(str(uploaded))
    app.main()
    assert not uploaded.exists() and not noted.exists()


def test_an_example_that_does_not_exist_is_refused(monkeypatch):
    monkeypatch.setattr(detect, "example_clips", lambda: ())
    with pytest.raises(gr.Error, match="no such example"):
        detect.pick_example(SimpleNamespace(number=99), SimpleNamespace(session_hash="me"))


def test_a_clip_is_noted_as_its_visitors(monkeypatch):
    noted = []
    monkeypatch.setattr(detect.visits, "hold", lambda *what: noted.append(what))
    detect.keep_clip("clip.mp4", SimpleNamespace(session_hash="me"))
    detect.keep_clip(None, SimpleNamespace(session_hash="me"))
    assert noted == [("me", "clip.mp4")]


def test_bad_input_is_one_friendly_sentence(client, tmp_path):
    path = tmp_path / "notes.mp4"
    path.write_bytes(b"hello")
    with pytest.raises(AppError, match="^notes.mp4 is not a video that can be read: give an mp4"):
        client.predict(handle_file(str(path)), api_name="/detect")


def test_no_clip_is_noticed_before_anything_runs(client):
    with pytest.raises(ValidationError, match="upload or record a clip"):
        client.predict(None, api_name="/detect")


def test_a_long_clip_is_refused(client, clip, monkeypatch):
    monkeypatch.setattr(detect, "LONGEST", 0.5)
    with pytest.raises(AppError, match="longer than 0.5 seconds: cut out"):
        client.predict(clip, api_name="/detect")


def test_true_rate_of_slow_motion_reaches_the_analysis(client, clip, monkeypatch):
    seen = []
    monkeypatch.setattr(detect, "analyze", lambda model, path, *, fps, **_: seen.append(fps) or sample_report())
    client.predict(clip, 240, api_name="/detect")
    assert seen == [240]
