"""Where the time of a clip goes, stage by stage, against the least that this machine needs for the same work."""

import copy
from collections.abc import Callable
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from ..model import AULLM
from .floor import Floor
from .timing import steady

BATCHES = (1, 8, 64)


def stages(model: AULLM, batch: int) -> dict[str, tuple[nn.Module, tuple[Tensor, ...]]]:
    """Each stage from frames to logits, with what it takes for a batch of random clips."""
    dtype, config = model.au_head.weight.dtype, model.config
    clips = torch.rand(batch, config.frames, config.size, config.size, device=model.device)
    motion = copy.deepcopy(model.motion).float()(clips).to(dtype)
    features = model.backbone(motion)
    token = model.projector(*features)
    takes = {
        "backbone": (model.backbone, (motion,)),
        "projector": (model.projector, features),
        "language model": (model.language, (token,)),
        "head": (model.au_head, (model.hidden(token),)),
    }
    return takes if dtype != torch.float32 else {"motion": (model.motion, (clips,))} | takes


def needed_bytes(stage: nn.Module, inputs: tuple[Tensor, ...], outputs) -> int:
    """The least traffic with memory: each weight and each input read once, each output written once."""
    words = stage.lm.get_input_embeddings().weight if hasattr(stage, "lm") else None  # a token comes in, no word
    tensors = [weight for weight in stage.parameters() if weight is not words]
    tensors += [*inputs, *([outputs] if isinstance(outputs, Tensor) else outputs)]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def measure(stage: nn.Module, inputs: tuple[Tensor, ...], floor: Floor) -> dict:
    """Milliseconds of one stage, its operations and bytes, and how often its floor it takes."""
    with FlopCounterMode(display=False) as counter:
        outputs = stage(*inputs)
    flops, size = counter.get_total_flops(), needed_bytes(stage, inputs, outputs)
    spent, least = steady(lambda: stage(*inputs)), floor.seconds(flops, size)
    return {
        "ms": spent * 1e3,
        "gflop": flops / 1e9,
        "mb": size / 1e6,
        "floor_ms": least * 1e3,
        "bound_by": "arithmetic" if flops / floor.flops > size / floor.bandwidth else "memory",
        "times_floor": spent / least,
    }


@torch.no_grad()
def stage_table(
    model: AULLM, dtype: torch.dtype, floor: Floor, *, batches=BATCHES, say: Callable = lambda line: None
) -> dict:
    """Every stage at every batch size in one precision, and all of them together.  Motion always runs in fp32."""
    name = str(dtype).removeprefix("torch.")
    copied = copy.deepcopy(model).eval().to(dtype)
    rows = []
    for batch in batches:
        say(f"stages, {name}, batch {batch}")
        for stage, (module, inputs) in stages(copied, batch).items():
            rows.append({"stage": stage, "batch": batch, **measure(module, inputs, floor)})
    return {"dtype": name, "gflop_a_second": floor.flops / 1e9, "gb_a_second": floor.bandwidth / 1e9, "rows": rows}


@contextmanager
def threads(count: int):
    """Some work with this many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@torch.no_grad()
def thread_table(model: AULLM, batches=BATCHES) -> list[dict]:
    """Clips a second from frames to probabilities, with one thread and with all."""
    rows, config = [], model.config
    for batch in batches:
        clips = torch.rand(batch, config.frames, config.size, config.size, device=model.device)
        for count in sorted({1, torch.get_num_threads()}):
            with threads(count):
                spent = steady(lambda: model.probabilities(clips))
            rows.append({"batch": batch, "threads": count, "ms": spent * 1e3, "clips_a_second": batch / spent})
    return rows
