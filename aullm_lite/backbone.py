"""The 3D-CNN: local texture in the middle, the meaning of the whole at the end.

Order and sizes are the paper's: the stem filters each frame for itself, the body couples neighbours in time.  Nothing
is padded, so 64 pixels become 60, pooled 20, then 18, pooled 9; and 5 motion frames become 4, pooled 2.

One pair of steps stands in another order than on paper: pooling before ReLU.  Both keep the order of values, so they
commute, and ReLU then has a ninth of the work.
"""

import torch
from torch import Tensor, nn

from .distributed import BatchNorm3d
from .errors import InputError

MID, HIGH = (64, 2, 9, 9), 256  # the features of one clip: [C, T, H, W] and their summary


class SqueezeExcite(nn.Module):
    """Gate each channel by its mean, each time slice for itself.  [B, C, T, H, W] -> [B, C, T, H, W]"""

    def __init__(self, channels: int, reduction: int = 16):
        super().__init__()
        self.gate = nn.Sequential(
            nn.Linear(channels, channels // reduction, bias=False), nn.ReLU(),
            nn.Linear(channels // reduction, channels, bias=False), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        squeezed = x.mean(dim=(-2, -1)).mT  # [B, T, C]
        return x * self.gate(squeezed).mT[..., None, None]


class Backbone3D(nn.Module):
    """Motion to texture and semantic features.  [B, C, 5, 64, 64] -> [B, 64, 2, 9, 9], [B, 256]"""

    def __init__(self, in_chans: int = 1, *, drop_rate: float = 0.3):
        super().__init__()
        self.takes = (in_chans, 5, 64, 64)
        self.stem = nn.Sequential(  # -> [B, 32, 5, 20, 20]
            nn.Conv3d(in_chans, 32, (1, 5, 5)), nn.MaxPool3d((1, 3, 3)), nn.ReLU(),
            BatchNorm3d(32), nn.Dropout3d(drop_rate),
        )  # fmt: skip
        self.body = nn.Sequential(  # -> [B, 64, 2, 9, 9]
            nn.Conv3d(32, 64, (2, 3, 3)), nn.ReLU(), BatchNorm3d(64),
            SqueezeExcite(64), nn.MaxPool3d(2), nn.Dropout3d(drop_rate),
        )  # fmt: skip
        self.semantic = nn.Sequential(nn.Flatten(), nn.Linear(64 * 2 * 9 * 9, HIGH), nn.ReLU(), nn.Dropout(drop_rate))

    def forward(self, motion: Tensor) -> tuple[Tensor, Tensor]:
        if motion.shape[1:] != self.takes:
            raise InputError(f"The 3D-CNN takes motion [B, {', '.join(map(str, self.takes))}], got {[*motion.shape]}.")
        mid = self.body(self.stem(motion.contiguous(memory_format=torch.channels_last_3d)))  # twice as fast on CPUs
        return mid, self.semantic(mid)
