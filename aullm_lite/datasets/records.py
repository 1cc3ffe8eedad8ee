"""One annotated clip, and the repair of its frame numbers.

Nothing is corrected in silence: every change is one entry of the repair log.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from .codes import AU
from .policy import Policy

DROP = None  # what a fix-up does with a row that cannot be used
LOST = {  # flags of samples that no clip can be made of
    "bad_window": "does not end after its onset",
    "doubled": "stands in more than one row",
    "no_folder": "has no folder of frames",
    "two_folders": "has more than one folder of frames",
    "no_frames": "has no frame between its onset and its offset",
}


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One row of a table.  Frame numbers are those of the files; `fps` is in frames a second.

    `event` is the table's onset, before any repair, where a clip has several rows; `apex_source` is `table`, `fixup`,
    `midpoint`, `nearest` or `spotter`; `apex_end` is the last frame of an apex given as a range; `frames` maps the
    numbers of onset..offset to files, and is empty without a root; `row` is the row that Excel shows; `name` is the
    person's own, where the data set tells it.
    """

    dataset: str
    version: str
    subject: str
    clip: str
    onset: int | None
    apex: int | None
    offset: int | None
    fps: float
    event: int | None = None
    apex_source: str = "table"
    apex_end: int | None = None
    aus: tuple[AU, ...] = ()
    emotion_raw: str = ""
    emotion: str | None = None
    objective: int | None = None
    frames: dict[int, Path] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    row: int | None = None
    name: str | None = None

    @property
    def key(self) -> tuple[str, str, str, int | None]:
        """What tells one row from every other."""
        return self.dataset, self.subject, self.clip, self.event

    @property
    def person(self) -> str:
        """The group of a split by subject; the data set belongs to it, for numbers repeat."""
        return self.name or f"{self.dataset}/{self.subject}"

    def flagged(self, *names: str) -> "Sample":
        return replace(self, flags=tuple(dict.fromkeys((*self.flags, *names))))


def why_lost(sample: Sample, frames: bool = True) -> str | None:
    """Why no clip can be made of a sample, or None; gaps of a few frames are bridged.

    Without `frames` the table alone is judged.
    """
    for flag, why in LOST.items():
        if flag in sample.flags:
            return why
    length = sample.offset - sample.onset + 1
    few = frames and len(sample.frames) < max(2, length / 2)
    return f"has only {len(sample.frames)} of its {length} frames" if few else None


@dataclass(frozen=True)
class Fixup:
    """A known typing error: applied only where `when` holds on the values read.

    `meb` are the values that tvaranka/meb uses, one for each such row in order; `neutral` is what is done otherwise,
    by default nothing, so that an impossible apex becomes the midpoint; `DROP` leaves the row out.
    """

    subject: str
    clip: str
    when: Callable[[Sample], bool]
    why: str
    meb: tuple[dict[str, int], ...] = ()
    neutral: dict[str, int] | None = field(default_factory=dict)

    def fits(self, sample: Sample) -> bool:
        return (sample.subject, sample.clip.casefold()) == (self.subject, self.clip.casefold()) and self.when(sample)


def apex_missing(sample: Sample) -> bool:
    return sample.apex is None


def apex_before_onset(sample: Sample) -> bool:
    return None not in (sample.onset, sample.apex) and sample.apex < sample.onset


def apex_after_offset(sample: Sample) -> bool:
    return None not in (sample.offset, sample.apex) and sample.apex > sample.offset


def entry(sample: Sample, name: str, value: object, why: str) -> dict:
    """One line of the repair log: the value of a field before and after."""
    return {
        "subject": sample.subject,
        "clip": sample.clip,
        "field": name,
        "from": getattr(sample, name, None),
        "to": value,
        "why": why,
    }


def apply_fixups(samples: Iterable[Sample], fixups: Iterable[Fixup], policy: Policy) -> tuple[list[Sample], list[dict]]:
    """The samples after the known typing errors are dealt with, and the log of it."""
    rows: list[Sample | None] = list(samples)
    log: list[dict] = []
    for fixup in fixups if policy.fixups != "none" else ():
        hits = [i for i, sample in enumerate(rows) if sample and fixup.fits(sample)]
        for order, i in enumerate(hits):
            by_meb = policy.fixups == "meb" and order < len(fixup.meb)
            change = fixup.meb[order] if by_meb else fixup.neutral
            if change is DROP:
                log.append(entry(rows[i], "row", None, f"{fixup.why}; the row is left out"))
                rows[i] = None
            elif change:
                log += [entry(rows[i], name, value, fixup.why) for name, value in change.items()]
                source = "fixup" if "apex" in change else rows[i].apex_source
                rows[i] = replace(rows[i], **change, apex_source=source).flagged("fixup")
    return [sample for sample in rows if sample], log


def repair_apex(sample: Sample) -> tuple[Sample, list[dict]]:
    """An apex that is missing or outside (onset, offset] becomes the midpoint; odd but possible ones are flagged."""
    if sample.onset >= sample.offset:
        sample = sample.flagged("bad_window")
    if sample.onset > sample.offset:
        return sample, []  # there is no middle of it
    if sample.apex is not None and sample.onset < sample.apex <= sample.offset:
        near = ("apex_near_onset",) if sample.apex == sample.onset + 1 else ()
        return sample.flagged(*near, *(("apex_at_offset",) if sample.apex == sample.offset else ())), []
    flag, why = "apex_outside", "the apex lies outside (onset, offset]"
    if sample.apex is None:
        flag, why = "apex_missing", "the apex is missing"
    middle = max((sample.onset + sample.offset) // 2, min(sample.onset + 1, sample.offset))  # of two frames the second
    log = [entry(sample, "apex", middle, why)]
    return replace(sample, apex=middle, apex_source="midpoint").flagged(flag), log
