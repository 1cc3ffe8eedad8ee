"""What kills are tried on: `train`, `loso`, `synth` and the model files out of wheels, each small and whole."""

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pyarrow  # noqa: F401  before the forks, as all below
import torch
from killed import Work, asked
from openpyxl import load_workbook
from safetensors.torch import load_file
from test_protocols_cli import casme2_tree

import aullm_lite.plots  # noqa: F401
from aullm_lite import assets, resume
from aullm_lite.checkpoint import CONFIG, WEIGHTS
from aullm_lite.cli import main
from aullm_lite.datasets import preparing
from aullm_lite.errors import InputError
from aullm_lite.model import AULLM
from aullm_lite.protocols import networks
from aullm_lite.recipe import TrainConfig
from aullm_lite.run import METRICS
from aullm_lite.synth import export
from aullm_lite.train import Trainer  # noqa: F401

TABLE = ("predictions.parquet", "table.json", "table.md", "table.png")
SIZE = 8 << 20  # bytes of a made-up model file


def sha(content) -> str:
    return hashlib.sha256(bytes(content)).hexdigest()


def command(*arguments) -> int:
    """A command of the package."""
    return main([str(argument) for argument in arguments])


def tries(reading: Callable[[], object], path: Path) -> list[str]:
    """What is wrong with a file that can be seen; nothing where it is not there."""
    try:
        return [] if not path.exists() or reading() is not None else [f"{path.name} is damaged"]
    except (InputError, OSError, ValueError) as error:
        return [f"{path.name}: {error}"]


def files(folder: Path) -> dict[str, str]:
    """What the files of a folder hold; a workbook also holds when it was made, which does not count."""
    found = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: sha(cells(path) if path.suffix == ".xlsx" else path.read_bytes()) for name, path in found.items()}


def cells(path: Path) -> bytes:
    return repr(list(load_workbook(path).active.iter_rows(values_only=True))).encode()


# train


def train(base: Path) -> Work:
    data = base / "data"
    asked(lambda out: command("synth", out, "--subjects", 4, "--clips", 4, "--seed", 900), data)
    small = ("--preset", "smoke", "--epochs", 2, "--warmup", 1, "--batch-size", 8, "--spoken", 4)

    def run(folder: Path, go_on: bool) -> int:
        return command("train", "--data", data, *small, "--out", folder / "out", *["--resume"] * go_on)

    return Work("train", run, broken_run, finished_epochs, trained)


def broken_run(folder: Path) -> list[str]:
    out = folder / "out"
    checkpoint = out / CONFIG if (out / WEIGHTS).exists() else out / WEIGHTS  # either is enough to be refused
    found = tries(lambda: AULLM.from_pretrained(out), checkpoint)
    found += tries(lambda: resume.load(out / resume.STATE), out / resume.STATE)
    found += tries(lambda: [json.loads(line) for line in lines(out)], out / METRICS)
    return found + tries(lambda: cv2.imread(str(out / "metrics.png")), out / "metrics.png")


def lines(out: Path) -> list[str]:
    return (out / METRICS).read_text().splitlines()


def finished_epochs(folder: Path) -> dict:
    """The line of each epoch that must be saved, all but the last that was told of, and of it too if it is.

    One that was trained again has other seconds.
    """
    out = folder / "out"
    told = lines(out) if (out / METRICS).exists() else []
    saved = resume.load(out / resume.STATE)[1]["epoch"] if (out / resume.STATE).exists() else 0
    return {f"epoch {n + 1}": line for n, line in enumerate(told[: max(saved, len(told) - 1)])}


def trained(folder: Path) -> dict:
    """Every tensor, of the best epoch and of the last with its moments, what was chosen, and how each epoch did."""
    out = folder / "out"
    found = {"config": json.loads((out / CONFIG).read_text())}
    for name in (WEIGHTS, resume.STATE):
        found |= {f"{name} {key}": sha(value.numpy().tobytes()) for key, value in load_file(out / name).items()}
    return found | {"epochs": [json.loads(line) | {"seconds": 0} for line in lines(out)]}


# loso


def loso(base: Path) -> Work:
    tree = casme2_tree(base / "casme2")
    preparing._finder = lambda: SimpleNamespace(find=lambda rgb: [])  # whole pictures are taken
    networks.FROM_NOTHING["llm"] = TrainConfig(warmup=1, epochs=1, batch_size=16)
    rows = ("--preset", "smoke", "--init", "scratch", "--model", "identity", "aullm")

    def run(folder: Path, go_on: bool) -> int:
        places = ("--root", tree, "--cache", folder / "cache", "--out", folder / "out")
        return command("loso", "--data", "casme2", *rows, *places, *["--resume"] * go_on)

    return Work("loso", run, broken_folds, finished_folds, predictions)


def broken_folds(folder: Path) -> list[str]:
    found = []
    for path in folder.rglob("*.parquet"):
        found += tries(partial(pd.read_parquet, path, page_checksum_verification=True), path)
    for path in folder.rglob("*.json"):
        found += tries(lambda: json.loads(path.read_text()), path)
    return found + tries(lambda: cv2.imread(str(folder / "out" / "table.png")), folder / "out" / "table.png")


def finished_folds(folder: Path) -> dict:
    """Each fold that is kept, and when it was written."""
    folds = (folder / "out").rglob("folds/*/*.parquet")
    return {f"{path.parent.name}/{path.name}": [path.stat().st_mtime_ns, sha(path.read_bytes())] for path in folds}


def predictions(folder: Path) -> dict:
    return {name: sha((folder / "out" / name).read_bytes()) for name in TABLE}


# synth


def synth(base: Path, form: str = "hf", clips: int = 6) -> Work:
    """Six clips are written by one process, twelve by several."""
    export.FRAME_SIZE = 16

    def run(folder: Path, go_on: bool) -> int:
        if go_on and (folder / "out").exists():  # the kill came after the last step
            return 0
        size = ("--subjects", 2, "--clips", clips // 2, "--seed", 70)
        return command("synth", folder / "out", "--format", form, *size)

    result = data_set if form == "hf" else lambda folder: files(folder / "out")
    whole = {}

    def broken(folder: Path) -> list[str]:
        """Half of a data set is told from a whole one by what both hold."""
        out = folder / "out"
        return tries(lambda: whole_one(result(folder)), out) if out.exists() else []

    def whole_one(found: dict) -> bool:
        if not whole:
            fresh = Path(tempfile.mkdtemp(dir=base))
            run(fresh, False)
            whole.update(result(fresh))
        return found == whole or None

    return Work(f"synth {form}", run, broken, lambda folder: {}, result)


def data_set(folder: Path) -> dict:
    data = export.read_dataset(folder / "out")
    parts = {"clips": data.clips, "labels": data.labels, "subjects": np.asarray(data.subjects, "U")}
    return {name: sha(np.ascontiguousarray(part).tobytes()) for name, part in parts.items()} | {
        "scripts": sha("".join(map(export.script_json, data.scripts)).encode())
    }


# model files


def wheel(base: Path) -> assets.Wheel:
    """A wheel that pip can find, with two files like those of a model."""
    content = {f"pack/{name}.bin": np.random.default_rng(n).bytes(SIZE) for n, name in enumerate(("net", "mesh"))}
    about = {"METADATA": "Metadata-Version: 2.1\nName: pack\nVersion: 1\n", "RECORD": ""}
    about["WHEEL"] = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    path = base / "wheels" / "pack-1-py3-none-any.whl"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (content | {f"pack-1.dist-info/{name}": text for name, text in about.items()}).items():
            archive.writestr(name, text)
    return assets.Wheel("pack==1", sha(path.read_bytes()), {name: sha(some) for name, some in content.items()})


def model_files(base: Path) -> Work:
    pinned = wheel(base)
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(base / "wheels"), "PIP_CONFIG_FILE": os.devnull}

    def run(folder: Path, go_on: bool) -> int:
        os.environ |= offline | {"TMPDIR": str(folder)}
        tempfile.tempdir = None  # read again
        try:
            assets._members(pinned, folder / "out")
        except (InputError, OSError) as error:
            print(f"assets: {error}: another place")  # as the app says it, with the advice of the commands
            return 2
        return 0

    def broken(folder: Path) -> list[str]:
        right = set(pinned.members.values())
        return [] if not (folder / "out").exists() or set(files(folder / "out").values()) == right else ["a wrong hash"]

    return Work("assets", run, broken, lambda folder: files(folder / "out"), lambda folder: files(folder / "out"))


WORKS = {
    "train": train,
    "loso": loso,
    "synth": synth,
    "synth-tree": partial(synth, form="casme2", clips=12),
    "assets": model_files,
}
torch.set_num_threads(1)
