"""The 3D-CNN: local texture in the middle, the meaning of the whole at the end."""

import torch
from torch import Tensor, nn


class SqueezeExcite(nn.Module):
    """Gate each channel by its mean, each time slice for itself.  [B, C, T, H, W] -> [B, C, T, H, W]"""

    def __init__(self, channels: int, reduction: int = 16):
        super().__init__()
        self.gate = nn.Sequential(
            nn.Linear(channels, channels // reduction, bias=False), nn.ReLU(),
            nn.Linear(channels // reduction, channels, bias=False), nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        squeezed = x.mean(dim=(-2, -1)).mT  # [B, T, C]
        return x * self.gate(squeezed).mT[..., None, None]


class Backbone3D(nn.Module):
    """Motion to mid-level (texture) and high-level (semantic) features.  [B, C, 5, 64, 64] -> [B, 64, 2, 9, 9], [B, 256]"""

    def __init__(self, in_chans: int = 1, *, drop_rate: float = 0.3):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv3d(in_chans, 32, (1, 5, 5)), nn.ReLU(), nn.MaxPool3d((1, 3, 3)), nn.BatchNorm3d(32), nn.Dropout3d(drop_rate))
        self.body = nn.Sequential(
            nn.Conv3d(32, 64, (2, 3, 3)), nn.ReLU(), nn.BatchNorm3d(64), SqueezeExcite(64), nn.MaxPool3d(2), nn.Dropout3d(drop_rate))
        self.semantic = nn.Sequential(nn.Flatten(), nn.Linear(10368, 256), nn.ReLU(), nn.Dropout(drop_rate))

    def forward(self, motion: Tensor) -> tuple[Tensor, Tensor]:
        mid = self.body(self.stem(motion))
        return mid, self.semantic(mid)
