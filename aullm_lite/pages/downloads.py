"""A report to take away: as data, as a table, as a picture and as a video.

Data and table are small, hold no face and travel inside the page, so that no file is written for them.  Picture and
video show the face: they are made when asked for, in files that are deleted when the visitor leaves.
"""

import csv
import io
import json
from pathlib import Path
from urllib.parse import quote

import gradio as gr

from ..errors import InputError
from ..plots import report_figure
from ..report import AUReport
from . import visits
from .annotate import annotate
from .events import need

COLUMNS = ("au", "name", "verdict", "probability", "threshold", "onset_s", "apex_s", "offset_s", "region", "muscle")
NOTE = """<p class="au-note">Picture and video show the face. They are made when you ask for them and deleted when you
leave this page.</p>"""
Source = tuple[str, float | None]  # the clip that a report is of, and its true rate where that was given


def csv_text(report: AUReport) -> str:
    """One line for each AU, in the order of the report; an empty cell where nothing is known."""
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    table.writeheader()
    table.writerows(finding.to_dict() for finding in report.findings)
    return text.getvalue()


def links_html(report: AUReport) -> str:
    """Links to the report as JSON and as CSV; both are part of the page."""
    files = {
        ("au-report.json", "Download this report (JSON)"): ("application/json", json.dumps(report.to_dict())),
        ("au-report.csv", "Download the table (CSV)"): ("text/csv;charset=utf-8", csv_text(report)),
    }
    links = (
        f'<a href="data:{kind},{quote(text)}" download="{name}">{words}</a>'
        for (name, words), (kind, text) in files.items()
    )
    return f'<p class="au-links">{" ".join(links)}</p>'


def make_files(report: AUReport | None, source: Source | None, request: gr.Request, progress=gr.Progress()):
    """The report as a picture, and the clip with its Action Units under it.  What cannot be made takes nothing away."""
    need(report, "Find the Action Units of a clip first, then make the files.")
    progress(0.0, "Drawing the picture")
    with visits.new_files(request.session_hash, "au-report.png", "au-video.mp4") as (picture, film):
        report_figure(report).savefig(picture, dpi=110)
        try:
            write_film(report, source, film, progress)
        except InputError as error:
            visits.remove(film)
            gr.Warning(str(error))
            return opened(picture), closed()
        return opened(picture), opened(film)


def write_film(report: AUReport, source: Source, target: Path, progress) -> None:
    """The annotated video.  Raises `InputError` where the clip has gone meanwhile."""
    path, fps = source
    still_here(path)
    annotate(path, report, target, fps=fps, progress=lambda share: progress(share, "Writing the video"))


def still_here(path: str) -> None:
    """Raise `InputError` for an upload that was deleted, as happens when a page sleeps for long."""
    if not Path(path).is_file():
        raise InputError("This file is no longer here: choose it once more.")


def opened(path: Path):
    """What lets a button download a file."""
    return gr.update(value=str(path), interactive=True)


def closed():
    """What keeps a button from downloading the file of an older result."""
    return gr.update(value=None, interactive=False)
