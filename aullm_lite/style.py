"""The few colours of all figures, and the style of those in the notebooks: no frames, dark ink."""

from matplotlib import rcParams
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.rcsetup import cycler

INK, FAINT, LINE = "#1f2933", "#5c6b7a", "#d5dce3"
PRESENT, UNSURE, ABSENT = "#007a5e", "#c77700", "#9aa7b4"
FOR, AGAINST = "#f07d00", "#7048b6"
SIGNED = LinearSegmentedColormap.from_list("signed", [AGAINST, "white", FOR])  # for a scale around 0
PALETTE = (PRESENT, UNSURE, "#56a5dc", AGAINST, FAINT)


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
