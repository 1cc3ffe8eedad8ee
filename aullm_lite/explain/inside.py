"""Attributions to what lies inside: middle against high features, and the words of the prompt against the visual token.

Both are Integrated Gradients, so their numbers add up to the difference of the logits.
"""

import torch
from torch import Tensor

from ..errors import InputError
from .decision import Decision
from .gradients import STEPS, completed

FEATURES = ("mid features", "high features")
TOKEN = "visual token"


def fusion(decision: Decision, steps: int = STEPS) -> tuple[dict[str, float], float]:
    """How much came by the texture and how much by the meaning that enter the projector.  -> parts, delta

    The baseline is the features of stillness.
    """
    model = decision.model
    logits = lambda mid, high: model.au_head(model.hidden(model.projector(mid, high)))  # noqa: E731
    with torch.no_grad():
        given, still = (model.backbone(some) for some in (decision.motion, decision.still_motion))
    found, delta = completed(logits, given, still, decision.target, steps)
    return {name: float(some.sum()) for name, some in zip(FEATURES, found)}, delta


def words(decision: Decision, steps: int = STEPS) -> tuple[dict[str, float], float]:
    """How much each word of the prompt and the visual token count.  -> parts, delta

    The baseline of a word is the mean of all words the model knows, that of the visual token is the one of stillness.
    Raises `InputError` without a language model.
    """
    model = decision.model
    if not hasattr(model.language, "lm"):
        raise InputError("This model has no language model, so there are no words: choose another method.")
    table = model.language.lm.get_input_embeddings()
    prompt = table(model.language.prompt_ids)
    with torch.no_grad():
        tokens = [model.visual_token(some) for some in (decision.motion, decision.still_motion)]
    given = torch.cat([prompt, tokens[0]], 1).detach()
    still = torch.cat([table.weight.mean(0).expand_as(prompt), tokens[1]], 1).detach()

    def logits(row: Tensor) -> Tensor:
        return model.au_head(model.language.body(inputs_embeds=row, use_cache=False).last_hidden_state[:, -1])

    found, delta = completed(logits, given, still, decision.target, steps)
    counts = found.sum(-1)[0].tolist()
    names = [f"{n + 1} {word}" for n, word in enumerate(model.language.prompt_words)]
    return dict(zip([*names, TOKEN], counts)), delta
