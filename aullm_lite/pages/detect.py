"""What the tab Detect does: find Action Units in a clip, say them, answer questions, show what decisions rest on."""

from collections.abc import Callable

import gradio as gr

from ..analysis import analyze
from ..demo import example_clips
from ..explain import explain
from ..explain.grades import sentence, shipped
from ..explain.page import why_html
from ..page import details_html, refusal_html, timeline_html, verdicts_html, words_html
from ..report import AUReport
from ..speech.questions import Refused
from ..speech.spoken import describe_report
from . import loaded, visits
from .downloads import links_html, still_here
from .events import friendly, need
from .gpu import SHORT, for_a_moment
from .shelf import examples_html

HOW = {  # what visitors may choose from; see the grades in the README
    "Integrated Gradients": ("ig", "motion"),
    "Integrated Gradients, to the pixels": ("ig", "pixels"),
    "Shapley values of face zones": ("shapley", "motion"),
    "Occlusion": ("occlusion", "motion"),
    "GradCAM": ("gradcam", "motion"),
}
LONGEST = 60  # seconds of video; others wait meanwhile
NO_CLIP = "Please upload or record a clip first, or choose an example."


def check(video: str | None, fps: float | None):
    """What the browser is told before anything runs, for each input."""
    return [gr.validate(video is not None, NO_CLIP), gr.validate(True, "")]


@for_a_moment(LONGEST)
def detect(video: str, fps: float | None = None, progress=gr.Progress()) -> dict:
    """Find the facial Action Units in a clip of one face: which moved, when, and how sure the model is.

    Args:
        video: A clip of at most 60 seconds and 20 MB (mp4, mov, webm or avi). By MCP: a public URL, or a data URL.
        fps: True frames a second, only for slow motion.
    """
    return found(video, fps, progress).to_dict()


@for_a_moment(LONGEST)
def examine(video: str, fps: float | None = None, progress=gr.Progress()):
    """Verdicts, timeline, details as HTML, the data, and what the page keeps: the report, and of which clip it is."""
    report = found(video, fps, progress)
    details = details_html(report) + links_html(report)
    return verdicts_html(report), timeline_html(report), details, report.to_dict(), report, (video, fps)


def found(video: str, fps: float | None, progress: Callable) -> AUReport:
    """The report of a clip, or one sentence on why there is none."""
    need(video, NO_CLIP)
    progress(0.0, "Preparing the model")
    with friendly():
        still_here(video)
        return analyze(loaded.model(), video, fps=fps, longest=LONGEST, progress=progress)


def keep_clip(video: str | None, request: gr.Request) -> None:
    """Note whose clip it is, so that it goes when they leave."""
    if video is not None:
        visits.hold(request.session_hash, video)


@for_a_moment(SHORT)
def say(report) -> str:
    """What the language model says of the clip, as HTML; nothing where it has learned no words."""
    model = loaded.model()
    return words_html(describe_report(model, report)) if report is not None and model.config.speaks else ""


def offer_questions():
    """Show the box for questions to visitors of a model that can answer."""
    return gr.Accordion(visible=loaded.model().config.speaks)


@for_a_moment(SHORT)
def answer(report, question: str) -> str:
    """The answer to a question about Action Units, or one sentence on what can be asked."""
    need(report, "Find the Action Units of a clip first, then ask.")
    with friendly():
        try:
            return words_html(describe_report(loaded.model(), report, question))
        except Refused as refused:
            return refusal_html(str(refused))


def surest(report) -> int:
    """The AU that most visitors will ask about first."""
    need(report, "Find the Action Units of a clip first.")
    return report.top(1)[0].au


@for_a_moment(SHORT)
def why(report, au: int, how: str, progress=gr.Progress()) -> str:
    """What the decision on one AU rests on, as HTML."""
    need(report, "Find the Action Units of a clip first, then ask why.")
    if au not in list(report.windows) or how not in list(HOW):  # the page offers no others
        raise gr.Error("Choose an Action Unit and a method.", print_exception=False)
    progress(0.1, f"Attributing AU{au}")
    method, on = HOW[how]
    with friendly():
        model = loaded.model()
        made = explain(model, report.windows[au].clip, au, method, on)
    progress(0.9, "Drawing")
    return why_html(made, report.windows[au], report[au], sentence(shipped(model), method, on))


def show_examples() -> str:
    return examples_html(example_clips())


def pick_example(event: gr.EventData, request: gr.Request) -> str:
    """A copy of the example in the server's own temporary files, the only place from which Gradio serves."""
    try:
        chosen = {str(number): example for number, example in enumerate(example_clips())}[str(event.number)]
    except (AttributeError, KeyError, TypeError):  # what was told names none; without a page it can be anything
        raise gr.Error("There is no such example.", print_exception=False) from None
    return visits.copied(request.session_hash, chosen.video)
