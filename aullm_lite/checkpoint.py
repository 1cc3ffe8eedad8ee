"""Checkpoints on disk: config.json and model.safetensors, written whole or not at all, trusted only when complete."""

import hashlib
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from .config import AULLMConfig
from .errors import InputError
from .files import write_together
from .hub.fetch import Unreachable, fetch

CONFIG, WEIGHTS = "config.json", "model.safetensors"
FLOATS = {torch.float16, torch.bfloat16, torch.float32, torch.float64}  # which may stand for each other
MOST_SETTINGS = 10_000_000  # bytes of config.json
DEMO = Path(__file__).parent / "checkpoints" / "demo"
SHIPPED = "au-llm-lite/au-llm-lite"  # the name of `demo` on the Hub, the only one that `demo` may stand in for


@dataclass(frozen=True)
class Source:
    """Where a checkpoint was found: in a `folder`, `bundled` with this package, in the Hub's `cache`, on the `hub`."""

    folder: Path
    name: str
    origin: str
    revision: str | None = None  # the commit of what comes from the Hub

    def facts(self) -> dict:
        """What a report says of it: also the SHA-256 of the weights, which tells where no revision does."""
        with open(self.folder / WEIGHTS, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"name": self.name, "from": self.origin, "revision": self.revision, "weights_sha256": digest}


def find_checkpoint(name: str | Path, revision: str | None = None) -> Path:
    """The folder of a checkpoint; see `find_source`."""
    return find_source(name, revision).folder


def find_source(name: str | Path, revision: str | None = None) -> Source:
    """A complete checkpoint: `demo` (shipped), a folder, or a Hub id with a tag or a commit as `revision`.

    A Hub id is looked for in the cache, then on the Hub; where the Hub does not answer, the shipped one (without
    `revision`) is taken from this package.  Raises `InputError` for anything else.
    """
    source = _locate(str(name), revision)
    absent = [file for file in (CONFIG, WEIGHTS) if not (source.folder / file).is_file()]
    if absent:
        raise InputError(f"{source.folder} is no checkpoint: it lacks {' and '.join(absent)}.")
    return source


def _locate(name: str, revision: str | None) -> Source:
    folder = DEMO if name == "demo" else Path(name)
    if folder.is_dir():
        if revision:
            raise InputError(f"{name} lies on this machine and has no revision {revision!r}: leave it out.")
        if name == "demo":
            return Source(DEMO, name, "bundled")
        return Source(folder, folder.resolve().name, "folder")  # not the whole path: reports are handed on
    if name.count("/") != 1 or name.startswith((".", "/")):
        raise InputError(f"There is no checkpoint {name!r}: give demo, an existing folder, or a Hub id (ORG/NAME).")
    try:
        folder, origin = fetch(name, revision, (CONFIG, WEIGHTS))
    except Unreachable as error:
        if name != SHIPPED or revision:
            raise
        warnings.warn(f"{error} The checkpoint that came with this package is used.", stacklevel=4)
        return Source(DEMO, name, "bundled")
    return Source(folder, name, origin, revision=folder.name)  # the cache names the folder of a commit after it


def read_config(folder: str | Path) -> AULLMConfig:
    """The settings of a checkpoint.  Raises `InputError` for a file that holds none, or is far too large."""
    path = Path(folder) / CONFIG
    if path.stat().st_size > MOST_SETTINGS:
        raise InputError(f"{path} is larger than {MOST_SETTINGS / 1e6:.0f} MB: fetch the checkpoint again.")
    return AULLMConfig.from_json(path.read_bytes())


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
    """Raise `InputError` unless names, shapes and types agree one to one, and all values are finite."""
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
        if value.dtype != own[name].dtype and not {value.dtype, own[name].dtype} <= FLOATS:
            raise InputError(
                f"{source} does not fit its config: {name} holds {value.dtype}, the model needs {own[name].dtype}. "
                "Fetch the checkpoint again."
            )
        if not torch.isfinite(value.to(own[name].dtype)).all():
            raise InputError(f"{source} is damaged: {name} holds values that are not finite. Fetch it again.")


def label_order(config: AULLMConfig) -> str:
    return " ".join(map(str, config.aus))


def weights_hash(model) -> str:
    """SHA-256 over what was trained and chosen, which tells whose figures these are."""
    return state_hash(model.config, model.trained_state())


def state_hash(config: AULLMConfig, tensors: dict[str, Tensor]) -> str:
    """The same of a checkpoint that is not loaded: halves count as the full numbers that they become."""
    sha = hashlib.sha256(repr((config.thresholds, config.calibration)).encode())
    for name, value in sorted(tensors.items()):
        value = value.float() if value.is_floating_point() else value
        sha.update(name.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    return sha.hexdigest()
