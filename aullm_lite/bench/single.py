"""One clip at a time, what a live demo waits for, and what half precision of the language model gains and loses."""

import torch

from ..evaluate import synth_table
from ..model import AULLM
from .timing import in_turns


def single_clip(model: AULLM, rounds: int = 9) -> dict:
    """Milliseconds from six frames to probabilities, alone and in a batch of 16."""
    clips = torch.rand(16, model.config.frames, model.config.size, model.config.size)
    model.probabilities(clips)
    one, many = in_turns(lambda: model.probabilities(clips[:1]), lambda: model.probabilities(clips), rounds)
    return {"one_clip_ms": one * 1000, "in_16_ms_a_clip": many * 1000 / 16, "ratio": 16 * one / many}


def half_precision(checkpoint: str, rounds: int = 9, *, subjects: int = 10, clips: int = 30) -> dict:
    """The language model in bfloat16 against the same in fp32: time of one clip and of a batch, and F1 on SynthME."""
    full, half = AULLM.from_pretrained(checkpoint), AULLM.from_pretrained(checkpoint, dtype=torch.bfloat16)
    figures = {}
    for batch in (1, 16):
        seen = torch.rand(batch, full.config.frames, full.config.size, full.config.size)
        full.probabilities(seen), half.probabilities(seen)
        slow, fast = in_turns(lambda: full.probabilities(seen), lambda: half.probabilities(seen), rounds)
        figures[f"batch_{batch}"] = {"fp32_ms": slow * 1e3, "bf16_ms": fast * 1e3, "ratio": slow / fast}
    f1 = {
        name: synth_table(model, subjects=subjects, clips=clips, tier="standard", seed=3)["mean"]["f1"]
        for name, model in (("fp32", full), ("bf16", half))
    }
    return figures | {"clips": subjects * clips, "f1": f1, "f1_lost": f1["fp32"] - f1["bf16"]}
