"""The study as one picture: what each row scores, and how far it is from the row it differs from."""

import textwrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..style import FAINT, INK, LINE, PRESENT, UNSURE
from .rows import REFERENCE

COLOURS = {"better": PRESENT, "worse": UNSURE, "no difference shown": FAINT}
MARKERS = {"better": "^", "worse": "v", "no difference shown": "o"}
FAR = 0.08  # the right panel shows differences up to here; beyond it stands an arrow


def study_figure(table: dict) -> Figure:
    """Left F1 with its interval, right the paired difference with its own; one line a row, by group."""
    places = _places(table["rows"])
    height = 2.2 + 0.3 * (max(places.values()) + 1)
    figure = Figure(figsize=(11, height), layout="constrained", facecolor="white")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[1, 1.15])
    _draw_scores(left, table, places)
    _draw_differences(right, table, places)
    for ax in (left, right):
        _plain(ax, max(places.values()))
    _names(left, table["rows"], places)
    title = "What does the language model add?"
    figure.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold", color=INK)
    figure.supxlabel(textwrap.fill(_foot(table), 150), fontsize=8.5, color=FAINT)
    return figure


def _places(rows: dict) -> dict[str, float]:
    """Where each row stands, with room for a heading above each group."""
    places, at, group = {}, -0.4, None
    for name, row in rows.items():
        at += 1 if row["group"] == group else 2.4 if group else 1.4
        group, places[name] = row["group"], at
    return places


def _draw_scores(ax: Axes, table: dict, places: dict) -> None:
    """F1 of each row, with the reference and a floor as lines."""
    _line(ax, table["rows"][REFERENCE.name]["f1"], "reference", side=-1, color=PRESENT, ls="-")
    _line(ax, table["floors"]["all_positive"]["f1"], "floor: all positive", side=1, color=FAINT, ls=(0, (1, 2)))
    for name, y in places.items():
        row = table["rows"][name]
        ax.plot(row["interval"], [y, y], color=INK, lw=2, solid_capstyle="butt")
        ax.plot(row["f1"], y, "o", color=INK, ms=6)
        ax.plot(row["f1_photographs"], y, "d", color="white", mec=FAINT, ms=5, zorder=1)
    ax.plot([], [], "o-", color=INK, ms=6, lw=2, label="drawn people, 95 %")
    ax.plot([], [], "d", color="white", mec=FAINT, ms=5, label="animated photographs")
    ax.set(xlim=(0, 1))
    _title(ax, "F1, positive class")


def _line(ax: Axes, x: float, words: str, *, side: int, color: str, ls) -> None:
    """A line over all rows, named at its top, on one side."""
    ax.axvline(x, color=color, lw=1.2, ls=ls, zorder=0)
    at = dict(xycoords=ax.get_xaxis_transform(), xytext=(4 * side, 4), textcoords="offset points")
    ax.annotate(words, (x, 1), **at, ha="left" if side > 0 else "right", fontsize=8, color=color)


def _draw_differences(ax: Axes, table: dict, places: dict) -> None:
    """Paired differences, as marks, and in words where they are shown."""
    ax.axvline(0, color=PRESENT, lw=1.2, zorder=0)
    for comparison in table["comparisons"]:
        _difference(ax, comparison, places[comparison["name"]])
    for verdict, colour in COLOURS.items():
        ax.plot([], [], MARKERS[verdict], color=colour, ms=6.5, label=verdict)
    ax.set(xlim=(-FAR * 1.15, FAR * 1.9), xticks=[-FAR, -FAR / 2, 0, FAR / 2, FAR])
    _title(ax, "Difference from its reference, paired")


def _difference(ax: Axes, comparison: dict, y: float) -> None:
    """One difference with its interval; an arrow where it lies beyond the panel."""
    value, verdict, (low, high) = comparison["difference"], comparison["verdict"], comparison["interval"]
    colour, shown = COLOURS[verdict], verdict != "no difference shown"
    if abs(value) > FAR:
        ax.plot(FAR * 1.08 * (1 if value > 0 else -1), y, ">" if value > 0 else "<", color=colour, ms=7)
    else:
        ax.plot([max(low, -FAR * 1.1), min(high, FAR * 1.1)], [y, y], color=colour, lw=2, solid_capstyle="butt")
        ax.plot(value, y, MARKERS[verdict], color=colour, ms=6.5)
    words = f"{value:+.3f}" + (f"  {verdict}" if shown else "")
    ax.text(FAR * 1.2, y, words, va="center", fontsize=8.5, color=colour if shown else INK)


def _title(ax: Axes, words: str) -> None:
    ax.set_title(words, loc="left", pad=16, fontsize=11, fontweight="bold", color=INK)


def _plain(ax: Axes, last: float) -> None:
    """No frame, room above for headings, and the key below."""
    ax.set_ylim(last + 0.7, -0.2)
    ax.tick_params(length=0, labelsize=9, labelcolor=FAINT)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.spines["bottom"].set_color(LINE)
    ax.grid(axis="x", color=LINE, lw=0.6, zorder=0)
    ax.set_axisbelow(True)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.05), ncols=3, frameon=False, fontsize=8.5, labelcolor=INK)


def _names(ax: Axes, rows: dict, places: dict) -> None:
    """Titles at the left, those of groups in bold above them."""
    ax.set_yticks(list(places.values()), [rows[name]["title"] for name in places])
    ax.tick_params(axis="y", labelsize=9.5, labelcolor=INK)
    shown = set()
    for name, y in places.items():
        if rows[name]["group"] not in shown:
            shown.add(rows[name]["group"])
            at = dict(xycoords=ax.get_yaxis_transform(), xytext=(-2, 0), textcoords="offset points")
            ax.annotate(rows[name]["group"], (0, y - 0.95), **at, ha="right", va="center", fontsize=9.5,
                        fontweight="bold", color=INK, annotation_clip=False)  # fmt: skip


def _foot(table: dict) -> str:
    titles = {name: row["title"] for name, row in table["rows"].items()}
    others = [c for c in table["comparisons"] if c["against"] != REFERENCE.name]
    others = "; ".join(f"“{titles[c['name']]}” is compared with “{titles[c['against']]}”" for c in others)
    seeds = f"{table['seeds']} seed" + ("s pooled" if table["seeds"] > 1 else "")
    return (
        f"{table['note']} {table['clips']} clips of {table['people']} unseen drawn people, {seeds}, budget "
        f"{table['budget']['name']}, {table['llm']}. Intervals: bootstrap over people."
        f"{f' {others}; all else with the reference.' if others else ''}"
    )
