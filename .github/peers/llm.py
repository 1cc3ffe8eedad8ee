"""The language model: transformers and peft as their documentation shows them, against the prompt that is shared.

Both sides hold the same weights, read the same visual tokens after the same prompt and must come to the same states.
"""

import copy
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn
from transformers import AutoModelForCausalLM

from aullm_lite import assets
from aullm_lite.bench import in_turns
from aullm_lite.causal_lm import SMOLLM2, quiet, random_llama
from aullm_lite.model import AULLM
from aullm_lite.speech.spoken import describe
from aullm_lite.synth.dataset import HELD_OUT, make_clips, tier_recipe

Read = Callable[[Tensor], Tensor]  # visual tokens to states, [B, 1, E] -> [B, E]
AGREE = 1e-3  # largest difference of hidden states, whose size is about 1, that counts as rounding

READ_NOTE = """\
`as shown`: AutoModelForCausalLM gives the states of all layers and, unasked, the vocabulary at every position.
`body alone`: a careful user takes the transformer without its vocabulary, which is all that a state needs.
`prompt cache`: an expert keeps the prompt's keys and values, copied for each call; that is our own trick, for
inference only.  Steps are forward, loss and backward; the optimiser's is the same on both sides and left out."""
SPEAK_NOTE = """\
`generate` keeps keys and values too, but runs the prompt anew for each clip.  `frames to report` is the whole way from
six frames to text; ours guesses statements and checks each at once, which a general `generate` cannot know."""


def plain(model: AULLM) -> PeftModel:
    """The language model of `model` as anybody would build it, with the same weights, in eval mode."""
    c = model.config
    options = dict(r=c.lora_rank, lora_alpha=c.lora_alpha, lora_dropout=c.lora_dropout)
    lora = LoraConfig(task_type="CAUSAL_LM", target_modules=["q_proj", "v_proj"], **options)
    peer = get_peft_model(base_of(c.language_model), lora)
    peer.get_base_model().load_state_dict(model.language.lm.state_dict())
    return peer.eval()


def base_of(name: str) -> nn.Module:
    """The causal LM before LoRA, in fp32."""
    if name == "random":
        return random_llama()
    with quiet():
        source = assets.smollm2_folder() if name == SMOLLM2 else name
        return AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)


def sentence(peer: PeftModel, prompt_ids: Tensor, tokens: Tensor) -> Tensor:
    """The prompt's embeddings and the visual token, a row for each clip.  [1, N], [B, 1, E] -> [B, N + 1, E]"""
    prompt = peer.get_input_embeddings()(prompt_ids)
    return torch.cat([prompt.expand(len(tokens), -1, -1), tokens], dim=1)


def ways(peer: PeftModel, prompt_ids: Tensor) -> dict[str, Read]:
    """How one may read the state at the visual token, from what a newcomer writes to what an expert does."""
    body, whole = peer.get_base_model().get_decoder(), partial(sentence, peer, prompt_ids)
    with torch.no_grad():
        kept = body(input_ids=prompt_ids, use_cache=True).past_key_values

    def as_shown(tokens):
        out = peer(inputs_embeds=whole(tokens), use_cache=False, output_hidden_states=True)
        return out.hidden_states[-1][:, -1]

    def body_alone(tokens):
        return body(inputs_embeds=whole(tokens), use_cache=False).last_hidden_state[:, -1]

    def prompt_cache(tokens):
        cache = copy.deepcopy(kept)
        cache.batch_repeat_interleave(len(tokens))
        return body(inputs_embeds=tokens, past_key_values=cache, use_cache=True).last_hidden_state[:, -1]

    return {"as shown": as_shown, "body alone": body_alone, "prompt cache": prompt_cache}


def visual_tokens(model: AULLM, batch: int) -> Tensor:
    """Tokens of the size that words have, at random.  -> [B, 1, E]"""
    noise = torch.randn(batch, 1, model.language.width, generator=torch.Generator().manual_seed(batch))
    return noise * model.language.token_std


def row(work: str, name: str, seconds: tuple[float, float], **more) -> dict:
    ours, peer = seconds
    return {"work": work, "peer": name, "ours_ms": ours * 1000, "peer_ms": peer * 1000, "ratio": peer / ours, **more}


def same(ours: Tensor, theirs: Tensor, what: str) -> float:
    """The largest difference; raises `AssertionError` where it is more than rounding."""
    difference = (ours - theirs).abs().max().item()
    assert difference < AGREE, f"{what}: the two ways differ by {difference:.2g}, so the work is not the same."
    return difference


@torch.no_grad()
def inference(model: AULLM, peer: PeftModel, batches=(1, 8, 64), rounds: int = 5) -> list[dict]:
    """Visual tokens to states."""
    rows = []
    for batch in batches:
        tokens, read = visual_tokens(model, batch), model.language
        for name, way in ways(peer, model.language.prompt_ids).items():
            difference = same(read(tokens), way(tokens), name)  # this warms both up, too
            seconds = in_turns(lambda: read(tokens), lambda: way(tokens), rounds)
            rows.append(row(f"read, B={batch}", name, seconds, difference=difference))
    return rows


def step(read: Read, head: nn.Module, tokens: Tensor) -> None:
    """Forward, loss and backward, down to the visual tokens as in training."""
    logits = head(read(tokens.requires_grad_()))
    F.binary_cross_entropy_with_logits(logits, torch.zeros_like(logits)).backward()


def gradients(lm: nn.Module, read: Read, head: nn.Module, tokens: Tensor) -> Tensor:
    """All LoRA gradients of one step without dropout, one after the other.  -> [P], P weights"""
    lm.zero_grad()
    step(read, head, tokens)
    return torch.cat([weight.grad.flatten() for weight in lm.parameters() if weight.grad is not None])


def training(model: AULLM, peer: PeftModel, batches=(16, 64), rounds: int = 3) -> list[dict]:
    """One step of LoRA; gradients are compared without dropout, time is measured with it."""
    rows, head, language = [], model.au_head, model.language
    for batch in batches:
        tokens = visual_tokens(model, batch)
        for name, way in list(ways(peer, language.prompt_ids).items())[:2]:  # a kept cache cannot learn
            ours = gradients(language.lm, language, head, tokens)
            theirs = gradients(peer.get_base_model(), way, head, tokens)
            difference = same(ours / ours.abs().max(), theirs / ours.abs().max(), f"{name}, gradients")
            language.train(), peer.train()
            seconds = in_turns(lambda: step(language, head, tokens), lambda: step(way, head, tokens), rounds)
            language.eval(), peer.eval()
            rows.append(row(f"train, B={batch}", name, seconds, difference=difference))
    return rows


def generated(model: AULLM, peer: PeftModel, tokens: Tensor, most: int) -> Tensor:
    """Words by transformers' own greedy search.  [B, 1, E] -> [B, L]"""
    embeds, end = sentence(peer, model.language.prompt_ids, tokens), model.language.end
    mask = torch.ones(embeds.shape[:2], dtype=torch.long)
    options = dict(max_new_tokens=most, do_sample=False, eos_token_id=end, pad_token_id=end)
    return peer.generate(inputs_embeds=embeds, attention_mask=mask, **options)


def spoken(model: AULLM, tokens: Tensor, most: int) -> Tensor:
    """The same by our own loop, without guesses.  [B, 1, E] -> [B, L]"""
    return torch.stack(list(model.language.words(*model.language.begin(tokens), most=most)), dim=1)


@torch.no_grad()
def words(model: AULLM, peer: PeftModel, batches=(1, 8), rounds: int = 5, most: int = 160) -> list[dict]:
    """Reports of moving faces, word by word on both sides, and from frames to text where the model speaks."""
    rows, clips = [], moving_clips(max(batches))
    for batch in batches:
        tokens = model.visual_token(model.motion(clips[:batch]))
        ours, theirs = (lambda: spoken(model, tokens, most)), (lambda: generated(model, peer, tokens, most))
        said, others = ours(), theirs()
        assert torch.equal(said, others), "The two ways say different words, so the work is not the same."
        rows.append(row(f"speak, B={batch}", "generate", in_turns(ours, theirs, rounds), tokens=said.shape[1]))
    return rows + ([report(model, peer, clips[0], rounds, most)] if model.config.speaks else [])


def report(model: AULLM, peer: PeftModel, clip: Tensor, rounds: int, most: int) -> dict:
    """Six frames to a text: `model.describe`, and `generate` on the same visual token."""

    def theirs():
        ids = generated(model, peer, model.visual_token(model.motion(clip[None])), most)
        return model.language.tokenizer.decode(ids[0], skip_special_tokens=True)

    said = describe(model, clip).said
    assert said == theirs(), "The two ways say different words, so the work is not the same."
    seconds = in_turns(lambda: describe(model, clip), theirs, rounds)
    return row("frames to report", "generate", seconds, tokens=len(model.language.tokenizer.encode(said)) + 1)


def moving_clips(count: int) -> Tensor:
    """Clips of one drawn person of whom training knows nothing.  -> [B, T, H, W]"""
    data = make_clips(1, count, tier_recipe("easy", none=0.0), seed=HELD_OUT)
    return torch.from_numpy(data.clips).float() / 255
