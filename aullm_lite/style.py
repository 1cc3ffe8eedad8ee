"""The one style of all figures: few colours that stay apart for any colour vision, no frames, dark ink."""

from matplotlib import rcParams
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.rcsetup import cycler

INK, FAINT, LINE = "#1f2933", "#5c6b7a", "#d5dce3"
PRESENT, UNSURE, ABSENT = "#007a5e", "#c77700", "#9aa7b4"
BLUE, PURPLE = "#3b6fb6", "#9b4d96"
PALETTE = (PRESENT, UNSURE, BLUE, PURPLE, FAINT)
SIGNED = LinearSegmentedColormap.from_list("signed", [BLUE, "#f7f7f7", UNSURE])  # for a scale around 0


def use_style() -> None:
    """Set matplotlib's defaults for all figures that follow."""
    rcParams.update(
        {
            "axes.prop_cycle": cycler(color=PALETTE),
            "axes.edgecolor": LINE,
            "axes.labelcolor": INK,
            "axes.titlelocation": "left",
            "axes.titleweight": "bold",
            "axes.titlesize": 11,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "text.color": INK,
            "xtick.color": FAINT,
            "ytick.color": FAINT,
            "font.size": 10,
            "figure.facecolor": "white",
            "figure.constrained_layout.use": True,
            "legend.frameon": False,
            "grid.color": LINE,
        }
    )
