"""The language model: the shared prompt gives the plain way's answer and gradients, and is never stale."""

import copy
import json

import pytest
import torch
from transformers import (
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from aullm_lite import causal_lm, language
from aullm_lite.causal_lm import ByteTokenizer, fingerprint, load_language_model, random_llama
from aullm_lite.config import AULLMConfig
from aullm_lite.errors import InputError
from aullm_lite.language import LanguageModel

SIZES = dict(vocab_size=99, hidden_size=48, intermediate_size=64, num_hidden_layers=3, num_attention_heads=4)
MODELS = {
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SIZES, num_key_value_heads=2)),
    "gpt_neox": lambda: GPTNeoXForCausalLM(GPTNeoXConfig(**SIZES, hidden_dropout=0.5, attention_dropout=0.5)),
    "mistral, window shorter than the prompt": lambda: MistralForCausalLM(
        MistralConfig(**SIZES, num_key_value_heads=2, sliding_window=4)
    ),
    "llama": random_llama,
}


class FewWords(ByteTokenizer):
    """Letters as small numbers, for models with few words."""

    def encode(self, text, add_special_tokens=True):
        return [byte % 90 + 1 for byte in text.encode()]


@pytest.fixture(params=MODELS)
def reader(request, monkeypatch) -> LanguageModel:
    """A small random model of each kind, in eval mode, with LoRA weights that do something."""
    torch.manual_seed(3)
    monkeypatch.setattr(language, "load_language_model", lambda name: (MODELS[request.param](), FewWords()))
    return stirred(LanguageModel("any", "a prompt of some words", rank=4, alpha=8, dropout=0.5))


def stirred(model: LanguageModel) -> LanguageModel:
    """LoRA starts at zero and would hide mistakes."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.3)
    return model.eval()


def tokens(model: LanguageModel, batch: int = 3) -> torch.Tensor:
    return torch.randn(batch, 1, model.width, generator=torch.Generator().manual_seed(1)).requires_grad_()


def answer_and_gradients(model: LanguageModel, naive: bool) -> list[torch.Tensor]:
    visual_token = tokens(model)
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    hidden = model(visual_token, naive=naive)
    weighting = torch.linspace(-1, 1, hidden.numel()).view_as(hidden)  # a plain sum of normed values has no gradient
    return [hidden, *torch.autograd.grad((hidden * weighting).sum(), [visual_token, *trained])]


def test_shared_prompt_equals_the_plain_way(reader):
    shared, plain = (answer_and_gradients(reader, naive) for naive in (False, True))
    assert shared[0].shape == (3, reader.width) and len(shared) > 4
    for a, b in zip(shared, plain, strict=True):
        assert b.abs().max() > 1e-4 and torch.allclose(a, b, atol=1e-5, rtol=1e-4)


def test_kept_prompt_equals_the_plain_way(reader):
    with torch.no_grad():
        for batch in (1, 5, 2):
            visual_token = tokens(reader, batch)
            assert torch.allclose(reader(visual_token), reader(visual_token, naive=True), atol=1e-5)


def test_answer_depends_on_the_prompt_and_on_the_clip(reader):
    with torch.no_grad():
        before = reader(tokens(reader))
        reader.prompt_ids = reader.prompt_ids + 1
        assert (reader(tokens(reader)) - before).abs().max() > 1e-3
        assert (before[0] - before[1]).abs().max() > 1e-2


def test_only_lora_learns(reader):
    learning = {name for name, weight in reader.named_parameters() if weight.requires_grad}
    assert learning == {name for name, _ in reader.named_parameters() if "lora_" in name} != set()


def test_training_drops_out_in_lora_alone(reader):
    reader.train()
    assert {name for name, module in reader.lm.named_modules() if module.training} == {
        name for name, _ in reader.lm.named_modules() if "lora_dropout" in name
    }
    assert not torch.equal(reader(tokens(reader)), reader(tokens(reader)))
    reader.eval()
    assert torch.equal(reader(tokens(reader)), reader(tokens(reader)))


@pytest.fixture
def llama() -> LanguageModel:
    return stirred(LanguageModel("random", "Which?", rank=4))


def count_readings(model: LanguageModel, monkeypatch) -> list:
    readings, read, together = [], model.read_prompt, model.together
    monkeypatch.setattr(model, "read_prompt", lambda: readings.append(1) or read())
    monkeypatch.setattr(model, "together", lambda *seen: readings.append(1) or together(*seen))
    return readings


def test_prompt_is_read_once_at_inference_and_each_time_in_training(llama, monkeypatch):
    readings = count_readings(llama, monkeypatch)
    with torch.no_grad():
        [llama(tokens(llama)) for _ in range(3)]
    assert len(readings) == 1
    [llama(tokens(llama)) for _ in range(3)]  # in eval mode, but LoRA wants its gradient
    llama.train()
    with torch.no_grad():
        llama(tokens(llama))
    assert len(readings) == 5


def change_step(model):
    optimizer = torch.optim.SGD([w for w in model.parameters() if w.requires_grad], lr=1.0)
    model.train()(tokens(model)).square().sum().backward()
    optimizer.step()


def change_load(model):
    model.load_state_dict({name: value + 0.01 for name, value in model.state_dict().items()})


def change_base(model):
    with torch.no_grad():
        model.lm.get_decoder().layers[0].self_attn.k_proj.weight.normal_()


def change_type(model):
    model.double()


def test_what_autocast_kept_is_not_used_without_it(llama):
    with torch.no_grad():
        plain = llama(tokens(llama), naive=True)
        with torch.autocast("cpu", torch.bfloat16):
            assert (llama(tokens(llama)) - plain).abs().max() < 0.3
        assert torch.allclose(llama(tokens(llama)), plain, atol=1e-5)


@pytest.mark.parametrize("change", [change_step, change_load, change_base, change_type])
def test_kept_prompt_is_never_stale(llama, change):
    with torch.no_grad():
        before = llama(tokens(llama))
    change(llama)
    llama.eval()
    with torch.no_grad():
        visual_token = tokens(llama).to(next(llama.parameters()).dtype)
        after = llama(visual_token)
        assert torch.allclose(after, llama(visual_token, naive=True), atol=1e-5)
        assert after.dtype != before.dtype or (after - before).abs().max() > 1e-4


def test_a_copy_keeps_its_own_prompt(llama):
    with torch.no_grad():
        before, twin = llama(tokens(llama)), copy.deepcopy(llama)
        change_load(twin)
        assert torch.equal(llama(tokens(llama)), before)
        assert torch.allclose(twin(tokens(llama)), twin(tokens(llama), naive=True), atol=1e-5)


def test_gradient_of_the_token_passes_a_frozen_model(llama):
    llama.requires_grad_(False)
    with torch.inference_mode():
        llama(tokens(llama).detach())  # what is kept here must not stop later gradients
    gradients = []
    for naive in (False, True):
        visual_token = tokens(llama)
        hidden = llama(visual_token, naive=naive)
        gradients += torch.autograd.grad(hidden[:, 0].sum(), visual_token)
    assert torch.allclose(*gradients, atol=1e-6) and gradients[0].abs().max() > 1e-4


def test_wrong_token_is_refused_with_both_shapes(llama):
    with pytest.raises(InputError, match=r"\[B, 1, 64\], got \[2, 1, 65\]"):
        llama(torch.zeros(2, 1, 65))


def test_fingerprint_tells_weights_apart():
    one, same, other = random_llama(), random_llama(), random_llama()
    with torch.no_grad():
        other.get_decoder().layers[1].mlp.up_proj.weight[3, 5] += 1e-6
    assert fingerprint(one) == fingerprint(same) != fingerprint(other)
    assert LanguageModel("random", "Which?").fingerprint == fingerprint(one)
    assert fingerprint(torch.nn.ModuleDict({"a": one})) != fingerprint(torch.nn.ModuleDict({"b": one}))


def test_unknown_model_is_bad_input(monkeypatch, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match="Cannot load language model"):
        LanguageModel(str(tmp_path), "Which?")


def test_code_of_a_stranger_is_neither_run_nor_asked_about(monkeypatch, tmp_path):
    trick = "from pathlib import Path\nPath(__file__).with_name('ran').touch()\nclass Theirs: ..."
    names = {
        "AutoConfig": "theirs.Theirs",
        "AutoModelForCausalLM": "theirs.Theirs",
        "AutoTokenizer": ["theirs.Theirs"] * 2,
    }
    (tmp_path / "theirs.py").write_text(trick)
    for name in ("config.json", "tokenizer_config.json"):
        (tmp_path / name).write_text(json.dumps({"model_type": "theirs", "auto_map": names}))
    monkeypatch.setattr("builtins.input", lambda question: pytest.fail(question))
    with pytest.raises(InputError, match="Cannot load language model") as caught:
        load_language_model(str(tmp_path))
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.rglob("ran"))


def test_a_pickle_that_poses_as_safetensors_is_not_read(monkeypatch, tmp_path):
    lm = LlamaForCausalLM(LlamaConfig(**SIZES))
    lm.config.save_pretrained(tmp_path)
    torch.save(lm.state_dict(), tmp_path / "weights.bin")
    index = {"metadata": {}, "weight_map": dict.fromkeys(lm.state_dict(), "weights.bin")}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    monkeypatch.setattr(causal_lm.AutoTokenizer, "from_pretrained", lambda *args, **options: ByteTokenizer())
    read = torch.load
    with pytest.raises(InputError, match="Cannot load language model .* pickle"):
        load_language_model(str(tmp_path))
    assert (
        torch.load is read and torch.load(tmp_path / "weights.bin", weights_only=True).keys() == lm.state_dict().keys()
    )


def test_an_end_token_beyond_the_vocabulary_is_refused():
    with pytest.raises(InputError, match="end_token is 256, but random knows 256 tokens"):
        LanguageModel("random", "Which?", end=256)


@pytest.mark.model
def test_smollm2_shares_its_prompt():
    config = AULLMConfig()
    model = stirred(LanguageModel(config.language_model, config.prompt))
    assert model.width == 576 and 0.12 < model.token_std < 0.15
    assert sum(w.numel() for w in model.parameters() if w.requires_grad) == 921_600
    visual_token = tokens(model, 8).detach() * model.token_std
    with torch.no_grad():
        assert torch.allclose(model(visual_token), model(visual_token, naive=True), atol=1e-4, rtol=1e-4)


def texts() -> list[torch.Tensor]:
    """Of different lengths, one of a single word."""
    draw = torch.Generator().manual_seed(2)
    return [torch.randint(1, 90, (length,), generator=draw) for length in (5, 1, 7)]


def states_and_gradients(model: LanguageModel, naive: bool) -> list[torch.Tensor]:
    visual_token = tokens(model, 4)
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    hidden, states = model.read_and_speak(visual_token, texts(), naive=naive)
    values = torch.cat([hidden.flatten(), states.flatten()])
    weighted = (values * torch.linspace(-1, 1, len(values))).sum()
    return [hidden, states, *torch.autograd.grad(weighted, [visual_token, *trained])]


def test_reading_and_speaking_in_one_row_equal_the_plain_way(reader):
    together, plain = (states_and_gradients(reader, naive) for naive in (False, True))
    assert together[0].shape == (4, reader.width) and together[1].shape == (13, reader.width)
    for a, b in zip(together, plain, strict=True):
        assert b.abs().max() > 1e-4 and torch.allclose(a, b, atol=1e-5, rtol=1e-3)


def test_the_state_that_is_read_also_foretells_the_first_word(reader):
    hidden, states = reader.read_and_speak(tokens(reader), texts())
    assert torch.allclose(states[[0, 5, 6]], hidden, atol=1e-5)


def test_no_text_hears_another(llama):
    said = texts()
    states = llama.read_and_speak(tokens(llama), said)[1]
    said[0][0] += 1
    other = llama.read_and_speak(tokens(llama), said)[1]
    changed = (other - states).abs().amax(1) > 1e-4
    assert changed.tolist() == [False] + [True] * 4 + [False] * 8


def test_speaking_with_kept_keys_says_what_the_whole_row_foretells(reader):
    with torch.no_grad():
        visual_token = tokens(reader)
        opened = torch.tensor(reader.tokenizer.encode("Is?"))
        said = torch.stack(list(reader.words(*reader.begin(visual_token), "Is?", most=6)), 1)
        whole = torch.cat([opened.expand(3, -1), said], 1)
        foretold = reader.vocabulary(reader.apart(visual_token, whole)).argmax(-1)[:, len(opened) :]
        ended = (said == reader.end).cumsum(1) > 0
        assert torch.equal(said[~ended], foretold[~ended])


def test_a_text_that_has_ended_stays_ended(llama, monkeypatch):
    monkeypatch.setattr(llama, "vocabulary", lambda states: torch.eye(256)[[0] + [7] * (len(states) - 1)])
    monkeypatch.setattr(llama, "read_on", lambda ids, cache: torch.zeros(len(ids), 64))
    said = torch.stack(list(llama.words(torch.zeros(2, 64), None, most=3)), 1)
    assert said.tolist() == [[0, 0, 0], [7, 7, 7]]
