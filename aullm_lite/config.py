"""All settings of a model in one frozen dataclass; a checkpoint's config.json holds these and nothing else."""

import json
from dataclasses import asdict, dataclass, fields, replace

from .errors import InputError
from .facs import ACTION_UNITS, CD6ME_AUS

PROMPT = "You read facial movement. The next token holds the motion of a short face clip. Which facial Action Units moved?"
CHOICES = {"motion": ("lucas_kanade", "eulerian"), "projector": ("lite", "paper")}


@dataclass(frozen=True)
class AULLMConfig:
    """Settings of an AU-LLM; K = len(aus), and the logits come in the order of `aus`."""

    preset: str = "lite"
    aus: tuple[int, ...] = CD6ME_AUS
    frames: int = 6
    size: int = 64  # pixels of the square grey clip in face coordinates
    motion: str = "lucas_kanade"  # or "eulerian", the paper's front end
    projector: str = "lite"  # or "paper", the paper's EFP with its 62 M weights
    language_model: str = "smollm2-135m-instruct"  # or "random" (for tests), or any causal LM of the Hub
    prompt: str = PROMPT
    lora_rank: int = 16
    lora_alpha: int = 32
    lora_dropout: float = 0.1
    drop_rate: float = 0.1  # of the visual part
    base_fingerprint: str = ""  # of the language model that the LoRA weights belong to
    calibration: tuple[tuple[float, float], ...] = ()  # per AU (scale, bias): p = sigmoid(scale * logit + bias)
    thresholds: tuple[float, ...] = ()  # per AU, on the calibrated probability
    not_sure: tuple[tuple[float, float], ...] = ()  # per AU (low, high): below absent, from high on present

    def __post_init__(self):
        for name in ("aus", "thresholds"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        k = len(self.aus)
        for name, plain in (("calibration", (1.0, 0.0)), ("thresholds", 0.5), ("not_sure", (0.4, 0.6))):
            rows = getattr(self, name) or (plain,) * k  # uncalibrated until training has seen inner subjects
            object.__setattr__(self, name, tuple(tuple(r) if isinstance(r, (list, tuple)) else r for r in rows))
        self.check()

    def check(self) -> None:
        """Raise `InputError` with one sentence where a setting cannot be."""
        unknown = [au for au in self.aus if au not in ACTION_UNITS]
        if unknown or not self.aus or len(set(self.aus)) != len(self.aus):
            raise InputError(f"aus must be different numbers of the FACS table, got {self.aus}.")
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise InputError(f"Unknown {name} {getattr(self, name)!r}: choose one of {', '.join(known)}.")
        for name in ("calibration", "thresholds", "not_sure"):
            if len(getattr(self, name)) != len(self.aus):
                raise InputError(f"{name} has {len(getattr(self, name))} rows for {len(self.aus)} AUs.")

    @classmethod
    def preset_of(cls, name: str) -> dict:
        """The settings in which a preset differs from `lite`."""
        presets = {
            "lite": {},
            "paper": {"motion": "eulerian", "projector": "paper", "drop_rate": 0.3},
            "smoke": {"language_model": "random", "lora_rank": 4, "lora_alpha": 8, "prompt": "Which Action Units moved?"},
        }
        if name not in presets:
            raise InputError(f"Unknown preset {name!r}: choose one of {', '.join(presets)}.")
        return presets[name]

    @classmethod
    def from_preset(cls, name: str, **changes) -> "AULLMConfig":
        """`lite` (default), `paper` (faithful) or `smoke` (tests), with changes."""
        return cls(preset=name, **cls.preset_of(name) | changes)

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "AULLMConfig":
        """Read what `to_json` wrote.  Raises `InputError` on anything else."""
        try:
            values = json.loads(text)
            known = {f.name for f in fields(cls)}
            if not isinstance(values, dict) or set(values) - known:
                raise InputError(f"config.json holds settings that this version does not know: {sorted(set(values) - known)}.")
            return cls(**values)
        except (json.JSONDecodeError, TypeError) as error:
            raise InputError(f"config.json cannot be read ({error}): fetch the checkpoint again.") from None

    def changed(self, **changes) -> "AULLMConfig":
        return replace(self, **changes)
