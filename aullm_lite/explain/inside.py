"""Attributions to what lies inside: middle against high features, and the words of the prompt against the visual token.

Both are Integrated Gradients, so their numbers add up to the difference between the logit and that of their baseline.
"""

import torch
from torch import Tensor

from ..errors import InputError
from .decision import Decision
from .gradients import GAUSS, STEPS, completed

FEATURES = ("mid features", "high features")
TOKEN = "visual token"
WORD_STEPS = 12  # each runs the whole prompt through the language model, forward and backward


def fusion(decision: Decision, steps: int = STEPS) -> dict:
    """How much came by the texture and how much by the meaning that enter the projector.

    Both are features of one 3D-CNN, and the high ones are made of the middle ones.
    """
    model = decision.model
    logits = lambda mid, high: model.au_head(model.hidden(model.projector(mid, high)))  # noqa: E731
    with torch.no_grad():
        given, still = (model.backbone(some) for some in (decision.motion, decision.still_motion))
    found, delta = completed((logits, given, still), decision.target, decision.logits, steps)
    parts = {name: some.sum().item() for name, some in zip(FEATURES, found)}
    baseline = "the features of the first frame, held"
    return {"on": "features", "parts": parts, "delta": delta, "logits": decision.logits, "baseline": baseline}


def words(decision: Decision, steps: int = WORD_STEPS) -> dict:
    """How much each word of the prompt and the visual token count; the sum lacks a few per cent.

    The baseline of a word is the mean of all words that the model knows, that of the visual token is stillness's.
    Raises `InputError` without a language model.
    """
    model = decision.model
    check_words(model)
    table = model.language.lm.get_input_embeddings()
    with torch.no_grad():
        prompt = table(model.language.prompt_ids)
        nothing = table.weight.mean(0).expand_as(prompt)
        token, still_token = (model.visual_token(some) for some in (decision.motion, decision.still_motion))
        given, still = torch.cat([prompt, token], 1), torch.cat([nothing, still_token], 1)

    def logits(rows: Tensor) -> Tensor:
        rows = rows.to(model.language.lm.dtype)  # which may be half precision
        states = model.language.body(inputs_embeds=rows, use_cache=False).last_hidden_state[:, -1]
        return model.au_head(states.to(model.au_head.weight.dtype))

    with torch.no_grad():
        ends = tuple(logits(torch.cat([given, still]))[:, decision.target].tolist())
    found, delta = completed((logits, given, still), decision.target, ends, steps, most=steps, rule=GAUSS)
    names = [*(f"{n + 1} {word}" for n, word in enumerate(model.language.prompt_words)), TOKEN]
    parts = dict(zip(names, found.sum(-1)[0].tolist()))
    baseline = "the mean word, and the visual token of the first frame, held"
    return {"on": "words", "parts": parts, "delta": delta, "logits": ends, "baseline": baseline}


def check_words(model) -> None:
    """Raise `InputError` for a model without words."""
    if not hasattr(model.language, "lm"):
        raise InputError("This model has no language model, so there are no words: choose another method.")
