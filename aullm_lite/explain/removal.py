"""Maps from removal: what happens to the logit where a part of the clip is as still as the first frame?

Occlusion: Zeiler & Fergus 2014.  Shapley values by sampling: Castro et al. 2009, as in Captum.
"""

import torch
from captum.attr import Occlusion, ShapleyValueSampling
from torch import Tensor

from ..facs import ZONES, zone_map
from .attribution import PHASES
from .decision import Decision

BATCH = 32  # rows at a time; those of one random order stay together
BLOCK, STRIDE = 12, 8  # pixels of an occluding block, and from one to the next
ORDERS = 10  # random orders of the parts


def occlusion(decision: Decision, on: str) -> tuple[Tensor, None]:
    """What each block of 12 x 12 pixels and two frames adds.  -> [1, C, T', H, W]"""
    logits, given, still = decision.path(on)
    window, strides = (2, BLOCK, BLOCK), (2, STRIDE, STRIDE)
    if on == "motion":
        window, strides = (given.shape[1], *window), (given.shape[1], *strides)
    with torch.no_grad():
        answer = Occlusion(logits).attribute(
            given, window, strides=strides, baselines=still, target=decision.target, perturbations_per_eval=BATCH
        )
    return answer / given.shape[1] if on == "motion" else answer, None


def shapley(decision: Decision, on: str, orders: int = ORDERS) -> tuple[Tensor, float, dict[str, float]]:
    """Fair share of each zone in each phase, spread evenly over its cells.  -> map, delta, {zone, phase: share}

    The shares of all parts add up to the difference of the logits.
    """
    logits, given, still = decision.path(on)
    feature = parts_of(decision, given, on)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        answer = ShapleyValueSampling(logits).attribute(
            given,
            still,
            target=decision.target,
            feature_mask=feature,
            n_samples=orders,
            perturbations_per_eval=BATCH,
        )
    shares = {part: answer[feature == part].mean() for part in feature.unique().tolist()}
    cells = {part: (feature == part).sum() for part in shares}
    spread = torch.zeros_like(answer)
    for part, share in shares.items():
        spread[feature == part] = share / cells[part]
    names = [f"{zone}, {phase}" for phase in PHASES for zone in ZONES]
    clip, reference = decision.logits
    delta = clip - reference - float(sum(shares.values()))
    return spread, delta, {names[part]: float(share) for part, share in shares.items()}


def parts_of(decision: Decision, given: Tensor, on: str) -> Tensor:
    """Number of the zone and phase of each value.  -> int, the input's shape

    The onset frame is the reference of all others, so nothing of it is removed: in pixels it goes with the first phase.
    """
    zones = torch.from_numpy(zone_map(given.shape[-1])).to(given.device)
    frame = torch.arange(given.shape[-3], device=given.device) + (on == "motion")
    late = (frame > decision.apex).long() * len(ZONES)
    return (late[:, None, None] + zones).expand(given.shape).contiguous()
