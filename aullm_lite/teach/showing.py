"""Figures with words for those who do not see them, and sliders where they can be had."""

import importlib.util
import io
import os
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure


def show(figure: Figure, alt: str, colours: int = 256, dpi: int = 100) -> None:
    """Display a figure as a small PNG that a screen reader can name.  `alt` says in words what it shows."""
    from IPython.display import Image as Picture
    from IPython.display import display
    from PIL import Image

    if not alt.strip():
        raise ValueError("A picture needs an `alt` text for readers who do not see it.")
    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=dpi, bbox_inches="tight")
    few = dict(method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)  # rare colours, such as small spots, stay
    Image.open(drawn).convert("RGB").quantize(colours, **few).save(small, "PNG", optimize=True)
    plt.close(figure)  # or Jupyter would show it once more
    display(Picture(data=small.getvalue(), metadata={"alt": alt}))  # Colab's older Image has no `alt`


def play(draw: Callable, **sliders: Any) -> None:
    """Sliders that call `draw`, where ipywidgets 7 or 8 is there; elsewhere one line, and the figure above stands."""
    if os.environ.get("AULLM_NO_WIDGETS") == "1" or importlib.util.find_spec("ipywidgets") is None:
        print("Sliders show up here in Jupyter; the figure above holds the whole lesson without them.")
        return
    from ipywidgets import interact

    interact(draw, **sliders)
