"""What was found in one clip: named, timed, three-way, as data and as text.

Every sentence of `AUReport.text()` is filled from the structured values, so the text cannot claim more than the data.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from .facs import action_unit
from .files import write_together

LIMITS = (
    "This lists visible facial movement only: not why the face moved, what the person thinks or means, or whether they "
    "tell the truth. The model learned from synthetic faces."
)


def verdict_of(probability: float, low: float, high: float) -> str:
    """Three-way answer: at or above `high` present, under `low` absent, between them not sure."""
    return "present" if probability >= high else "absent" if probability < low else "not sure"


@dataclass(frozen=True)
class AUEvent:
    """One movement: when it began, was strongest and was over, in seconds of the video."""

    au: int
    onset_s: float
    apex_s: float
    offset_s: float
    probability: float  # of the surest window that saw it


@dataclass(frozen=True)
class AUFinding:
    """The answer for one AU.  The times are those of its strongest event, None where there is none."""

    au: int
    probability: float
    threshold: float
    verdict: str
    onset_s: float | None = None
    apex_s: float | None = None
    offset_s: float | None = None
    side: str | None = None  # the subject's: both, L or R; only a spoken report tells
    strength: str | None = None  # weak, medium or strong; likewise

    @property
    def name(self) -> str:
        return action_unit(self.au).name

    @property
    def region(self) -> str:
        return action_unit(self.au).region

    @property
    def muscle(self) -> str:
        return action_unit(self.au).muscle

    @property
    def label(self) -> str:
        return str(action_unit(self.au))

    def to_dict(self) -> dict:
        times = {key: _number(getattr(self, key)) for key in ("onset_s", "apex_s", "offset_s")}
        return {
            "au": self.au,
            "name": self.name,
            "probability": _number(self.probability),
            "verdict": self.verdict,
            **times,
            "threshold": _number(self.threshold),
            "region": self.region,
            "muscle": self.muscle,
            **({"side": self.side, "strength": self.strength} if self.side else {}),
        }


@dataclass(frozen=True)
class AUReport:
    """All K findings in the order of the logits, the timeline of each AU, and how they were made.

    `times` are the centres of the windows in seconds, `series[au]` the probabilities at them.  `crop` is the aligned
    face at the start of the most telling window (rgb uint8), `windows[au]` the six frames in which the model is surest
    of an AU: no dictionary or JSON holds them, only a figure asked for.  `why` are attributions, see `with_why`;
    `words` are what the language model said, see `with_words`.
    """

    findings: tuple[AUFinding, ...]
    times: tuple[float, ...]
    series: Mapping[int, tuple[float, ...]]
    video: Mapping  # fps, frames, seconds
    model: Mapping  # name, preset, fingerprint, aus
    events: tuple[AUEvent, ...] = ()
    warnings: tuple[str, ...] = ()
    latency_ms: Mapping[str, float] = field(default_factory=dict)
    crop: np.ndarray | None = field(default=None, repr=False, compare=False)
    windows: Mapping = field(default_factory=dict, repr=False, compare=False)
    why: tuple = ()
    words: object | None = None

    def __getitem__(self, au: int) -> AUFinding:
        """The finding of an AU number.  Raises `KeyError` for an AU that this model does not know."""
        for finding in self.findings:
            if finding.au == au:
                return finding
        raise KeyError(f"AU{au} is not among the AUs of this model: {' '.join(str(f.au) for f in self.findings)}.")

    def with_why(self, *attributions) -> "AUReport":
        """The same report with attributions (see `explain`), which its text and its dictionary then tell."""
        return replace(self, why=(*self.why, *attributions))

    def with_words(self, spoken) -> "AUReport":
        """The same report with what the language model said, see `speech.describe`; its dictionary then tells."""
        return replace(self, words=spoken)

    def with_verdict(self, verdict: str) -> list[AUFinding]:
        """The findings of one verdict, surest first."""
        return [f for f in self.top() if f.verdict == verdict]

    def top(self, n: int | None = None) -> list[AUFinding]:
        """The `n` most probable findings (all by default), surest first."""
        return sorted(self.findings, key=lambda f: -f.probability)[:n]

    def to_dict(self) -> dict:
        """Plain lists, numbers and strings, ready for JSON: a number that is not finite becomes None."""
        series = {f"au{au}": [_number(p) for p in values] for au, values in self.series.items()}
        return {
            "aus": [f.to_dict() for f in self.findings],
            "timeline": {"t": [_number(t) for t in self.times], **series},
            "video": _plain(self.video),
            "model": _plain(self.model),
            "warnings": list(self.warnings),
            "events": [_plain(vars(e)) for e in self.events],
            "latency_ms": _plain(self.latency_ms),
            **({"why": [made.to_dict() for made in self.why]} if self.why else {}),
            **({"words": self.words.to_dict()} if self.words else {}),
        }

    def to_json(self, path: str | Path | None = None) -> str:
        """The dictionary as JSON text, also written to `path` when one is given."""
        text = json.dumps(self.to_dict(), indent=2, allow_nan=False, ensure_ascii=False) + "\n"
        if path is not None:
            write_together({Path(path): text.encode()})
        return text

    def text(self) -> str:
        """What moved, what is uncertain, and what this does not tell, in whole sentences."""
        present, unsure = self.with_verdict("present"), self.with_verdict("not sure")
        sentences = [_sentence(f) for f in present] or ["No Action Unit was found to be present."]
        if unsure:
            sentences.append(f"Not sure about {_join([f.label for f in unsure])}.")
        return " ".join([*sentences, *(made.text() for made in self.why), LIMITS])

    def __str__(self) -> str:
        header = (
            f"{'AU':<5} {'name':<22} {'p':>5} {'threshold':>9}  {'verdict':<9} {'onset':>7} {'apex':>7} {'offset':>7}"
        )
        notes = [f"! {warning}" for warning in self.warnings]
        return "\n".join([header, "-" * len(header), *map(_row, self.findings), *notes])


def _number(value: float | None, digits: int = 4) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return value if isinstance(value, int) else round(float(value), digits)


def _plain(value):
    """Mappings, sequences and NumPy scalars as what JSON knows."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return _number(value) if isinstance(value, float) else value


def _sentence(f: AUFinding) -> str:
    where = f"{f.label} ({f.region}; {f.muscle})"
    if f.apex_s is None:
        return f"{where} is present."
    return f"{where} moved from {f.onset_s:.2f} s to {f.offset_s:.2f} s, strongest at {f.apex_s:.2f} s."


def _join(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _row(f: AUFinding) -> str:
    times = " ".join(f"{t:>7.2f}" if t is not None else f"{'-':>7}" for t in (f.onset_s, f.apex_s, f.offset_s))
    return f"AU{f.au:<3} {f.name:<22} {f.probability:>5.2f} {f.threshold:>9.2f}  {f.verdict:<9} {times}".rstrip()
