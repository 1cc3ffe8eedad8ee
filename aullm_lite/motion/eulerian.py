"""Eulerian motion (LED): a learnable temporal band-pass of the brightness at each pixel, the paper's front end.

Learnable Eulerian Dynamics, Varanka et al., SCIA 2023: the difference of two running averages with decay rates r1 and
r2, normalised by what went into it.  With i the source frame and j the output frame, both from 0:

    j > i:  W[i, j] = alpha * ((1-r1)^(j-i) * r1^min(1, i) - (1-r2)^(j-i) * r2^min(1, i))
    j = i:  W[i, i] = alpha * (r1 - r2)              j < i:  W[i, j] = 0
    out[j] = sum_i I[i] W[i, j] / (sum_i |I[i]| |W[i, j]| + 1e-8)

Only three numbers are learnt, and alpha cancels in the ratio.  The rates live behind a sigmoid, which keeps them in
(0, 1).
"""

import torch
from torch import Tensor, nn

from ..errors import InputError


class EulerianMotion(nn.Module):
    """Band-passed brightness of every later frame, -1..1.  [B, T, H, W] -> [B, 1, T-1, H, W]"""

    channels = 1

    def __init__(self, frames: int = 6, *, alpha: float = 10.0, r1: float = 0.4, r2: float = 0.05):
        super().__init__()
        self.frames = frames
        self.log_alpha = nn.Parameter(torch.tensor(alpha).log())
        self.logit_rates = nn.Parameter(torch.tensor([r1, r2]).logit())

    def weights(self) -> Tensor:
        """The temporal filter (source, output), built anew from its three numbers.  -> [T, T]"""
        r1, r2 = torch.sigmoid(self.logit_rates)
        frame = torch.arange(self.frames, device=r1.device)
        lag = (frame - frame[:, None]).clamp_min(0)  # j - i
        first = frame[:, None].clamp_max(1)  # min(1, i): the onset frame starts both averages at full weight
        later = (1 - r1) ** lag * r1**first - (1 - r2) ** lag * r2**first
        diagonal = (r1 - r2) * torch.eye(self.frames, device=r1.device)
        return self.log_alpha.exp() * torch.where(lag > 0, later, diagonal)

    def forward(self, clips: Tensor) -> Tensor:
        if clips.shape[1] != self.frames:
            raise InputError(f"EulerianMotion is built for {self.frames} frames, got {clips.shape[1]}.")
        weights = self.weights()
        passed = torch.einsum("bihw,ij->bjhw", clips, weights)
        entered = torch.einsum("bihw,ij->bjhw", clips.abs(), weights.abs())
        return (passed / (entered + 1e-8))[:, None, 1:]  # the onset's own output says nothing of motion
