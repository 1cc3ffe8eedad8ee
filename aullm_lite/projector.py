"""The Enhanced Fusion Projector (EFP): texture and meaning become one token in the language of the LLM."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .backbone import HIGH, MID
from .errors import InputError


class FusionProjector(nn.Module):
    """Fuse texture and semantic features into one visual token.  [B, 64, 2, 9, 9], [B, 256] -> [B, 1, E]

    `lite` pools the texture to a 3 x 3 grid, which keeps *where* the face moved, and has about a million weights;
    `paper` takes all 10,368 values through one hidden layer as wide as half of input plus output.
    The first tokens have the standard deviation `token_std`, that of the language model's own embeddings.
    """

    def __init__(self, width: int, *, kind: str = "lite", drop_rate: float = 0.1, token_std: float = 0.136):
        super().__init__()
        self.grid = {"lite": (2, 3, 3), "paper": MID[1:]}.get(kind)
        if self.grid is None:
            raise InputError(f"Unknown projector {kind!r}: choose lite or paper.")
        joined = MID[0] * math.prod(self.grid) + HIGH
        if kind == "paper":
            hidden = (joined + width) // 2
            self.mlp = nn.Sequential(
                nn.Linear(joined, hidden), nn.ReLU(), nn.Dropout(drop_rate), nn.Linear(hidden, width)
            )
        else:
            hidden = 512
            self.mlp = nn.Sequential(
                nn.LayerNorm(joined),
                nn.Linear(joined, hidden),
                nn.GELU(),
                nn.Dropout(drop_rate),
                nn.Linear(hidden, width),
            )
        self.start_at(token_std)

    @torch.no_grad()
    def start_at(self, token_std: float) -> None:
        """Scale the last layer so that the first tokens are as large as the words the language model knows."""
        last = self.mlp[-1]
        last.bias.zero_()
        tokens = self.eval()(torch.rand(64, *MID), torch.rand(64, HIGH))
        last.weight *= token_std / tokens.std()
        self.train()

    def forward(self, mid: Tensor, high: Tensor) -> Tensor:
        if mid.shape[1:] != MID or high.shape[1:] != (HIGH,):
            got = f"{[*mid.shape]} and {[*high.shape]}"
            raise InputError(f"The projector takes features [B, 64, 2, 9, 9] and [B, 256], got {got}.")
        pooled = F.adaptive_avg_pool3d(mid, self.grid)  # all of it in `paper`, where the grid is the whole map
        return self.mlp(torch.cat([pooled.flatten(1), high], dim=1))[:, None]
