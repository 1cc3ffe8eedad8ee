"""Train several folds at once: each has weights of its own, and all pass the one frozen language model together.

A fold's batch of 32 clips is too small for a language model: its weights are read from memory, and its many steps
started, for hardly fifty tokens.  So folds keep in step.  Each works out its visual tokens alone; the tokens of all
then go through the frozen layers as rows of one batch, where only LoRA differs from row to row.  What each fold learns
is what it would learn alone, but for the rounding and for the chance that drops values out.
"""

import copy
from collections.abc import Sequence
from itertools import zip_longest

import torch
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn

from ..errors import InputError
from ..language import LanguageModel
from ..model import AULLM
from ..train import Trainer


class LoraOfFolds(nn.Module):
    """A frozen layer with the LoRA of each fold on its own row.  [F, N, in] -> [F, N, out]"""

    def __init__(self, layers: Sequence[LoraLayer]):
        super().__init__()
        self.base, self.drop = layers[0].base_layer, layers[0].lora_dropout["default"]
        self.scale = layers[0].scaling["default"]
        self.down = [layer.lora_A["default"].weight for layer in layers]  # a list: they are parameters of the folds
        self.up = [layer.lora_B["default"].weight for layer in layers]
        self.busy: Sequence[int] = range(len(layers))  # the folds whose rows come in

    def forward(self, x: Tensor) -> Tensor:
        down, up = (torch.stack([side[fold] for fold in self.busy]) for side in (self.down, self.up))
        return self.base(x) + self.scale * (self.drop(x) @ down.mT @ up.mT)


class LanguageOfFolds:
    """The language models of several folds, which differ in LoRA alone, as one.  F of [B, 1, E] -> F of [B, E]"""

    def __init__(self, languages: Sequence[LanguageModel]):
        self.language = twin(languages[0])
        places = [name for name, layer in languages[0].lm.named_modules() if isinstance(layer, LoraLayer)]
        self.layers = [LoraOfFolds([one.lm.get_submodule(name) for one in languages]) for name in places]
        for name, layer in zip(places, self.layers):
            self.language.lm.set_submodule(name, layer)

    def __call__(self, tokens: Sequence[Tensor], busy: Sequence[int]) -> list[Tensor]:
        """States at the visual tokens of the busy folds; batches of one size pass together."""
        states = {}
        for size in {len(token) for token in tokens}:
            alike = [n for n, token in enumerate(tokens) if len(token) == size]
            for layer in self.layers:
                layer.busy = [busy[n] for n in alike]
            rows = self.language.side_by_side(torch.stack([tokens[n].squeeze(1) for n in alike]))
            states |= dict(zip(alike, rows))
        return [states[n] for n in range(len(tokens))]


def twin(module: nn.Module) -> nn.Module:
    """A copy with weights of its own wherever something learns; the frozen ones are the same tensors."""
    return copy.deepcopy(module, {id(weight): weight for weight in module.parameters() if not weight.requires_grad})


def fit_together(trainers: Sequence[Trainer]) -> list[AULLM]:
    """What `Trainer.fit` does, for the folds of one method at once: models are twins, settings the same.

    Raises `InputError` where they learn words, which only `Trainer.fit` does.
    """
    if any(trainer.speaks for trainer in trainers):
        raise InputError("Folds that learn at once learn no words: leave out `TrainConfig.spoken`.")
    shared = LanguageOfFolds([trainer.model.language for trainer in trainers])
    while not trainers[0].done:
        warming = trainers[0].warming  # then the language model rests
        losses = [t.train_epoch() for t in trainers] if warming else epoch_together(trainers, shared)
        for trainer, loss in zip(trainers, losses):
            trainer.judge_epoch(loss)
            trainer.keep_best()
    return [trainer.best_model() for trainer in trainers]


def epoch_together(trainers: Sequence[Trainer], shared: LanguageOfFolds) -> list[float]:
    """One pass of every fold over its own clips; the mean loss of each.  A fold with fewer batches ends earlier."""
    losses: list[list[float]] = [[] for _ in trainers]
    for batches in zip_longest(*(trainer.batches() for trainer in trainers)):
        busy = [fold for fold, batch in enumerate(batches) if batch is not None]
        for fold, loss in zip(busy, _step([trainers[n] for n in busy], [batches[n] for n in busy], shared, busy)):
            losses[fold].append(loss)
    return [sum(some) / len(some) for some in losses]


def _step(trainers: Sequence[Trainer], batches: Sequence[tuple], shared: LanguageOfFolds, busy: list) -> list[float]:
    """One update of each fold, by its own loss alone."""
    with trainers[0].accelerator.autocast():
        seen = [trainer.look(*batch[:3]) for trainer, batch in zip(trainers, batches)]
        hidden = shared([token for token, _ in seen], busy)
        losses = [
            trainer.decision_loss(state, labels) + trainer.config.auxiliary * helper
            for trainer, state, (_, labels, *_), (_, helper) in zip(trainers, hidden, batches, seen)
        ]
    torch.stack(losses).sum().backward()  # no weight is shared that learns, so each fold gets its own gradient
    return [trainer.update(loss) for trainer, loss in zip(trainers, losses)]
