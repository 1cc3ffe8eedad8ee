"""Motion front ends: what moved between the onset frame and the others."""

from torch import nn

from .eulerian import EulerianMotion
from .lucas_kanade import LucasKanadeMotion


def build_motion(config) -> nn.Module:
    """The front end that a config names: flow (`lucas_kanade`) or the paper's filter (`eulerian`)."""
    if config.motion == "eulerian":
        return EulerianMotion(config.frames)
    return LucasKanadeMotion(config.size)
