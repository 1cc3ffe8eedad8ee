"""The one form that every explanation has: a map over the frames, or named parts, and what they were compared with."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..facs import ZONES, action_unit, zone_map
from ..files import write_together

STILL = "the first frame, held"
PHASES = ("onset to apex", "apex to offset")


@dataclass(frozen=True, eq=False)
class Attribution:
    """How much each place, or each part, spoke for (above 0) or against (below 0) one AU.

    `map` is [T, H, W] in the frames of the clip, `parts` are named numbers; one of them may be missing.  `delta` is
    logit(clip) - logit(baseline) less the sum of all attributions, where the method promises that it is 0.
    Raises `InputError` for numbers that are none, and for a map that is 0 everywhere.
    """

    au: int
    method: str
    on: str  # what was varied: motion, pixels, features or words
    map: np.ndarray | None = field(default=None, repr=False)
    parts: Mapping[str, float] = field(default_factory=dict)
    baseline: str = STILL
    apex: int | None = None  # frame of the strongest movement
    logits: tuple[float, float] | None = None  # of the clip and of the baseline
    delta: float | None = None

    def __post_init__(self):
        values = np.array([*self.parts.values()]) if self.map is None else self.map
        if not values.size or not np.isfinite(values).all():
            raise InputError(f"{self.method} gave values for AU{self.au} that are no numbers: try another method.")
        if not values.any():
            raise InputError(f"{self.method} attributes nothing of AU{self.au} to this clip: try another method.")

    @property
    def zones(self) -> dict[str, tuple[float, ...]]:
        """What each zone of the face got in each phase.  Raises `InputError` without a map."""
        if self.map is None:
            raise InputError(f"{self.method} tells nothing of places: choose a method that makes a map.")
        where, split = zone_map(self.map.shape[-1]), (self.apex or 0) + 1
        phases = self.map[:split].sum(0), self.map[split:].sum(0)
        return {name: tuple(float(some[where == n].sum()) for some in phases) for n, name in enumerate(ZONES)}

    def evidence(self) -> np.ndarray:
        """What speaks for the AU, over time.  -> [H, W], 0 and above; where nothing does, its size"""
        for_it = np.maximum(self.map, 0).sum(0)
        return for_it if for_it.any() else np.abs(self.map).sum(0)

    def text(self) -> str:
        """Which places and moments, or which parts, carried the decision, in one or two sentences."""
        return _of_places(self) if self.map is not None else _of_parts(self)

    def to_dict(self) -> dict:
        """All but the map, ready for JSON."""
        zones = {name: _rounded(values) for name, values in self.zones.items()} if self.map is not None else {}
        return {
            "au": self.au,
            "name": action_unit(self.au).name,
            "method": self.method,
            "on": self.on,
            "baseline": self.baseline,
            "logit": self.logits and round(self.logits[0], 5),
            "baseline_logit": self.logits and round(self.logits[1], 5),
            "delta": None if self.delta is None else round(self.delta, 6),
            "apex_frame": self.apex,
            "phases": list(PHASES),
            "zones": zones,
            "parts": {name: round(float(value), 5) for name, value in self.parts.items()},
            "text": self.text(),
        }

    def files(self, stem: Path) -> dict[Path, bytes]:
        """What `save` writes: numbers as JSON, and the map, if there is one, as npz."""
        files = {stem.with_suffix(".json"): (json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n").encode()}
        if self.map is not None:
            content = io.BytesIO()
            np.savez_compressed(content, map=self.map.astype(np.float32))
            files[stem.with_suffix(".npz")] = content.getvalue()
        return files

    def save(self, stem: Path | str) -> None:
        """Write STEM.json and STEM.npz, both whole or not at all."""
        write_together(self.files(Path(stem)))


def _rounded(values) -> list[float]:
    return [round(value, 5) for value in values]


def _of_places(made: Attribution) -> str:
    """ "AU12 Lip corner puller: 71 % of what speaks for it lies at the lip corners, most of it onset to apex ..." """
    zones = {name: sum(max(v, 0.0) for v in values) for name, values in made.zones.items()}
    total = sum(zones.values())
    if not total:
        return f"{action_unit(made.au)}: {made.method} finds nothing that speaks for it."
    shares = sorted(((value / total, name) for name, value in zones.items()), reverse=True)
    first, second = shares[0], shares[1]
    phases = [sum(max(values[n], 0.0) for values in made.zones.values()) for n in range(2)]
    when = PHASES[int(phases[1] > phases[0])]
    also = f", {second[0]:.0%} {_at(second[1])}" if second[0] >= 0.1 else ""
    return (
        f"{action_unit(made.au)}: {first[0]:.0%} of what speaks for it lies {_at(first[1])}{also}; "
        f"{max(phases) / total:.0%} of it comes from the frames {when} ({made.method} on {made.on})."
    )


def _at(zone: str) -> str:
    return zone if zone == "elsewhere" else f"at the {zone}"


def _of_parts(made: Attribution) -> str:
    """ "AU12 Lip corner puller: mid features 62 %, high features 38 % of all that counted." """
    total = sum(abs(value) for value in made.parts.values())
    largest = sorted(made.parts.items(), key=lambda part: -abs(part[1]))[:3]
    said = ", ".join(f"{name} {abs(v) / total:.0%} ({'for' if v > 0 else 'against'})" for name, v in largest)
    return f"{action_unit(made.au)}: {said} of all that counted ({made.method} on {made.on})."
