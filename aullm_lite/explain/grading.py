"""How good is one map?  Scores of a map against the truth of a generated clip; each is one small function.

The truth of an AU is where and when its own displacement field moved the skin.  "What speaks for it" is the positive
part of a map, added over the frames.  The first frame is what all others are compared with, so it is left out.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score

from ..synth.render import Actor, moved
from ..synth.script import Movement, Script

EDGE = 0.25  # share of the largest displacement from which skin counts as moved


@dataclass(frozen=True, eq=False)
class Truth:
    """Where and when one AU moved in one clip: mask [H, W], frames [T]."""

    au: int
    mask: np.ndarray
    inside: np.ndarray


def truth_of(actor: Actor, script: Script, movement: Movement) -> Truth:
    """The skin that an AU moved by at least a quarter of its peak, and the frames from its onset to its offset."""
    far = moved(actor, script, movement).max(0)
    times = script.times
    return Truth(movement.au, far >= EDGE * far.max(), (movement.onset <= times) & (times <= movement.offset))


def for_it(made: np.ndarray) -> np.ndarray:
    """What of a map speaks for the AU; its size where nothing does.  [T, H, W] -> [T, H, W], 0 and above"""
    positive = np.maximum(made, 0)
    return positive if positive.any() else np.abs(made)


def energy_in_mask(made: np.ndarray, mask: np.ndarray) -> float:
    """Share of what speaks for the AU that lies in the skin it moved; chance is the share of the picture."""
    places = _places(made)
    return float(places[mask].sum() / places.sum())


def pointing(made: np.ndarray, mask: np.ndarray) -> float:
    """1 where the strongest pixel lies in the mask (Zhang et al. 2018); the share of it among equals."""
    places = _places(made)
    return float(mask[places == places.max()].mean())


def pixel_ap(made: np.ndarray, mask: np.ndarray) -> float:
    """Average precision of finding the moved skin by the map; chance is the share of the picture."""
    return float(average_precision_score(mask.ravel(), _places(made).ravel()))


def time_inside(made: np.ndarray, inside: np.ndarray) -> float:
    """Share of what speaks for the AU that lies in frames between its onset and its offset.

    Chance is their share of all frames but the first.
    """
    frames = for_it(made[1:]).sum((1, 2))
    return float(frames[inside[1:]].sum() / frames.sum())


def _places(made: np.ndarray) -> np.ndarray:
    """What speaks for the AU, over time.  [T, H, W] -> [H, W]"""
    return for_it(made[1:]).sum(0)


def scores(made: np.ndarray, truth: Truth) -> dict[str, float]:
    """All of these, with what chance would give."""
    return {
        "energy_in_mask": energy_in_mask(made, truth.mask),
        "chance": float(truth.mask.mean()),
        "pointing": pointing(made, truth.mask),
        "pixel_ap": pixel_ap(made, truth.mask),
        "temporal": time_inside(made, truth.inside),
        "temporal_chance": float(truth.inside[1:].mean()),
    }


def specificity(first: np.ndarray, second: np.ndarray, one: Truth, other: Truth) -> float:
    """On a clip with two AUs: does the map of each avoid the other?  1 is perfectly, a map of all movement gets 0.5.

    For each AU, the energy in its own mask as a share of the energy in both masks, averaged over the two.
    """
    own = np.array([energy_in_mask(first, one.mask), energy_in_mask(second, other.mask)])
    others = np.array([energy_in_mask(first, other.mask), energy_in_mask(second, one.mask)])
    both = own + others
    return float(np.where(both > 0, own / np.where(both > 0, both, 1), 0.5).mean())


def rank_correlation(made: np.ndarray, other: np.ndarray) -> float:
    """Spearman's correlation of two maps, value by value, without the first frame; 0 where one of them is flat."""
    first, second = made[1:].ravel(), other[1:].ravel()
    return float(spearmanr(first, second).statistic) if np.ptp(first) and np.ptp(second) else 0.0
