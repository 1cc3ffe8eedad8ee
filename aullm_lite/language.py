"""The language model: a frozen causal LM with LoRA that reads [prompt | visual token].

The visual token comes last, so no clip can change what stands before it.  The prompt therefore runs once for the whole
batch: while learning as one row with all visual tokens behind it, otherwise by its keys and values, which are kept.
The answer and the gradients are those of the plain way (`naive=True`), at a fraction of the work.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache, LlamaConfig, LlamaForCausalLM
from transformers.utils import logging

from . import assets
from .errors import InputError

SMOLLM2 = "smollm2-135m-instruct"
Prefix = list[tuple[Tensor, Tensor]]  # keys and values of the prompt, a pair for each layer


def load_language_model(name: str, prompt: str) -> tuple[nn.Module, Tensor, tuple[str, ...]]:
    """A causal LM in fp32, the ids of its prompt, and what each of them reads.  str, str -> module, [1, N], N words"""
    if name == "random":
        return random_llama(), torch.tensor([list(prompt.encode())]), tuple(map(chr, prompt.encode()))
    source = assets.smollm2_folder() if name == SMOLLM2 else name
    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(source)
            lm = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32, use_safetensors=True)
    except (OSError, ValueError) as error:
        raise InputError(f"Cannot load language model {name!r}: check its name and the network ({error}).") from None
    ids = tokenizer(prompt, return_tensors="pt").input_ids
    return lm, ids, tuple(tokenizer.decode(token).strip() for token in ids[0])


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


class NoLanguageModel(nn.Module):
    """The control: hands on the visual token as it is, as wide as SmolLM2's.  [B, 1, E] -> [B, E]"""

    width, token_std, fingerprint = 576, 0.136, "none"

    def forward(self, visual_token: Tensor) -> Tensor:
        return visual_token.squeeze(1)


class LanguageModel(nn.Module):
    """Reads one visual token after its prompt.  [B, 1, E] -> [B, E]

    `name` is `smollm2-135m-instruct`, `random` or a causal LM of the Hub; `rank`, `alpha` and `dropout` are LoRA's.
    The base never learns and never drops anything out; in training only LoRA does both.
    """

    def __init__(self, name: str, prompt: str, *, rank: int = 16, alpha: int = 32, dropout: float = 0.1):
        super().__init__()
        self.lm, prompt_ids, self.prompt_words = load_language_model(name, prompt)
        self.fingerprint = fingerprint(self.lm)
        self.width = self.lm.get_input_embeddings().embedding_dim
        self.lm.requires_grad_(False)
        targets = lora_targets(self.lm)
        lora = LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=dropout, bias="none", target_modules=targets)
        inject_adapter_in_model(lora, self.lm)  # sets requires_grad for its own weights alone
        self.register_buffer("prompt_ids", prompt_ids, persistent=False)
        self.one_row = not getattr(self.lm.config, "sliding_window", None)  # else the mask is not ours to make
        self._weights = tuple(self.lm.parameters())  # a tuple, because walking the modules takes 1.5 ms
        self._kept, self._kept_for = None, None  # the prompt's keys and values, and the state that made them
        self.train()

    @property
    def token_std(self) -> float:
        """How large the embeddings of words are: the size at which a visual token should start."""
        return self.lm.get_input_embeddings().weight.std().item()

    def forward(self, visual_token: Tensor, *, naive: bool = False) -> Tensor:
        if visual_token.shape[1:] != (1, self.width):
            raise InputError(f"The language model takes a token [B, 1, {self.width}], got {[*visual_token.shape]}.")
        words = self.lm.get_input_embeddings()
        visual_token = visual_token.to(words.weight.dtype)  # under autocast it comes in half precision
        if naive:
            prompt = words(self.prompt_ids).expand(len(visual_token), -1, -1)
            embeds = torch.cat([prompt, visual_token], dim=1)  # [B, N + 1, E]
            return self.body(inputs_embeds=embeds, use_cache=False).last_hidden_state[:, -1]
        if self.learning and self.one_row:
            return self.together(visual_token)
        cache = DynamicCache()  # from its length the model knows the position of the visual token
        for layer, pair in enumerate(self.prefix()):
            cache.update(*(part.expand(len(visual_token), -1, -1, -1) for part in pair), layer)
        return self.body(inputs_embeds=visual_token, past_key_values=cache, use_cache=True).last_hidden_state[:, -1]

    @property
    def body(self) -> nn.Module:
        """The transformer without its vocabulary head: only the hidden state is read."""
        return self.lm.get_decoder()

    @property
    def learning(self) -> bool:
        """Whether what the prompt becomes may differ from call to call, or wants a gradient."""
        return self.training or torch.is_grad_enabled() and any(weight.requires_grad for weight in self._weights)

    def together(self, visual_token: Tensor) -> Tensor:
        """Prompt and batch as one row of N + B tokens, all through each layer at once.  [B, 1, E] -> [B, E]

        Each visual token stands at position N, and sees the prompt and itself but none of its neighbours.
        """
        prompt = self.lm.get_input_embeddings()(self.prompt_ids)  # [1, N, E]
        n, row = prompt.shape[1], torch.cat([prompt, visual_token.transpose(0, 1)], dim=1)
        at = torch.arange(row.shape[1], device=row.device)
        sees = (at[:, None] >= at) & ((at < n) | (at[:, None] == at))
        mask = torch.zeros(sees.shape, dtype=row.dtype, device=row.device).masked_fill(~sees, float("-inf"))
        options = dict(attention_mask=mask[None, None], position_ids=at.clamp_max(n)[None], use_cache=False)
        return self.body(inputs_embeds=row, **options).last_hidden_state[0, n:]

    def prefix(self) -> Prefix:
        """The prompt's keys and values, kept from call to call unless LoRA learns or any weight has changed."""
        if self.learning:
            return self.read_prompt()
        state = [(tensor.data_ptr(), tensor._version) for tensor in (self.prompt_ids, *self._weights)]
        state.append(torch.is_autocast_enabled(self.prompt_ids.device.type))
        if state != self._kept_for:
            with torch.no_grad():
                self._kept, self._kept_for = self.read_prompt(), state
        return self._kept

    def read_prompt(self) -> Prefix:
        """Run the prompt through all layers, as a batch of one."""
        cache = DynamicCache()
        self.body(input_ids=self.prompt_ids, past_key_values=cache, use_cache=True)
        return [(layer.keys, layer.values) for layer in cache.layers]

    def train(self, mode: bool = True) -> "LanguageModel":
        super().train(mode)
        self.lm.eval()
        for name, module in self.lm.named_modules():
            if "lora_dropout" in name:
                module.train(mode)
        return self
