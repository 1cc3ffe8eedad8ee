"""Motion front ends: what moved between the onset frame and the others."""

from torch import nn

from ..config import AULLMConfig
from .eulerian import EulerianMotion
from .lucas_kanade import LucasKanadeMotion


def build_motion(config: AULLMConfig) -> nn.Module:
    """The front end that a config names: flow (`lucas_kanade`) or the paper's filter (`eulerian`)."""
    return EulerianMotion(config.frames) if config.motion == "eulerian" else LucasKanadeMotion(config.size)
