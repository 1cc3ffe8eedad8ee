"""AU-LLM and its controls as methods of a protocol: one network, put back to its first weights for every fold."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ..clips import ClipSet, join
from ..config import AULLMConfig
from ..errors import InputError
from ..model import AULLM
from ..motion import measure_motion
from ..recipe import TrainConfig
from ..train import Trainer
from .methods import Scorer
from .together import fit_together, twin

# A fold has some 200 clips.  From nothing that takes many small steps; weights that know movements need few and short
# ones, but a head that has never read them needs more.  Chosen on generated people whom no table of ours tests, so that
# AU-LLM's rows of 26 folds take well under an hour on two cores, and those of all methods about one.
FROM_NOTHING = {
    "llm": TrainConfig(warmup=10, epochs=3, batch_size=32),
    "none": TrainConfig(warmup=0, epochs=13, batch_size=32, auxiliary=0.0),
}
FURTHER = {
    "llm": TrainConfig(warmup=0, epochs=3, batch_size=32, lr=1e-4, lr_lora=1e-4),
    "none": TrainConfig(warmup=0, epochs=9, batch_size=32, lr=1e-3, auxiliary=0.0),
}


@dataclass
class Network:
    """Fits one network to each fold.  `trained_on` names everyone whom its first weights have seen."""

    model: AULLM
    training: TrainConfig

    def __post_init__(self):
        self.trained_on = self.model.config.trained_on
        self.config = self.model.config
        self.first = {name: value.clone() for name, value in self.model.trained_state().items()}

    def measure(self, data: ClipSet) -> ClipSet:
        """The clips with their motion, where the front end has nothing to learn and so sees the same in every fold."""
        if any(True for _ in self.model.motion.parameters()):
            return replace(data, motion=None)
        if data.motion is not None:
            return data
        return replace(data, motion=measure_motion(self.model.motion, data.clips, self.model.device))

    def __call__(self, train: ClipSet, inner: ClipSet, seed: int) -> Scorer:
        return partial(logits, self.trainer(self.model, train, inner, seed).fit())

    def together(self, parts: Sequence[tuple[ClipSet, ClipSet]], seed: int) -> list[Scorer]:
        """The same for several folds, (train, inner) each, at once where a language model makes that worth while."""
        trainers = [self.trainer(twin(self.model), *part, seed) for part in parts]
        shared = getattr(self.model.language, "one_row", False)
        models = fit_together(trainers) if shared else [trainer.fit() for trainer in trainers]
        return [partial(logits, model) for model in models]

    def trainer(self, model: AULLM, train: ClipSet, inner: ClipSet, seed: int) -> Trainer:
        model.load_trained_state(self.first)
        model.config = self.config
        both = join(train, inner)
        mask = np.arange(len(both)) >= len(train)
        return Trainer(model, both, replace(self.training, seed=seed), mask, bars=False)


@torch.no_grad()
def logits(model: AULLM, data: ClipSet) -> np.ndarray:
    """Uncalibrated answers, from the motion where it is known.  -> [N, K]"""
    seen = torch.from_numpy(data.clips) if data.motion is None else data.motion
    return torch.cat([_answer(model, part.to(model.device)) for part in seen.split(64)]).cpu().numpy()


def _answer(model: AULLM, part: Tensor) -> Tensor:
    return model.logits_from_motion(model.motion(part.float() / 255) if part.ndim == 4 else part.float())


def digest(tensors: dict[str, Tensor]) -> str:
    """SHA-256 over names and values, which tells one set of first weights from another."""
    sha = hashlib.sha256()
    for name, value in sorted(tensors.items()):
        sha.update(name.encode() + value.cpu().contiguous().numpy().tobytes())
    return sha.hexdigest()


def scratch(config: AULLMConfig, seed: int) -> Network:
    """A network with random first weights, the same for every fold."""
    torch.manual_seed(seed)
    return Network(AULLM(config), FROM_NOTHING[_kind(config)])


def _kind(config: AULLMConfig) -> str:
    return "none" if config.language_model == "none" else "llm"


def further(checkpoint: str, config: AULLMConfig, seed: int) -> Network:
    """A network that starts from a checkpoint's weights: all parts that both have; new AUs get new rows in the head.

    `config` says which AUs, which front end, and whether there is a language model; the rest is the checkpoint's.
    """
    source = AULLM.from_pretrained(checkpoint)
    with_llm = config.language_model != "none"
    if (source.config.motion, source.config.projector) != (config.motion, config.projector):
        raise InputError(f"{checkpoint} has another front end or projector than this preset: use --init scratch.")
    if with_llm and source.config.language_model == "none":
        raise InputError(f"{checkpoint} has no language model to start from: use --init scratch.")
    if not source.config.trained_on:
        raise InputError(f"{checkpoint} does not say whom it was trained on, so nobody can be tested: train it anew.")
    language_model = source.config.language_model if with_llm else "none"
    undecided = dict(calibration=(), thresholds=(), not_sure=(), base_fingerprint="", speaks=False)
    torch.manual_seed(seed)
    model = AULLM(source.config.changed(aus=config.aus, language_model=language_model, **undecided))
    if model.language.width != source.language.width:
        raise InputError(f"The language model of {checkpoint} is too narrow or too wide: use --init scratch.")
    model.load_trained_state(_taken_over(model, source))
    return Network(model, FURTHER[_kind(config)])


def _taken_over(model: AULLM, source: AULLM) -> dict[str, Tensor]:
    """The model's weights with everything that the source knows; heads meet only where they read the same space."""
    state, known = model.trained_state(), source.trained_state()
    same_space = model.config.language_model == source.config.language_model
    rows = {k: source.config.aus.index(au) for k, au in enumerate(model.config.aus) if au in source.config.aus}
    for name, value in state.items():
        if not name.startswith("au_head"):
            state[name] = known[name]
        elif same_space:
            state[name] = value.clone()
            state[name][list(rows)] = known[name][list(rows.values())]
    return state
