"""The tab Studio: sliders at the left, the face and the model's answer at the right, and what happens when."""

import random
from types import SimpleNamespace

import gradio as gr

from ..explain import explain
from ..explain.grades import sentence, shipped
from ..facs import action_unit
from . import film, loaded, studio, studio_page, visits
from .downloads import still_here
from .events import KEPT, MODEL, PLAIN, QUICK, STUDIO, friendly, if_current, need, with_its_inputs
from .gpu import SHORT, for_a_moment

INTRO = """<p>Move Action Units on a face and see what the model makes of them. This page makes the movement, so the
truth is known. Sides are those of the person, not of the picture. Distances are in <strong>pixels</strong> (px) of a
picture in which the face is 64 pixels wide; real micro-expressions move the skin by about one.</p>"""
PHOTO_NOTE = """<p class="au-note">A photo of yourself, or of an adult who agreed. It is sent to the server of this
page. The file is deleted as soon as the face is found; the face stays in memory until you leave this page.</p>"""
PHOTO_USED = '<p class="au-note" role="status"><strong>Your photo moves now.</strong> Its file is deleted.</p>'
GAME = """<h2>Beat the model</h2><p class="au-small">Find the weakest movement that it still sees. Guess first, then let
the computer search.</p>"""
GROUPS = {
    "Brows": (1, 2, 4),
    "Eyes and cheeks": (5, 6, 7),
    "Nose and upper lip": (9, 10),
    "Mouth corners and chin": (12, 14, 15, 17),
}
START = {12: 1.5}  # pixels
SIDES = [("Both", "both"), ("Left", "L"), ("Right", "R")]
BEFORE = "Move a slider first, then ask why."


def actor_of(person, photo):
    """Who moves: the face of a photo, or the drawn person of a number."""
    return photo or studio.drawn(person)


@for_a_moment(SHORT)
def play(seconds, person, photo, best, *values):
    """The clip, the model's answer beside the truth, the record, whose face it is, and no reason for another clip."""
    with friendly():
        model = loaded.model()
        given = studio.answer(model, actor_of(person, photo), seconds, values)
        best = studio.record(model, best, given)
    who = "The face of your photo" if photo else f"Drawn person {person}"
    scene, answer = studio_page.scene_html(given, who), studio_page.answer_html(given)
    return scene, answer, studio_page.record_html(best), given, best, *whose(photo), "", ""


def whose(photo):
    """The note on photos, and the button back to drawn people, as they are true: a photo is kept for an hour only."""
    return PHOTO_USED if photo else PHOTO_NOTE, gr.update(visible=photo is not None)


def begin(given, *inputs):
    """The first answer, when the tab is opened; nothing when it is opened again."""
    return play(*inputs) if given is None else gr.skip()


@for_a_moment(SHORT)
def why(given, au: int) -> str:
    """The attribution beside the skin that really moved, as HTML."""
    need(given, BEFORE)
    with friendly():
        model = loaded.model()
        made = explain(model, given.clip, au)
    return studio_page.reason_html(given, made, sentence(shipped(model), made.method, made.on))


@for_a_moment(SHORT)
def limit(au: int, seconds, person, photo, _best, *values) -> str:
    """How weak an AU may be on this face before the model loses it, as HTML."""
    with friendly():
        side = studio.side_of(au, values)
        peak = studio.weakest(loaded.model(), actor_of(person, photo), au, side, seconds)
    return studio_page.limit_html(au, side, peak)


def take_photo(path: str | None, request: gr.Request):
    """The face of an upload; the file goes, unless another visitor has the same."""
    need(path, "Choose a photo first.")
    try:
        with friendly():
            still_here(path)
            return studio.photographed(path, loaded.finder())
    finally:
        visits.drop(request.session_hash, path)


def hold_photo(path: str | None, request: gr.Request) -> None:
    """Note whose photo it is, at once: whoever leaves before it is their turn takes it along."""
    if path is not None:
        visits.hold(request.session_hash, path)


def build(tab: gr.Tab) -> None:
    """The whole tab; `tab` tells when it is opened."""
    gr.HTML(INTRO, **PLAIN)
    with gr.Row():
        with gr.Column(scale=2, min_width=290):
            left = _hands()
        with gr.Column(scale=3, min_width=290, elem_classes=["au-result", "au-stage"]):
            right = _view()
    kept = {name: gr.State(None, time_to_live=KEPT) for name in ("photo", "given", "best", "made")}
    part = SimpleNamespace(**vars(left), **vars(right), **kept)
    part.inputs = [part.seconds, part.person, part.photo, part.best, *part.peaks, *part.sides]
    _when_moved(tab, part)
    _when_somebody_else(part)
    _when_questioned(part)


def _hands() -> SimpleNamespace:
    peaks, sides = {}, {}
    for name, aus in GROUPS.items():
        with gr.Accordion(name, open=any(au in START for au in aus)):
            for au in aus:
                peaks[au] = _slider(0, studio.STRONGEST, START.get(au, 0), f"{action_unit(au)} (pixels)")
                if au in studio.SIDED:
                    sides[au] = gr.Radio(SIDES, value="both", label=f"AU{au}: which side")
    part = SimpleNamespace(peaks=[peaks[au] for au in studio.AUS], sides=[sides[au] for au in studio.SIDED])
    part.rest = gr.Button("Set all to 0")
    part.seconds = _slider(studio.SHORTEST, studio.LONGEST, 0.3, "Duration (seconds)")
    part.person = gr.Number(32, precision=0, label=f"Drawn person (a number from 0 to {studio.PEOPLE - 1})")
    part.other = gr.Button("Another person")
    part.note = gr.HTML(PHOTO_NOTE, **PLAIN)
    part.upload = gr.UploadButton("Use a photo", file_types=["image"])
    part.back = gr.Button("Back to drawn people", visible=False)
    return part


def _slider(low: float, high: float, value: float, label: str) -> gr.Slider:
    return gr.Slider(low, high, value, step=studio.STEP, label=label, buttons=[])


def _view() -> SimpleNamespace:
    part = SimpleNamespace(scene=gr.HTML(**PLAIN))
    gr.HTML(film.SWITCHES, **PLAIN)
    part.answer = gr.HTML(**PLAIN)
    names = [(str(action_unit(au)), au) for au in studio.AUS]
    part.which = gr.Dropdown(names, value=next(iter(START)), label="Look closer at")
    with gr.Row():
        part.ask = gr.Button("Show why", min_width=140)
        part.search = gr.Button("How weak can it be?", min_width=140)
    part.reason = gr.HTML(**PLAIN)
    gr.HTML(GAME, **PLAIN)
    part.record = gr.HTML(studio_page.NO_RECORD, **PLAIN)
    part.limit = gr.HTML(**PLAIN)
    return part


def _playing(part: SimpleNamespace) -> dict:
    """How an answer is made: of many movements of a slider, the last one is always answered."""
    outputs = [part.scene, part.answer, part.record, part.given, part.best, part.note, part.back]
    outputs += [part.reason, part.limit]
    return dict(outputs=outputs, trigger_mode="always_last", show_progress="hidden", **STUDIO)


def _when_moved(tab: gr.Tab, part: SimpleNamespace) -> None:
    controls = [part.seconds, *part.peaks, *part.sides]
    gr.on([control.change for control in controls], play, part.inputs, **_playing(part))
    tab.select(begin, [part.given, *part.inputs], **_playing(part))
    part.rest.click(lambda: [0] * len(studio.AUS), None, part.peaks, **QUICK)


def _when_somebody_else(part: SimpleNamespace) -> None:
    part.other.click(lambda: random.randrange(studio.PEOPLE), None, part.person, **QUICK)
    for event in (part.person.change, part.back.click):
        event(lambda: None, None, part.photo, **QUICK).then(play, part.inputs, **_playing(part))
    part.upload.upload(hold_photo, part.upload, None, **QUICK)
    taken = part.upload.upload(take_photo, part.upload, part.photo, **STUDIO)
    taken.success(play, part.inputs, **_playing(part))


def _when_questioned(part: SimpleNamespace) -> None:
    part.which.change(lambda: ("", ""), None, [part.reason, part.limit], **QUICK)
    for button, made, inputs, shown, turn in (
        (part.ask, why, [part.given, part.which], part.reason, MODEL),
        (part.search, limit, [part.which, *part.inputs], part.limit, STUDIO),
    ):
        asked = button.click(with_its_inputs(made), inputs, part.made, show_progress_on=shown, **turn)
        asked.success(if_current, [part.made, *inputs], shown, **QUICK)
