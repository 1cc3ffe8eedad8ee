"""Folds that learn at once against folds that learn one after another: the same clips, the same number of steps."""

from dataclasses import replace

import numpy as np
import torch

from ..clips import ClipSet
from ..model import AULLM
from ..protocols.networks import FURTHER, Network
from ..protocols.together import LanguageOfFolds, epoch_together, twin
from .timing import in_turns


def folds_together(model: AULLM, folds: int = 8, clips: int = 96, rounds: int = 3) -> dict:
    """Seconds of one epoch of all parts for so many folds, of random motion: how fast it is does not hang on it."""
    rng = np.random.default_rng(0)
    aus, size = model.config.aus, model.config.size
    people = np.array([f"person {n % 4}" for n in range(clips * 4 // 3)])
    labels = (rng.random((len(people), len(aus))) < 0.3).astype(np.float32)
    motion = torch.randn(len(people), model.motion.channels, model.config.frames - 1, size, size).half()
    data = ClipSet(np.zeros((len(people), 1, 1, 1), np.uint8), labels, people, aus=aus, motion=motion)
    network = Network(model, replace(FURTHER["llm"], warmup=0))
    network.config = model.config.changed(trained_on=())  # whom it knows hinders nobody here
    inner = people == "person 0"
    parts = data.select(~inner), data.select(inner)
    trainers = [network.trainer(twin(model), *parts, seed=0) for _ in range(folds)]
    shared = LanguageOfFolds([trainer.model.language for trainer in trainers])
    apart, at_once = in_turns(
        lambda: [trainer.train_epoch() for trainer in trainers], lambda: epoch_together(trainers, shared), rounds
    )
    steps = clips // network.training.batch_size
    return {"folds": folds, "steps": steps, "apart_s": apart, "together_s": at_once, "ratio": apart / at_once}
