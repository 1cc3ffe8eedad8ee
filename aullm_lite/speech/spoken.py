"""What the language model says of a clip, and the guard that keeps it to what was decided.

The state at the visual token is read twice, by the head and by the vocabulary, so decision and words come from one
look.  They may still disagree.  A text that is no report, names an AU that the head calls absent or passes over one
that it calls present is replaced by a plain sentence made of the head's verdicts, and says so in `problem`.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from ..analysis import describe as model_facts
from ..errors import InputError
from ..facs import action_unit
from ..report import AUFinding, AUReport, verdict_of
from .drafts import drafts, speak
from .questions import NO, YES, Question, answer, read_answer, understand
from .wording import NOTHING, Statement, empty_half, parse, with_times

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
        asked = self.question.words.strip()
        times = None if self.times is None else [round(float(t), 4) for t in self.times]
        about = {"question": asked, "times": times, "said": self.said, "problem": self.problem}
        return {"text": self.text, "statements": said, **about}

    def report(self, model) -> AUReport:
        """The text, read back: each AU that it names is present, with side, strength and apex, each other absent.

        A text knows no probabilities: they are 1 and 0.  Raises `InputError` for an answer, and where the guard spoke.
        """
        if self.problem or self.question != REPORT:
            raise InputError("Only a report that stands as the language model gave it can be read back.")
        named = {one.au: one for one in self.statements}
        findings = tuple(_finding(au, named.get(au), self.times) for au in model.config.aus)
        return AUReport(findings, times=(), series={}, video={}, model=model_facts(model))


def _finding(au: int, said: Statement | None, times) -> AUFinding:
    if said is None:
        return AUFinding(au, 0.0, 0.5, "absent")
    apex = times[said.frame - 1] if times is not None else None
    return AUFinding(au, 1.0, 0.5, "present", apex_s=apex, side=said.side, strength=said.strength)


def describe(
    model,
    clip: Tensor,
    question: str | None = None,
    *,
    times: Sequence[float] | None = None,
    denied: Collection[int] = (),
) -> Spoken:
    """Describe one clip with values 0..1, or answer a question about it.  [T, H, W] -> Spoken

    `times` are those of the T frames; with them the text gives seconds instead of frame numbers.  `denied` are AUs that
    are known to be absent whatever the head makes of this clip.  Raises `Refused`, an `InputError`, for a question that
    is not about Action Units, and `InputError` for a model that cannot speak or another number of times.
    """
    check_speaks(model)
    asked = REPORT if question is None else understand(question, model.config.aus)
    clip = torch.as_tensor(clip).to(model.device)
    if clip.ndim != 3:
        raise InputError(f"A description is of one clip [T, H, W], got {[*clip.shape]}.")
    if times is not None and len(times) != len(clip):
        raise InputError(f"Give a time for each of the {len(clip)} frames, not {len(times)} times.")
    said, probabilities = listen(model, clip[None].float(), asked)
    verdicts = _verdicts(model.config, probabilities[0].tolist()) | dict.fromkeys(denied, "absent")
    return _guarded(said[0], verdicts, asked, times)


def describe_report(model, report: AUReport, question: str | None = None) -> Spoken:
    """The same for a window of an analysed video, with its true times: that in which the model is surest of an AU.

    It is the AU that is asked about, or else any.  What the whole report calls absent is absent here too.
    """
    asked = REPORT if question is None else understand(question, model.config.aus)
    window = report.windows[asked.au or report.top(1)[0].au]
    denied = [finding.au for finding in report.with_verdict("absent")]
    return describe(model, torch.from_numpy(window.clip), question, times=window.times.tolist(), denied=denied)


def describe_all(model, clips: Tensor, question: Question = REPORT) -> list[Spoken]:
    """Describe many clips at once, in frames.  [B, T, H, W] -> B Spoken"""
    check_speaks(model)
    said, probabilities = listen(model, clips, question)
    pairs = zip(said, probabilities.tolist())
    return [_guarded(text, _verdicts(model.config, p), question, None) for text, p in pairs]


@torch.no_grad()
def listen(model, clips: Tensor, question: Question) -> tuple[list[str], Tensor]:
    """What the language model says of each clip, and the head's probabilities.  [B, T, H, W] -> B texts, [B, K]"""
    model.check_clips(clips)
    training, language = model.training, model.eval().language
    try:
        hidden, cache = language.begin(model.visual_token(model.motion(clips)))
        probabilities = model.probabilities_of(model.au_head(hidden.to(model.au_head.weight.dtype)))
        if len(clips) == 1 and question == REPORT:
            ids = [speak(language, hidden, cache, drafts(language, model.config.aus))]
        else:
            ids = torch.stack(list(language.words(hidden, cache, question.words)), dim=1).tolist()
    finally:
        model.train(training)
    return [_decoded(language, row) for row in ids], probabilities


def check_speaks(model) -> None:
    """Raise `InputError` for a checkpoint that has learned no words."""
    if not model.config.speaks:
        raise InputError(
            "This checkpoint has not learned to speak: use `demo`, or train one on generated clips "
            "(`train --spoken 16`)."
        )


def _decoded(language, ids: list[int]) -> str:
    return language.tokenizer.decode(ids[: ids.index(language.end)] if language.end in ids else ids)


def _verdicts(config, probabilities: list[float]) -> dict[int, str]:
    return {au: verdict_of(p, *band) for au, p, band in zip(config.aus, probabilities, config.not_sure)}


def _guarded(said: str, verdicts: dict[int, str], question: Question, times) -> Spoken:
    """The text where it agrees with the verdicts, else the plain sentence made of them; with what is not sure."""
    about = dict(said=said, verdicts=verdicts, question=question, times=None if times is None else tuple(times))
    try:
        statements = parse(said) if question == REPORT else ()
        named = [one.au for one in statements] if question == REPORT else read_answer(question, said)
        check_claims(question, named, verdicts)
    except ValueError as problem:
        return Spoken(text=plainly(question, verdicts), problem=str(problem), **about)
    text = with_times(said, times) if times is not None else said
    return Spoken(text=text.strip() + _doubts(question, verdicts), statements=statements, **about)


def check_claims(question: Question, claimed, verdicts: dict[int, str]) -> None:
    """Raise `ValueError` where a text claims what the head denies, or is silent on what it is sure of.

    Whether an AU of which the head is not sure is there cannot be answered by yes or no.
    """
    asked = (question.au,) if question.kind == "is" else verdicts
    if unknown := set(claimed) - set(verdicts):
        raise ValueError(f"it names AU{min(unknown)}, which this model does not know")
    for au in asked:
        if au in claimed and verdicts[au] == "absent":
            raise ValueError(f"it names AU{au}, which the head calls absent")
        if au not in claimed and verdicts[au] == "present":
            raise ValueError(f"it passes over AU{au}, which the head calls present")
        if question.kind == "is" and verdicts[au] == "not sure":
            raise ValueError(f"it is sure of AU{au}, of which the head is not")


def plainly(question: Question, verdicts: dict[int, str]) -> str:
    """What the head decided, in plain words: no side, no strength, no time."""
    if question.kind == "is":
        return {"present": YES, "absent": NO, "not sure": " Not sure."}[verdicts[question.au]].strip()
    present, doubts = _with_verdict(verdicts, "present"), _doubts(question, verdicts)
    if doubts and not present:
        return f"No Action Unit is sure to be present.{doubts}"
    if question.kind == "which":
        return answer(question, present).strip() + doubts
    named = "; ".join(f"AU{au} {action_unit(au).name.lower()}" for au in present)
    return (f"{named}.{empty_half(present)}" if present else NOTHING) + doubts


def _with_verdict(verdicts: dict[int, str], wanted: str) -> list[int]:
    return sorted(au for au, verdict in verdicts.items() if verdict == wanted)


def _doubts(question: Question, verdicts: dict[int, str]) -> str:
    """The sentence on AUs of which the head is not sure, after a text on all AUs."""
    unsure = [] if question.kind == "is" else _with_verdict(verdicts, "not sure")
    return f" Not sure about {', '.join(f'AU{au}' for au in unsure)}." if unsure else ""
