"""Does a map tell what the model does?  Checks that need no truth: take away what the map names, and look.

Things are taken away from the motion field, where that leaves no edges which the front end would see as movement.
Deletion and insertion: Petsiuk et al. 2018.  Infidelity and max-sensitivity: Yeh et al. 2019.
"""

import numpy as np
import torch
import torch.nn.functional as F
from captum.metrics import sensitivity_max
from torch import Tensor

from ..motion.lucas_kanade import blur, gaussian_matrix
from .decision import Decision, seeded

CELL = 4  # pixels of one frame, for deletion and insertion
LEVELS = 11  # of a curve, from nothing taken away to all
SMEAR = 6.0  # pixels, of the Gaussian that smears movement out
REMOVALS, BLOCK, KEPT = 32, 8, 0.5  # of infidelity: how many, pixels of a block, what share of the blocks stays
NOISE = 0.005  # grey values, about that of a camera


def fills(decision: Decision) -> dict[str, Tensor]:
    """What stands where movement is taken away: none, or the same smeared over the neighbourhood."""
    smear = gaussian_matrix(decision.motion.shape[-1], SMEAR).to(decision.motion)
    return {"still": decision.still_motion, "smear": blur(decision.motion, smear)}


def order_of(made: np.ndarray, seed: int = 0) -> Tensor:
    """Rank of each cell, 0 for what speaks most for the AU; equals in random order.  [T, H, W] -> [T-1, H, W], 0..1"""
    cells = F.avg_pool2d(torch.from_numpy(made[1:].astype(np.float64)), CELL)
    chance = torch.rand(cells.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    keys = np.lexsort((chance.flatten().numpy(), -cells.flatten().numpy()))
    rank = torch.empty(len(keys))
    rank[torch.from_numpy(keys)] = torch.arange(len(keys)) / len(keys)
    return rank.view(cells.shape).repeat_interleave(CELL, 1).repeat_interleave(CELL, 2)


@torch.no_grad()
def curves(decision: Decision, made: np.ndarray, seed: int = 0) -> dict[str, float]:
    """Mean probability of the AU while cells are taken away (deletion) or put back (insertion), best first.

    A faithful map has a low deletion and a high insertion.  For each fill: {"deletion_still": 0.2, ...}
    """
    rank = order_of(made, seed).to(decision.motion)
    level = torch.linspace(0, 1, LEVELS).to(rank)[:, None, None, None, None]
    first = rank < level  # [L, 1, T-1, H, W]: the cells that a level has reached
    means = {}
    for name, fill in fills(decision).items():
        rows = torch.cat([torch.where(first, fill, decision.motion), torch.where(first, decision.motion, fill)])
        answers = decision.model.probabilities_from_motion(rows)[:, decision.target]
        deleted, inserted = answers.view(2, LEVELS).mean(1).tolist()
        means |= {f"deletion_{name}": deleted, f"insertion_{name}": inserted}
    return means


@torch.no_grad()
def unexplained(decision: Decision, made: np.ndarray, seed: int = 0) -> float | None:
    """Infidelity: what share of the logit's squared changes a map does not foresee.  0 is best, 1 tells nothing.

    Random blocks become still through all frames.  The map foresees what it had given them, up to one positive factor,
    for not all maps have the logit's unit.  None where the logit never changes.
    """
    gone = blocks(made[1:].shape, seed).to(decision.motion)  # [R, T-1, H, W]
    moving = decision.motion + gone[:, None] * (decision.still_motion - decision.motion)
    before, *after = decision.model.logits_from_motion(torch.cat([decision.motion, moving]))[
        :, decision.target
    ].tolist()
    lost = before - np.array(after)
    foreseen = (gone.cpu().numpy() * made[1:]).sum((1, 2, 3), dtype=float)
    if not lost.any():
        return None
    agreement = max(foreseen @ lost, 0.0) ** 2
    return float(1 - agreement / ((foreseen @ foreseen) * (lost @ lost))) if agreement else 1.0


def blocks(shape: tuple, seed: int) -> Tensor:
    """Random blocks through all frames, 1 where taken away.  [T-1, H, W] -> [R, T-1, H, W]"""
    coarse = (REMOVALS, 1, shape[1] // BLOCK, shape[2] // BLOCK)
    chosen = torch.rand(coarse, generator=torch.Generator().manual_seed(seed)) > KEPT
    return chosen.float().repeat_interleave(BLOCK, 2).repeat_interleave(BLOCK, 3).expand(REMOVALS, *shape).contiguous()


def tremor(decision: Decision, maps, samples: int = 3) -> float:
    """Max-sensitivity: the largest relative change of a map when the pixels tremble as by a camera's noise.

    `maps` makes the map of a clip: [T, H, W] -> [T, H, W].
    """

    def explained(clips: Tensor | tuple[Tensor]) -> tuple[Tensor]:
        clips = clips if isinstance(clips, Tensor) else clips[0]  # captum does both
        return (torch.stack([torch.from_numpy(maps(clip)) for clip in clips]),)

    with seeded():
        changed = sensitivity_max(explained, decision.clip, perturb_radius=NOISE, n_perturb_samples=samples)
    return float(changed)
