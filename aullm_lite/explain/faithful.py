"""Does a map tell what the model does?  Checks that need no truth: take away what the map names, and look.

All is done on the motion field, where taking away leaves no edges that the front end would see as movement, and in
cells of 4 x 4 pixels of one frame.  Deletion and insertion: Petsiuk et al. 2018.  Infidelity: Yeh et al. 2019.
"""

import numpy as np
import torch
import torch.nn.functional as F
from captum.metrics import infidelity, sensitivity_max
from torch import Tensor

from ..motion.lucas_kanade import blur, gaussian_matrix
from .decision import Decision

CELL = 4  # pixels
LEVELS = 11  # of a curve, from nothing taken away to all
SMEAR = 6.0  # pixels, of the Gaussian that smears movement out
PERTURBATIONS, KEPT = 32, 0.5  # of infidelity: how many, and what share of the blocks each leaves
TREMOR = 0.005  # grey values, about the noise of a camera


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
def unexplained(decision: Decision, made: np.ndarray, seed: int = 0) -> float:
    """Infidelity: what share of the logit's squared changes the map does not foresee.  0 is best, 1 tells nothing.

    Random blocks become still; the map foresees the sum of what it gives them, up to one factor.
    """
    kept = torch.ones(1, *made[1:].shape).to(decision.motion)
    given = torch.from_numpy(made[None, 1:]).to(kept)

    def logit(shares: Tensor) -> Tensor:
        moving = decision.still_motion + shares[:, None] * (decision.motion - decision.still_motion)
        return decision.model.logits_from_motion(moving)[:, decision.target]

    def remove(shares: Tensor) -> tuple[Tensor, Tensor]:
        gone = blocks(len(shares), made[1:].shape, seed).to(shares)
        return gone, shares - gone

    options = dict(n_perturb_samples=PERTURBATIONS, max_examples_per_batch=PERTURBATIONS)
    missed = infidelity(logit, remove, kept, given, normalize=True, **options)
    whole = infidelity(logit, remove, kept, torch.zeros_like(given), **options)
    return float(missed / whole)


def blocks(count: int, shape: tuple, seed: int) -> Tensor:
    """Random blocks of 8 x 8 pixels through all frames, 1 where taken away.  -> [count, T-1, H, W]"""
    coarse = torch.rand(count, 1, shape[1] // 8, shape[2] // 8, generator=torch.Generator().manual_seed(seed)) > KEPT
    return coarse.float().repeat_interleave(8, 2).repeat_interleave(8, 3).expand(count, *shape).contiguous()


def tremor(decision: Decision, maps, samples: int = 3) -> float:
    """Max-sensitivity: the largest relative change of a map when the pixels tremble as by a camera's noise.

    `maps` makes the map of a clip: [T, H, W] -> [T, H, W].
    """

    def explained(clips: Tensor | tuple[Tensor]) -> tuple[Tensor]:
        clips = clips if isinstance(clips, Tensor) else clips[0]  # captum does both
        return (torch.stack([torch.from_numpy(maps(clip)) for clip in clips]),)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        changed = sensitivity_max(explained, decision.clip, perturb_radius=TREMOR, n_perturb_samples=samples)
    return float(changed)
