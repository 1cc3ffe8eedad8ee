"""The state of a training run on disk: weights and the optimizer's moments as safetensors, never a pickle."""

import json
import os
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.optim import Optimizer

STATE = "state.safetensors"


def save(path: Path, tensors: dict[str, Tensor], optimizer: Optimizer, facts: dict) -> None:
    """Write tensors, moments and facts, whole or not at all."""
    moments = {
        f"optimizer.{i}.{k}": v for i, state in optimizer.state_dict()["state"].items() for k, v in state.items()
    }
    stored = {name: value.detach().contiguous().cpu() for name, value in (tensors | moments).items()}
    partial = path.with_name(path.name + ".partial")
    try:
        save_file(stored, partial, metadata={"facts": json.dumps(facts)})
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def load(path: Path, optimizer: Optimizer) -> tuple[dict[str, Tensor], dict]:
    """Put the moments back into the optimizer; return the other tensors and the facts."""
    with safe_open(path, "pt") as file:
        facts = json.loads(file.metadata()["facts"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    state = optimizer.state_dict()
    for name in [name for name in tensors if name.startswith("optimizer.")]:
        _, index, moment = name.split(".")
        state["state"].setdefault(int(index), {})[moment] = tensors.pop(name)
    optimizer.load_state_dict(state)
    return tensors, facts


def part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
