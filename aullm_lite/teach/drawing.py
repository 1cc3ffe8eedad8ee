"""Three pictures that several notebooks need: rows of frames, rows of signed maps, arrows of a flow."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..style import PRESENT, SIGNED
from .showing import show

SIDE = 1.75  # inches of one picture in a row


def frames(clip, titles: Sequence[str] = (), *, alt: str) -> None:
    """Show grey or coloured frames side by side, values 0..1.  [T, H, W] or [T, H, W, 3]"""
    figure, axes = _row(len(clip), titles)
    for ax, image in zip(axes, np.asarray(clip)):
        ax.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    show(figure, alt)


def maps(values, titles: Sequence[str] = (), *, alt: str, unit: str = "", limit: float | None = None) -> None:
    """Show maps side by side in one colour scale around zero, violet below and orange above.  N of [H, W]

    `limit` is where the colours end; without it the largest size in any of the maps.
    """
    values = [np.asarray(some) for some in values]
    limit = limit or max(float(np.abs(some).max()) for some in values) or 1.0
    figure, axes = _row(len(values), titles)
    for ax, image in zip(axes, values):
        drawn = ax.imshow(image, cmap=SIGNED, vmin=-limit, vmax=limit, interpolation="nearest")
    figure.colorbar(drawn, ax=axes, label=unit, shrink=0.8, fraction=0.03)
    show(figure, alt)


def arrows(image, flows, titles: Sequence[str] = (), *, alt: str, every: int = 4, longer: float = 4.0) -> None:
    """Show flows as arrows on a frame, drawn `longer` times than they are.  [H, W], [N, 2, H, W] in pixels"""
    flows = np.asarray(flows)
    figure, axes = _row(len(flows), titles, SIDE * 1.5)
    for ax, flow in zip(axes, flows):
        draw_arrows(ax, np.asarray(image), flow, every, longer)
    show(figure, alt)


def draw_arrows(ax: Axes, image: np.ndarray, flow: np.ndarray, every: int, longer: float) -> None:
    """One flow on a paled frame.  [H, W], [2, H, W]"""
    ax.imshow(image * 0.6 + 0.4, cmap="gray", vmin=0, vmax=1)
    rows, columns = np.mgrid[every // 2 : image.shape[0] : every, every // 2 : image.shape[1] : every]
    dx, dy = flow[:, rows, columns] * longer
    ax.quiver(columns, rows, dx, dy, color=PRESENT, angles="xy", scale_units="xy", scale=1, width=0.008)


def _row(count: int, titles: Sequence[str], side: float = SIDE) -> tuple[Figure, np.ndarray]:
    figure = Figure(figsize=(side * count + 0.6, side + 0.3), layout="constrained")
    axes = figure.subplots(1, count, squeeze=False)[0]
    for n, ax in enumerate(axes):
        ax.set_axis_off()
        if n < len(titles):
            ax.set_title(titles[n], fontsize=10, loc="center", fontweight="normal")
    return figure, axes
