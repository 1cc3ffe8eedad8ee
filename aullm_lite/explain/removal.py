"""Maps from removal: what happens to the logit where a part of the clip is as still as the first frame?

Occlusion: Zeiler & Fergus 2014.  Shapley values by sampling: Castro et al. 2009, as in Captum.
"""

import math

import torch
from captum.attr import Occlusion, ShapleyValueSampling
from torch import Tensor

from ..facs import ZONES, zone_map
from .attribution import PHASES, STILL
from .decision import Decision, seeded

BATCH = 64  # rows at a time; those of one random order stay together
BLOCK, STRIDE = 12, 8  # pixels of an occluding block, and from one to the next
ORDERS = 10  # random orders of the parts
NAMES = [f"{zone}, {phase}" for phase in PHASES for zone in ZONES]


def occlusion(decision: Decision, on: str) -> dict:
    """What each block of 12 x 12 pixels and two frames adds, shared evenly by its values; it promises no sum."""
    logits, given, still = decision.path(on)
    channels = given.shape[1:-3]  # none for pixels
    window, strides = (*channels, 2, BLOCK, BLOCK), (*channels, 2, STRIDE, STRIDE)
    options = dict(strides=strides, baselines=still, target=decision.target, perturbations_per_eval=BATCH)
    with torch.no_grad():
        found = Occlusion(logits).attribute(given, window, **options)
    return {"map": found / math.prod(window), "logits": decision.logits, "baseline": STILL}


def shapley(decision: Decision, on: str, orders: int = ORDERS) -> dict:
    """Fair share of each zone in each phase, spread evenly over its cells; the shares add up exactly."""
    logits, given, still = decision.path(on)
    part = parts_of(decision, given, on)
    options = dict(feature_mask=part, n_samples=orders, perturbations_per_eval=BATCH)
    with torch.no_grad(), seeded():
        found = ShapleyValueSampling(logits).attribute(given, still, target=decision.target, **options)
    shares = {n: found[part == n].mean().item() for n in part.unique().tolist()}
    even = torch.zeros_like(found)
    changes = _can_change(part, on)
    for n, share in shares.items():
        cells = (part == n) & changes
        even[cells] = share / cells.sum()
    delta = decision.logits[0] - decision.logits[1] - sum(shares.values())
    parts = {NAMES[n]: share for n, share in shares.items()}
    return {"map": even, "parts": parts, "delta": delta, "logits": decision.logits, "baseline": STILL}


def parts_of(decision: Decision, given: Tensor, on: str) -> Tensor:
    """Number of the zone and phase of each value, an index of `NAMES`.  -> int, the input's shape

    Pixels of the first frame are their own baseline; they go with the first phase.
    """
    zones = torch.from_numpy(zone_map(given.shape[-1])).to(given.device)
    frame = torch.arange(given.shape[-3], device=given.device) + (on == "motion")
    late = (frame > decision.apex).long() * len(ZONES)
    return (late[:, None, None] + zones).expand(given.shape).contiguous()


def _can_change(part: Tensor, on: str) -> Tensor:
    """All values but those of the first frame, which nothing is attributed to."""
    changes = torch.ones_like(part, dtype=torch.bool)
    if on == "pixels":
        changes[:, 0] = False
    return changes
