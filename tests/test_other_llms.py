"""Any causal language model by one option: small random ones of other kinds, from folders as the Hub has them."""

import json

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from aullm_lite.cli import main
from aullm_lite.language import LanguageModel
from aullm_lite.model import AULLM
from aullm_lite.synth.dataset import make_clips, training_recipe

SIZES = dict(vocab_size=300, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4)
KINDS = {
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SIZES, num_key_value_heads=2)),
    "gpt_neox": lambda: GPTNeoXForCausalLM(GPTNeoXConfig(**SIZES)),
}


def letters() -> Tokenizer:
    """Every byte is a word."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: n for n, letter in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    return tokenizer


@pytest.fixture(params=KINDS)
def folder(request, tmp_path):
    """A model of one kind, saved; one of them has no sign for the end of a text."""
    path = tmp_path / request.param
    KINDS[request.param]().save_pretrained(path)
    end = {"eos_token": "<end>"} if request.param == "qwen2" else {}
    PreTrainedTokenizerFast(tokenizer_object=letters(), **end).save_pretrained(path)
    return path


def test_its_words_and_their_end(folder):
    language = LanguageModel(str(folder), "Which Action Units moved?")
    assert "".join(language.prompt_words) == "WhichActionUnitsmoved?" and language.width == 32
    assert language.tokenizer.decode([language.end]) == ("<end>" if folder.name == "qwen2" else "\n")
    assert (
        language.tokenizer.decode(language.tokenizer.encode("AU12 is on.", add_special_tokens=False)) == "AU12 is on."
    )


def test_it_is_trained_kept_and_speaks(folder, tmp_path):
    order = ["train", "--preset", "smoke", "--llm", str(folder), "--subjects", "6", "--clips", "8"]
    order += ["--warmup", "1", "--epochs", "1", "--batch-size", "16", "--spoken", "4", "--out", str(tmp_path / "run")]
    assert main(order) == 0
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert "words" in rows[-1]
    model = AULLM.from_pretrained(tmp_path / "run")
    assert model.config.speaks and model.config.language_model == str(folder)
    assert model.describe(clip()).text


def clip() -> torch.Tensor:
    return torch.from_numpy(make_clips(1, 1, training_recipe, seed=3).clips[0]).float() / 255


def test_a_checkpoint_keeps_its_own_language_model(tmp_path, capsys):
    assert main(["train", "--init", "demo", "--llm", "random", "--out", str(tmp_path)]) == 2
    assert "leave out --llm or --init" in capsys.readouterr().err
