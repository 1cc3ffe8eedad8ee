"""A shallow CNN on the flow from onset to apex, after SSSNet (Varanka et al., TAFFC 2024).

Two convolutions and one hidden layer on u, v and strain at 64 pixels: about the least that can be called deep, and one
of the two strongest of the published rows on CD6ME.
"""

import numpy as np
import torch
from torch import Tensor, nn

from .. import metrics
from ..clips import ClipSet
from ..errors import InputError
from ..losses import bce

EPOCHS, BATCH, LR, WEIGHT_DECAY = 60, 32, 1e-3, 1e-3


class ShallowFlowCNN(nn.Module):
    """Flow and strain to one logit per AU.  [B, 3, 64, 64] -> [B, K]"""

    def __init__(self, aus: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 32, 5), nn.ReLU(), nn.BatchNorm2d(32), nn.MaxPool2d(3), nn.Dropout2d(0.2),  # -> 20 x 20
            nn.Conv2d(32, 64, 3), nn.ReLU(), nn.BatchNorm2d(64), nn.MaxPool2d(2), nn.Dropout2d(0.2),  # -> 9 x 9
            nn.Flatten(), nn.Linear(64 * 9 * 9, 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, aus),
        )  # fmt: skip

    def forward(self, flow: Tensor) -> Tensor:
        return self.layers(flow)


def fit_sssnet(train: ClipSet, inner: ClipSet, seed: int):
    """Train the shallow CNN; the epoch is the one with the best average precision on inner people.

    Raises `InputError` where training goes astray.
    """
    torch.manual_seed(seed)
    model = ShallowFlowCNN(train.labels.shape[1])
    optimizer = torch.optim.Adam(model.parameters(), lr=LR, weight_decay=WEIGHT_DECAY)
    flow, labels = torch.from_numpy(train.flow), torch.from_numpy(train.labels)
    best, kept, shown = -1.0, None, inner.labels.any(0)
    for _ in range(EPOCHS):
        _train_epoch(model, optimizer, flow, labels)
        precision = metrics.average_precision(inner.labels, _logits(model, inner))[shown].sum()
        if precision > best or not shown.any():  # without an AU to choose by, the last epoch
            best, kept = precision, {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(kept)
    return lambda data: _logits(model, data)


def _train_epoch(model: nn.Module, optimizer, flow: Tensor, labels: Tensor) -> None:
    model.train()
    for rows in torch.randperm(len(flow)).split(BATCH):
        if len(rows) > 1:  # batch statistics need two
            optimizer.zero_grad()
            bce(model(flow[rows]), labels[rows]).backward()
            optimizer.step()


@torch.no_grad()
def _logits(model: nn.Module, data: ClipSet) -> np.ndarray:
    logits = model.eval()(torch.from_numpy(data.flow)).numpy()
    if not np.isfinite(logits).all():
        raise InputError("The CNN on optical flow gave an answer that is not a number: leave sssnet out of --model.")
    return logits
