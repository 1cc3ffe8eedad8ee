"""The tab Learn, and films as one picture."""

import base64
import io
import re
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from aullm_lite.facs import CD6ME_AUS, action_unit
from aullm_lite.pages import film, learn, learn_tab, studio_page

SOURCES = Path(__file__).parents[1] / "notebooks" / "src"


@pytest.fixture(scope="module")
def table() -> str:
    return learn.table_html()


def test_each_au_has_a_moving_face_with_a_text(table):
    alts = re.findall(r'<img [^>]*alt="([^"]*)"', table)
    assert len(alts) == 12
    for au, alt in zip(CD6ME_AUS, alts):
        assert alt == f"A drawn face: {action_unit(au)}. {learn.SEEN[au]}"


def test_the_table_tells_name_muscle_and_place(table):
    for au in CD6ME_AUS:
        unit = action_unit(au)
        assert str(unit) in table and unit.muscle in table and unit.region in table


def test_faces_are_drawn_once(table, monkeypatch):
    monkeypatch.setattr(learn, "frames_of", None)
    assert learn.table_html() is table
    assert learn_tab.show(False) == (table, True) and learn_tab.show(True) == gr.skip()


def test_a_face_moves_where_its_au_is():
    frames = learn.frames_of(12).astype(float)
    change = np.abs(frames - frames[0]).mean(-1)
    assert frames.shape == (19, 128, 128, 3)
    apex = change.mean((1, 2)).argmax()
    assert 4 <= apex <= 9 and change[apex, 64:].mean() > 1.5 * change[apex, :64].mean()
    assert np.array_equal(frames[-1], frames[-2])


def picture_of(html: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(re.search(r"base64,([^\"]*)", html)[1])))


def test_a_film_is_all_its_frames_side_by_side():
    frames = np.zeros((3, 16, 16, 3), np.uint8)
    frames[1], frames[2] = 128, 255
    html = film.film_html(frames, 1.2, 'a "film"', 48)
    assert "--n:3;--s:1.20s;" in html and "--size:48px" in html and 'alt="a &quot;film&quot;"' in html
    strip = picture_of(html)
    assert strip.size == (48, 16)
    assert [strip.getpixel((x, 8))[0] for x in (8, 24, 40)] == pytest.approx([0, 128, 255], abs=2)


@pytest.mark.parametrize("size", [learn.SIZE, studio_page.SHOWN])
def test_frames_do_not_bleed_into_each_other(size):
    frames = np.zeros((4, size, size, 3), np.uint8)
    frames[1::2] = 255
    strip = np.asarray(picture_of(film.film_html(frames, 1.0, "", size)).convert("L"))
    columns = strip.mean(0).reshape(4, size)
    assert columns[::2].max() < 3 and columns[1::2].min() > 252


def test_the_course_is_linked_and_there():
    html = learn.course_html()
    assert html.count("<a ") == 22 and html.count('rel="noopener noreferrer"') == 22
    if SOURCES.is_dir():
        heads = {path.stem: path.read_text(encoding="utf-8").split("\n")[1] for path in SOURCES.glob("[0-9]*.py")}
        assert heads == {name: f"# # {name[:2]} · {title}" for name, title in learn.NOTEBOOKS.items()}


def test_the_page_says_what_the_tool_is_not_for():
    text = " ".join(learn.LIMITS.split())
    for word in ("feelings", "lies", "health", "did not agree", "applicants", "Article 5", "decisions about people"):
        assert word in text
