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


class EmptyAttribution(InputError):
    """A method attributes nothing, or what is no number."""


@dataclass(frozen=True, eq=False)
class Attribution:
    """How much each place, or each part, spoke for (above 0) or against (below 0) one AU.

    `map` is [T, H, W] in the frames of the clip, `parts` are named numbers; one of them may be missing.  `logits` are
    those of the clip and of the baseline, where the method has one; `delta` is their difference less the sum of all
    attributions, and None where the method does not aim at that sum.
    Raises `EmptyAttribution`, an `InputError`, for numbers that are none, and for a map that is 0 everywhere.
    """

    au: int
    method: str
    on: str  # what was varied: motion, pixels, features or words
    map: np.ndarray | None = field(default=None, repr=False)
    parts: Mapping[str, float] = field(default_factory=dict)
    baseline: str | None = None
    apex: int | None = None  # frame of the strongest movement
    logits: tuple[float, float] | None = None
    delta: float | None = None

    def __post_init__(self):
        values = np.array([*self.parts.values()]) if self.map is None else self.map
        if not values.size or not np.isfinite(values).all():
            raise EmptyAttribution(f"{self.method} gave AU{self.au} values that are no numbers: try another method.")
        if not values.any():
            raise EmptyAttribution(f"{self.method} attributes nothing of AU{self.au} to this clip: try another method.")

    @property
    def zones(self) -> dict[str, tuple[float, ...]]:
        """What each zone got, {zone: (onset to apex, apex to offset)}.  Raises `InputError` without a map."""
        if self.map is None:
            raise InputError(f"{self.method} tells nothing of places: choose a method that makes a map.")
        where, split = zone_map(self.map.shape[-1]), (self.apex or 0) + 1
        phases = self.map[:split].sum(0), self.map[split:].sum(0)
        return {name: tuple(float(some[where == n].sum()) for some in phases) for n, name in enumerate(ZONES)}

    @property
    def signed(self) -> bool:
        """Whether the method can speak against an AU too."""
        return self.logits is not None

    def text(self) -> str:
        """How the score moved, and which places and moments, or which parts, carried it, in whole sentences."""
        body = self._of_parts() if self.map is None else self._of_places()
        return " ".join([f"{action_unit(self.au)}:", *self._of_score(), body])

    def _of_score(self) -> list[str]:
        """ "its score (the logit, before calibration) is 9.6; it would be -2.1 for the first frame, held." """
        if self.logits is None:
            return []
        return [f"its score (the logit, before calibration) is {self.logits[0]:.1f}, and {self.logits[1]:.1f} for "
                f"{self.baseline}."]  # fmt: skip

    def _of_places(self) -> str:
        """ "Of what zones add for it, 71% lies at the lip corners; 95% comes from the frames onset to apex (ig)." """
        sign = 1 if any(max(values) > 0 for values in self.zones.values()) else -1
        zones = {name: [max(sign * value, 0.0) for value in values] for name, values in self.zones.items()}
        total = sum(map(sum, zones.values()))
        first, second = sorted(((sum(values) / total, name) for name, values in zones.items()), reverse=True)[:2]
        phases = [sum(values[n] for values in zones.values()) for n in range(2)]
        also = f", {second[0]:.0%} {_at(second[1])}" if second[0] >= 0.1 else ""
        return (
            f"Of what zones add {'for' if sign > 0 else 'against'} it, {first[0]:.0%} lies {_at(first[1])}{also}; "
            f"{max(phases) / total:.0%} comes from the frames {PHASES[int(phases[1] > phases[0])]} "
            f"({self.method} on {self.on})."
        )

    def _of_parts(self) -> str:
        """ "Of all that counts, mid features 62% (for), high features 38% (for) (fusion)." """
        total = sum(abs(value) for value in self.parts.values())
        largest = sorted(self.parts.items(), key=lambda part: -abs(part[1]))[:3]
        said = ", ".join(f"{name} {abs(v) / total:.0%} ({'for' if v > 0 else 'against'})" for name, v in largest)
        return f"Of all that counts: {said} ({self.method})."

    def to_dict(self) -> dict:
        """All but the map, ready for JSON."""
        zones = self.zones.items() if self.map is not None else ()
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
            "zones": {name: [round(value, 5) for value in values] for name, values in zones},
            "parts": {name: round(float(value), 5) for name, value in self.parts.items()},
            "text": self.text(),
        }

    def files(self, stem: Path) -> dict[Path, bytes]:
        """What `save` writes: numbers as JSON, and the map, if there is one, as npz."""
        files = {Path(f"{stem}.json"): (json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n").encode()}
        if self.map is not None:
            content = io.BytesIO()
            np.savez_compressed(content, map=self.map.astype(np.float32))
            files[Path(f"{stem}.npz")] = content.getvalue()
        return files

    def save(self, stem: Path | str) -> None:
        """Write STEM.json and STEM.npz, both whole or not at all."""
        write_together(self.files(Path(stem)))


def _at(zone: str) -> str:
    return zone if zone == "elsewhere" else f"at the {zone}"
