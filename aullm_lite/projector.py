"""The Enhanced Fusion Projector (EFP): texture and meaning become one token in the language of the LLM."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .errors import InputError

MID, HIGH = (64, 2, 9, 9), 256  # what `Backbone3D` gives


class FusionProjector(nn.Module):
    """Fuse mid-level and high-level features into one visual token.  [B, 64, 2, 9, 9], [B, 256] -> [B, 1, E]

    `lite` pools the middle features to a 3 x 3 grid, which keeps *where* the face moved, and has about a million weights;
    `paper` takes all 10,368 values through one hidden layer as wide as half of input plus output.
    """

    def __init__(self, width: int, *, kind: str = "lite", hidden: int = 512, drop_rate: float = 0.1, token_std: float = 0.136):
        super().__init__()
        self.kind = kind
        if kind == "paper":
            joined = 64 * 2 * 9 * 9 + HIGH
            hidden = (joined + width) // 2
            self.mlp = nn.Sequential(nn.Linear(joined, hidden), nn.ReLU(), nn.Dropout(drop_rate), nn.Linear(hidden, width))
        elif kind == "lite":
            joined = 64 * 2 * 3 * 3 + HIGH
            self.mlp = nn.Sequential(
                nn.LayerNorm(joined), nn.Linear(joined, hidden), nn.GELU(), nn.Dropout(drop_rate), nn.Linear(hidden, width))
        else:
            raise InputError(f"Unknown projector {kind!r}: choose lite or paper.")
        self.start_at(token_std)

    @torch.no_grad()
    def start_at(self, token_std: float) -> None:
        """Scale the last layer so that the first tokens are as large as the words the language model knows."""
        mid, high = torch.rand(64, *MID), torch.rand(64, HIGH)
        last = self.mlp[-1]
        last.weight *= token_std / self.eval()(mid, high).std()
        last.bias.zero_()
        self.train()

    def forward(self, mid: Tensor, high: Tensor) -> Tensor:
        if mid.shape[1:] != MID or high.shape[1:] != (HIGH,):
            raise InputError(f"The projector takes features [B, 64, 2, 9, 9] and [B, 256], got {[*mid.shape]} and {[*high.shape]}.")
        if self.kind == "lite":
            mid = F.adaptive_avg_pool3d(mid, (2, 3, 3))
        return self.mlp(torch.cat([mid.flatten(1), high], dim=1))[:, None]
