"""The same words in fewer steps: guess how a report goes on, and let the language model check the guess at once.

Reading one more word takes a walk through all weights, and so does reading twenty.  So a whole statement is guessed
from the grammar of reports; of it are kept the words that the model would have chosen itself, and its own word where it
disagrees (Leviathan et al. 2023; Stern et al. 2018 for greedy choice).  A wrong guess costs little and changes nothing.
"""

import re
from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from ..language import MOST_WORDS
from .wording import NOTHING, SIDES, Statement, empty_half

DETAILS = [
    (side, strength, frame) for side in SIDES for strength in ("medium", "weak", "strong") for frame in (3, 4, 2, 5, 6)
]
GUESSED = 8  # words to check in one step: more cost more than they save on two cores
Draft = Callable[[list[int]], list[int]]


def drafts(language, aus: Iterable[int]) -> Draft:
    """A function that guesses how a report on these AUs goes on, in token ids; nothing where it cannot know."""
    statements = [str(Statement(au, *details)) for au in sorted(aus) for details in DETAILS]
    tokenizer = language.tokenizer

    def draft(said: list[int]) -> list[int]:
        text = tokenizer.decode(said)
        rest = rest_of(text, statements)
        whole = tokenizer.encode(text + rest, add_special_tokens=False) + [language.end]
        return whole[len(said) :] if rest and whole[: len(said)] == said else []

    return draft


def rest_of(text: str, statements: list[str]) -> str:
    """What is missing of a report that has begun: the statement that is likeliest to go on so, and its end."""
    if NOTHING.startswith(text):
        return NOTHING[len(text) :]
    done, _, begun = text.rpartition("; ")
    likely = next((one for one in statements if one.startswith(begun)), None)
    if likely is None:  # the last sentence, or no report at all
        told = text.partition(".")[0]
        whole = closed(told) if set(told.split("; ")) <= set(statements) else ""
        return whole[len(text) :] if whole.startswith(text) else ""
    return closed(f"{done}; {likely}" if done else likely)[len(text) :]


def closed(statements: str) -> str:
    """Statements with the full stop, and the sentence on the half of the face that shows nothing."""
    return f"{statements}.{empty_half(int(au) for au in re.findall(r'AU([0-9]+)', statements))}"


@torch.no_grad()
def speak(language, hidden: Tensor, cache, draft: Draft, most: int = MOST_WORDS) -> list[int]:
    """Speak on from `begin` for one clip, as `language.words` does, with a draft to check.  [1, E] -> ids"""
    end = language.end
    said = [int(language.vocabulary(hidden).argmax(-1))]
    while said[-1] != end and len(said) < most:
        guess = draft(said)[:GUESSED]
        ids = torch.tensor([[said[-1], *guess]], device=hidden.device)
        states = language.body(input_ids=ids, past_key_values=cache, use_cache=True).last_hidden_state[0]
        chosen = language.vocabulary(states).argmax(-1).tolist()  # after the last word said, after each that is guessed
        right = next((n for n, (one, own) in enumerate(zip(guess, chosen)) if one != own), len(guess))
        if end in guess[:right]:
            right = guess.index(end)  # nothing follows the end
        said += chosen[: right + 1]
        if right < len(guess):
            cache.crop(right - len(guess))  # a negative number: how many to forget
    return said[:most]
