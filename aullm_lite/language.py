"""The language model: a frozen causal LM with LoRA that reads [prompt | visual token] and may speak on from there.

The visual token comes after the prompt, so no clip can change what stands before it.  The prompt therefore runs once
for the whole batch: while learning as one row with all visual tokens behind it, otherwise by its keys and values, which
are kept.  The answer and the gradients are those of the plain way (`naive=True`), at a fraction of the work.

The state at the visual token is read twice: by the head that decides on AUs, and by the model's own vocabulary, whose
choice is the first word of a report; each word then follows from those before it.
"""

from collections.abc import Iterator, Sequence

import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import Tensor, nn
from transformers import DynamicCache

from .causal_lm import end_of, fingerprint, load_language_model, lora_targets
from .errors import InputError

MOST_WORDS = 160  # of a report, in tokens; three Action Units take about 70
Prefix = list[tuple[Tensor, Tensor]]  # keys and values of the prompt, a pair for each layer


class NoLanguageModel(nn.Module):
    """The control: hands on the visual token as it is, as wide as SmolLM2's.  [B, 1, E] -> [B, E]"""

    width, token_std, fingerprint, end = 576, 0.136, "none", None

    def forward(self, visual_token: Tensor) -> Tensor:
        return visual_token.squeeze(1)


class LanguageModel(nn.Module):
    """Reads one visual token after its prompt.  [B, 1, E] -> [B, E]

    `name` is `smollm2-135m-instruct`, `random` or a causal LM of the Hub; `rank`, `alpha` and `dropout` are LoRA's;
    `end` is the token that ends a text, by default the one that the tokenizer names.  The base never learns and never
    drops anything out; in training only LoRA does both.
    """

    def __init__(
        self, name: str, prompt: str, *, rank: int = 16, alpha: int = 32, dropout: float = 0.1, end: int | None = None
    ):
        super().__init__()
        self.lm, self.tokenizer = load_language_model(name)
        self.end = end_of(self.tokenizer) if end is None else end
        if self.end >= (known := self.lm.get_input_embeddings().num_embeddings):
            raise InputError(f"end_token is {self.end}, but {name} knows {known} tokens: leave it out for its own.")
        prompt_ids = torch.tensor([self.tokenizer.encode(prompt)])
        self.prompt_words = tuple(self.tokenizer.decode([token]).strip() for token in prompt_ids[0].tolist())
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
        visual_token = self.checked(visual_token)
        if naive:
            return self.apart(visual_token, self.prompt_ids.new_zeros(len(visual_token), 0))[:, 0]
        if self.learning and self.one_row:
            return self.together(visual_token, [])
        return self.begin(visual_token)[0]

    def begin(self, visual_token: Tensor) -> tuple[Tensor, DynamicCache]:
        """The state at the visual token, and the keys and values up to there.  [B, 1, E] -> [B, E], cache"""
        visual_token = self.checked(visual_token)
        cache = DynamicCache()  # from its length the model knows the position of the visual token
        for layer, pair in enumerate(self.prefix()):
            cache.update(*(part.expand(len(visual_token), -1, -1, -1) for part in pair), layer)
        states = self.body(inputs_embeds=visual_token, past_key_values=cache, use_cache=True).last_hidden_state
        return states[:, -1], cache

    def checked(self, visual_token: Tensor) -> Tensor:
        """The token in the model's own precision; under autocast it comes in half.  Raises `InputError`."""
        if visual_token.shape[1:] != (1, self.width):
            raise InputError(f"The language model takes a token [B, 1, {self.width}], got {[*visual_token.shape]}.")
        return visual_token.to(self.lm.get_input_embeddings().weight.dtype)

    def read_and_speak(
        self, visual_token: Tensor, texts: Sequence[Tensor], *, naive: bool = False
    ) -> tuple[Tensor, Tensor]:
        """States at all visual tokens, and those that foretell each word.  [B, 1, E], S of [L] -> [B, E], [sum L, E]

        The texts (token ids, each of its own length) follow the first S visual tokens.  The state of a visual token is
        also the first of its text's, because it foretells the first word.
        """
        if naive or not self.one_row:
            pairs = zip(self.checked(visual_token)[:, None], texts)
            return self(visual_token, naive=naive), torch.cat([self.apart(one, text[None])[0] for one, text in pairs])
        states = self.together(self.checked(visual_token), [text[:-1] for text in texts])
        hidden, said = states[: len(visual_token)], states[len(visual_token) :].split([len(t) - 1 for t in texts])
        return hidden, torch.cat([part for pair in zip(hidden[:, None], said) for part in pair])

    def apart(self, visual_token: Tensor, texts: Tensor) -> Tensor:
        """The plain way: a row for each clip, the prompt in all of them.  [S, 1, E], [S, L] -> [S, max(L, 1), E]"""
        words = self.lm.get_input_embeddings()
        prompt = words(self.prompt_ids).expand(len(visual_token), -1, -1)
        embeds = torch.cat([prompt, visual_token, words(texts[:, :-1])], dim=1)  # [S, N + L, E]
        return self.body(inputs_embeds=embeds, use_cache=False).last_hidden_state[:, prompt.shape[1] :]

    @property
    def body(self) -> nn.Module:
        """The transformer without its vocabulary head: only the hidden state is read."""
        return self.lm.get_decoder()

    @property
    def learning(self) -> bool:
        """Whether what the prompt becomes may differ from call to call, or wants a gradient."""
        return self.training or torch.is_grad_enabled() and any(weight.requires_grad for weight in self._weights)

    def together(self, visual_token: Tensor, texts: Sequence[Tensor]) -> Tensor:
        """Prompt, batch and texts as one row, all through each layer at once.  [B, 1, E], S of [L] -> [B + sum L, E]

        Each visual token stands at position N, and sees the prompt and itself but none of its neighbours; the words
        of a text follow it, and see the prompt, their own visual token and their own words so far.
        """
        n, b = self.prompt_ids.shape[1], len(visual_token)
        embed, said = self.lm.get_input_embeddings(), torch.cat([*texts, self.prompt_ids.new_zeros(0)])
        row = torch.cat([embed(self.prompt_ids), visual_token.transpose(0, 1), embed(said[None])], dim=1)
        lengths = torch.tensor([len(text) for text in texts], dtype=torch.long)
        whose = torch.cat([torch.full((n,), -1), torch.arange(b), torch.arange(len(texts)).repeat_interleave(lengths)])
        at = torch.cat([torch.arange(n), torch.full((b,), n), *(torch.arange(n + 1, n + 1 + len(t)) for t in texts)])
        return self.read_rows(row, whose, at)[0, n:]

    def side_by_side(self, tokens: Tensor) -> Tensor:
        """F batches, a row each: prompt and visual tokens, as in `together`.  [F, B, E] -> [F, B, E]"""
        (rows, b, _), n = tokens.shape, self.prompt_ids.shape[1]
        prompt = self.lm.get_input_embeddings()(self.prompt_ids)
        row = torch.cat([prompt.expand(rows, -1, -1), self.checked(tokens.flatten(0, 1)[:, None]).view_as(tokens)], 1)
        whose = torch.cat([torch.full((n,), -1), torch.arange(b)])
        return self.read_rows(row, whose, torch.arange(n + b).clamp_max(n))[:, n:]

    def read_rows(self, rows: Tensor, whose: Tensor, at: Tensor) -> Tensor:
        """States of rows in which each token sees the prompt (-1) and its own kind up to itself.

        `whose` they are and `at` which position: [R, N, E], [N], [N] -> [R, N, E]
        """
        sees = (at[:, None] >= at) & ((whose < 0) | (whose[:, None] == whose))
        mask = torch.zeros(sees.shape, dtype=rows.dtype).masked_fill(~sees, float("-inf")).to(rows.device)
        options = dict(attention_mask=mask.expand(len(rows), 1, -1, -1), use_cache=False)
        position = at.expand(len(rows), -1).to(rows.device)
        return self.body(inputs_embeds=rows, position_ids=position, **options).last_hidden_state

    def vocabulary(self, states: Tensor) -> Tensor:
        """What each state foretells as the next word.  [..., E] -> [..., V]"""
        return self.lm.get_output_embeddings()(states)

    @torch.no_grad()
    def words(self, hidden: Tensor, cache: DynamicCache, opening: str = "", most: int = MOST_WORDS) -> Iterator[Tensor]:
        """Speak on from `begin`, the likeliest word each time, until all have ended.  [B, E] -> ids [B], each step

        `opening` is read first; words after the end of a text are the end sign.  The cache grows with them.
        """
        if opening:
            ids = torch.tensor([self.tokenizer.encode(opening, add_special_tokens=False)], device=hidden.device)
            hidden = self.read_on(ids.expand(len(hidden), -1), cache)
        done = torch.zeros(len(hidden), dtype=torch.bool, device=hidden.device)
        for _ in range(most):
            chosen = self.vocabulary(hidden).argmax(-1).masked_fill(done, self.end)
            done |= chosen == self.end
            yield chosen
            if done.all():
                return
            hidden = self.read_on(chosen[:, None], cache)

    def read_on(self, ids: Tensor, cache: DynamicCache) -> Tensor:
        """The state after some more words, whose keys and values join the cache.  [B, L] -> [B, E]"""
        return self.body(input_ids=ids, past_key_values=cache, use_cache=True).last_hidden_state[:, -1]

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
