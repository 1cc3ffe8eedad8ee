"""Pictures of attributions: plain `Figure` objects, safe in threads and servers.

Orange speaks for the AU, violet against it, on one scale for all frames of a clip; both stay apart for people with any
colour vision, and bars carry their sign by direction too.
"""

import textwrap

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_rgb
from matplotlib.figure import Figure
from scipy.ndimage import gaussian_filter

from ..facs import ZONES, action_unit, zone_map
from ..style import AGAINST, FAINT, FOR, INK, LINE, SIGNED
from .attribution import PHASES, Attribution
from .grades import TITLES

SHOWN_PX, SMOOTH = 256, 1.0  # pixels of a picture; of the Gaussian that smooths a map before it is drawn
BOLD = dict(loc="left", fontsize=11, fontweight="bold", color=INK)


def why_figure(made: Attribution, clip: np.ndarray, *, face=None, times=None, grade="", verdict="") -> Figure:
    """One sheet: the face with what speaks for and against the AU, the frames, the zones, and how far to trust it.

    `clip` is [T, H, W], `face` an aligned colour picture [S, S, 3] (else the first frame), `times` [T] in seconds,
    `verdict` what the model says of the AU.  An attribution without a map gives bars of its parts.
    """
    if made.map is None:
        return parts_figure(made, verdict)
    figure = Figure(figsize=(12, 8.2), layout="constrained", facecolor="white")
    figure.get_layout_engine().set(rect=(0.015, 0.01, 0.97, 0.93), hspace=0.05, wspace=0.04)
    top, strip, foot = figure.subfigures(3, 1, height_ratios=[4.4, 2.1, 0.5])
    place, bars = top.subplots(1, 2, width_ratios=[1, 1.15])
    draw_place(place, made, clip[0] if face is None else face)
    draw_zones(bars, made)
    draw_strip(strip, made, clip, times)
    figure.suptitle(
        _title(made, verdict), x=0.02, y=0.985, ha="left", va="top", fontsize=15, fontweight="bold", color=INK
    )
    words = f"{made.text()} {grade}".strip()
    foot.text(0.01, 0.5, textwrap.fill(words, 165), va="center", fontsize=9, color=FAINT, linespacing=1.5)
    return figure


def strip_figure(made: Attribution, clip: np.ndarray, times=None) -> Figure:
    """The frames in a row, each under its part of the map.  Attribution, [T, H, W]"""
    figure = Figure(figsize=(11, 2.6), layout="constrained", facecolor="white")
    draw_strip(figure, made, clip, times)
    return figure


def zones_figure(made: Attribution) -> Figure:
    """What each zone of the face got, in both phases."""
    figure = Figure(figsize=(8, 4.4), layout="constrained", facecolor="white")
    draw_zones(figure.subplots(), made)
    return figure


def parts_figure(made: Attribution, verdict: str = "") -> Figure:
    """Bars of named parts: features, or words of the prompt and the visual token."""
    figure = Figure(figsize=(9, 1.7 + 0.3 * len(made.parts)), layout="constrained", facecolor="white")
    figure.get_layout_engine().set(w_pad=0.15, h_pad=0.12)
    figure.supxlabel(textwrap.fill(made.text(), 110), x=0.02, ha="left", fontsize=9, color=FAINT)
    ax = figure.subplots()
    values = [*made.parts.values()]
    ax.barh(range(len(values)), values, height=0.6, color=[FOR if value > 0 else AGAINST for value in values])
    _bars(ax, [*made.parts], unit_of(made))
    ax.set_title(_title(made, verdict), **BOLD)
    return figure


def place(made: Attribution, face: np.ndarray) -> np.ndarray:
    """What speaks for and against the AU, added over the frames, on the face.  -> uint8 [P, P, 3]"""
    total = made.map.sum(0)
    return overlay(face, total, float(np.abs(smooth(total)).max()), made.au)


def draw_place(ax: Axes, made: Attribution, face: np.ndarray) -> None:
    """Where on the face something speaks for or against the AU, and the outlines of the zones, its own in bold."""
    _show(ax, place(made, face))
    ax.set_title("Where", **BOLD)


def draw_strip(figure, made: Attribution, clip: np.ndarray, times=None) -> None:
    """Each frame under its part of the map, all on one scale, with a legend."""
    axes, scale = figure.subplots(1, len(clip), squeeze=False)[0], scale_of(made)
    for t, (ax, frame) in enumerate(zip(axes, clip)):
        _show(ax, overlay(frame, made.map[t], scale))
        when = f"{times[t]:.2f} s" if times is not None else f"frame {t + 1}"
        marks = {0: ", first", made.apex: ", apex"}
        ax.set_title(when + marks.get(t, ""), loc="left", fontsize=9, color=INK)
    bar = figure.colorbar(ScalarMappable(Normalize(-1, 1), SIGNED), ax=axes.tolist(), shrink=0.75, pad=0.01)
    bar.set_ticks([-1, 0, 1], labels=[f"against AU{made.au}", "nothing", f"for AU{made.au}"])
    bar.ax.set_ylim(-1 if made.signed else 0, 1)
    bar.ax.tick_params(length=0, labelsize=9, labelcolor=INK)
    bar.outline.set_visible(False)


def draw_zones(ax: Axes, made: Attribution) -> None:
    """A pair of bars for each zone, one for each phase; beside its name the AUs and the muscles that pull there."""
    for row, values in enumerate(made.zones.values()):
        for value, shift, hatch in zip(values, (-0.19, 0.19), ("", "////")):
            look = dict(color=FOR if value > 0 else AGAINST, hatch=hatch, edgecolor="white", lw=0)
            ax.barh(row + shift, value, height=0.36, **look)
    _bars(ax, [_named(zone, aus) for zone, aus in ZONES.items()], unit_of(made))
    for label, aus in zip(ax.get_yticklabels(), ZONES.values()):
        label.set_fontweight("bold" if made.au in aus else "normal")
    for phase, hatch in zip(PHASES, ("", "////")):
        ax.barh(0, 0, color=FAINT, hatch=hatch, edgecolor="white", lw=0, label=phase)
    ax.legend(frameon=False, fontsize=9, labelcolor=FAINT, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    ax.set_title("Which zones", **BOLD, x=-0.9)  # over the names: the legend stands over the bars


def _named(zone: str, aus: tuple[int, ...]) -> str:
    """The zone, and who pulls there: "lip corners\nAU12 zygomaticus major, AU14 buccinator"."""
    pulls = [f"AU{au} {action_unit(au).muscle.split(',')[0].removeprefix('the ')}" for au in aus]
    return f"{zone}\n{textwrap.shorten(', '.join(pulls), 64, placeholder=' ...')}" if pulls else zone


def unit_of(made: Attribution) -> str:
    """What the numbers of zones and parts are: shares of the logit only where the method promises a sum."""
    what = "relative strength" if made.delta is None else "added to the logit"
    return f"{what}: against, left, or for, right" if made.signed else what


def _bars(ax: Axes, names: list[str], unit: str) -> None:
    count = len(names)
    ax.axvline(0, color=INK, lw=0.8)
    ax.set_yticks(range(count), names)
    ax.set_ylim(count - 0.5, -0.5)
    ax.tick_params(length=0, labelsize=9, labelcolor=INK)
    ax.tick_params(axis="x", labelcolor=FAINT)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.spines["bottom"].set_color(LINE)
    ax.set_xlabel(unit, fontsize=9, color=FAINT)


def overlay(face: np.ndarray, values: np.ndarray, scale: float, au: int | None = None) -> np.ndarray:
    """A map over a face: the more it says, the less of the face shines through.  [S, S(, 3)], [H, W] -> uint8 [P, P, 3]

    With an AU the outlines of the zones are drawn too, its own in bold.  The map is smoothed by `SMOOTH` pixels.
    """
    wide = cv2.resize(np.asarray(face, np.float32) / (255 if face.dtype == np.uint8 else 1), (SHOWN_PX, SHOWN_PX))
    wide = wide if wide.ndim == 3 else np.repeat(wide[..., None], 3, -1)
    share = np.clip(cv2.resize(smooth(values), (SHOWN_PX, SHOWN_PX)) / scale, -1, 1)
    opaque = 0.9 * np.abs(share)[..., None] ** 0.7
    ink = np.where(share[..., None] > 0, to_rgb(FOR), to_rgb(AGAINST))
    picture = wide * (1 - opaque) + ink * opaque
    for n, aus in enumerate(ZONES.values() if au is not None else ()):
        rim = cv2.morphologyEx(
            (zone_map(SHOWN_PX) == n).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)
        )
        rim = cv2.dilate(rim, np.ones((2, 2), np.uint8)) if au in aus else rim
        visible = (0.9 if au in aus else 0.3) * rim[..., None] * bool(aus)
        picture = picture * (1 - visible) + visible
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)


def smooth(values: np.ndarray) -> np.ndarray:
    """What pictures show: lone pixels tell the eye nothing.  [..., H, W] -> [..., H, W]"""
    return gaussian_filter(np.asarray(values, np.float32), [0] * (values.ndim - 2) + [SMOOTH, SMOOTH])


def scale_of(made: Attribution) -> float:
    """One scale for all frames of a clip."""
    return float(np.abs(smooth(made.map)).max())


def _show(ax: Axes, picture: np.ndarray) -> None:
    ax.imshow(picture)
    ax.set_axis_off()


def _title(made: Attribution, verdict: str) -> str:
    return f"Why {action_unit(made.au)}?{verdict and f'  ({verdict})'}"


SHOWN = ("energy_in_mask", "pointing", "pixel_ap", "temporal", "specificity")


def grades_figure(table: dict) -> Figure:
    """Every method and control in five grades, with 95 % intervals; controls below a line."""
    rows = table["methods"] | table["controls"]
    figure = Figure(figsize=(13, 1.6 + 0.3 * len(rows)), layout="constrained", facecolor="white")
    axes = figure.subplots(1, len(SHOWN), sharey=True)
    best_control = {key: max(_value(row, key) for row in table["controls"].values()) for key in SHOWN}
    for ax, key in zip(axes, SHOWN):
        for y, (name, row) in enumerate(rows.items()):
            _grade(ax, y, row[key], FOR if name in table["methods"] else FAINT)
        ax.axvline(best_control[key], color=FAINT, lw=1, ls=(0, (4, 3)), zorder=0)
        ax.axhline(len(table["methods"]) - 0.5, color=LINE, lw=1)
        ax.set(xlim=(-0.02, 1.02), ylim=(len(rows) - 0.4, -0.6))
        ax.set_title(TITLES[key], loc="left", fontsize=10, fontweight="bold", color=INK)
        ax.tick_params(length=0, labelsize=9, labelcolor=INK)
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.spines["bottom"].set_color(LINE)
    axes[0].set_yticks(range(len(rows)), list(rows))
    key = f"Dashed: the best control. Grey: controls. Bars: 95 % intervals over {table['subjects']} people."
    figure.supxlabel(f"{table['note']} {key}", fontsize=8.5, color=FAINT)
    return figure


def _value(row: dict, key: str) -> float:
    return row[key][0] if row[key] else 0.0


def _grade(ax: Axes, y: int, grade: list | None, colour: str) -> None:
    if grade is None:
        return
    mean, low, high = grade
    if low is not None:
        ax.plot([low, high], [y, y], color=colour, lw=2.2, solid_capstyle="butt")
    ax.plot(mean, y, "o", color=colour, ms=5)
