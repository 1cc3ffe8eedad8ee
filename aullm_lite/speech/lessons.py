"""What the language model learns to say, from the truth of generated clips.

The truth of one AU in one clip is three small numbers, its side, strength and apex frame, so that a batch of truths is
one tensor: int64 [B, K, 3], -1 where the AU is absent.  From it come the texts, and the targets of `Details`, linear
heads that show the visual part what words will need; they are not kept after training.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..distributed import total
from .questions import Question, answer
from .wording import FRAMES, SIDES, STRENGTHS, Statement, statements_of, tell

CHOICES = (tuple(SIDES), tuple(STRENGTHS), FRAMES)  # what the three numbers stand for
RARE = 3.0  # weight of a one-sided movement; of the clips with one, more are put into words, too
BRIEF = 3.0  # weight of a yes or no, which is one word where a report has thirty
KINDS, SHARES = ("report", "which", "is"), (0.5, 0.1, 0.4)


def truths_of(scripts, aus: tuple[int, ...]) -> Tensor:
    """The truth of every clip as numbers.  N scripts -> int64 [N, K, 3]"""
    truths = torch.full((len(scripts), len(aus), len(CHOICES)), -1)
    for row, script in enumerate(scripts):
        for said in statements_of(script, aus):
            numbers = (CHOICES[0].index(said.side), CHOICES[1].index(said.strength), CHOICES[2].index(said.frame))
            truths[row, aus.index(said.au)] = torch.tensor(numbers)
    return truths


def mirrored(truths: Tensor, flip: Tensor) -> Tensor:
    """Left and right swapped in some clips.  [B, K, 3], [B] -> [B, K, 3]"""
    swapped = torch.tensor([CHOICES[0].index(side) for side in ("both", "R", "L")])
    sides = truths[..., 0]
    turned = torch.where(sides >= 0, swapped[sides.clamp_min(0)], sides)
    return torch.cat([torch.where(flip[:, None], turned, sides)[..., None], truths[..., 1:]], dim=-1)


def statements(truth: Tensor, aus: tuple[int, ...]) -> list[Statement]:
    """The words for one clip's numbers.  [K, 3] -> statements of the AUs that are there"""
    rows = zip(aus, truth.tolist())
    return [Statement(au, *(CHOICES[i][n] for i, n in enumerate(row))) for au, row in rows if row[0] >= 0]


class Details(nn.Module):
    """Side, strength and apex frame of every AU, straight from the visual token.  [B, 1, E] -> loss []

    A one-sided movement counts as much as several of both sides: they are rare, and "both" is never far wrong.
    """

    def __init__(self, width: int, aus: int):
        super().__init__()
        self.sizes = [len(some) for some in CHOICES]
        self.linear = nn.Linear(width, aus * sum(self.sizes))
        self.register_buffer("rare", torch.tensor([1.0, RARE, RARE]), persistent=False)

    def forward(self, token: Tensor, truths: Tensor) -> Tensor:
        there = truths[..., 0] >= 0  # [B, K]
        scores = self.linear(token.flatten(1)).float().view(*there.shape, -1)[there]  # [M, 11], M AUs that moved
        if not there.any():
            return scores.sum()
        weights = (self.rare, None, None)
        parts = zip(scores.split(self.sizes, dim=-1), truths[there].unbind(-1), weights)
        return sum(F.cross_entropy(some, target, weight) for some, target, weight in parts)


class Teacher:
    """Makes texts: for each clip its report, or a question with the right answer."""

    def __init__(self, language, aus: tuple[int, ...]):
        self.tokenizer, self.end, self.aus = language.tokenizer, language.end, aus
        one_sided = [self.encode(f" {side}") for side in ("left", "right")]
        self.rare = {ids[0] for ids in one_sided if len(ids) == 1}

    def order(self, truths: Tensor, rng: np.random.Generator) -> Tensor:
        """In which order to put a batch into words: at random, clips with a one-sided movement rather first.

        [B, K, 3] -> [B]
        """
        one_sided = (truths[..., 0] > 0).any(1)
        return torch.argsort(torch.from_numpy(rng.random(len(truths))) - 0.5 * one_sided)

    def lesson(self, truths: Tensor, rng: np.random.Generator) -> tuple[list[Tensor], list[Tensor]]:
        """Texts of S clips, drawn anew each time, and how much each of their words counts: questions not at all.

        [S, K, 3] -> S of ids [L], S of weights [L]
        """
        rows = [self.text(statements(truth, self.aus), rng) for truth in truths]
        return [torch.tensor(ids) for ids, _ in rows], [torch.tensor(weights) for _, weights in rows]

    def text(self, said: list[Statement], rng: np.random.Generator) -> tuple[list[int], list[float]]:
        """One text as token ids with its end, and what each of them counts."""
        seen = {one.au for one in said}
        kind = rng.choice(KINDS, p=SHARES)
        absent = [au for au in self.aus if au not in seen]
        ask = sorted(seen) if seen and (rng.random() < 0.5 or not absent) else absent
        question = Question(str(kind), int(rng.choice(ask)) if kind == "is" else None)
        asked = self.encode(question.words)
        told = self.encode(tell(said) if kind == "report" else answer(question, seen)) + [self.end]
        plain = BRIEF if kind == "is" else 1.0
        return asked + told, [0.0] * len(asked) + [RARE if word in self.rare else plain for word in told]

    def encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False)


def word_loss(language, states: Tensor, texts: list[Tensor], weights: list[Tensor]) -> Tensor:
    """Cross-entropy of the words of all processes, a mean by their weights.  [sum L, E], S of [L], S of [L] -> []"""
    words, weights = torch.cat(texts), torch.cat(weights).to(texts[0].device)
    learnt = weights > 0
    each = F.cross_entropy(language.vocabulary(states[learnt]).float(), words[learnt], reduction="none")
    return total((each * weights[learnt]).sum()) / total(weights.sum())
