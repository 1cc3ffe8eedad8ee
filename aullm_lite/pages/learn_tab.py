"""The tab Learn: the table of Action Units appears when it is opened, for its faces have to be drawn first."""

import gradio as gr

from . import learn
from .events import PLAIN, STUDIO


def show(drawn: bool):
    """The table at the first time; nothing at the next, for it is there."""
    return gr.skip() if drawn else (learn.table_html(), True)


def build(tab: gr.Tab) -> None:
    """The whole tab; `tab` tells when it is opened."""
    with gr.Column(elem_classes="au-learn"):
        gr.HTML(learn.INTRO, **PLAIN)
        table = gr.HTML(learn.WAITING, **PLAIN)
        gr.HTML(learn.course_html(), **PLAIN)
        gr.HTML(learn.LIMITS, **PLAIN)
    drawn = gr.State(False)
    tab.select(show, drawn, [table, drawn], **STUDIO)
