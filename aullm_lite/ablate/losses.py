"""The loss of the withdrawn script in the form that has its gradient: to compare with, not to use.

There the focal weight multiplied the loss outside the autograd graph, so it never reached a weight of the network, and
what trained was cross-entropy with a shifted and clipped negative side.  Its sum over clips is a mean here, so that all
losses meet the same learning rate.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..losses import LOSSES as USUAL


def script(logits: Tensor, labels: Tensor, *, shift: float = 0.05) -> Tensor:
    """-[y log p + (1-y) log min(1 - p + shift, 1)], mean over clips and AUs.  [B, K], [B, K] -> []"""
    absent = (1 - torch.sigmoid(logits) + shift).clamp_max(1)
    return -(labels * F.logsigmoid(logits) + (1 - labels) * absent.log()).mean()


LOSSES = USUAL | {"script": script}
