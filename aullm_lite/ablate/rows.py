"""The rows of the study: each says in what it differs from the reference, `lora`, and is as plain as a table."""

from dataclasses import dataclass

from ..config import PROMPT
from ..errors import InputError
from ..facs import ACTION_UNITS, CD6ME_AUS

OTHER = "The kettle stands on the stove, and in an hour the train to the coast leaves from the second platform."
SHORT = "Face movement:"
NAMES = ", ".join(f"AU{au} {ACTION_UNITS[au].name.lower()}" for au in CD6ME_AUS)
WITH_AUS = f"Which of these facial Action Units moved? {NAMES}."


@dataclass(frozen=True)
class Row:
    """One row.  What it leaves out is as in the reference; `against` is the row that it is compared with."""

    name: str
    group: str
    title: str
    motion: str = "flow"  # front end: flow, difference, led, led-learned or both
    fusion: str = "lite"  # projector: lite, paper, mid, high or concat
    reader: str = "lora"  # who reads the token: lora, frozen, random (with LoRA) or control (no language model)
    rank: int = 16  # of LoRA
    prompt: str = PROMPT  # nothing: the token stands alone
    token_first: bool = False  # [token | prompt] instead of [prompt | token]
    loss: str = "asl"  # or bce, or script
    length: int = 1  # times the budget's steps
    text: bool = False  # whether it also learns to put the truth into words
    token: str = "own"  # in the test alone: own, zeroed, averaged or shuffled
    against: str = "lora"

    @property
    def trained(self) -> bool:
        """Whether the row is trained; the others test the trained reference with another token."""
        return self.token == "own"


def _group(name: str, *rows: tuple) -> tuple[Row, ...]:
    return tuple(Row(short, name, title, **changes) for short, title, changes in rows)


# In the order in which they run: what decides about the language model comes first.
ROWS = (
    *_group(
        "Language model",
        ("lora", "LoRA, rank 16 (reference)", {}),
        ("no-llm", "None: MLP with as many weights", {"reader": "control"}),
        ("frozen-llm", "Frozen, no LoRA", {"reader": "frozen"}),
        ("random-llm", "Random weights, with LoRA", {"reader": "random"}),
    ),
    *_group(
        "Visual token, changed in the test",
        ("token-zeroed", "Zeros", {"token": "zeroed"}),
        ("token-averaged", "Mean of the training clips", {"token": "averaged"}),
        ("token-shuffled", "That of another clip", {"token": "shuffled"}),
    ),
    *_group(
        "Prompt",
        ("prompt-removed", "None", {"prompt": ""}),
        ("prompt-changed", "About something else", {"prompt": OTHER}),
        ("prompt-short", "Three words or so", {"prompt": SHORT}),
        ("prompt-with-aus", "Names the twelve AUs", {"prompt": WITH_AUS}),
    ),
    *_group(
        "Position, with the short prompt",
        ("token-first", "Token before the prompt", {"prompt": SHORT, "token_first": True, "against": "prompt-short"}),
    ),
    *_group(
        "Rank of LoRA",
        ("lora-4", "4", {"rank": 4}),
        ("lora-8", "8", {"rank": 8}),
        ("lora-32", "32", {"rank": 32}),
    ),
    *_group(
        "Fusion",
        ("mid-only", "Texture alone", {"fusion": "mid"}),
        ("high-only", "Summary alone", {"fusion": "high"}),
        ("concat", "Both, one linear layer", {"fusion": "concat"}),
        ("efp-paper", "The paper's EFP", {"fusion": "paper"}),
    ),
    *_group(
        "Loss",
        ("bce", "Cross-entropy", {"loss": "bce"}),
        ("script-loss", "The withdrawn script's", {"loss": "script"}),
    ),
    *_group(
        "Motion",
        ("frame-difference", "Difference of frames", {"motion": "difference"}),
        ("led-fixed", "LED, fixed", {"motion": "led"}),
        ("led-learned", "LED, learned", {"motion": "led-learned"}),
        ("both", "Flow and LED", {"motion": "both"}),
    ),
    *_group(
        "What might make the language model pay",
        ("text", "It also learns words", {"text": True}),
        ("lora-long", "Four times the steps", {"length": 4}),
        ("no-llm-long", "No language model, as long", {"reader": "control", "length": 4, "against": "lora-long"}),
    ),
)
REFERENCE = ROWS[0]


def chosen(names=None) -> list[Row]:
    """Rows by name in the order of `ROWS`, with those they are compared with; all without names.

    Raises `InputError` for a name that is none.
    """
    known = {row.name: row for row in ROWS}
    if unknown := [name for name in names or () if name not in known]:
        raise InputError(f"There is no row {unknown[0]!r}: choose among {', '.join(known)}.")
    wanted = set(known if names is None else names)
    wanted |= {known[name].against for name in wanted} | {REFERENCE.name}
    return [row for row in ROWS if row.name in wanted]
