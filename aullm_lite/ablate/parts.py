"""Parts that take the place of a part of an `AULLM`: other front ends, other projectors, other readers of the token."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..backbone import HIGH, MID
from ..motion import LucasKanadeMotion
from ..motion.eulerian import EulerianMotion
from ..projector import FusionProjector

SIZE = 0.2  # root mean square of the flow of training clips, pixels


# --- motion: [B, T, H, W] -> [B, C, T-1, H, W] ---


class FrameDifference(nn.Module):
    """How much brighter is each pixel than in the onset frame?  [B, T, H, W] -> [B, 1, T-1, H, W]"""

    channels = 1

    def forward(self, clips: Tensor) -> Tensor:
        return (clips[:, 1:] - clips[:, :1])[:, None]


class Scaled(nn.Module):
    """A front end whose values are as large as the flow's, so that none of them starves the first layer.

    `sample` are clips to measure its own size on.  [B, T, H, W] -> [B, C, T-1, H, W]
    """

    def __init__(self, inner: nn.Module, sample: Tensor):
        super().__init__()
        self.inner, self.channels = inner, inner.channels
        with torch.no_grad():
            self.gain = SIZE / inner(sample).square().mean().sqrt().clamp_min(1e-6).item()

    def forward(self, clips: Tensor) -> Tensor:
        return self.inner(clips) * self.gain


class Both(nn.Module):
    """Flow and brightness side by side.  [B, T, H, W] -> [B, 3, T-1, H, W]"""

    channels = 3

    def __init__(self, sample: Tensor):
        super().__init__()
        self.flow, self.led = LucasKanadeMotion(), Scaled(EulerianMotion(), sample)

    def forward(self, clips: Tensor) -> Tensor:
        return torch.cat([self.flow(clips), self.led(clips)], dim=1)


def front_end(name: str, sample: Tensor) -> nn.Module:
    """A front end by name; only `led-learned` has anything to learn.  str, [B, T, H, W] -> module"""
    made = {
        "flow": LucasKanadeMotion,
        "difference": lambda: Scaled(FrameDifference(), sample),
        "led": lambda: Scaled(EulerianMotion(), sample),
        "led-learned": lambda: Scaled(EulerianMotion(), sample),
        "both": lambda: Both(sample),
    }[name]()
    return made.requires_grad_(name == "led-learned")


# --- fusion: [B, 64, 2, 9, 9], [B, 256] -> [B, 1, E] ---


class PartialProjector(nn.Module):
    """The `lite` projector on the texture (mid) or the summary (high) alone, or on both without a hidden layer."""

    grid, start_at = (2, 3, 3), FusionProjector.start_at

    def __init__(self, width: int, *, mid: bool, high: bool, hidden: bool, drop_rate: float, token_std: float):
        super().__init__()
        self.mid, self.high = mid, high
        joined = mid * MID[0] * math.prod(self.grid) + high * HIGH
        inner = (nn.Linear(joined, 512), nn.GELU(), nn.Dropout(drop_rate)) if hidden else ()
        self.mlp = nn.Sequential(nn.LayerNorm(joined), *inner, nn.Linear(512 if hidden else joined, width))
        self.start_at(token_std)

    def forward(self, mid: Tensor, high: Tensor) -> Tensor:
        pooled = F.adaptive_avg_pool3d(mid, self.grid).flatten(1)
        return self.mlp(torch.cat([pooled] * self.mid + [high] * self.high, dim=1))[:, None]


def projector(name: str, width: int, **options) -> nn.Module:
    """A projector by name."""
    partial = {
        "mid": dict(mid=True, high=False, hidden=True),
        "high": dict(mid=False, high=True, hidden=True),
        "concat": dict(mid=True, high=True, hidden=False),
    }
    if name in partial:
        return PartialProjector(width, **partial[name], **options)
    return FusionProjector(width, kind=name, **options)


# --- who reads the token: [B, 1, E] -> [B, E] ---


class ControlReader(nn.Module):
    """No language model: a residual MLP with about as many weights as LoRA has, which begins as the identity.

    The layer norm has no weights; it brings the token, small as a word, to a size at which a GELU bends.
    """

    def __init__(self, width: int, weights: int, dropout: float = 0.1):
        super().__init__()
        hidden = max(1, round((weights - width) / (2 * width + 1)))
        self.mlp = nn.Sequential(
            nn.LayerNorm(width, elementwise_affine=False),
            nn.Linear(width, hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, width),
        )
        nn.init.zeros_(self.mlp[-1].weight)
        nn.init.zeros_(self.mlp[-1].bias)

    def forward(self, visual_token: Tensor) -> Tensor:
        token = visual_token.squeeze(1)
        return token + self.mlp(token)


class TokenAlone(nn.Module):
    """A language model that reads the visual token and nothing else.  [B, 1, E] -> [B, E]"""

    def __init__(self, language: nn.Module):
        super().__init__()
        self.language = language
        language.prompt_ids = language.prompt_ids[:, :0]

    def forward(self, visual_token: Tensor) -> Tensor:
        return self.language(visual_token, naive=True)  # there is no prompt to share


class TokenFirst(nn.Module):
    """A language model that reads [token | prompt]; the answer stands at the last word.  [B, 1, E] -> [B, E]

    Nothing before the token is shared, so every clip pays for the whole prompt.
    """

    def __init__(self, language: nn.Module):
        super().__init__()
        self.language = language

    def forward(self, visual_token: Tensor) -> Tensor:
        prompt = self.language.lm.get_input_embeddings()(self.language.prompt_ids)
        row = torch.cat([visual_token, prompt.expand(len(visual_token), -1, -1)], dim=1)
        return self.language.body(inputs_embeds=row, use_cache=False).last_hidden_state[:, -1]


@torch.no_grad()
def forget(language: nn.Module) -> None:
    """Give the base of a language model random weights, as it had before it read anything; LoRA stays."""
    spread = getattr(language.lm.config, "initializer_range", 0.02)
    for name, weight in language.lm.named_parameters():
        if "lora_" in name:
            continue
        if weight.ndim > 1:
            weight.normal_(0, spread)
        else:
            weight.fill_(0.0 if name.endswith("bias") else 1.0)  # norms scale by 1
