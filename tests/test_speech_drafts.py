"""Drafts of a report: what is guessed is a report, and whatever is guessed, the words stay the model's own."""

import pytest
import torch

from aullm_lite.language import LanguageModel
from aullm_lite.speech.drafts import GUESSED, drafts, speak
from aullm_lite.speech.wording import NOTHING, Statement, tell

AUS = (1, 4, 10, 12, 17)
LIKELY = [Statement(4, "both", "medium", 3), Statement(12, "both", "medium", 3)]


@pytest.fixture(scope="module")
def reader():
    torch.manual_seed(0)
    return LanguageModel("random", "Look at the face.", rank=4, end=1).eval()


@pytest.mark.parametrize("report", [tell(LIKELY), tell(LIKELY[:1]), tell([Statement(12, "L", "strong", 6)]), NOTHING])
def test_a_guess_and_what_was_said_make_a_report(reader, report):
    tokenizer = reader.tokenizer
    draft, said = drafts(reader, AUS), tokenizer.encode(report)
    right = 0
    for n in range(1, len(said) + 1):
        guess = draft(said[:n])
        right += guess == [*said[n:], reader.end]
        whole = tokenizer.decode(said[:n] + guess[:-1])
        assert not guess or whole.startswith(("AU", "No")) and whole.endswith(".")
    assert right > 5  # near the end of each part there is no doubt left


def test_the_likeliest_report_is_guessed_from_its_first_number(reader):
    tokenizer = reader.tokenizer
    said = tokenizer.encode("AU4 ")
    assert tokenizer.decode((said + drafts(reader, AUS)(said))[:-1]) == tell(LIKELY[:1])


@pytest.mark.parametrize("text", ["She is happy", "AU99", "AU4 brow lowerer in anger"])
def test_no_guess_for_what_is_no_report(reader, text):
    assert drafts(reader, AUS)(reader.tokenizer.encode(text)) == []


@pytest.mark.parametrize("hit", [0, 1, 3, 100])
def test_whatever_is_guessed_the_words_are_the_models_own(reader, hit):
    with torch.no_grad():
        token = torch.randn(1, 1, reader.width) * reader.token_std
        plain = torch.stack(list(reader.words(*reader.begin(token), most=20)), 1)[0].tolist()
    steps = []

    def draft(said):
        steps.append(len(said))
        rest = plain[len(said) :][:hit]
        return rest + [(plain[len(said) + hit] + 1) % 250] if len(plain) > len(said) + hit else rest

    assert speak(reader, *reader.begin(token), draft, most=20) == plain
    assert len(steps) <= -(-len(plain) // (min(hit, GUESSED) + 1))
