"""Motion front ends: what moved between the onset frame and the others."""

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from ..config import AULLMConfig
from ..distributed import rank
from .eulerian import EulerianMotion
from .lucas_kanade import LucasKanadeMotion


def build_motion(config: AULLMConfig) -> nn.Module:
    """The front end that a config names: flow (`lucas_kanade`) or the paper's filter (`eulerian`)."""
    return EulerianMotion(config.frames) if config.motion == "eulerian" else LucasKanadeMotion(config.size)


@torch.no_grad()
def measure_motion(motion: nn.Module, clips: np.ndarray, device: torch.device | str = "cpu") -> Tensor:
    """What a front end sees in many clips, in half precision.  uint8 [N, T, H, W] -> [N, C, T-1, H, W]"""
    size = 64 if torch.device(device).type == "cpu" else 1024  # small batches leave a GPU idle
    batches = tqdm(torch.from_numpy(clips).split(size), desc="motion", unit="batch", leave=False, disable=rank() > 0)
    return torch.cat([motion(batch.to(device).float() / 255).to("cpu", torch.float16) for batch in batches])
