"""The whole model: its parts fit, its checkpoints come back whole, and bad ones are refused in one sentence."""

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from aullm_lite import checkpoint, files
from aullm_lite.config import AULLMConfig
from aullm_lite.errors import InputError
from aullm_lite.model import AULLM


def make(**changes) -> AULLM:
    """A small model whose LoRA and batch statistics have left their start values."""
    torch.manual_seed(0)
    model = AULLM(AULLMConfig.from_preset("smoke", **changes))
    with torch.no_grad():
        for name, value in model.trained_state().items():
            if "lora_B" in name or "running_mean" in name:
                value.uniform_(-0.3, 0.3)
    return model.eval()


@pytest.fixture(scope="module")
def model() -> AULLM:
    return make()


@pytest.fixture
def folder(model, tmp_path):
    model.save_pretrained(tmp_path / "saved")
    return tmp_path / "saved"


def rand_clips(batch: int = 3) -> torch.Tensor:
    return torch.rand(batch, 6, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("motion", ["lucas_kanade", "eulerian"])
def test_parts_fit(motion):
    model = make(motion=motion, aus=(4, 12, 1))
    moved = model.motion(rand_clips())
    token = model.visual_token(moved)
    hidden = model.hidden(token)
    assert moved.shape == (3, model.motion.channels, 5, 64, 64)
    assert token.shape == (3, 1, 64) and hidden.shape == (3, 64)
    logits = model(rand_clips())
    assert logits.shape == (3, 3) and logits.dtype == torch.float32
    assert torch.allclose(logits, model.logits_from_motion(moved)) and torch.allclose(logits, model.au_head(hidden))
    assert torch.allclose(model(rand_clips())[1:2], model(rand_clips()[1:2]), atol=1e-5)  # no clip sees another


def test_all_that_should_learn_gets_a_gradient():
    model = make(motion="eulerian").train()
    model(rand_clips()).square().sum().backward()
    without = {name for name, weight in model.named_parameters() if weight.grad is None}
    assert without == {name for name, weight in model.named_parameters() if not weight.requires_grad}
    assert all(name.startswith("language.lm.") and "lora_" not in name for name in without)


def test_gradient_reaches_the_pixels_of_a_frozen_model(model):
    clips = rand_clips().requires_grad_()
    frozen = make().requires_grad_(False)
    (gradient,) = torch.autograd.grad(frozen(clips)[:, 0].sum(), clips)
    assert torch.isfinite(gradient).all() and gradient.abs().amax((1, 2, 3)).min() > 0


def test_probabilities_are_calibrated_and_leave_the_mode(model):
    rows = tuple((0.5 + k / 10, -k / 5) for k in range(12))
    other = make(calibration=rows)
    scale, bias = torch.tensor(rows).T
    with torch.no_grad():
        expected = torch.sigmoid(model(rand_clips()) * scale + bias)
    assert torch.allclose(other.probabilities(rand_clips()), expected, atol=1e-6)
    other.train()
    answer = other.probabilities(rand_clips())
    assert torch.allclose(answer, expected, atol=1e-6) and not answer.requires_grad
    assert other.training and other.backbone.training and not other.language.lm.training


@pytest.mark.parametrize("clips, sentence", [
    (torch.rand(2, 5, 64, 64), r"\[B, 6, 64, 64\], got \[2, 5, 64, 64\]"),
    (torch.rand(6, 64, 64), r"got \[6, 64, 64\]"),
    (torch.rand(2, 6, 64, 32), r"got \[2, 6, 64, 32\]"),
    (torch.full((1, 6, 64, 64), torch.nan), "no numbers"),
    (torch.full((1, 6, 64, 64), torch.inf), "no numbers"),
    (torch.zeros(1, 6, 64, 64, dtype=torch.uint8), "got torch.uint8: divide bytes by 255"),
])  # fmt: skip
def test_bad_clips_are_refused(model, clips, sentence):
    with pytest.raises(InputError, match=sentence):
        model(clips)


def test_checkpoint_comes_back(model, folder):
    again = AULLM.from_pretrained(folder)
    assert not again.training and again.config == model.config
    assert torch.allclose(again(rand_clips()), model(rand_clips()), atol=2e-2)  # stored in half precision
    assert all(value.dtype != torch.float16 for value in again.state_dict().values())
    model.save_pretrained(folder, dtype=torch.float32)
    assert torch.equal(AULLM.from_pretrained(folder)(rand_clips()), model(rand_clips()))


def test_the_language_model_may_be_read_in_half_precision(model, folder):
    half = AULLM.from_pretrained(folder, dtype=torch.bfloat16)
    assert half.language.lm.get_input_embeddings().weight.dtype == torch.bfloat16
    assert half.au_head.weight.dtype == half.backbone.stem[0].weight.dtype == torch.float32
    clips = rand_clips()
    logits = half(clips)
    assert logits.dtype == torch.float32 and torch.allclose(logits, model(clips), atol=0.05)
    assert not torch.equal(logits, AULLM.from_pretrained(folder)(clips))
    half.config = half.config.changed(speaks=True)
    assert half.describe(clips[0]).said is not None
    assert half.explain(clips[0], 12, "words").parts


def test_checkpoint_holds_what_was_trained_and_no_more(model, folder):
    with safe_open(folder / "model.safetensors", "pt") as file:
        names, facts = set(file.keys()), file.metadata()
    assert not any(name.startswith("language.lm.") and "lora_" not in name for name in names)
    assert {name for name, weight in model.named_parameters() if weight.requires_grad} <= names
    assert {"backbone.stem.3.running_mean", "backbone.body.2.running_var"} <= names
    assert facts["aus"] == "1 2 4 5 6 7 9 10 12 14 15 17" and facts["base_fingerprint"] == model.language.fingerprint
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]


@pytest.mark.parametrize(
    "language_model, megabytes", [("random", 7), pytest.param("smollm2-135m-instruct", 10, marks=pytest.mark.model)]
)
def test_checkpoint_is_small(language_model, megabytes, tmp_path):
    AULLM(AULLMConfig(language_model=language_model)).save_pretrained(tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < megabytes * 1e6
    AULLM.from_pretrained(tmp_path)


def rewrite(folder, change_tensors=lambda tensors: tensors, change_facts=lambda facts: facts) -> None:
    path = folder / "model.safetensors"
    with safe_open(path, "pt") as file:
        tensors, facts = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()
    save_file(change_tensors(tensors), path, metadata=change_facts(facts))


def cut_short(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def relabel(folder):
    values = json.loads((folder / "config.json").read_text())
    values["aus"][:2] = values["aus"][1::-1]
    (folder / "config.json").write_text(json.dumps(values))


def unknown_label(folder):
    text = (folder / "config.json").read_text()
    (folder / "config.json").write_text(text.replace("17\n", "99\n"))


def without_bias(tensors):
    return {name: value for name, value in tensors.items() if name != "au_head.bias"}


def new_bias(value, dtype=torch.float32):
    return {"au_head.bias": torch.full((12,), value, dtype=dtype)}


DAMAGE = {
    "truncated": (cut_short, "cannot be read"),
    "not safetensors": (lambda f: (f / "model.safetensors").write_text("weights"), "cannot be read"),
    "broken config": (lambda f: (f / "config.json").write_text("{"), "config.json cannot be read"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "lacks model.safetensors"),
    "no config": (lambda f: (f / "config.json").unlink(), "lacks config.json"),
    "labels permuted": (relabel, "gives the AUs 1 2 .* its config 2 1 .* swapped"),
    "label unknown": (unknown_label, "aus must be different numbers"),
    "no labels": (lambda f: rewrite(f, change_facts=lambda facts: {"format": "pt"}), "gives the AUs None"),
    "tensor missing": (lambda f: rewrite(f, without_bias), "1 tensors are missing .'au_head.bias'"),
    "tensor unknown": (lambda f: rewrite(f, lambda t: t | {"extra": torch.zeros(1)}), "1 are unknown .'extra'"),
    "other shape": (lambda f: rewrite(f, lambda t: t | {"au_head.bias": torch.zeros(5)}), r"\[5\], .* needs \[12\]"),
    "no number": (lambda f: rewrite(f, lambda t: t | new_bias(float("nan"))), "au_head.bias .* not finite"),
    "too large a number": (lambda f: rewrite(f, lambda t: t | new_bias(1e300, torch.float64)), "not finite"),
    "other type": (
        lambda f: rewrite(f, lambda t: t | new_bias(0, torch.complex64)),
        "au_head.bias holds torch.complex64, the model needs torch.float32"),
    "huge config": (lambda f: (f / "config.json").write_text(" " * 10_000_001), "larger than 10 MB"),
    "other base": (
        lambda f: rewrite(f, change_facts=lambda facts: facts | {"base_fingerprint": "0" * 64}),
        "another language model .fingerprint 00000000. than the random found here"),
}  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGE)
def test_bad_checkpoint_is_refused(kind, folder):
    damage, sentence = DAMAGE[kind]
    damage(folder)
    with pytest.raises(InputError, match=sentence):
        AULLM.from_pretrained(folder)


def test_another_base_may_be_forced_loudly(model, folder):
    DAMAGE["other base"][0](folder)
    with pytest.warns(UserWarning, match="expect wrong answers"):
        again = AULLM.from_pretrained(folder, allow_other_base=True)
    assert again.config.base_fingerprint == model.language.fingerprint


@pytest.mark.parametrize("name", ["no_such_folder", "./no/such", "/no/such", "a/b/c", ""])
def test_no_such_checkpoint(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError):
        AULLM.from_pretrained(name)


def test_demo_is_the_shipped_folder(folder, monkeypatch, tmp_path):
    shutil.copytree(folder, tmp_path / "shipped")
    monkeypatch.setattr(checkpoint, "DEMO", tmp_path / "shipped")
    assert checkpoint.find_checkpoint("demo") == tmp_path / "shipped"


def contents(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("call", [1, 2])
def test_full_disk_leaves_the_old_checkpoint(folder, monkeypatch, call):
    before, calls = contents(folder), []

    def full(_):
        calls.append(1)
        if len(calls) == call:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        make(aus=(1, 2)).save_pretrained(folder)
    assert contents(folder) == before


@pytest.mark.parametrize("value", [np.nan, 1e6])  # the second is no half-precision number
def test_weights_that_are_no_numbers_are_not_saved(folder, value):
    before, broken = contents(folder), make()
    with torch.no_grad():
        broken.au_head.weight[0, 0] = float(value)
    with pytest.raises(InputError, match="au_head.weight is not finite"):
        broken.save_pretrained(folder)
    assert contents(folder) == before


def test_analyze_hands_on(model, monkeypatch):
    from aullm_lite import analysis

    monkeypatch.setattr(analysis, "analyze", lambda *args, **options: (args, options))
    assert model.analyze("clip.mp4", fps=200) == ((model, "clip.mp4"), {"fps": 200})
