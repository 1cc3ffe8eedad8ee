"""The stages as one picture: how long each takes, and how short it could be on this machine."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..style import FAINT, INK, LINE, PRESENT, UNSURE
from .text import STAGES


def stage_figure(figures: dict) -> Figure:
    """A panel for each batch size in fp32: a bar for the time of each stage, a mark for its floor."""
    table, machine = figures["stages"][0], figures["machine"]
    batches = sorted({row["batch"] for row in table["rows"]})
    figure = Figure(figsize=(11, 3.4), layout="constrained", facecolor="white")
    for ax, batch in zip(figure.subplots(1, len(batches), sharey=True, squeeze=False)[0], batches):
        _draw(ax, {row["stage"]: row for row in table["rows"] if row["batch"] == batch})
        ax.set_title("one clip" if batch == 1 else f"{batch} clips at once", loc="left", fontsize=11, color=INK)
    figure.suptitle("From six frames to twelve decisions: time and floor", x=0.01, ha="left", fontsize=13,
                    fontweight="bold", color=INK)  # fmt: skip
    figure.supxlabel(
        f"milliseconds; {machine['device']}, {machine['threads']} threads, {table['dtype']}. The floor is what the "
        f"same arithmetic ({table['gflop_a_second']:.0f} GFLOP/s) or memory traffic "
        f"({table['gb_a_second']:.0f} GB/s) takes at best on this machine.",
        fontsize=8.5,
        color=FAINT,
    )
    return figure


def _draw(ax: Axes, rows: dict[str, dict]) -> None:
    for at, stage in enumerate(STAGES):
        ms, floor = rows[stage]["ms"], rows[stage]["floor_ms"]
        ax.barh(at, ms, height=0.62, color=PRESENT)
        ax.plot([floor, floor], [at - 0.36, at + 0.36], color=UNSURE, linewidth=2.5)
        ax.text(ms, at, f" {ms:.3g}", va="center", fontsize=8.5, color=INK)
    ax.set_yticks(range(len(STAGES)), STAGES, color=INK)
    ax.set_ylim(len(STAGES) - 0.5, -0.5)
    ax.set_xlim(0, 1.18 * max(row["ms"] for row in rows.values()))
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_color(LINE)
    ax.tick_params(length=0, colors=FAINT, labelsize=9)
