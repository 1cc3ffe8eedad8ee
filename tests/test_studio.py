"""The studio: what sliders ask for, what the model is shown, the truth beside its answer, the game, and photos."""

import re
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
import torch
from PIL import Image
from sample_report import FakeModel

from aullm_lite import limits
from aullm_lite.errors import InputError
from aullm_lite.explain import explain
from aullm_lite.motion.lucas_kanade import LucasKanadeMotion
from aullm_lite.pages import loaded, studio, studio_page, studio_tab
from aullm_lite.report import AUFinding
from aullm_lite.synth.script import Movement

NOBODY = SimpleNamespace(find=lambda rgb: [])


def values(sides=None, **peaks) -> list:
    """Slider positions: `values(au12=1.5, sides={12: "L"})`."""
    numbers = {int(name[2:]): peak for name, peak in peaks.items()}
    chosen = [(sides or {}).get(au, "both") for au in studio.SIDED]
    return [numbers.get(au, 0) for au in studio.AUS] + chosen


class FakeModelThat(FakeModel):
    """Says the same of every clip."""

    def __init__(self, says: float):
        super().__init__()
        self.says = says

    def probabilities(self, clips):
        return clips.new_full((len(clips), 12), self.says)


@pytest.fixture(scope="module")
def actor():
    return studio.drawn(32)


@pytest.fixture(scope="module")
def model():
    """Finds an AU by how far the skin of its region moves sideways: real flow, no weights."""

    class Eye(FakeModel):
        motion = staticmethod(LucasKanadeMotion())

        def probabilities(self, clips):
            with torch.no_grad():
                return self.probabilities_from_motion(self.motion(clips))

    return Eye(scale=5)


@pytest.fixture
def given(model, actor):
    return studio.answer(model, actor, 0.3, values(au12=3.0, sides={12: "L"}))


def test_every_slider_moves_its_own_au_on_its_side():
    for au in studio.AUS:
        side = "R" if au in studio.SIDED else "both"
        (movement,) = studio.movements(0.4, values(**{f"au{au}": 1.5}, sides={au: "R"}))
        assert (movement.au, movement.side, movement.peak, movement.offset) == (au, side, 1.5, 0.4)
    assert studio.movements(0.4, values()) == ()


@pytest.mark.parametrize("peak", [-0.1, 4.1, float("nan"), None, "1"])
def test_peaks_out_of_range_are_one_sentence(peak):
    with pytest.raises(InputError, match="^AU12 must be a number from 0 to 4.$"):
        studio.movements(0.3, values(au12=peak))


def test_other_inputs_out_of_range_are_one_sentence():
    with pytest.raises(InputError, match="duration must be a number from 0.1 to 1"):
        studio.movements(5, values())
    with pytest.raises(InputError, match="Choose a side for AU12"):
        studio.movements(0.3, values(au12=1, sides={12: "up"}))
    for number in (-1, studio.PEOPLE, None):
        with pytest.raises(InputError, match="number of a person"):
            studio.drawn(number)


def test_the_model_is_shown_six_frames_in_the_shades_of_a_video(given):
    assert given.clip.shape == (6, 64, 64) and given.clip.dtype == np.float32
    assert np.allclose(given.clip * 255, np.round(given.clip * 255), atol=1e-3)
    change = np.abs(given.clip - given.clip[0])[:, 32:, 32:].mean((1, 2))
    assert change.argmax() in (2, 3) and change[-1] < 0.7 * change.max()  # noise stays


def test_the_same_sliders_give_the_same_clip(model, actor, given):
    assert np.array_equal(studio.answer(model, actor, 0.3, values(au12=3.0, sides={12: "L"})).clip, given.clip)


def test_truth_lies_where_the_sliders_say(given):
    mask = given.truth(12).mask
    assert mask[:, 32:].sum() > 10 * mask[:, :32].sum()  # the person's left lies at the image's right
    assert mask[32:].sum() > mask[:32].sum() and given.truth(1) is None


def test_answer_stands_beside_the_truth(given):
    html = studio_page.answer_html(given)
    assert html.count("<tr") == 13 and "3.00 px, left" in html and html.count(">–<") == 11
    assert all(f.label in html and f"{f.probability:.2f}" in html for f in given.findings.values())


def verdicts(given, **changed):
    """The same answer with other verdicts: `verdicts(given, au12="absent")`; all others are absent."""
    said = {f"au{au}": "absent" for au in given.findings} | changed
    findings = {
        au: SimpleNamespace(**vars(f) | {"verdict": said[f"au{au}"], "label": f.label})
        for au, f in given.findings.items()
    }
    return SimpleNamespace(moved=given.moved, findings=findings)


def test_outcomes_are_named(given):
    assert "found" in studio_page.answer_html(verdicts(given, au12="present"))
    assert "missed" in studio_page.answer_html(verdicts(given))
    assert "false alarm" in studio_page.answer_html(verdicts(given, au1="present"))


def test_headline_counts_and_names_false_alarms(given, model, actor):
    assert studio_page.headline(verdicts(given, au12="present")) == "The model found 1 of 1 movement."
    wrong = studio_page.headline(verdicts(given, au1="present"))
    assert wrong == "The model found 0 of 1 movement. False alarm: AU1."
    still = verdicts(studio.answer(model, actor, 0.3, values()))
    assert studio_page.headline(still) == "Nothing moves."


def test_scene_is_one_picture_that_says_what_moves(given):
    html = studio_page.scene_html(given, "Drawn person 32")
    assert html.count("<img") == 1 and "data:image/jpeg" in html and "--n:19" in html
    assert 'alt="Drawn person 32: AU12 Lip corner puller moves by 3.00 px, left."' in html


def test_the_weakest_movement_is_found_and_weaker_ones_are_not(model, actor):
    peak = studio.weakest(model, actor, 12, "both", 0.3)
    assert peak in studio.STRENGTHS and peak > studio.STRENGTHS[0]
    assert studio.answer(model, actor, 0.3, values(au12=peak)).findings[12].verdict == "present"
    blind = FakeModelThat(says=0.0)
    assert studio.weakest(blind, actor, 12, "both", 0.3) is None


def test_who_sees_a_movement_in_a_still_face_has_no_limit(actor):
    with pytest.raises(InputError, match="even when this face is still"):
        studio.weakest(FakeModelThat(says=1.0), actor, 12, "both", 0.3)


def test_a_record_is_weak_alone_and_honest(model, actor):
    given = studio.answer(model, actor, 0.3, values(au12=4.0))
    assert studio.record(model, None, given) == given.moved[12]
    weaker = Movement(12, "both", 0.2, 0.0, 0.1, 0.3)
    assert studio.record(model, weaker, given) == weaker  # a stronger one is no record
    both = studio.answer(model, actor, 0.3, values(au12=3.0, au1=3.0))
    assert studio.record(model, None, both) is None
    blind, fooled = FakeModelThat(says=0.0), FakeModelThat(says=1.0)
    for other in (blind, fooled):  # seeing a movement in everything does not count
        seen = studio.answer(other, actor, 0.3, values(au12=3.0))
        assert studio.record(other, None, seen) is None


def test_the_game_says_how_weak():
    assert "No record yet" in studio_page.record_html(None)
    assert "0.10 px" in studio_page.record_html(Movement(12, "L", 0.1, 0, 0.1, 0.3))
    assert "under 0.15 px" in studio_page.record_html(Movement(12, "L", 0.1, 0, 0.1, 0.3))
    assert "does not see AU12" in studio_page.limit_html(12, "both", None)
    assert "0.27 px" in studio_page.limit_html(12, "both", 0.27)


def test_reason_shows_the_map_and_the_skin(smoke, actor):
    moved = studio.answer(smoke, actor, 0.3, values(au12=3.0))
    made = explain(smoke, moved.clip, 12)
    html = studio_page.reason_html(moved, made, "graded")
    assert html.count("<img") == 2 == html.count("alt=") and "a map that knows nothing" in html and "graded" in html
    other = studio_page.reason_html(moved, explain(smoke, moved.clip, 1), "")
    assert other.count("<img") == 1 and "You did not move AU1" in other


def test_marked_skin_is_green():
    mask = np.zeros((64, 64), bool)
    mask[40:] = True
    picture = studio_page.marked(np.full((64, 64), 0.5, np.float32), mask)
    assert picture.shape == (256, 256, 3) and picture.dtype == np.uint8
    assert picture[-1, 0, 1] > picture[-1, 0, 0] and picture[0, 0, 0] == picture[0, 0, 1] == 128


# --- photos ---


def test_a_photo_is_deleted_whatever_it_holds(tmp_path, monkeypatch):
    monkeypatch.setattr(loaded, "finder", lambda: NOBODY)
    face, text = tmp_path / "face.png", tmp_path / "notes.jpg"
    Image.new("RGB", (80, 80), "grey").save(face)
    text.write_bytes(b"hello")
    for path, sentence in ((face, "No face was found in this photo"), (text, "not a picture that can be read")):
        with pytest.raises(gr.Error, match=sentence):
            studio_tab.take_photo(str(path), SimpleNamespace(session_hash="me"))
    assert not face.exists() and not text.exists()


def test_a_photo_that_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MOST_PIXELS", 1000)
    Image.new("1", (100, 100)).save(tmp_path / "large.png")
    with pytest.raises(InputError, match="large.png has more than 0 million pixels"):
        studio.photographed(tmp_path / "large.png", NOBODY)


@pytest.mark.model
def test_a_photo_moves_like_a_drawing(tmp_path, model):
    from skimage import data

    Image.fromarray(data.astronaut()).save(tmp_path / "astronaut.png")
    actor = studio.photographed(tmp_path / "astronaut.png", loaded.finder())
    moved = studio.answer(model, actor, 0.3, values(au12=3.0))
    change = np.abs(moved.clip - moved.clip[0])[:, 32:].mean((1, 2))
    assert change[2] > 1.2 * change[5]


# --- the tab ---


@pytest.fixture
def asked(monkeypatch, model):
    monkeypatch.setattr(loaded, "model", lambda: model)
    return [0.3, 32, None, None, *values(au12=4.0)]


def test_play_answers_and_forgets_old_reasons(asked):
    scene, answer, record, given, best, note, back, reason, limit = studio_tab.play(*asked)
    assert "<img" in scene and "The model" in answer and "px" in record and given.moved[12] == best
    assert reason == limit == "" and note == studio_tab.PHOTO_NOTE and back["visible"] is False
    assert studio_tab.begin(given, *asked) == gr.skip() and len(studio_tab.begin(None, *asked)) == 9


def test_bad_input_is_one_sentence_and_no_traceback(asked):
    with pytest.raises(gr.Error, match="number of a person"):
        studio_tab.play(0.3, -1, None, None, *values(au12=1.0))
    with pytest.raises(gr.Error, match="Move a slider first"):
        studio_tab.why(None, 12)


def test_the_search_uses_the_chosen_side(asked):
    assert "(left)" in studio_tab.limit(12, 0.3, 32, None, None, *values(au12=1.0, sides={12: "L"}))


def test_the_page_says_whose_face_moves(asked, actor):
    asked[2] = actor  # in the place of a photo
    note, back = studio_tab.play(*asked)[5:7]
    assert note == studio_tab.PHOTO_USED and back["visible"]


def test_what_moved_stands_on_top(actor):
    calm = {au: AUFinding(au, 0.1, 0.5, "absent") for au in studio.AUS}
    given = studio.Answer(actor, studio.script_of(studio.movements(0.3, values(au12=1.5)), 0.3, 1), None, calm)
    names = re.findall(r'<th scope="row">AU(\d+)', studio_page.answer_html(given))
    assert list(map(int, names)) == [12, *(au for au in studio.AUS if au != 12)]


@pytest.mark.model
def test_the_shipped_model_finds_a_plain_movement():
    given = studio.answer(loaded.model(), studio.drawn(32), 0.3, values(au12=1.5))
    assert given.findings[12].verdict == "present"
