"""All methods under their names, and the one function that runs them."""

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from . import gradients, inside, removal
from .attribution import Attribution
from .decision import Decision, frozen

BEST = "ig"  # on motion: its sums hold to 1 %, and no control is ahead of it in any grade
MAPS = {
    "ig": gradients.integrated_gradients,
    "saliency": gradients.saliency,
    "inputxgradient": gradients.input_x_gradient,
    "gradshap": gradients.gradient_shap,
    "gradcam": gradients.gradcam,
    "occlusion": removal.occlusion,
    "shapley": removal.shapley,
}
PARTS = {"fusion": inside.fusion, "words": inside.words}
METHODS = (*MAPS, *PARTS)


def check(model, au: int, method: str) -> None:
    """Raise `InputError` for a method or an AU that this model does not have."""
    if method not in METHODS:
        raise InputError(f"Unknown method {method!r}: choose one of {', '.join(METHODS)}.")
    if au not in model.config.aus:
        raise InputError(f"This model does not know AU{au}: choose one of {' '.join(map(str, model.config.aus))}.")
    if method == "words":
        inside.check_words(model)


def explain(model, clip, au: int, method: str = BEST, on: str = "motion", **options) -> Attribution:
    """Attribute the decision on one AU in one clip.  [T, H, W] or [1, T, H, W] with values 0..1 -> Attribution

    `method` is one of `METHODS`; `on` says whether a map is made on the motion field ("this movement here") or all the
    way to the pixels.  Options go to the method.  Raises `InputError` for anything that cannot be explained.
    """
    check(model, au, method)
    with frozen(model):
        decision = Decision(model, clip, au)
        common = dict(au=au, method=method, apex=decision.apex)
        if method in PARTS:
            return Attribution(**common, **PARTS[method](decision, **options))
        found = MAPS[method](decision, on, **options)
    return Attribution(**common, on=on, **found | {"map": as_map(found["map"], decision)})


def as_map(values: Tensor, decision: Decision) -> np.ndarray:
    """One number for each pixel of each frame: channels are added, and motion belongs to the later of its two frames.

    [1, T, H, W] or [1, C, T-1, H, W] -> [T, H, W]
    """
    values = values[0] if values.ndim == 4 else values[0].sum(0)
    late = decision.clip.shape[1] - values.shape[0]
    return torch.nn.functional.pad(values, (0, 0, 0, 0, late, 0)).detach().cpu().numpy()
