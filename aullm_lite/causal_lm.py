"""Causal language models as they come: loaded, made at random, told apart."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM
from transformers.utils import logging

from . import assets
from .errors import InputError

SMOLLM2 = "smollm2-135m-instruct"


class ByteTokenizer:
    """The bytes of a text as its tokens, for `random_llama`; offers what of a tokenizer we use."""

    eos_token_id = 0

    def encode(self, text: str, add_special_tokens: bool = True) -> list[int]:
        return list(text.encode())

    def decode(self, ids) -> str:
        return bytes(torch.as_tensor(ids).reshape(-1).tolist()).decode(errors="replace")


def load_language_model(name: str) -> tuple[nn.Module, object]:
    """A causal LM in fp32, and its tokenizer.  Raises `InputError` where it cannot be had."""
    if name == "random":
        return random_llama(), ByteTokenizer()
    source = assets.smollm2_folder() if name == SMOLLM2 else name
    safe = {"trust_remote_code": False}  # else transformers asks whether to run what a stranger wrote
    try:
        with quiet(), without_pickles():
            tokenizer = AutoTokenizer.from_pretrained(source, **safe)
            lm = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32, use_safetensors=True, **safe)
    except (OSError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"Cannot load language model {name!r}: check its name and the network ({reason}).") from None
    return lm, tokenizer


def end_of(tokenizer) -> int:
    """The token that ends a text: the tokenizer's own sign, or a new line where it has none."""
    end = tokenizer.eos_token_id
    return tokenizer.encode("\n", add_special_tokens=False)[-1] if end is None else end


def random_llama() -> nn.Module:
    """Two layers of width 64 over the 256 bytes, the same random weights each time: for tests, needs no download."""
    config = LlamaConfig(
        vocab_size=256,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        bos_token_id=None,
        eos_token_id=None,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return LlamaForCausalLM(config)


@contextmanager
def quiet() -> Iterator[None]:
    """Without the bar of transformers, which lasts a tenth of a second here and litters a notebook."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


@contextmanager
def without_pickles() -> Iterator[None]:
    """No pickle is read meanwhile: the index of a model's safetensors may name one, and transformers would read it."""
    load, torch.load = torch.load, _refuse_pickle
    try:
        yield
    finally:
        torch.load = load


def _refuse_pickle(*args, **options):
    raise ValueError("its weights are a pickle, which is not read: they must be safetensors")


def fingerprint(lm: nn.Module) -> str:
    """SHA-256 over names and raw bytes of all weights, which tells one base from another.  Before LoRA renames them."""
    digest = hashlib.sha256()
    for name, tensor in sorted(lm.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def lora_targets(lm: nn.Module) -> list[str] | None:
    """Query and value projections, as in the paper; None (peft's own choice) for models that name them otherwise."""
    names = {name.rsplit(".", 1)[-1] for name, _ in lm.named_modules()}
    return ["q_proj", "v_proj"] if {"q_proj", "v_proj"} <= names else None
