"""Two losses for many-label detection: plain cross-entropy and the published asymmetric loss."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .errors import InputError


def bce(logits: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy, mean over clips and AUs.  [B, K], [B, K] -> []"""
    return F.binary_cross_entropy_with_logits(logits, labels)


def asl(logits: Tensor, labels: Tensor, *, focus: float = 4.0, shift: float = 0.05) -> Tensor:
    """Asymmetric loss: easy negatives count less, the easiest not at all.  [B, K], [B, K] -> []

    Ridnik et al. 2021, with the positive focus at 0: -y log p - (1-y) q^focus log(1-q), q = max(p - shift, 0).
    """
    p = torch.sigmoid(logits)
    q = (p - shift).clamp_min(0)
    negative = (1 - labels) * q**focus * torch.log((1 - q).clamp_min(1e-8))
    return -(labels * F.logsigmoid(logits) + negative).mean()


LOSSES = {"bce": bce, "asl": asl}


def loss_function(name: str):
    """The loss of a name, or a sentence that lists the names."""
    if name not in LOSSES:
        raise InputError(f"Unknown loss {name!r}: choose one of {', '.join(LOSSES)}.")
    return LOSSES[name]
