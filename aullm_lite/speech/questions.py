"""The few questions that can be answered, and how.

A question of a visitor never reaches the language model: it is recognised, and the model reads our own wording of it
after the visual token.  So nothing written into a question can steer the answer.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import InputError
from ..facs import ACTION_UNITS, action_unit

LONGEST = 200  # characters of a question
NONE, YES, NO = " None.", " Yes.", " No."
CAN = "I can say which Action Units I see, whether one of them is present, and describe what moved"
REFUSALS = {
    "empty": f"Please ask something: {CAN}.",
    "long": f"Please ask in at most {LONGEST} characters: {CAN}.",
    "person": f"I only report facial movement, never emotion, identity, intent, health or truthfulness: {CAN}.",
    "other": f"I cannot answer that, but {CAN}: try “Is AU12 present?”",
}
_PERSON = re.compile(
    r"\b(emotions?|emotional|feel(s|ing|ings)?|mood|happy|happiness|sad|sadness|angry|anger|afraid|fear|disgust(ed)?|"
    r"surprised?|contempt|stress(ed)?|pain|sick|ill|depress(ed|ion)|healthy?|disease|autis(m|tic)|lie[sd]?|lying|liar|"
    r"truth|truthful|honest|decei(t|ving)|guilty?|intent(ion)?|who|whose|(his|her|their) name|identi(ty|fy)|age|old|"
    r"gender|race|ethnic(ity)?|attractive|personality|trustworthy)\b",
)
# What surrounds a question without changing it.
_OPENING = re.compile(r"^(please,? |can you (tell me |say )?|could you |tell me |i want to know |do you think )+")
_CLOSING = re.compile(r",? please$")
_PLACE = re.compile(r" (in|on|of) (this|the|it|my) ?(clip|video|face|person)?$")
_WHICH = re.compile(
    r"((which|what) |list (the |all )?|name (the |all )?)(facial )?(action units?|aus?)"
    r"( (do|can|did) you see| (you )?see| (are|is|were|was)( there| present| visible| active| moving)?"
    r"| moved?| appear(ed)?)?"
)
_REPORT = re.compile(
    r"(describe|report)( (it|this|the (clip|video|face|movement)))?|what (moved|happened|changed|(do|can|did) you see)"
)
_IS = re.compile(
    r"((is|was|are|were|does|did|has|do you see|can you see|did you see|is there) )?(there )?(an? )?(.+?)"
    r"( (present|visible|there|active|moving|move|moved|appear|appeared))?"
)


@dataclass(frozen=True)
class Question:
    """A question that can be answered: `report`, `which`, or `is` with its AU."""

    kind: str
    au: int | None = None

    @property
    def words(self) -> str:
        """What the language model reads after the visual token; nothing before a report, which comes by itself."""
        if self.kind == "is":
            return f" Is AU{self.au} {action_unit(self.au).name.lower()} present?"  # named as in reports
        return {"report": "", "which": " Which Action Units do you see?"}[self.kind]


class Refused(InputError):
    """A question that is not answered; the message says what can be asked."""


def understand(text: str, aus: Iterable[int]) -> Question:
    """The question that somebody means.  Raises `Refused` for all others, in one polite sentence."""
    if not isinstance(text, str) or not text.strip():
        raise Refused(REFUSALS["empty"])
    if len(text) > LONGEST:
        raise Refused(REFUSALS["long"])
    asked = re.sub(r"\s+", " ", text.strip().lower().rstrip("?!. "))
    for around in (_CLOSING, _PLACE, _OPENING):
        asked = around.sub("", asked)
    if _WHICH.fullmatch(asked):
        return Question("which")
    if _REPORT.fullmatch(asked):
        return Question("report")
    if (match := _IS.fullmatch(asked)) and (au := _au_of(match[5])):
        return _known(au, tuple(aus))
    raise Refused(REFUSALS["person" if _PERSON.search(asked) else "other"])


def _au_of(words: str) -> int | None:
    """The number of an AU that is given by number, by name or by both; None for other words."""
    match = re.fullmatch(r"(?:the |any )?(?:(?:au|action unit)[ -]?([0-9]{1,3}))? ?\(?([a-z ]*)\)?", words)
    if match is None:
        return None
    number, name = match[1] and int(match[1]), match[2]
    named = next((au for au, row in ACTION_UNITS.items() if row.name.lower() == name), None)
    if number is None:
        return named
    return number if not name or named == number else None


def _known(au: int, aus: tuple[int, ...]) -> Question:
    if au not in aus:
        raise Refused(f"I do not know AU{au}: ask about one of {', '.join(f'AU{known}' for known in aus)}.")
    return Question("is", au)


def answer(question: Question, seen: Iterable[int]) -> str:
    """The right answer of a clip in which some AUs are seen, as the language model learns to give it."""
    seen = sorted(seen)
    if question.kind == "is":
        return YES if question.au in seen else NO
    names = [f"AU{au}" for au in seen]
    return " " + " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]])) + "." if names else NONE


def read_answer(question: Question, text: str) -> frozenset[int]:
    """The AUs that an answer claims, for `is` the one or none.  Raises `ValueError` for what `answer` never says."""
    claimed = {YES.strip(): {question.au}, NO.strip(): set()} if question.kind == "is" else {}
    seen = claimed.get(text.strip(), set(map(int, re.findall(r"AU(\d+)", text))))
    if answer(question, seen).strip() != text.strip():  # not every tokenizer keeps the first space
        raise ValueError("it is no answer to the question")
    return frozenset(seen)
