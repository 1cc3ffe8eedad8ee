"""What the language model says of a clip, and the guard that keeps it to what was decided.

The state at the visual token is read twice, by the head and by the vocabulary, so decision and words come from one
look.  They may still disagree.  A text that is no report, names an AU that the head calls absent or passes over one
that it calls present is replaced by a plain sentence made of the head's verdicts, and says so in `problem`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from ..analysis import describe as model_facts
from ..errors import InputError
from ..facs import action_unit
from ..language import end_of
from ..report import AUFinding, AUReport, verdict_of
from .questions import NO, YES, Question, answer, read_answer, understand
from .wording import NOTHING, Statement, parse, stillness, with_times

REPORT = Question("report")


@dataclass(frozen=True)
class Spoken:
    """One report or answer.  `said` is the language model's own text, `text` what may be shown of it.

    Where `problem` gives a reason, `text` is the guard's instead.  `statements` is what a report that stands says.
    """

    text: str
    said: str
    verdicts: dict[int, str]  # of the head, on the same clip
    question: Question = REPORT
    statements: tuple[Statement, ...] = ()
    problem: str = ""
    times: tuple[float, ...] | None = None  # of the frames, in seconds

    def to_dict(self) -> dict:
        """Plain lists and strings, ready for JSON."""
        said = [asdict(one) for one in self.statements]
        return {"text": self.text, "said": self.said, "statements": said, "problem": self.problem}

    def report(self, model) -> AUReport:
        """The text, read back: each AU that it names is present, with side, strength and apex, each other absent."""
        named = {one.au: one for one in self.statements}
        findings = tuple(_finding(au, named.get(au), self.times) for au in model.config.aus)
        return AUReport(findings, times=(), series={}, video={}, model=model_facts(model))


def _finding(au: int, said: Statement | None, times) -> AUFinding:
    if said is None:
        return AUFinding(au, 0.0, 0.5, "absent")
    apex = times[said.frame - 1] if times is not None else None
    return AUFinding(au, 1.0, 0.5, "present", apex_s=apex, side=said.side, strength=said.strength)


def describe(model, clip: Tensor, question: str | None = None, *, times: Sequence[float] | None = None) -> Spoken:
    """Describe one clip with values 0..1, or answer a question about it.  [T, H, W] -> Spoken

    `times` are those of the T frames; with them the text gives seconds instead of frame numbers.  Raises `Refused`, an
    `InputError`, for a question that is not about Action Units, and `InputError` for a model that cannot speak.
    """
    asked = REPORT if question is None else understand(question, model.config.aus)
    clip = torch.as_tensor(clip).to(model.device)
    if clip.ndim != 3:
        raise InputError(f"A description is of one clip [T, H, W], got {[*clip.shape]}.")
    return describe_all(model, clip[None], asked, times=times)[0]


def describe_report(model, report: AUReport, question: str | None = None) -> Spoken:
    """The same for the window of an analysed video in which the model is surest of an AU, with its true times."""
    window = report.windows[report.top(1)[0].au]
    return describe(model, torch.from_numpy(window.clip), question, times=window.times.tolist())


@torch.no_grad()
def describe_all(model, clips: Tensor, question: Question = REPORT, *, times=None) -> list[Spoken]:
    """The same for many clips at once.  [B, T, H, W] -> B Spoken"""
    check_speaks(model)
    model.check_clips(clips)
    training, language = model.training, model.eval().language
    try:
        hidden, cache = language.begin(model.visual_token(model.motion(clips)))
        probabilities = model.probabilities_of(model.au_head(hidden))
        ids = torch.stack(list(language.words(hidden, cache, question.words)), dim=1)
    finally:
        model.train(training)
    texts = [_decoded(language.tokenizer, row) for row in ids.tolist()]
    return [_guarded(model.config, *pair, question, times) for pair in zip(texts, probabilities.tolist())]


def check_speaks(model) -> None:
    """Raise `InputError` for a checkpoint that has learned no words."""
    if not model.config.speaks:
        raise InputError(
            "This checkpoint has not learned to speak: train one on generated clips (`train --spoken 16`)."
        )


def _decoded(tokenizer, ids: list[int]) -> str:
    end = end_of(tokenizer)
    return tokenizer.decode(ids[: ids.index(end)] if end in ids else ids)


def _guarded(config, said: str, probabilities: list[float], question: Question, times) -> Spoken:
    """The text where it agrees with the head's verdicts, else the plain sentence made of them."""
    bands = zip(config.aus, probabilities, config.not_sure)
    verdicts = {au: verdict_of(p, *band) for au, p, band in bands}
    about = dict(said=said, verdicts=verdicts, question=question, times=None if times is None else tuple(times))
    try:
        statements = parse(said) if question == REPORT else ()
        named = [one.au for one in statements] if question == REPORT else read_answer(question, said)
        check_claims(question, named, verdicts)
    except ValueError as problem:
        return Spoken(text=plainly(question, verdicts), problem=str(problem), **about)
    text = with_times(said, times) if times is not None else said
    return Spoken(text=text.strip(), statements=statements, **about)


def check_claims(question: Question, claimed, verdicts: dict[int, str]) -> None:
    """Raise `ValueError` where a text claims what the head denies, or denies what it is sure of."""
    asked = (question.au,) if question.kind == "is" else verdicts
    if unknown := set(claimed) - set(verdicts):
        raise ValueError(f"it names AU{min(unknown)}, which this model does not know")
    for au in asked:
        if au in claimed and verdicts[au] == "absent":
            raise ValueError(f"it names AU{au}, which the head calls absent")
        if au not in claimed and verdicts[au] == "present":
            raise ValueError(f"it passes over AU{au}, which the head calls present")


def plainly(question: Question, verdicts: dict[int, str]) -> str:
    """What the head decided, in plain words: no side, no strength, no time."""
    with_verdict = lambda wanted: [au for au, verdict in verdicts.items() if verdict == wanted]  # noqa: E731
    present, unsure = sorted(with_verdict("present")), sorted(with_verdict("not sure"))
    if question.kind == "is":
        return {"present": YES, "absent": NO}.get(verdicts[question.au], " Not sure.").strip()
    doubt = f" Not sure about {', '.join(f'AU{au}' for au in unsure)}." if unsure else ""
    if question.kind == "which":
        return (answer(question, present) + doubt).strip()
    named = "; ".join(f"AU{au} {action_unit(au).name.lower()}" for au in present)
    return (f"{named}.{stillness(present + unsure)}" if present else NOTHING) + doubt
