"""A report as HTML for the app: readable on a telephone, in the dark, without colours and by a screen reader.

Pictures travel inside the page as data addresses, so that showing a result writes no file.
"""

import base64
import io
import re
from html import escape

import matplotlib
import numpy as np
from PIL import Image

from .plots import COLOURS, FAINT, INK, LINE, timeline_figure
from .report import AUFinding, AUReport
from .speech.spoken import Spoken

MARKS = {"present": "✓", "not sure": "?", "absent": "–"}
COLUMNS = ("Action Unit", "Probability", "Verdict", "Onset – apex – offset")

EMPTY = """<div class="au-empty"><p class="au-lead">The result appears here</p>
<p>Choose a clip or an example. You will see which Action Units moved, when each began, peaked and ended, and how sure
the model is.</p></div>"""

CSS = """
:root { --au-present: #007a5e; --au-sure: #c77700; --au-absent: #8593a1; }
.dark { --au-present: #2cc19b; --au-sure: #f0a83c; --au-absent: #78889a; }
.gradio-container { max-width: 1200px !important; margin: auto; --au-line: var(--border-color-primary); }
.au-head h1 { font-size: 2rem; font-weight: 750; margin: .6rem 0 .2rem; letter-spacing: -.015em; }
.dark button[role="tab"][aria-selected="true"] { color: #5eead4; }
.au-head p { font-size: 1.08rem; margin: 0; max-width: 44rem; }
.au-note, .au-small { font-size: .86rem; color: var(--body-text-color-subdued); line-height: 1.5; margin: 0; }
.au-note { border-left: 3px solid var(--au-present); padding: .1rem 0 .1rem .75rem; }
.au-result { background: var(--block-background-fill); border: 1px solid var(--au-line); border-radius: 14px;
  padding: 1.1rem 1.3rem; gap: 1.2rem; }
.au-result h2 { font-size: .95rem; font-weight: 700; margin: 0 0 .6rem; }
.au-result .au-lead { font-size: 1.3rem; font-weight: 700; margin: 0 0 .4rem; line-height: 1.3; }
.au-empty { padding: 2.5rem 1rem; text-align: center; max-width: 30rem; margin: auto; }
.au-warn { border-left: 3px solid var(--au-sure); padding: .1rem 0 .1rem .75rem; margin: .5rem 0; font-size: .92rem; }
.au-table { width: 100%; border-collapse: collapse; font-size: .92rem; margin-top: .9rem; }
.au-table th, .au-table td { text-align: left; padding: .38rem .6rem .38rem 0;
  border-bottom: 1px solid var(--au-line); }
.au-table thead th { font-size: .78rem; font-weight: 600; color: var(--body-text-color-subdued); }
.au-table tbody th { font-weight: 450; width: 36%; }
.au-table small { display: block; font-size: .78rem; font-weight: 400; color: var(--body-text-color-subdued); }
.au-table .au-present th { font-weight: 700; }
.au-absent small { display: none; }
.au-score { display: flex; align-items: center; gap: .7rem; font-variant-numeric: tabular-nums; }
.au-bar { position: relative; flex: 1; min-width: 70px; height: 11px; border-radius: 6px; background: var(--au-line); }
.au-bar b { display: block; height: 100%; border-radius: 6px; background: var(--au-absent); }
.au-present .au-bar b { background: var(--au-present); }
.au-notsure .au-bar b { background: repeating-linear-gradient(135deg, var(--au-sure) 0 5px, transparent 5px 8px); }
.au-bar i { position: absolute; top: -4px; width: 2px; height: 19px; background: var(--body-text-color); }
.au-chip { display: inline-block; white-space: nowrap; padding: .1rem .6rem; border-radius: 999px; font-size: .82rem; }
.au-present .au-chip { background: #00664f; color: #fff; }
.au-notsure .au-chip { outline: 1px dashed currentColor; }
.au-absent .au-chip { color: var(--body-text-color-subdued); padding-left: 0; }
.au-when { font-variant-numeric: tabular-nums; white-space: nowrap; font-size: .86rem; }
.au-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.au-words { margin: 0; } .au-words figcaption { margin-top: .4rem; }
.au-words blockquote { margin: 0; padding: .5rem .9rem; border-left: 3px solid var(--au-present); font-size: 1.05rem;
  line-height: 1.5; background: var(--background-fill-secondary); border-radius: 0 10px 10px 0; }
.au-timeline svg { width: 100%; height: auto; display: block; }
.au-timeline svg text { font-family: system-ui, sans-serif !important; }
.au-slim { display: none; }
.au-examples { display: grid; grid-template-columns: repeat(3, 1fr); gap: .6rem; margin-top: .4rem; }
.au-examples button { border: 1px solid var(--border-color-primary); border-radius: 10px; overflow: hidden; padding: 0;
  background: var(--block-background-fill); color: var(--body-text-color); font-size: .82rem; cursor: pointer; }
.au-examples button:hover, .au-examples button:focus-visible { outline: 2px solid var(--au-present); }
.gradio-container input[type="range"]:focus-visible { outline: 2px solid var(--au-present); outline-offset: 4px; }
.au-data .json-holder { contain: inline-size; overflow-x: auto; }
.au-examples img { width: 100%; aspect-ratio: 1; object-fit: cover; display: block; }
.au-examples span { display: block; padding: .3rem .2rem .4rem; }
.au-facts { display: flex; flex-wrap: wrap; gap: 1.4rem; }
.au-facts img { width: 176px; border-radius: 10px; display: block; }
.au-facts section { flex: 1; min-width: 220px; }
.au-facts dl { display: grid; grid-template-columns: 1fr auto; gap: .2rem 1rem; margin: 0 0 .8rem; font-size: .9rem; }
.au-facts dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; }
.au-links { display: flex; flex-wrap: wrap; gap: .4rem 1.4rem; margin: 0; font-size: .9rem; }
.au-links a { color: inherit; text-decoration: underline; text-underline-offset: 3px; padding: .2rem 0; }
@media (max-width: 640px) {
  .au-result { padding: .9rem; }
  .au-wide { display: none; } .au-slim { display: block; }
  .au-table thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .au-table tr { display: grid; grid-template-columns: 1fr auto; gap: 0 .5rem; padding: .45rem 0;
    border-bottom: 1px solid var(--au-line); }
  .au-table th, .au-table td { border: 0; padding: .1rem 0; } .au-table tbody th { width: auto; }
  .au-table td:nth-of-type(1) { grid-row: 2; grid-column: 1 / 3; } .au-table td:empty { display: none; }
}
"""


def words_html(heard: Spoken) -> str:
    """What the language model says of the clip, when, and whether the guard had to speak for it."""
    start, end = heard.times[0], heard.times[-1]
    asked = f"{heard.question.words.strip()} " if heard.question.words else ""
    when = f"{asked}The language model on {start:.2f} to {end:.2f} s of the clip. Sides are those of the person filmed."
    rough = " Its apex is one of six frames, so less exact than the times above." if "apex" in heard.text else ""
    note = f" Its own text was left out, because {heard.problem}." if heard.problem else rough
    return (
        f'<figure class="au-words"><blockquote>{escape(heard.text)}</blockquote>'
        f'<figcaption class="au-small">{escape(when + note)}</figcaption></figure>'
    )


def refusal_html(sentence: str) -> str:
    """Why a question is not answered."""
    return f'<p class="au-small" role="status">{escape(sentence)}</p>'


def verdicts_html(report: AUReport) -> str:
    """Headline, warnings, the sentences of the report, and one row for each AU, surest first."""
    present = [f.label for f in report.with_verdict("present")]
    headline = ", ".join(present) or ("Nothing certain" if report.with_verdict("not sure") else "No Action Unit found")
    warnings = "".join(f'<p class="au-warn"><strong>Note:</strong> {escape(w)}</p>' for w in report.warnings)
    head = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
    rows = "".join(_row(f) for f in report.top())
    return (
        f'<h2 class="au-lead">{escape(headline)}</h2>{warnings}<p class="au-small">{escape(report.text())}</p>'
        f'<table class="au-table"><caption class="au-hidden">Probability, verdict and times of each AU</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _row(f: AUFinding) -> str:
    when = "" if f.apex_s is None else f"{f.onset_s:.2f} – <strong>{f.apex_s:.2f}</strong> – {f.offset_s:.2f} s"
    return (
        f'<tr class="au-{f.verdict.replace(" ", "")}"><th scope="row">{f.label}<small>{f.region}</small></th>'
        f'<td>{score_html(f)}</td><td>{chip_html(f)}</td><td class="au-when">{when}</td></tr>'
    )


def score_html(f: AUFinding) -> str:
    """A bar of probability with a tick at the threshold, and the number."""
    return (
        f'<div class="au-score"><div class="au-bar" aria-hidden="true"><b style="width:{f.probability:.1%}"></b>'
        f'<i style="left:{f.threshold:.1%}"></i></div><span>{f.probability:.2f}'
        f'<span class="au-hidden"> (threshold {f.threshold:.2f})</span></span></div>'
    )


def chip_html(f: AUFinding) -> str:
    """The verdict as a word with its mark."""
    return f'<span class="au-chip"><span aria-hidden="true">{MARKS[f.verdict]} </span>{f.verdict}</span>'


def timeline_html(report: AUReport) -> str:
    """The timeline as an inline drawing that takes its ink from the page, light or dark; a slim one for telephones."""
    spoken = [
        f"AU{e.au} ({report[e.au].verdict}) from {e.onset_s:.2f} to {e.offset_s:.2f} s, apex {e.apex_s:.2f} s"
        for e in report.events
    ]
    label = "Timeline of each Action Unit. Events: " + ("; ".join(spoken) or "none") + "."
    drawings = f'<div class="au-wide">{_svg(report, 7.4)}</div><div class="au-slim">{_svg(report, 3.7)}</div>'
    return f'<div class="au-timeline" role="img" aria-label="{escape(label)}">{drawings}</div>'


def _svg(report: AUReport, width: float) -> str:
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        timeline_figure(report, width).savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = re.sub(r'<g id="[^"]*"', "<g", buffer.getvalue())  # two drawings on one page would share their names
    inks = {
        INK: "currentColor",
        FAINT: "var(--body-text-color-subdued)",
        LINE: "var(--border-color-primary)",
        **{colour: f"var(--au-{verdict.split()[-1]})" for verdict, colour in COLOURS.items()},
    }
    for ink, themed in inks.items():
        text = text.replace(ink, themed)
    return text[text.index("<svg") :]


def details_html(report: AUReport) -> str:
    """The aligned face, and what each stage cost."""
    seconds, spent = report.video.get("seconds") or 0.0, report.latency_ms.get("total", 0.0) / 1000
    facts = {"Video": f"{seconds:.1f} s", "Windows (half a second)": len(report.times)}
    facts |= {stage[:1].upper() + stage[1:]: f"{ms:,.0f} ms" for stage, ms in report.latency_ms.items()}
    facts |= {"Speed": f"{seconds / spent:.1f} × real time"} if spent else {}
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in facts.items())
    took = f"<section><h2>What it took</h2><dl>{rows}</dl></section>"
    return f'<div class="au-facts">{_face(report.crop)}{took}</div>'


def _face(crop: np.ndarray | None) -> str:
    if crop is None:
        return ""
    words = "The face as the model saw it, upright and cropped"
    return f'<div><h2>Aligned face</h2><img src="{picture_address(crop)}" alt="{words}"></div>'


def picture_address(rgb: np.ndarray) -> str:
    """A picture as a data address.  uint8 [H, W, 3] -> str"""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
