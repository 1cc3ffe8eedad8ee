"""How to train: the settings, who is held back for validation, the learning rate, and the one augmentation."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .errors import InputError


@dataclass(frozen=True)
class TrainConfig:
    """How to train.  `epochs` counts those with the language model, `warmup` those before, without it."""

    epochs: int = 4
    warmup: int = 4
    batch_size: int = 128
    lr: float = 2e-3  # peak, of the visual part and the heads
    lr_lora: float = 5e-4
    weight_decay: float = 0.01
    auxiliary: float = 0.3  # weight of the helper's loss beside the main one
    loss: str = "asl"  # ahead of bce on inner subjects: `.github/compare_losses.py`
    inner_share: float = 0.1  # of the subjects, to choose epoch, thresholds and calibration
    seed: int = 0
    mixed_precision: str = "no"  # or "bf16"
    spoken: int = 0  # clips of each batch whose truth is also put into words; needs generated clips and an LLM
    word_rate: float = 0.3  # weight of the loss of these words beside the main one

    def __post_init__(self):
        if self.spoken < 0 or self.word_rate <= 0:
            got = f"{self.spoken} and {self.word_rate}"
            raise InputError(f"spoken must be at least 0 and word_rate more than 0, got {got}.")
        if self.epochs < 1 or self.warmup < 0 or self.batch_size < 1 or self.seed < 0 or not 0 < self.inner_share < 1:
            raise InputError(
                "Training needs epochs and a batch size of at least 1, a warm-up and a seed of at least 0, and an "
                f"inner share between 0 and 1, got {self.epochs}, {self.batch_size}, {self.warmup}, {self.seed} and "
                f"{self.inner_share}."
            )


def split_inner(subjects: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Which clips are of inner subjects: no person stands on both sides.  [N] -> bool [N]"""
    people = np.unique(subjects)
    if len(people) < 2:
        raise InputError(f"Training needs at least 2 subjects (one to validate on), got {len(people)}.")
    chosen = np.random.default_rng(seed).permutation(people)[: max(1, round(share * len(people)))]
    return np.isin(subjects, chosen)


def one_cycle(progress: float) -> float:
    """Share of the peak learning rate: up over the first fifth, then down along a cosine.  0..1 -> 0..1"""
    rise = 0.2
    return progress / rise if progress < rise else 0.5 + 0.5 * float(np.cos(np.pi * (progress - rise) / (1 - rise)))


def mirror(motion: Tensor, flip: Tensor) -> Tensor:
    """Mirror some clips: columns swap, and x of a flow (channel 0) changes its sign.  [B, C, T, H, W], [B] -> same"""
    sign = torch.ones(motion.shape[1], device=motion.device)
    sign[0] = -1 if len(sign) > 1 else 1
    return torch.where(flip.view(-1, 1, 1, 1, 1), motion.flip(-1) * sign.view(1, -1, 1, 1, 1), motion)
