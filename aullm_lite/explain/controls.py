"""What an explanation must beat: maps that know nothing of the model, and a model that knows nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from ..facs import face_grid
from .decision import Decision, seeded


def uniform(decision: Decision) -> np.ndarray:
    """The same everywhere.  -> [T, H, W]"""
    return np.ones(decision.clip.shape[1:], np.float32)


def centre(decision: Decision) -> np.ndarray:
    """A hill in the middle of the face, in every frame.  -> [T, H, W]"""
    x, y = face_grid(decision.clip.shape[-1])
    return np.exp(-(x**2 + y**2) / (2 * 0.4**2))[None].repeat(decision.clip.shape[1], 0)


def frame_difference(decision: Decision) -> np.ndarray:
    """How much each pixel differs from the first frame.  -> [T, H, W]"""
    return (decision.clip - decision.still)[0].abs().cpu().numpy()


def flow_size(decision: Decision) -> np.ndarray:
    """How far the front end saw each pixel move.  -> [T, H, W], 0 in the first frame"""
    size = decision.motion[0].norm(dim=0)
    return torch.cat([torch.zeros_like(size[:1]), size]).cpu().numpy()


CONTROLS = {"uniform": uniform, "centre": centre, "frame difference": frame_difference, "flow size": flow_size}


@contextmanager
def randomised(model, seed: int = 0) -> Iterator[None]:
    """The same model as before any training, in eval mode; what was learnt is put back afterwards.

    A motion front end with weights keeps them, for it is no part of what decides.
    """
    learnt = {name: value.clone() for name, value in model.trained_state().items()}
    training = model.training
    try:
        with seeded(seed):
            _draw_anew(model)
        model.eval()
        yield
    finally:
        model.load_trained_state(learnt)
        model.train(training)


@torch.no_grad()
def _draw_anew(model) -> None:
    for part in (model.backbone, model.projector, model.au_head):
        for module in part.modules():
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
    model.projector.to("cpu").start_at(model.language.token_std)
    model.projector.to(model.device)
    for name, weight in model.named_parameters():  # as peft starts LoRA: it changes nothing at first
        if "lora_A" in name:
            torch.nn.init.kaiming_uniform_(weight, a=5**0.5)
        elif "lora_B" in name:
            weight.zero_()
