"""The decision that is explained: one clip, one AU, and the way from pixels or from movement to its logit.

The reference is the same face without movement: the first frame, held.  Weights are frozen, so that the gradient flows
to the input alone and the prompt's keys and values are kept: the language model costs one token a row.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..events import region_energy
from ..facs import region_mask

INPUTS = ("motion", "pixels")


@contextmanager
def frozen(model) -> Iterator[None]:
    """Eval mode, and no gradient for any weight; both are put back afterwards."""
    learnt, training = [weight for weight in model.parameters() if weight.requires_grad], model.training
    model.eval().requires_grad_(False)
    try:
        yield
    finally:
        model.train(training)
        for weight in learnt:
            weight.requires_grad_(True)


@contextmanager
def seeded(seed: int = 0) -> Iterator[None]:
    """The same random numbers each time, of torch and NumPy, for Captum draws from both; put back afterwards."""
    state = np.random.get_state()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        np.random.seed(seed)
        try:
            yield
        finally:
            np.random.set_state(state)


@dataclass(frozen=True, eq=False)
class Decision:
    """The logit of one AU that the model knows, for one clip with values 0..1.  [T, H, W] or [1, T, H, W]

    Raises `InputError` for a batch, for values that are no numbers, and for a clip without any movement, which nothing
    could be attributed to.
    """

    model: object
    clip: Tensor  # [1, T, H, W]
    au: int

    def __post_init__(self):
        clip = torch.as_tensor(self.clip)
        clip = clip[None] if clip.ndim == 3 else clip
        self.model.check_clips(clip)
        if len(clip) != 1:
            raise InputError(f"One clip is explained at a time, got {len(clip)}: pass them one after another.")
        object.__setattr__(self, "clip", clip.detach().float().to(self.model.device))
        if torch.equal(self.motion, self.still_motion):
            raise InputError("Nothing moves in this clip, so there is nothing to attribute: choose another.")

    @property
    def target(self) -> int:
        """Place of the AU among the logits."""
        return self.model.config.aus.index(self.au)

    @property
    def still(self) -> Tensor:
        """The first frame, held.  -> [1, T, H, W]"""
        return self.clip[:, :1].expand_as(self.clip).contiguous()

    @cached_property
    def motion(self) -> Tensor:
        """What the front end sees in the clip.  -> [1, C, T-1, H, W]"""
        return self._seen(self.clip)

    @cached_property
    def still_motion(self) -> Tensor:
        return self._seen(self.still)

    @torch.no_grad()
    def _seen(self, clip: Tensor) -> Tensor:
        return self.model.motion(clip).detach()

    def path(self, on: str) -> tuple[Callable[[Tensor], Tensor], Tensor, Tensor]:
        """All that follows `motion` or `pixels`, as a function to [B, K], with its input and its reference."""
        if on not in INPUTS:
            raise InputError(f"An attribution is made on motion or on pixels, not on {on!r}.")
        if on == "pixels":
            return self.model, self.clip.clone().requires_grad_(), self.still
        return self.model.logits_from_motion, self.motion.clone().requires_grad_(), self.still_motion

    @cached_property
    def logits(self) -> tuple[float, float]:
        """The AU's logit for the clip, and for the reference."""
        with torch.no_grad():
            both = self.model.logits_from_motion(torch.cat([self.motion, self.still_motion]))[:, self.target]
        return float(both[0]), float(both[1])

    @cached_property
    def apex(self) -> int:
        """The frame in which the skin of the AU's region is farthest from where it began, from 1."""
        mask = torch.from_numpy(region_mask(self.au, self.model.config.size))[None].to(self.clip)
        return int(region_energy(self.motion, mask).argmax())
