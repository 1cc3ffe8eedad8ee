"""Figures of a report: plain `Figure` objects, safe in threads and servers, that say everything in words and in shape.

Green, orange and grey stay apart for people with any colour vision, and no meaning is carried by colour alone: beside
the bars each verdict also stands as a word, and a present AU is named in bold.
"""

import json
import textwrap
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .report import LIMITS, AUEvent, AUFinding, AUReport
from .style import ABSENT, FAINT, INK, LINE, PRESENT, UNSURE

COLOURS = {"present": PRESENT, "not sure": UNSURE, "absent": ABSENT}
HATCHES = {"present": "", "not sure": "////", "absent": ""}
LANE = 0.78  # height of probability 1 in a lane of height 1


def verdict_figure(report: AUReport) -> Figure:
    """One bar for each AU, surest first, with its decision threshold and its verdict in words."""
    figure = Figure(figsize=(8, 0.8 + 0.36 * len(report.findings)), layout="constrained", facecolor="white")
    draw_verdicts(figure.subplots(), report)
    return figure


def timeline_figure(report: AUReport, width: float = 9) -> Figure:
    """One lane for each AU over the time of the video, with events and their onset, apex and offset.

    Under six inches of `width` the lanes carry only numbers, so that the figure fits a telephone.
    """
    figure = Figure(figsize=(width, 1.2 + 0.46 * len(report.findings)), layout="constrained", facecolor="white")
    draw_timeline(figure.subplots(), report, numbers_only=width < 6)
    return figure


def report_figure(report: AUReport) -> Figure:
    """The whole report on one sheet: aligned face, verdicts, timeline, and what it does not tell."""
    K = len(report.findings)
    figure = Figure(figsize=(12, 3.4 + 0.74 * K), layout="constrained", facecolor="white")
    figure.get_layout_engine().set(rect=(0.02, 0.02, 0.96, 0.925), hspace=0.04, wspace=0.04)
    top, bottom, foot = figure.subfigures(3, 1, height_ratios=[0.8 + 0.32 * K, 1.0 + 0.38 * K, 0.62])
    face, bars = top.subplots(1, 2, width_ratios=[1, 2])
    draw_crop(face, report.crop)
    draw_verdicts(bars, report)
    draw_timeline(bottom.subplots(), report)
    corner = dict(x=0.02, y=0.985, va="top", ha="left")
    figure.suptitle("Action Units found", **corner, fontsize=16, fontweight="bold", color=INK)
    foot.text(0, 0.5, textwrap.fill(_footnote(report), 165), va="center", fontsize=9, color=FAINT, linespacing=1.5)
    return figure


def draw_crop(ax: Axes, crop: np.ndarray | None) -> None:
    """The aligned face at the start of the most telling window."""
    ax.set_axis_off()
    ax.set_anchor("NW")
    if crop is not None:
        ax.imshow(crop)
    ax.set_title("Aligned face", loc="left", fontsize=11, fontweight="bold", color=INK)


def draw_verdicts(ax: Axes, report: AUReport) -> None:
    """Bars of probability, a tick at each threshold, number and verdict as text."""
    for row, f in enumerate(report.top()):
        look = dict(color=COLOURS[f.verdict], hatch=HATCHES[f.verdict], edgecolor="white", lw=0)
        ax.barh(row, 1, height=0.62, color="#f1f4f7", zorder=1)
        ax.barh(row, f.probability, height=0.62, **look, zorder=2)
        ax.plot([f.threshold] * 2, [row - 0.38, row + 0.38], color=INK, lw=1.6, zorder=3)
        ax.text(1.03, row, f"{f.probability:.2f}", va="center", fontsize=10, color=INK)
        ax.text(1.13, row, f.verdict, va="center", fontsize=10, **_emphasis(f))
    _lanes(ax, report.top())
    ax.set(xlim=(0, 1.3), ylim=(len(report.findings) - 0.4, -0.6), xticks=[0, 0.5, 1])
    ax.set_xlabel("probability (tick: decision threshold)", x=0.5 / 1.3, fontsize=9, color=FAINT)
    ax.set_title("What was found", loc="left", fontsize=11, fontweight="bold", color=INK)


def draw_timeline(ax: Axes, report: AUReport, *, numbers_only: bool = False) -> None:
    """A filled curve in each lane, its threshold dashed, events shaded and marked."""
    for row, f in enumerate(report.findings):
        base = row + LANE / 2
        times, values = _broken(np.asarray(report.times), np.asarray(report.series[f.au]))
        colour, marker = COLOURS[f.verdict], "o" if len(values) < 3 else ""
        ax.axhline(base, color=LINE, lw=0.8, zorder=1)
        ax.axhline(base - LANE * f.threshold, color=FAINT, lw=0.6, ls=(0, (2, 4)), zorder=1)
        ax.fill_between(times, base - LANE * values, base, color=colour, alpha=0.30, lw=0, zorder=2)
        ax.plot(times, base - LANE * values, color=colour, lw=1.6, marker=marker, zorder=3)
    for event in report.events:
        row = next(row for row, f in enumerate(report.findings) if f.au == event.au)
        _draw_event(ax, event, row, COLOURS[report.findings[row].verdict])
    _lanes(ax, report.findings, numbers_only)
    end = report.video.get("seconds") or max(report.times)
    ax.set(xlim=(0, end), ylim=(len(report.findings) - 0.4, -0.6))
    ax.set_xlabel("seconds", fontsize=9, color=FAINT)
    if not numbers_only:
        ax.set_title("When", loc="left", fontsize=11, fontweight="bold", color=INK)
    _timeline_key(ax)


def _broken(times: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The curve with a break wherever windows are missing because no face was seen."""
    steps = np.diff(times)
    gaps = np.flatnonzero(steps > 2.5 * np.median(steps)) + 1 if len(steps) else []
    return np.insert(times, gaps, np.nan), np.insert(values, gaps, np.nan)


def _draw_event(ax: Axes, event: AUEvent, row: int, colour: str) -> None:
    low, high = row + LANE / 2, row - LANE / 2
    ax.fill_between([event.onset_s, event.offset_s], low, high, color=colour, alpha=0.12, lw=0, zorder=1)
    ax.plot([event.onset_s, event.offset_s], [low, low], color=INK, lw=2.2, solid_capstyle="butt", zorder=4)
    ax.plot([event.onset_s, event.offset_s], [low, low], "|", color=INK, ms=9, mew=1.6, zorder=4)
    ax.plot(event.apex_s, low, "^", color=INK, ms=7, zorder=5)


def _timeline_key(ax: Axes) -> None:
    handles = [
        ax.plot([], [], color=FAINT, lw=0.8, ls=(0, (2, 4)), label="threshold")[0],
        ax.plot([], [], "|-", color=INK, ms=9, mew=1.6, lw=2.2, label="onset to offset")[0],
        ax.plot([], [], "^", color=INK, ms=7, lw=0, label="apex")[0],
    ]
    ax.legend(
        handles=handles,
        loc="lower right",
        bbox_to_anchor=(1, 1),
        ncols=3,
        frameon=False,
        fontsize=9,
        labelcolor=FAINT,
        borderaxespad=0.2,
        handlelength=1.6,
        columnspacing=1.4,
    )


def _lanes(ax: Axes, findings: list[AUFinding], numbers_only: bool = False) -> None:
    """Named rows without a frame."""
    ax.set_yticks(range(len(findings)), [f"AU{f.au}" if numbers_only else f.label for f in findings])
    for label, finding in zip(ax.get_yticklabels(), findings):
        label.set(**_emphasis(finding))
    ax.tick_params(length=0, labelsize=10)
    ax.tick_params(axis="x", labelsize=9, labelcolor=FAINT)
    ax.spines[:].set_visible(False)


def _emphasis(f: AUFinding) -> dict:
    weight = "bold" if f.verdict == "present" else "normal"
    return {"color": FAINT if f.verdict == "absent" else INK, "fontweight": weight}


def _footnote(report: AUReport) -> str:
    video = report.video
    facts = [f"{video['seconds']:.1f} s"] if video.get("seconds") else []
    facts += [f"{video['fps']:.0f} frames a second"] if video.get("fps") else []
    return " ".join([f"Video: {', '.join(facts)}." if facts else "", *report.warnings, LIMITS]).strip()


def training_figure(path: str | Path) -> Figure:
    """Loss, and F1 and AP on inner subjects, after each epoch, from the `metrics.jsonl` of a training run."""
    rows = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines() if line.strip()]
    figure = Figure(figsize=(9, 3.6), layout="constrained", facecolor="white")
    left, right = figure.subplots(1, 2)
    curves = ((left, "loss", "o-", PRESENT), (right, "f1", "o-", PRESENT), (right, "ap", "s--", UNSURE))
    epochs = [row["epoch"] for row in rows]
    for ax, key, style, colour in curves:
        ax.plot(epochs, [row[key] for row in rows], style, color=colour, lw=1.8, label=key.upper())
    left.set_title("Training loss", loc="left", fontsize=11, fontweight="bold", color=INK)
    right.set_title("Inner subjects: mean F1 and AP", loc="left", fontsize=11, fontweight="bold", color=INK)
    right.legend(frameon=False, loc="lower right", labelcolor=INK)
    alone = [row["epoch"] for row in rows if row.get("stage") == "visual"]
    for ax in (left, right):
        _epochs(ax)
        if 0 < len(alone) < len(rows):
            _stages(ax, alone)
    return figure


def _epochs(ax: Axes) -> None:
    """Whole epochs below, two spines, and room for words above the curves."""
    ax.margins(y=0.14)
    ax.set_xlabel("epoch", fontsize=9, color=FAINT)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.tick_params(length=0, labelsize=9, labelcolor=FAINT)
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(LINE)


def _stages(ax: Axes, alone: list[int]) -> None:
    """Shade the epochs in which the language model rested."""
    for epoch in alone:
        ax.axvspan(epoch - 0.5, epoch + 0.5, color=LINE, alpha=0.5, lw=0)
    words = "grey: visual part alone, else with the language model"
    ax.text(0.01, 0.99, words, transform=ax.transAxes, va="top", fontsize=8.5, color=FAINT)
