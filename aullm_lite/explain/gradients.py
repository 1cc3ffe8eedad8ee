"""Maps from gradients: how does the logit answer to a small change of each value?

Integrated Gradients: Sundararajan et al. 2017.  GradientShap: Lundberg & Lee 2017, as in Captum.  GradCAM: Selvaraju et
al. 2017.  Each takes a `Decision` and returns a map and, where the method promises a sum, by how much it is missed.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from captum.attr import GradientShap, InputXGradient, IntegratedGradients, LayerGradCam, Saliency
from torch import Tensor

from .decision import Decision

BATCH = 16  # rows at a time: memory stays under that of an analysis
STEPS, EXACT = 32, 0.01
SAMPLES, NOISE = 24, 0.02  # of GradientShap; noise as a share of the input's largest value


def integrated_gradients(decision: Decision, on: str, steps: int = STEPS) -> tuple[Tensor, float]:
    """Gradients along the straight way from stillness to the clip, times the way.  -> input's shape, delta

    The logit bends sharply on its way, so the steps are doubled, up to eight times as many, until `delta` is at most
    1 % of the difference of the logits.
    """
    logits, given, still = decision.path(on)
    clip, reference = decision.logits
    while True:
        found, delta = completed(logits, given, still, decision.target, steps)
        if abs(delta) <= EXACT * abs(clip - reference) or steps >= 8 * STEPS:
            return found, delta
        steps *= 2


def completed(logits: Callable, given, still, target: int, steps: int) -> tuple[Tensor | tuple[Tensor, ...], float]:
    """Integrated Gradients of one or more inputs, and what their sum lacks."""
    found, excess = IntegratedGradients(logits).attribute(
        given,
        still,
        target=target,
        n_steps=steps,
        method="riemann_middle",  # half the error of Captum's default on a function with as many kinks as this
        internal_batch_size=BATCH,
        return_convergence_delta=True,
    )
    return found, -excess.item()


def saliency(decision: Decision, on: str) -> tuple[Tensor, None]:
    """Size of the gradient at the clip itself."""
    logits, given, _ = decision.path(on)
    return Saliency(logits).attribute(given, target=decision.target), None


def input_x_gradient(decision: Decision, on: str) -> tuple[Tensor, None]:
    """Gradient at the clip, times how far the clip is from stillness."""
    logits, given, still = decision.path(on)
    moved = lambda change: logits(still + change)  # noqa: E731  the same logit, seen from stillness
    change = (given - still).detach().requires_grad_()
    return InputXGradient(moved).attribute(change, target=decision.target), None


def gradient_shap(decision: Decision, on: str, samples: int = SAMPLES) -> tuple[Tensor, float]:
    """Integrated Gradients at random points of the way, around noisy copies of the clip; the same for each call."""
    logits, given, still = decision.path(on)
    options = dict(target=decision.target, n_samples=samples, stdevs=NOISE * (given - still).abs().max().item())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        found, excess = GradientShap(logits).attribute(given, still, return_convergence_delta=True, **options)
    return found, -excess.mean().item()


def gradcam(decision: Decision, on: str) -> tuple[Tensor, None]:
    """Features of the last convolution, weighted by their mean gradient.  -> [1, 1, T-1, H, W], 0 and above"""
    logits, given, _ = decision.path(on)
    layer = decision.model.backbone.body[1]  # after ReLU
    cam = LayerGradCam(logits, layer).attribute(given, target=decision.target, relu_attributions=True)
    return spread(cam.detach(), given.shape[-1]), None


def spread(cam: Tensor, size: int) -> Tensor:
    """Cells of the last convolution back to where they looked.  [1, 1, 4, 18, 18] -> [1, 1, 5, size, size]

    A cell is three pixels wide and the first lies five from the border, because nothing is padded; a slice saw two
    neighbouring steps, so each step gets the mean of the slices that saw it.
    """
    wide = F.interpolate(cam[0], scale_factor=3, mode="bilinear")
    border = (size - wide.shape[-1]) // 2
    wide = F.pad(wide, (border,) * 4, mode="replicate")
    return torch.cat([wide[:, :1], (wide[:, :-1] + wide[:, 1:]) / 2, wide[:, -1:]], 1)[None]
