"""The people of a study, all generated: who trains, who chooses thresholds, who is tested."""

import torch
from torch import Tensor, nn

from ..clips import ClipSet
from ..errors import InputError
from ..motion import measure_motion
from ..recipe import split_inner
from ..synth.dataset import HELD_OUT, held_out_seed, make_clips, tier_recipe, training_recipe
from ..synth.photo import builtin_photos
from .budget import Budget

People = dict[str, ClipSet]  # train, inner, test and photos
TEST_SEED = 7  # that of `evaluate`
INNER_SHARE = 0.1


def make_people(budget: Budget) -> People:
    """Render everybody.  The same budget gives the same clips.  Raises `InputError` where nobody shows an AU."""
    if budget.people > HELD_OUT:
        raise InputError(f"Subject seeds from {HELD_OUT:,} on are kept for tests: take fewer people.")
    first, standard = held_out_seed(TEST_SEED), tier_recipe("standard")
    drawn = make_clips(budget.people, budget.clips, training_recipe, seed=0)
    inner = split_inner(drawn.subjects, INNER_SHARE, seed=0)
    people = {
        "train": drawn.select(~inner),
        "inner": drawn.select(inner),
        "test": make_clips(budget.test_people, budget.test_clips, standard, seed=first),
        "photos": make_clips(builtin_photos(), budget.photo_clips, standard, seed=first),
    }
    if empty := [name for name, some in people.items() if not some.labels.any()]:
        raise InputError(f"The clips of {empty[0]} show no Action Unit at all: take more people or clips.")
    return people


def look(motion: nn.Module, people: People, device) -> dict[str, Tensor]:
    """What the convolutions are to read: the motion, or the clips themselves where the front end learns.

    -> half [N, C, T-1, H, W] or uint8 [N, T, H, W] for each part
    """
    motion = motion.to(device)
    if any(weight.requires_grad for weight in motion.parameters()):
        return {name: torch.from_numpy(some.clips) for name, some in people.items()}
    return {name: measure_motion(motion, some.clips, device) for name, some in people.items()}
