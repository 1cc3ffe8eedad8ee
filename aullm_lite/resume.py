"""The state of a training run on disk: weights and the optimizer's moments as safetensors, never a pickle."""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor
from torch.optim import Optimizer

from .errors import InputError
from .files import write_together

STATE = "state.safetensors"


def save(path: Path, tensors: dict[str, Tensor], optimizer: Optimizer, facts: dict) -> None:
    """Write tensors, moments and facts, whole or not at all."""
    moments = {
        f"optimizer.{i}.{k}": v for i, state in optimizer.state_dict()["state"].items() for k, v in state.items()
    }
    stored = {name: value.detach().contiguous().cpu() for name, value in (tensors | moments).items()}
    write_together({path: to_bytes(stored, metadata={"facts": json.dumps(facts)})})


def load(path: Path) -> tuple[dict[str, Tensor], dict]:
    """What `save` wrote: tensors, the moments among them, and facts.  Raises `InputError` for a damaged file."""
    try:
        with safe_open(path, "pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, json.loads(file.metadata()["facts"])
    except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
        raise InputError(f"{path} cannot be read ({error}): train anew in another --out.") from None


def restore_moments(optimizer: Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put the moments back into the optimizer."""
    state = optimizer.state_dict()
    for name, value in part(tensors, "optimizer.").items():
        index, moment = name.split(".")
        state["state"].setdefault(int(index), {})[moment] = value
    optimizer.load_state_dict(state)


def part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
