"""Checkpoints on disk: config.json and model.safetensors, written whole or not at all, trusted only when complete."""

import hashlib
from pathlib import Path

import torch
from huggingface_hub import snapshot_download
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from .config import AULLMConfig
from .errors import InputError
from .files import write_together

CONFIG, WEIGHTS = "config.json", "model.safetensors"
DEMO = Path(__file__).parent / "checkpoints" / "demo"


def find_checkpoint(name: str | Path, revision: str | None = None) -> Path:
    """The folder of a checkpoint: `demo` (shipped), a local folder, or one fetched from the Hub."""
    folder = DEMO if str(name) == "demo" else Path(name)
    if not folder.is_dir():
        folder = fetch_checkpoint(str(name), revision)
    absent = [file for file in (CONFIG, WEIGHTS) if not (folder / file).is_file()]
    if absent:
        raise InputError(f"{folder} is no checkpoint: it lacks {' and '.join(absent)}.")
    return folder


def fetch_checkpoint(name: str, revision: str | None) -> Path:
    """Download a checkpoint from the Hub; offline, its cached copy."""
    if name.count("/") != 1 or name.startswith((".", "/")):
        raise InputError(f"There is no checkpoint {name!r}: give demo, an existing folder, or a Hub id (ORG/NAME).")
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=[CONFIG, WEIGHTS], etag_timeout=5))
    except Exception as error:  # the Hub client raises many kinds, and all mean the same to the reader
        reason = f"no folder of that name here, and the Hub gives none ({type(error).__name__})"
        raise InputError(f"There is no checkpoint {name!r}: {reason}. Check the name and the network.") from None


def write_checkpoint(folder: Path, config: AULLMConfig, tensors: dict[str, Tensor], dtype: torch.dtype) -> None:
    """Write both files.  Raises `InputError` for weights that are not finite in `dtype`; the old files then stay."""
    stored = {
        name: (value.to(dtype) if value.is_floating_point() else value).detach().cpu().contiguous()
        for name, value in tensors.items()
    }
    broken = [name for name, value in stored.items() if not torch.isfinite(value).all()]
    if broken:
        raise InputError(f"Not saved: {broken[0]} is not finite in {dtype}; train again with a lower `TrainConfig.lr`.")
    facts = {"format": "pt", "aus": label_order(config), "base_fingerprint": config.base_fingerprint}
    write_together({folder / WEIGHTS: save(stored, metadata=facts), folder / CONFIG: config.to_json().encode()})


def read_weights(folder: Path, config: AULLMConfig) -> tuple[dict[str, Tensor], str]:
    """The stored tensors, and the fingerprint of the language model they belong to.

    Raises `InputError` for a file that is cut short or is none, and for labels in another order than the config's.
    """
    path = folder / WEIGHTS
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}
            facts = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} cannot be read ({error}): fetch the checkpoint again.") from None
    if facts.get("aus") != label_order(config):
        raise InputError(
            f"{path} gives the AUs {facts.get('aus')}, its config {label_order(config)}: "
            "the labels would be swapped. Fetch the checkpoint again."
        )
    return tensors, facts.get("base_fingerprint", "")


def check_fit(tensors: dict[str, Tensor], own: dict[str, Tensor], source: str) -> None:
    """Raise `InputError` unless names and shapes agree one to one."""
    missing, unknown = sorted(own.keys() - tensors.keys()), sorted(tensors.keys() - own.keys())
    if missing or unknown:
        raise InputError(
            f"{source} does not fit its config: {len(missing)} tensors are missing {missing[:2]}, "
            f"{len(unknown)} are unknown {unknown[:2]}. Fetch the checkpoint again."
        )
    for name, value in tensors.items():
        if value.shape != own[name].shape:
            raise InputError(
                f"{source} does not fit its config: {name} has the shape {[*value.shape]}, "
                f"the model needs {[*own[name].shape]}. Fetch the checkpoint again."
            )


def label_order(config: AULLMConfig) -> str:
    return " ".join(map(str, config.aus))


def weights_hash(model) -> str:
    """SHA-256 over what was trained and chosen, which tells whose figures these are."""
    sha = hashlib.sha256(repr((model.config.thresholds, model.config.calibration)).encode())
    for name, value in sorted(model.trained_state().items()):
        sha.update(name.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    return sha.hexdigest()
