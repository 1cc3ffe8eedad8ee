"""Behind the eye: a projector that learns to make tokens, and whoever reads them.

The same steps for every row: the projector warms up with a linear head of its own; the row's head is set by a logistic
regression on what its reader makes of these tokens; projector, reader and head learn together; and the head is set once
more.  A head that started from nothing would take most of a small budget just to catch up.
"""

import numpy as np
import torch
from torch import Tensor, nn

from .. import metrics
from ..model import AULLM
from ..recipe import TrainConfig
from ..speech.lessons import Teacher, mirrored, word_loss
from .budget import Budget
from .eye import Eye
from .learn import fit_head, group, learn
from .losses import LOSSES
from .rows import Row

SPOKEN = 16  # clips of a batch that the row `text` puts into words


def token_of(model: AULLM, mid: Tensor) -> Tensor:
    """One token from texture features.  [B, 64, 2, 9, 9] -> [B, 1, E]"""
    return model.projector(mid, model.backbone.semantic(mid))


def maker(model: AULLM) -> nn.ModuleDict:
    """The parts that make a token of what the eye sees, and learn in all rows."""
    return nn.ModuleDict({"semantic": model.backbone.semantic, "projector": model.projector})


def warm_tokens(model: AULLM, eye: Eye, labels: Tensor, loss: str, budget: Budget, seed: int, device) -> None:
    """Teach the projector to make tokens from which a linear head can tell the AUs.  Labels [N, K]"""
    torch.manual_seed(seed)
    helper = nn.Linear(model.au_head.in_features, model.au_head.out_features).to(device)
    labels, cost = labels.to(device), LOSSES[loss]
    model.train()

    def objective(rows: Tensor, flip: Tensor) -> Tensor:
        token = token_of(model, eye.batch(rows, flip, device))
        return cost(helper(token.flatten(1)), labels[rows.to(device)])

    groups = [group([*maker(model).parameters(), *helper.parameters()], budget.lr)]
    learn(groups, objective, clips=len(labels), steps=budget.token_steps, batch=budget.batch, seed=seed)


@torch.no_grad()
def set_head(model: AULLM, eye: Eye, labels: Tensor, device) -> None:
    """Set the head to what a linear reader gets out of the hidden states of the training clips.  Labels [N, K]"""
    weight, bias = fit_head(hidden_states(model, tokens(model, eye.mid["train"], device)), labels.to(device))
    model.au_head.weight.copy_(weight)
    model.au_head.bias.copy_(bias)


def fine_tune(model: AULLM, eye: Eye, labels: Tensor, truths: Tensor, row: Row, budget: Budget, seed: int) -> None:
    """Train projector, reader and head together; in the row `text` also words.  Labels [N, K], truths [N, K, 3]"""
    device = model.device
    labels, cost = labels.to(device), LOSSES[row.loss]
    words = Words(model, truths, seed) if row.text else None
    model.train()

    def objective(rows: Tensor, flip: Tensor) -> Tensor:
        token = token_of(model, eye.batch(rows, flip, device))
        hidden, said = words(token, rows, flip) if words else (model.hidden(token), 0.0)
        return cost(model.au_head(hidden), labels[rows.to(device)]) + said

    groups = [
        group([*maker(model).parameters(), *model.au_head.parameters()], budget.lr_token),
        group(model.language.parameters(), budget.lr_lora, decay=0.0),
    ]
    groups = [some for some in groups if some["params"]]  # a frozen reader has nothing to learn
    steps = row.length * budget.steps
    learn(groups, objective, clips=len(labels), steps=steps, batch=budget.batch, seed=seed)


class Words:
    """The second task: the first clips of a batch are also put into words."""

    def __init__(self, model: AULLM, truths: Tensor, seed: int):
        self.language, self.truths, self.rng = model.language, truths, np.random.default_rng(seed)
        self.teacher = Teacher(model.language, model.config.aus)

    def __call__(self, token: Tensor, rows: Tensor, flip: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden states of all clips, and the weighed loss of the words of some.  [B, 1, E], [B], [B] -> [B, E], []"""
        truths = mirrored(self.truths[rows[:SPOKEN]], flip[:SPOKEN])
        texts, weights = self.teacher.lesson(truths, self.rng)
        texts = [text.to(token.device) for text in texts]
        hidden, states = self.language.read_and_speak(token, texts)
        return hidden, TrainConfig.word_rate * word_loss(self.language, states, texts, weights)


@torch.no_grad()
def tokens(model: AULLM, mid: Tensor, device) -> Tensor:
    """The tokens of many clips.  half [N, 64, 2, 9, 9] -> [N, 1, E]"""
    model.eval()
    return torch.cat([token_of(model, some.to(device).float()) for some in mid.split(256)])


@torch.no_grad()
def hidden_states(model: AULLM, token: Tensor) -> Tensor:
    """What the reader makes of many tokens.  [N, 1, E] -> [N, E]"""
    model.eval()
    return torch.cat([model.hidden(some) for some in token.split(256)])


@torch.no_grad()
def answers(model: AULLM, token: Tensor) -> np.ndarray:
    """Uncalibrated answers to many tokens.  [N, 1, E] -> [N, K]"""
    return model.au_head(hidden_states(model, token)).float().cpu().numpy()


def changed(token: Tensor, how: str, mean: Tensor, seed: int) -> Tensor:
    """Tokens of a test: own, zeroed, averaged (the mean token of training clips) or shuffled.  [N, 1, E] -> same

    No clip keeps its own token when they are shuffled.
    """
    if how == "zeroed":
        return torch.zeros_like(token)
    if how == "averaged":
        return mean.expand_as(token)
    if how == "shuffled":
        order = torch.randperm(len(token), generator=torch.Generator().manual_seed(seed)).to(token.device)
        return token[order.roll(1)[order.argsort()]]
    return token


def calibrated(answers: dict[str, np.ndarray], labels: np.ndarray) -> dict[str, np.ndarray]:
    """Probabilities and thresholds from answers, chosen on inner people.  {part: [N, K]}, [N, K] -> arrays"""
    fitted = metrics.calibrate(labels, answers["inner"])
    scale, bias = np.array(fitted["calibration"]).T
    tested = {name: 1 / (1 + np.exp(-(some * scale + bias))) for name, some in answers.items() if name != "inner"}
    return tested | {"thresholds": np.array(fitted["thresholds"])}
