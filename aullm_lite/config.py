"""All settings of a model in one frozen dataclass; a checkpoint's config.json holds these and nothing else."""

import json
from dataclasses import asdict, dataclass, fields, replace
from reprlib import repr as short
from types import UnionType
from typing import get_args, get_origin

from .errors import InputError
from .facs import ACTION_UNITS, CD6ME_AUS

PROMPT = (
    "You read facial movement. The next token holds the motion of a short face clip. Which facial Action Units moved?"
)
CHOICES = {"motion": ("lucas_kanade", "eulerian"), "projector": ("lite", "paper")}
MOST_RANK, MOST_PROMPT = 1024, 10_000  # of LoRA, also for its alpha; letters: a stranger's checkpoint may ask for more
LARGEST = 1e6  # of a calibration: what is far larger becomes infinite in float32
PRESETS = {  # in what each differs from `lite`
    "lite": {},
    "paper": {"motion": "eulerian", "projector": "paper", "drop_rate": 0.3},
    "smoke": {"language_model": "random", "lora_rank": 4, "lora_alpha": 8, "prompt": "Which Action Units moved?"},
}


@dataclass(frozen=True)
class AULLMConfig:
    """Settings of an AU-LLM with K = len(aus) Action Units.  Raises `InputError` for a setting that cannot be."""

    preset: str = "lite"  # where these settings started; informs the reader, decides nothing
    aus: tuple[int, ...] = CD6ME_AUS  # FACS numbers, in the order of the logits
    frames: int = 6  # T, onset to offset; the 3D-CNN is built for 6
    size: int = 64  # H = W, pixels of the square grey clip in face coordinates; the 3D-CNN is built for 64
    motion: str = "lucas_kanade"  # or "eulerian", the paper's front end
    projector: str = "lite"  # or "paper", the paper's EFP with its 62.7 M weights
    language_model: str = "smollm2-135m-instruct"  # or any causal LM of the Hub, "random" (tests), "none" (control)
    prompt: str = PROMPT  # what the language model reads before the visual token, the same for every clip
    lora_rank: int = 16
    lora_alpha: int = 32  # LoRA's output is scaled by alpha / rank
    lora_dropout: float = 0.1
    drop_rate: float = 0.1  # dropout of the visual part
    base_fingerprint: str = ""  # of the language model that the LoRA weights belong to
    speaks: bool = False  # whether it has learned to put what it saw into words
    end_token: int | None = None  # ends a text; kept, for of one GGUF transformers 5.17 and 5.23 name different ones
    calibration: tuple[tuple[float, float], ...] = ()  # per AU (scale, bias): p = sigmoid(scale * logit + bias)
    thresholds: tuple[float, ...] = ()  # per AU, present or absent, on the calibrated probability
    not_sure: tuple[tuple[float, float], ...] = ()  # per AU (low, high): below absent, from high on present
    trained_on: tuple[str, ...] = ()  # everyone whose clips the weights have seen, as `people.pack` writes them

    def __post_init__(self):
        k = len(self.aus) if isinstance(self.aus, (tuple, list)) else 0
        uncalibrated = {"calibration": ((1.0, 0.0),) * k, "thresholds": (0.5,) * k, "not_sure": ((0.4, 0.6),) * k}
        for name in ("aus", "trained_on", *uncalibrated):
            rows = _frozen(getattr(self, name))
            if rows == ():  # until training has seen inner subjects
                rows = uncalibrated.get(name, ())
            object.__setattr__(self, name, rows)
        self._check_types()
        self._check_choices()
        self._check_numbers()
        self._check_decisions()

    def _check_types(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not _fits(value, field.type):
                kind = field.type.__name__ if isinstance(field.type, type) else field.type
                raise InputError(f"{field.name} must be of type {kind}, got {short(value)}.")

    def _check_choices(self) -> None:
        if not self.aus or len(set(self.aus)) < len(self.aus) or not set(self.aus) <= set(ACTION_UNITS):
            known = " ".join(map(str, ACTION_UNITS))
            raise InputError(f"aus must be different numbers out of {known}, got {short(list(self.aus))}.")
        for name, known in (CHOICES | {"preset": tuple(PRESETS)}).items():
            if getattr(self, name) not in known:
                raise InputError(f"Unknown {name} {getattr(self, name)!r}: choose one of {', '.join(known)}.")
        for name in ("language_model", "prompt"):
            if not 1 <= len(getattr(self, name)) <= MOST_PROMPT:
                raise InputError(f"{name} is empty or longer than {MOST_PROMPT} letters: leave it out for the default.")

    def _check_numbers(self) -> None:
        if (self.frames, self.size) != (6, 64):
            raise InputError(f"The 3D-CNN takes 6 frames of 64 pixels, got frames={self.frames}, size={self.size}.")
        if not (1 <= self.lora_rank <= MOST_RANK and 1 <= self.lora_alpha <= MOST_RANK):
            got = f"{short(self.lora_rank)} and {short(self.lora_alpha)}"
            raise InputError(f"lora_rank and lora_alpha must be 1 to {MOST_RANK}, got {got}.")
        if self.end_token is not None and self.end_token < 0:
            raise InputError(f"end_token must be the number of a token, got {self.end_token}.")
        for name in ("lora_dropout", "drop_rate"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 0 and below 1, got {getattr(self, name)}.")

    def _check_decisions(self) -> None:
        for name in ("calibration", "thresholds", "not_sure"):
            if len(getattr(self, name)) != len(self.aus):
                raise InputError(f"{name} has {len(getattr(self, name))} rows for {len(self.aus)} AUs.")
        if not all(abs(number) <= LARGEST for pair in self.calibration for number in pair):
            raise InputError(f"calibration must be (scale, bias) pairs up to {LARGEST:g}, got {self.calibration}.")
        if not all(0 <= p <= 1 for p in self.thresholds):
            raise InputError(f"thresholds are probabilities, 0 to 1, got {self.thresholds}.")
        if not all(0 <= low <= high <= 1 for low, high in self.not_sure):
            raise InputError(f"not_sure must be (low, high) pairs with 0 <= low <= high <= 1, got {self.not_sure}.")

    @classmethod
    def from_preset(cls, name: str, **changes) -> "AULLMConfig":
        """`lite` (default), `paper` (faithful) or `smoke` (tests), with changes."""
        if name not in PRESETS:
            raise InputError(f"Unknown preset {name!r}: choose one of {', '.join(PRESETS)}.")
        return cls(preset=name, **PRESETS[name] | changes)

    def changed(self, **changes) -> "AULLMConfig":
        """The same settings but for some."""
        return replace(self, **changes)

    def to_json(self) -> str:
        """Every setting, as `from_json` reads it."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> "AULLMConfig":
        """Read what `to_json` wrote.  Raises `InputError` on anything else."""
        try:
            values = json.loads(text)
            json.dumps(values, ensure_ascii=False).encode()  # fails for half a letter, which nobody could print
        except (ValueError, RecursionError) as error:  # the latter for brackets in brackets, thousands deep
            raise InputError(f"config.json cannot be read ({error}): fetch the checkpoint again.") from None
        if not isinstance(values, dict):
            raise InputError("config.json holds no settings by name: fetch the checkpoint again.")
        if unknown := sorted(set(values) - {field.name for field in fields(cls)}):
            raise InputError(
                f"config.json holds settings that this version does not know: {', '.join(map(short, unknown[:5]))}."
            )
        try:
            return cls(**values)
        except InputError as error:
            raise InputError(f"config.json cannot be used: {error}") from None


def _frozen(rows):
    """Lists of lists, as JSON has them, as tuples of tuples."""
    return tuple(tuple(row) if isinstance(row, list) else row for row in rows) if isinstance(rows, list) else rows


def _fits(value, kind) -> bool:
    """Whether a value is of the type of a field; a whole number is a float, too, and True is no number."""
    if isinstance(kind, UnionType):
        return any(_fits(value, one) for one in get_args(kind))
    if get_origin(kind) is tuple:
        first, *rest = get_args(kind)
        kinds = [first] * len(value) if rest == [...] and isinstance(value, tuple) else [first, *rest]
        return isinstance(value, tuple) and len(value) == len(kinds) and all(map(_fits, value, kinds))
    if kind is float and type(value) is int:
        return abs(value) < 2**53
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
