"""Maps from gradients: how does the logit answer to a small change of each value?

Integrated Gradients: Sundararajan et al. 2017.  GradientShap: Lundberg & Lee 2017, as in Captum.  GradCAM: Selvaraju et
al. 2017.  Each takes a `Decision` and what to vary, and returns what an `Attribution` holds, the map still in the shape
of what was varied.
"""

import copy
from dataclasses import replace

import torch
import torch.nn.functional as F
from captum.attr import GradientShap, InputXGradient, IntegratedGradients, LayerGradCam, Saliency
from torch import Tensor

from .attribution import STILL
from .decision import Decision, seeded

BATCH = 16  # rows at a time: memory stays under that of an analysis
STEPS, MOST, EXACT = 32, 256, 0.01
MIDPOINTS, GAUSS = "riemann_middle", "gausslegendre"  # half the error on a way with many kinks; better on a smooth one
SAMPLES, NOISE = 24, 0.02  # of GradientShap; noise as a share of the largest change


def integrated_gradients(decision: Decision, on: str, steps: int = STEPS, most: int = MOST) -> dict:
    """Gradients along the straight way from stillness to the clip, times the way.  Steps: see `completed`."""
    found, delta = completed(decision.path(on), decision.target, decision.logits, steps, most)
    return {"map": found, "delta": delta, "logits": decision.logits, "baseline": STILL}


def completed(path, target: int, ends: tuple[float, float], steps: int, most: int = MOST, rule: str = MIDPOINTS):
    """Integrated Gradients of one input or several, and what their sum lacks.  -> the inputs' shapes, float

    `path` is the function to the logits, its input and its baseline; `ends` are the logits of both.  The logit bends
    sharply on its way, so the steps are doubled, up to `most`, until the sum lacks at most 1 % of their difference.
    """
    logits, given, still = path
    while True:
        found = IntegratedGradients(logits).attribute(
            given, still, target=target, n_steps=steps, method=rule, internal_batch_size=BATCH
        )
        parts = found if isinstance(found, tuple) else (found,)
        delta = ends[0] - ends[1] - sum(part.sum().item() for part in parts)
        if abs(delta) <= EXACT * abs(ends[0] - ends[1]) or 2 * steps > most:
            return found, delta
        steps *= 2


def saliency(decision: Decision, on: str) -> dict:
    """Size of the gradient at the clip itself; it has no sign and no baseline."""
    logits, given, _ = decision.path(on)
    return {"map": Saliency(logits).attribute(given, target=decision.target)}


def input_x_gradient(decision: Decision, on: str) -> dict:
    """Gradient at the clip, times how far the clip is from stillness; it promises no sum."""
    logits, given, still = decision.path(on)
    moved = lambda change: logits(still + change)  # noqa: E731  the same logit, seen from stillness
    change = (given - still).detach().requires_grad_()
    found = InputXGradient(moved).attribute(change, target=decision.target)
    return {"map": found, "logits": decision.logits, "baseline": STILL}


def gradient_shap(decision: Decision, on: str, samples: int = SAMPLES) -> dict:
    """Integrated Gradients at random points of the way, around noisy copies of the clip; the same for each call."""
    logits, given, still = decision.path(on)
    noise = NOISE * (given - still).abs().max().item()
    with seeded():
        found = GradientShap(logits).attribute(given, still, target=decision.target, n_samples=samples, stdevs=noise)
    delta = decision.logits[0] - decision.logits[1] - found.sum().item()
    return {"map": found, "delta": delta, "logits": decision.logits, "baseline": STILL}


def gradcam(decision: Decision, on: str) -> dict:
    """Features of the last convolution, weighted by their mean gradient: 0 and above, on motion's grid."""
    twin = with_own_backbone(decision.model)
    logits, given, _ = replace(decision, model=twin).path(on)
    layer = twin.backbone.body[1]  # after ReLU
    cam = LayerGradCam(logits, layer).attribute(given, target=decision.target, relu_attributions=True)
    return {"map": spread(cam.detach(), given.shape[-1])}


def with_own_backbone(model):
    """The same model with a copy of its 3D-CNN: a layer with Captum's hook would see other threads' clips."""
    twin = copy.copy(model)
    twin._modules = dict(model._modules)  # else the copy would share the very dictionary
    twin.backbone = copy.deepcopy(model.backbone)
    return twin


def spread(cam: Tensor, size: int) -> Tensor:
    """Cells of the last convolution back to where they looked.  [1, 1, 4, 18, 18] -> [1, 1, 5, size, size]

    A cell is three pixels wide and the first lies five from the border, because nothing is padded; a slice saw two
    neighbouring steps, so each step gets the mean of the slices that saw it.
    """
    wide = F.interpolate(cam[0], scale_factor=3, mode="bilinear")
    border = (size - wide.shape[-1]) // 2
    wide = F.pad(wide, (border,) * 4, mode="replicate")
    return torch.cat([wide[:, :1], (wide[:, :-1] + wide[:, 1:]) / 2, wide[:, -1:]], 1)[None]
