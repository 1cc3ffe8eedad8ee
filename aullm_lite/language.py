"""The language model: a frozen causal LM with LoRA that reads [prompt | visual token].

The visual token comes last, so no clip can change the prompt before it.  The prompt therefore runs once, as a batch of
one; its keys and values are shared by the whole batch, and only the visual tokens pass through the layers.  The answer
and the gradients are those of the plain way (`naive=True`), at a fraction of the work.
"""

import hashlib

import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache, LlamaConfig, LlamaForCausalLM

from . import assets
from .errors import InputError

SMOLLM2 = "smollm2-135m-instruct"


def load_language_model(name: str, prompt: str) -> tuple[nn.Module, Tensor]:
    """A causal LM in fp32 and the ids of its prompt.  str, str -> module, [1, N]"""
    if name == "random":
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return LlamaForCausalLM(tiny_llama()).eval(), torch.tensor([list(prompt.encode())])
    source = assets.smollm2_folder() if name == SMOLLM2 else name
    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
        lm = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
    except OSError as error:
        raise InputError(f"The language model {name!r} cannot be loaded: check its name and the network ({error}).") from None
    return lm.eval(), tokenizer(prompt, return_tensors="pt").input_ids


def tiny_llama() -> LlamaConfig:
    """Two layers of width 64 over bytes: random weights, for tests."""
    return LlamaConfig(vocab_size=256, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
                       num_key_value_heads=2, bos_token_id=None, eos_token_id=None)


def fingerprint(lm: nn.Module) -> str:
    """SHA-256 over names and raw bytes of all weights: tells one base from another.  Before LoRA renames them."""
    digest = hashlib.sha256()
    for name, tensor in sorted(lm.state_dict().items()):
        digest.update(name.encode())
        digest.update(memoryview(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().reshape(-1)))
    return digest.hexdigest()


def lora_targets(lm: nn.Module) -> list[str] | None:
    """Query and value projections, as in the paper; None (peft's own choice) for models that name them otherwise."""
    names = {name.rsplit(".", 1)[-1] for name, _ in lm.named_modules()}
    return ["q_proj", "v_proj"] if {"q_proj", "v_proj"} <= names else None


class LanguageModel(nn.Module):
    """Reads one visual token after its prompt.  [B, 1, E] -> [B, E]"""

    def __init__(self, name: str, prompt: str, *, rank: int = 16, alpha: int = 32, dropout: float = 0.1):
        super().__init__()
        lm, prompt_ids = load_language_model(name, prompt)
        self.fingerprint = fingerprint(lm)
        self.lm = lm.requires_grad_(False)
        lora = LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=dropout, bias="none", target_modules=lora_targets(lm))
        inject_adapter_in_model(lora, self.lm)
        self.register_buffer("prompt_ids", prompt_ids, persistent=False)
        self.width = lm.get_input_embeddings().embedding_dim
        self._prefix = None  # keys and values of the prompt, kept while nothing that made them can change

    @property
    def token_std(self) -> float:
        """How large the embeddings of words are: the size at which a visual token should start."""
        return self.lm.get_input_embeddings().weight.std().item()

    def forward(self, visual_token: Tensor, *, naive: bool = False) -> Tensor:
        if naive:
            prompt = self.lm.get_input_embeddings()(self.prompt_ids).expand(len(visual_token), -1, -1)
            embeds = torch.cat([prompt, visual_token.to(prompt.dtype)], dim=1)  # [B, N + 1, E]
            return self.body(inputs_embeds=embeds, use_cache=False).last_hidden_state[:, -1]
        shared = self.prefix()
        cache = DynamicCache()
        for index, layer in enumerate(shared.layers):
            keys, values = (part.expand(len(visual_token), -1, -1, -1) for part in (layer.keys, layer.values))
            cache.update(keys, values, index)
        return self.body(inputs_embeds=visual_token, past_key_values=cache).last_hidden_state[:, -1]

    @property
    def body(self) -> nn.Module:
        """The transformer without its vocabulary head: only the hidden state is read."""
        return self.lm.get_decoder()

    def prefix(self) -> DynamicCache:
        """Keys and values of the prompt for a batch of one; kept in eval mode unless LoRA needs their gradient."""
        learning = torch.is_grad_enabled() and any(p.requires_grad for p in self.lm.parameters())
        if self.training or learning:
            return self.body(input_ids=self.prompt_ids, use_cache=True).past_key_values
        if self._prefix is None:
            with torch.no_grad():
                self._prefix = self.body(input_ids=self.prompt_ids, use_cache=True).past_key_values
        return self._prefix

    def forget_prefix(self) -> None:
        """To be called when weights change."""
        self._prefix = None

    def train(self, mode: bool = True) -> "LanguageModel":
        self.forget_prefix()
        return super().train(mode)

    def _apply(self, *args, **kwargs):  # .to(), .half(), .cuda(): the kept prefix would stay behind
        self.forget_prefix()
        return super()._apply(*args, **kwargs)
