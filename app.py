"""The AU-LLM Lite app: `python app.py`, then open the address that it prints."""

import os
import sys

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that spin while they wait slow a busy machine tenfold

from functools import cache
from threading import Lock

import gradio as gr
from gradio.processing_utils import save_file_to_cache

from aullm_lite.analysis import analyze
from aullm_lite.demo import example_clips
from aullm_lite.errors import InputError
from aullm_lite.explain import explain
from aullm_lite.explain.grades import sentence, shipped
from aullm_lite.explain.page import CSS as WHY_CSS
from aullm_lite.explain.page import why_html
from aullm_lite.facs import CD6ME_AUS, action_unit
from aullm_lite.page import (
    CSS,
    EMPTY,
    PRESSED,
    details_html,
    examples_html,
    refusal_html,
    timeline_html,
    verdicts_html,
    words_html,
)  # fmt: skip
from aullm_lite.speech.questions import Refused
from aullm_lite.speech.spoken import describe_report

HEADER = """<div class="au-head"><h1>AU-LLM Lite</h1>
<p>Shows which facial movements (Action Units) happen in a short clip, when, and how sure it is: a small language
model on an ordinary computer.</p></div>"""

CONSENT = """<p class="au-note">Use your own face, that of an adult who agreed, or an example. The clip is read on the
computer that runs this page, is used for nothing else, and is deleted within two hours.</p>"""

NOTES = """
- **Movement, not emotion.** The result says which parts of a face moved, not what anyone feels, means or hides.
- **Trained on synthetic faces.** Drawn people and animated photographs; ages, skin tones, beards, glasses and webcams
  that they do not resemble are untested. "Not sure" is a real answer.
- **Brief movements need fast cameras.** In two laboratory collections half of all micro-expressions rose within 160 ms:
  five frames of a common webcam.
- **Not for judging people.** Do not use it on pupils, staff, applicants or anyone who did not agree.
- **Nothing is kept.** No history, no telemetry, no face in the downloaded report; uploads are deleted within two hours.
"""

THEME = gr.themes.Soft(
    primary_hue="teal", neutral_hue="slate", font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
).set(
    block_label_text_color="*primary_800", block_title_text_color="*primary_800",
    body_text_color_subdued="*neutral_600", block_info_text_color="*neutral_600",
    button_primary_background_fill="*primary_700", button_primary_background_fill_hover="*primary_800",
    button_primary_text_color="white", button_primary_background_fill_dark="*primary_700",
    button_primary_background_fill_hover_dark="*primary_800", block_label_background_fill_dark="*primary_700",
    body_background_fill="*neutral_50",
)  # fmt: skip
LAUNCH = dict(theme=THEME, css=CSS + WHY_CSS, max_file_size="20mb", show_error=False, footer_links=["api", "settings"])
PLAIN = dict(apply_default_css=False)  # our own style sheet, in place of that for prose
HOW = {  # what visitors may choose from; see the grades in the README
    "Integrated Gradients": ("ig", "motion"),
    "Integrated Gradients, to the pixels": ("ig", "pixels"),
    "Shapley values of face zones": ("shapley", "motion"),
    "Occlusion": ("occlusion", "motion"),
    "GradCAM": ("gradcam", "motion"),
}
KEPT = 3600  # seconds for which a result can still be asked why
LONGEST = 60  # seconds of video; others wait meanwhile
LOCK = Lock()


@cache
def _load():
    from aullm_lite.model import AULLM

    return AULLM.from_pretrained("demo")


def load_model():
    """The shipped checkpoint, loaded once however many visitors ask for it."""
    with LOCK:
        return _load()


def check(video: str | None, fps: float | None):
    """What the browser is told before anything runs, for each input."""
    hint = "Please upload or record a clip first, or choose an example."
    return [gr.validate(video is not None, hint), gr.validate(True, "")]


def detect(video: str, fps: float | None = None, progress=gr.Progress()):
    """Find the Action Units in a clip: verdicts, timeline and details as HTML, and the report as JSON."""
    progress(0.0, "Preparing the model")
    try:
        report = analyze(load_model(), video, fps=fps, longest=LONGEST, progress=progress)
    except InputError as error:
        raise gr.Error(str(error), print_exception=False) from None
    return verdicts_html(report), timeline_html(report), details_html(report), report.to_dict(), report


def say(report) -> str:
    """What the language model says of the clip, as HTML; nothing where it has learned no words."""
    model = load_model()
    return words_html(describe_report(model, report)) if report is not None and model.config.speaks else ""


def offer_questions():
    """Show the box for questions to visitors of a model that can answer."""
    return gr.Accordion(visible=load_model().config.speaks)


def answer(report, question: str) -> str:
    """The answer to a question about Action Units, or one sentence on what can be asked."""
    if report is None:
        raise gr.Error("Find the Action Units of a clip first, then ask.", print_exception=False)
    try:
        return words_html(describe_report(load_model(), report, question))
    except Refused as refused:
        return refusal_html(str(refused))
    except InputError as error:
        raise gr.Error(str(error), print_exception=False) from None


def surest(report) -> int:
    """The AU that most visitors will ask about first."""
    return report.top(1)[0].au


def why(report, au: int, how: str, progress=gr.Progress()) -> str:
    """What the decision on one AU rests on, as HTML."""
    if report is None:
        raise gr.Error("Find the Action Units of a clip first, then ask why.", print_exception=False)
    progress(0.1, f"Attributing AU{au}")
    method, on = HOW[how]
    try:
        model = load_model()
        made = explain(model, report.windows[au].clip, au, method, on)
    except InputError as error:
        raise gr.Error(str(error), print_exception=False) from None
    progress(0.9, "Drawing")
    return why_html(made, report.windows[au], report[au], sentence(shipped(model), method, on))


def show_examples() -> str:
    return examples_html(example_clips())


def pick_example(event: gr.EventData) -> str:
    """A copy of the example in the server's own temporary files, the only place from which Gradio serves."""
    return save_file_to_cache(example_clips()[event.number].video, clip.GRADIO_CACHE)


with gr.Blocks(title="AU-LLM Lite", delete_cache=(3600, 3600)) as demo:
    gr.HTML(HEADER, **PLAIN)
    with gr.Row():
        with gr.Column(scale=1, min_width=280):
            clip = gr.Video(label="Face clip", sources=["upload", "webcam"])
            go = gr.Button("Find Action Units", variant="primary")
            gr.HTML(CONSENT, **PLAIN)
            with gr.Accordion("Slow motion?", open=False):
                fps = gr.Number(label="True frames a second", value=None, minimum=1, maximum=10_000,
                                info="Only for slow motion: how fast the camera recorded, such as 240.")  # fmt: skip
            shelf = gr.HTML(js_on_load=PRESSED, **PLAIN)
        with gr.Column(scale=2, min_width=280, elem_classes="au-result"):
            verdicts = gr.HTML(EMPTY, **PLAIN)
            words = gr.HTML(**PLAIN)
            timeline = gr.HTML(**PLAIN)
            details = gr.HTML(**PLAIN)
            with gr.Accordion("Why? What a decision rests on"):
                with gr.Row():
                    names = [(str(action_unit(au)), au) for au in CD6ME_AUS]
                    which = gr.Dropdown(names, value=12, label="Action Unit", min_width=290)
                    how = gr.Dropdown(list(HOW), value=next(iter(HOW)), label="Method", min_width=290)
                ask = gr.Button("Why?")
                reason = gr.HTML(**PLAIN)
            with gr.Accordion("Ask about this clip", open=False, visible=False) as asking:
                question = gr.Textbox(label="Question", max_lines=1, max_length=200,
                                      placeholder="Which Action Units do you see?  Is AU12 present?")  # fmt: skip
                put = gr.Button("Ask")
                reply = gr.HTML(**PLAIN)
            with gr.Accordion("The report as data", open=False):
                data = gr.JSON(show_label=False)
    with gr.Accordion("What this tells, and what it does not"):
        gr.Markdown(NOTES)

    found = gr.State(None, time_to_live=KEPT)
    outputs = [verdicts, timeline, details, data, found]
    running = dict(concurrency_limit=1, concurrency_id="model", show_progress_on=verdicts, scroll_to_output=True)
    pressed = go.click(detect, [clip, fps], outputs, api_name="detect", validator=check, **running)
    chosen = shelf.click(pick_example, None, clip, api_visibility="private")
    shown = chosen.success(detect, clip, outputs, api_visibility="private", **running)
    clear = dict(fn=lambda: "", inputs=None, outputs=reason, queue=False, api_visibility="private")
    one = dict(concurrency_limit=1, concurrency_id="model", api_visibility="private")  # at a time
    for done in (pressed, shown):
        done.success(surest, found, which, api_visibility="private").then(**clear)
        fresh = done.success(lambda: ("", ""), None, [words, reply], queue=False, api_visibility="private")
        fresh.success(say, found, words, **one)
    gr.on([put.click, question.submit], answer, [found, question], reply, **one)
    for choice in (which, how):  # an old reason does not stand under a new question
        choice.change(**clear)
    ask.click(why, [found, which, how], reason, **one)
    demo.load(show_examples, None, shelf, api_visibility="private")
    demo.load(offer_questions, None, asking, api_visibility="private")

demo.queue(max_size=16)


def main() -> None:
    """Fetch and load what is needed, saying so, then serve at `GRADIO_SERVER_NAME` and `GRADIO_SERVER_PORT`."""
    try:
        load_model()
        example_clips()
    except (InputError, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    demo.launch(**LAUNCH)


if __name__ == "__main__":
    main()
