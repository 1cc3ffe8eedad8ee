"""The AU-LLM Lite app: `python app.py`, then open the address that it prints."""

import os
import signal
import sys

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("GRADIO_RUN_HISTORY", "False")  # else Gradio keeps every run in the visitor's browser
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that spin while they wait slow a busy machine tenfold

import gradio as gr

import aullm_lite.pages.gpu  # noqa: F401, I001  before all that imports torch
from aullm_lite.demo import example_clips
from aullm_lite.errors import InputError
from aullm_lite.explain.page import CSS as WHY_CSS
from aullm_lite.memory import share_freed_memory
from aullm_lite.page import CSS
from aullm_lite.pages import detect_tab, film, learn, learn_tab, loaded, studio_page, studio_tab, visits
from aullm_lite.pages.events import KEPT, MOST_WAITING, PLAIN

HEADER = """<div class="au-head"><h1>AU-LLM Lite</h1>
<p>Shows which facial movements (Action Units) happen in a short clip, when, and how sure it is: a small language
model on an ordinary computer.</p></div>"""

THEME = gr.themes.Soft(
    primary_hue="teal", neutral_hue="slate", font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
).set(
    block_label_text_color="*primary_800", block_title_text_color="*primary_800",
    body_text_color_subdued="*neutral_600", block_info_text_color="*neutral_600",
    button_primary_background_fill="*primary_700", button_primary_background_fill_hover="*primary_800",
    button_primary_text_color="white", button_primary_background_fill_dark="*primary_700",
    button_primary_background_fill_hover_dark="*primary_800", block_label_background_fill_dark="*primary_700",
    body_background_fill="*neutral_50", color_accent="*primary_700",
    checkbox_label_text_color_selected="white", checkbox_label_background_fill_selected="*primary_700",
    checkbox_label_text_color_selected_dark="white", checkbox_label_background_fill_selected_dark="*primary_700",
)  # fmt: skip
STYLE = "".join((CSS, WHY_CSS, film.CSS, studio_page.CSS, learn.CSS))
LAUNCH = dict(theme=THEME, css=STYLE, max_file_size="20mb", show_error=False, footer_links=["api", "settings"])
LAUNCH["state_session_capacity"] = 500  # visitors: a page of 0.2 MB for each, also for programs that never leave


async def leave(request: gr.Request) -> None:  # async: where Gradio itself looks through what it keeps
    """Forget a visitor who has closed or reloaded the page: clips, files, photo and results."""
    visits.leave(request.session_hash)
    for kept in (demo.state_holder.session_data, demo.state_holder.time_last_used):
        kept.pop(request.session_hash, None)  # else Gradio keeps what the page showed, pictures included


with gr.Blocks(title="AU-LLM Lite", delete_cache=(KEPT, KEPT)) as demo:
    gr.HTML(HEADER, **PLAIN)
    with gr.Tabs():
        with gr.Tab("Detect"):
            detect_tab.build(demo)
        with gr.Tab("Studio") as studio:
            studio_tab.build(studio)
        with gr.Tab("Learn") as lessons:
            learn_tab.build(lessons)
    demo.unload(leave)

demo.queue(max_size=MOST_WAITING)
demo.temp_file_sets.append(visits.BrokenOff())


def main() -> None:
    """Fetch and load what is needed, saying so, then serve at `GRADIO_SERVER_NAME` and `GRADIO_SERVER_PORT`."""
    share_freed_memory()
    try:
        loaded.model()
        example_clips()
    except (InputError, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stopped by the system as by Ctrl-C: uploads go
    demo.launch(**LAUNCH)
    visits.stop(demo)


if __name__ == "__main__":
    main()
