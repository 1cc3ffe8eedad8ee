"""The tab Detect: what is asked at the left, what was found at the right, and what happens when."""

from types import SimpleNamespace

import gradio as gr

from ..facs import CD6ME_AUS, action_unit
from ..page import EMPTY
from . import detect, downloads
from .events import DELETED, FILES, KEPT, MODEL, PLAIN, PRIVATE, QUICK, TURN, if_current, with_its_inputs
from .shelf import PRESSED

CONSENT = f"""<p class="au-note">Use your own face, that of an adult who agreed, or an example. The clip is sent to the
server of this page, used for nothing else, and {DELETED}.</p>"""

NOTES = f"""
- **Movement, not emotion.** The result says which parts of a face moved, not what anyone feels, means or hides.
- **Trained on drawn people only**, and tested on them and on two animated photographs, all synthetic. Ages, skin tones,
  beards, glasses and webcams that they do not resemble are untested. "Not sure" is a real answer.
- **Brief movements need fast cameras.** In two laboratory collections half of all micro-expressions rose within 160 ms:
  five frames of a common webcam.
- **Not for judging people.** Do not use it on pupils, staff, applicants or anyone who did not agree.
- **Nothing is kept.** No history, no telemetry, no face in the data and the table; uploads are {DELETED}.
"""


def build(demo: gr.Blocks) -> None:
    """The whole tab; `demo` tells when the page is opened."""
    with gr.Row():
        with gr.Column(scale=1, min_width=280):
            left = _ask()
        with gr.Column(scale=2, min_width=280, elem_classes="au-result"):
            right = _tell()
    with gr.Accordion("What this tells, and what it does not"):
        gr.Markdown(NOTES)
    kept = {name: gr.State(None, time_to_live=KEPT) for name in ("found", "source", "made", "files")}
    part = SimpleNamespace(**vars(left), **vars(right), **kept)
    for done in _when_asked(part):
        _after(done, part)
    _when_questioned(part)
    inputs = [part.found, part.source]
    made = part.make.click(
        with_its_inputs(downloads.make_files), inputs, part.files, show_progress_on=part.picture, **FILES
    )
    made.success(if_current, [part.files, *inputs], [part.picture, part.film], **QUICK)
    demo.load(detect.show_examples, None, part.shelf, **PRIVATE)
    demo.load(detect.offer_questions, None, part.asking, **PRIVATE)


def _ask() -> SimpleNamespace:
    clip = gr.Video(label="Face clip", sources=["upload", "webcam"])  # any other argument may change its pixels
    go = gr.Button("Find Action Units", variant="primary")
    gr.HTML(CONSENT, **PLAIN)
    with gr.Accordion("Slow motion?", open=False):
        fps = gr.Number(label="True frames a second", value=None, minimum=1, maximum=10_000,
                        info="Only for slow motion: how fast the camera recorded, such as 240.")  # fmt: skip
    shelf = gr.HTML(js_on_load=PRESSED, **PLAIN)
    return SimpleNamespace(clip=clip, go=go, fps=fps, shelf=shelf)


def _tell() -> SimpleNamespace:
    part = SimpleNamespace(verdicts=gr.HTML(EMPTY, **PLAIN))
    part.words, part.timeline, part.details = (gr.HTML(**PLAIN) for _ in range(3))
    with gr.Accordion("Take it with you", open=False):
        gr.HTML(downloads.NOTE, **PLAIN)
        part.make = gr.Button("Make picture and video")
        with gr.Row():
            part.picture = gr.DownloadButton("Download picture (PNG)", interactive=False, min_width=200)
            part.film = gr.DownloadButton("Download annotated video (MP4)", interactive=False, min_width=200)
    with gr.Accordion("Why? What a decision rests on"):
        _why(part)
    with gr.Accordion("Ask about this clip", open=False, visible=False) as part.asking:
        part.question = gr.Textbox(label="Question", max_lines=1, max_length=200,
                                   placeholder="Which Action Units do you see?  Is AU12 present?")  # fmt: skip
        part.put = gr.Button("Ask")
        part.reply = gr.HTML(**PLAIN)
    with gr.Accordion("The report as data", open=False):
        part.data = gr.JSON(show_label=False, elem_classes="au-data")
    return part


def _why(part: SimpleNamespace) -> None:
    with gr.Row():
        names = [(str(action_unit(au)), au) for au in CD6ME_AUS]
        part.which = gr.Dropdown(names, value=12, label="Action Unit", min_width=290)
        part.how = gr.Dropdown(list(detect.HOW), value=next(iter(detect.HOW)), label="Method", min_width=290)
    part.ask = gr.Button("Why?")
    part.reason = gr.HTML(**PLAIN)


def _when_asked(part: SimpleNamespace) -> tuple:
    """A click on the button, or on an example.  Every clip is noted as its visitor's."""
    part.clip.change(detect.keep_clip, part.clip, None, **QUICK)
    inputs = [part.clip, part.fps]
    outputs = [part.verdicts, part.timeline, part.details, part.data, part.found, part.source]
    running = dict(show_progress_on=part.verdicts, scroll_to_output=True, **MODEL)
    pressed = part.go.click(detect.examine, inputs, outputs, validator=detect.check, **running)
    chosen = part.shelf.click(detect.pick_example, None, part.clip, **PRIVATE)
    programs = gr.Button(visible=False)  # they get the data alone: a page is of no use to them
    programs.click(detect.detect, inputs, part.data, api_name="detect", validator=detect.check, **TURN)
    return pressed, chosen.success(detect.examine, part.clip, outputs, **running)


def _after(done, part: SimpleNamespace) -> None:
    """Whatever belonged to the result before goes; then the language model speaks."""
    done.success(detect.surest, part.found, part.which, **PRIVATE).then(**_forget_reason(part))
    old = [part.words, part.reply, part.picture, part.film]
    fresh = done.success(lambda: ("", "", downloads.closed(), downloads.closed()), None, old, **QUICK)
    fresh.success(detect.say, part.found, part.words, **MODEL)


def _when_questioned(part: SimpleNamespace) -> None:
    gr.on([part.put.click, part.question.submit], detect.answer, [part.found, part.question], part.reply, **MODEL)
    for choice in (part.which, part.how):  # an old reason does not stand under a new question
        choice.change(**_forget_reason(part))
    inputs = [part.found, part.which, part.how]
    asked = part.ask.click(with_its_inputs(detect.why), inputs, part.made, show_progress_on=part.reason, **MODEL)
    asked.success(if_current, [part.made, *inputs], part.reason, **QUICK)


def _forget_reason(part: SimpleNamespace) -> dict:
    return dict(fn=lambda: "", inputs=None, outputs=part.reason, **QUICK)
