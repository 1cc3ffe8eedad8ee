"""The tab Learn as HTML: what each Action Unit is, the course, and what the tool must not be used for."""

from functools import cache
from html import escape
from threading import Lock

import numpy as np

from ..facs import CD6ME_AUS, action_unit
from ..synth.script import Movement
from .film import HALT, film_html, filmed, loop_seconds
from .studio import APEX, drawn, script_of

SOURCES = "au-llm-lite/au-llm-lite/blob/main/notebooks"
HERE, COLAB = f"https://github.com/{SOURCES}", f"https://colab.research.google.com/github/{SOURCES}"
PERSON, PEAK, SECONDS, SIZE = 36, 3.5, 0.5, 128  # who shows the AUs, by how many pixels, for how long, how large
COLUMNS = ("Action Unit", "Moving", "What you see", "Muscle", "Where")
LOCK = Lock()

SEEN = {
    1: "The inner ends of the brows go up.",
    2: "The outer ends of the brows go up.",
    4: "The brows go down and come together.",
    5: "The upper eyelids go up; more of the eyes can be seen.",
    6: "The cheeks go up, and the skin beside the eyes folds.",
    7: "The eyelids tighten; the eyes become narrow.",
    9: "The skin of the nose folds and goes up.",
    10: "The upper lip goes up.",
    12: "The corners of the lips go up and outwards.",
    14: "The corners of the lips are pulled in; a dimple can appear.",
    15: "The corners of the lips go down.",
    17: "The chin goes up and pushes the lower lip up.",
}

NOTEBOOKS = {
    "00_start_here": "What moved in this face?",
    "01_facs_and_faces": "What is an Action Unit?",
    "02_preprocessing": "Why is the face looked for only once?",
    "03_motion": "Which way did the skin go?",
    "04_backbone": "How much skin does one number of the network see?",
    "05_fusion": "What does one token know?",
    "06_language_model": "What does a language model do with a face?",
    "07_evaluate": "Is that a good score?",
    "08_explain": "Would you believe this picture?",
    "09_real_data": "What does a licensed data set look like inside?",
    "10_share": "Can somebody else run what you trained?",
}

INTRO = """<h2>What is an Action Unit?</h2>
<p>An <strong>Action Unit</strong> (AU) is one movement of the face that you can see. Each has a number, a name, and a
muscle that makes it. The list is the Facial Action Coding System (FACS). A <strong>micro-expression</strong> is a small
movement that lasts less than half a second. The model knows these twelve Action Units; the face is drawn, and it moves
much more, and four times slower, than in a micro-expression.</p>"""
WAITING = '<p class="au-small" role="status">The faces are being drawn ...</p>'

LIMITS = """<h2>What this tool must not be used for</h2><ul>
<li><strong>Not for feelings.</strong> A movement can have many reasons, and often none that is a feeling. How people
show feelings differs between cultures, situations and persons.</li>
<li><strong>Not for lies, intent, character or health.</strong> Movement does not show them.</li>
<li><strong>Not on people who did not agree</strong>, and not on pupils, students, staff or applicants. In the European
Union, systems that infer emotions at work and in education are prohibited, except for medical and safety reasons
(Regulation 2024/1689, Article 5).</li>
<li><strong>Not for decisions about people.</strong> The model has learned from generated faces. Nobody has measured how
often it is wrong on filmed people.</li></ul>"""

CSS = """
.au-learn h2 { font-size: 1.15rem; font-weight: 700; margin: .8rem 0 .4rem; } .au-learn p, .au-learn ul { margin: 0; }
.au-learn p, .au-learn li { max-width: 46rem; line-height: 1.55; } .au-learn ul, .au-learn ol { padding-left: 1.3rem; }
.au-learn ul { list-style: disc; }
.au-learn a { text-decoration: underline; text-underline-offset: 3px; color: inherit; }
.au-course { padding: 0; margin: 0; list-style: none; } .au-course li { padding: .2rem 0; }
.au-atlas .au-table td { vertical-align: middle; } .au-atlas .au-table tbody th { width: 19%; }
@media (max-width: 640px) {
  .au-atlas .au-table tr { grid-template-columns: 128px 1fr; column-gap: .9rem; }
  .au-atlas .au-table tbody th { grid-column: 1 / 3; width: auto; }
  .au-atlas .au-table td:nth-of-type(1) { grid-row: 2 / 5; grid-column: 1; }
  .au-atlas .au-table td { grid-column: 2; font-size: .88rem; }
}
"""


def table_html() -> str:
    """The table of Action Units, each on a drawn face that moves; made once."""
    with LOCK:
        return _table()


@cache
def _table() -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
    rows = "".join(_row(au) for au in CD6ME_AUS)
    return (
        f'<div class="au-atlas au-stage">{HALT}<table class="au-table">'
        f'<caption class="au-hidden">The twelve Action Units that the model knows</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(au: int) -> str:
    unit = action_unit(au)
    film = film_html(frames_of(au), loop_seconds(SECONDS), f"A drawn face: {unit}. {SEEN[au]}", SIZE)
    return (
        f'<tr><th scope="row">{unit}</th><td>{film}</td><td>{SEEN[au]}</td>'
        f"<td>{escape(unit.muscle)}</td><td>{escape(unit.region)}</td></tr>"
    )


def frames_of(au: int) -> np.ndarray:
    """One AU on both sides of a drawn face.  -> uint8 [N, S, S, 3]"""
    actor = drawn(PERSON)
    movement = Movement(au, "both", PEAK, 0.0, APEX * SECONDS, SECONDS)
    return filmed(actor, script_of((movement,), SECONDS, actor.seed), SECONDS, SIZE)


def course_html() -> str:
    """Links to the notebooks, and to where they run without being installed."""
    rows = "".join(
        f'<li><a href="{HERE}/{name}.ipynb" target="_blank" rel="noopener noreferrer">'
        f"{name[:2]} · {title}</a> "
        f'<a href="{COLAB}/{name}.ipynb" target="_blank" rel="noopener noreferrer" '
        f'aria-label="Open notebook {name[:2]} in Colab">(Colab)</a></li>'
        for name, title in NOTEBOOKS.items()
    )
    return (
        f"<h2>Build it yourself</h2><p>Eleven notebooks build the model part by part. They open in a new tab, on other "
        f'computers than this one.</p><ol class="au-course">{rows}</ol>'
    )
