"""The study of parts: every row trains, the changes are what they say, and a killed study goes on."""

import functools
import json

import numpy as np
import pytest
import torch
from safetensors import safe_open

from aullm_lite.ablate import people as people_module
from aullm_lite.ablate import study as study_module
from aullm_lite.ablate.budget import BUDGETS, Budget
from aullm_lite.ablate.build import build, lora_weights
from aullm_lite.ablate.figure import study_figure
from aullm_lite.ablate.finding import WORDS, findings
from aullm_lite.ablate.learn import batches, fit_head
from aullm_lite.ablate.losses import script
from aullm_lite.ablate.page import as_markdown
from aullm_lite.ablate.parts import front_end
from aullm_lite.ablate.reader import changed
from aullm_lite.ablate.rows import ROWS, Row, chosen
from aullm_lite.ablate.study import ablate
from aullm_lite.cli import main
from aullm_lite.config import AULLMConfig
from aullm_lite.errors import InputError
from aullm_lite.losses import asl
from aullm_lite.model import AULLM
from aullm_lite.recipe import mirror
from aullm_lite.synth.drawn import draw_identity

TINY = Budget(
    "small", people=8, clips=6, eye_epochs=1, token_steps=2, steps=2, batch=16, eye_batch=16, test_people=4,
    test_clips=8, photo_clips=6,
)  # fmt: skip
BY_NAME = {row.name: row for row in ROWS}
CHEAP = ["no-llm", "token-shuffled"]


@pytest.fixture(scope="module", autouse=True)
def tiny():
    """A study of seconds: few clips, and a drawn face for the photographs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(people_module, "builtin_photos", lambda: [draw_identity(20_000_000)])
        patch.setattr(study_module, "make_people", functools.cache(people_module.make_people))
        patch.setitem(BUDGETS, "small", TINY)
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """All rows of one seed: folder, table, and what was said."""
    out, said = tmp_path_factory.mktemp("ablate"), []
    return out, ablate(out, TINY, llm="random", seeds=1, say=said.append), said


def model_of(name: str, **changes) -> AULLM:
    row = Row(**vars(BY_NAME[name]) | changes)
    return build(row, "random", 0, front_end(row.motion, torch.rand(4, 6, 64, 64))).eval()


# --- the whole study ---


def test_every_row_trains_and_answers(whole):
    out, table, said = whole
    assert list(table["rows"]) == [row.name for row in ROWS] and table["missing"] == []
    assert len(said) == sum(row.trained for row in ROWS) and all("seed 0: F1" in line for line in said)
    for row in table["rows"].values():
        assert 0 <= row["interval"][0] <= row["f1"] <= row["interval"][1] <= 1
        assert 0 < row["ap"] <= 1 and 0 <= row["f1_photographs"] <= 1 and row["trainable"] > 0
    assert {c["name"] for c in table["comparisons"]} == set(table["rows"]) - {"lora"}
    assert {c["against"] for c in table["comparisons"]} == {"lora", "prompt-short", "lora-long"}
    assert json.loads((out / "ablate.json").read_text()) == table
    assert (out / "ablate.png").read_bytes()[:4] == b"\x89PNG" and "generated" in (out / "ablate.md").read_text()


def test_the_rows_differ_in_what_they_say(whole):
    weights = {name: row["trainable"] for name, row in whole[1]["rows"].items()}
    assert weights["lora"] - weights["frozen-llm"] == 7168 == (weights["lora-32"] - weights["frozen-llm"]) // 2
    assert weights["no-llm"] == pytest.approx(weights["lora"], rel=0.001)
    assert weights["led-learned"] - weights["led-fixed"] == 3
    assert weights["efp-paper"] > 10 * weights["lora"] > 10 * weights["high-only"]
    steps = {name: row["steps"] for name, row in whole[1]["rows"].items()}
    assert {name for name, n in steps.items() if n == 0} == {"token-zeroed", "token-averaged", "token-shuffled"}


def test_a_constant_token_gives_every_clip_the_same_answer(whole):
    for name, same in (("token-zeroed", True), ("token-averaged", True), ("token-shuffled", False), ("lora", False)):
        with safe_open(whole[0] / "rows" / f"{name}-seed0.safetensors", "np") as file:
            answers = file.get_tensor("test")
        assert (np.abs(answers - answers[0]).max() < 1e-5) == same


def test_every_figure_of_the_page_comes_with_its_row(whole):
    page = as_markdown(whole[1])
    for name, row in whole[1]["rows"].items():
        (line,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
        assert f"{row['f1']:.3f}" in line and f"{row['trainable']:,}" in line
    assert len(study_figure(whole[1]).axes) == 2


# --- keeping and resuming ---


def test_a_killed_study_goes_on_and_trains_nothing_twice(tmp_path, monkeypatch):
    at_once = ablate(tmp_path / "once", TINY, llm="random", seeds=2, rows=CHEAP, say=print)
    trained, run = [], study_module.Study.run

    def dies(self, seed, row):
        if len(trained) == 3:
            trained.append("killed")
            raise KeyboardInterrupt
        trained.append((seed, row.name))
        return run(self, seed, row)

    monkeypatch.setattr(study_module.Study, "run", dies)
    with pytest.raises(KeyboardInterrupt):
        ablate(tmp_path / "twice", TINY, llm="random", seeds=2, rows=CHEAP, say=print)
    resumed = ablate(tmp_path / "twice", TINY, llm="random", seeds=2, rows=CHEAP, go_on=True, say=print)
    assert trained == [(0, "lora"), (1, "lora"), (0, "no-llm"), "killed", (1, "no-llm")]
    for table in (at_once, resumed):
        for row in table["rows"].values():
            assert len(row.pop("seconds")) == 2  # all but this must agree
    assert resumed == at_once
    again = ablate(tmp_path / "twice", TINY, llm="random", seeds=2, rows=CHEAP, go_on=True, say=print)
    assert len(trained) == 5 and list(again["rows"]) == list(resumed["rows"])


def test_another_study_is_refused(whole, capsys):
    out = whole[0]
    with pytest.raises(InputError, match="another budget: choose another --out"):
        ablate(out, Budget(**vars(TINY) | {"steps": 3}), llm="random", seeds=1, go_on=True)
    with pytest.raises(InputError, match="another language model: choose another --out"):
        ablate(out, TINY, seeds=1, go_on=True)
    with pytest.raises(InputError, match="pass --resume"):
        ablate(out, TINY, llm="random", seeds=1)


def test_a_damaged_row_is_a_sentence(whole, tmp_path):
    ablate(tmp_path, TINY, llm="random", seeds=1, rows=["lora"], say=print)
    path = tmp_path / "rows" / "lora-seed0.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match="cannot be read.*delete it and run with --resume"):
        ablate(tmp_path, TINY, llm="random", seeds=1, rows=["lora"], go_on=True)


def test_the_command(tmp_path, capsys):
    assert main(["ablate", "--out", str(tmp_path), "--llm", "random", "--seeds", "1", "--rows", "no-llm"]) == 0
    assert "What does the language model add?" in capsys.readouterr().out


@pytest.mark.parametrize(
    "options, words",
    [
        (["--rows", "nothing"], "There is no row 'nothing': choose among lora, no-llm"),
        (["--seeds", "0"], "at least one seed"),
        (["--llm", "no/such/model/here"], "Cannot load language model"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, capsys, options, words):
    assert main(["ablate", "--out", str(tmp_path / "new"), "--llm", "random", *options]) == 2
    said = capsys.readouterr().err
    assert words in said and "Traceback" not in said


def test_chosen_rows_bring_what_they_are_compared_with():
    assert [row.name for row in chosen(["token-first"])] == ["lora", "prompt-short", "token-first"]
    assert chosen() == list(ROWS)


# --- parts ---


@pytest.mark.model
def test_the_control_has_as_many_weights_as_lora_of_the_real_model():
    row = BY_NAME["no-llm"]
    control = build(row, AULLMConfig().language_model, 0, front_end("flow", torch.rand(1, 6, 64, 64))).language
    assert sum(w.numel() for w in control.parameters()) == pytest.approx(921_600, rel=0.01)


def test_the_control_has_as_many_weights_and_begins_as_the_identity():
    control, lora = model_of("no-llm").language, lora_weights(model_of("lora").language)
    assert sum(w.numel() for w in control.parameters()) == pytest.approx(lora, rel=0.01)
    token = torch.randn(3, 1, 64)
    assert torch.equal(control(token), token[:, 0])


def test_changed_tokens():
    token = torch.randn(9, 1, 4)
    assert not changed(token, "zeroed", token.mean(0, keepdim=True), 0).any()
    assert torch.equal(changed(token, "averaged", token.mean(0, keepdim=True), 0)[5], token.mean(0))
    shuffled = changed(token, "shuffled", token, 3)
    assert (shuffled != token).any(-1).all() and torch.equal(shuffled.sort(0)[0], token.sort(0)[0])
    assert torch.equal(changed(token, "own", token, 0), token)


def test_a_token_before_the_prompt_is_read_through_it():
    first, last = model_of("token-first"), model_of("prompt-short")
    token, other = torch.randn(2, 1, 64), torch.randn(2, 1, 64)
    with torch.no_grad():
        assert not torch.allclose(first.hidden(token), first.hidden(other), atol=1e-4)
        one = first.hidden(token[:1])
        assert torch.allclose(first.hidden(token)[:1], one, atol=1e-5)  # its neighbours do not count
        assert not torch.allclose(first.hidden(token), last.hidden(token), atol=1e-3)
    token.requires_grad_(True)
    first.hidden(token)[0].sum().backward()
    assert token.grad[0].abs().sum() > 0 and token.grad[1].abs().sum() == 0


def test_without_a_prompt_the_token_is_read_alone():
    model, token = model_of("prompt-removed"), torch.randn(3, 1, 64)
    with torch.no_grad():
        language = model.language.language
        alone = language.body(inputs_embeds=token, use_cache=False).last_hidden_state[:, -1]
        assert language.prompt_ids.shape == (1, 0) and torch.equal(model.hidden(token), alone)


def test_random_weights_and_frozen_ones():
    lora, frozen, random = (model_of(name).language for name in ("lora", "frozen-llm", "random-llm"))
    states = [language.lm.state_dict() for language in (lora, frozen, random)]
    base = [name for name in states[0] if "lora_" not in name and states[0][name].ndim > 1]
    assert all(torch.equal(states[0][name], states[1][name]) for name in base)
    assert not any(torch.equal(states[0][name], states[2][name]) for name in base)
    assert all(torch.equal(states[0][name], states[2][name]) for name in states[0] if "lora_" in name)
    assert lora_weights(frozen) and not any(w.requires_grad for w in frozen.parameters())


def test_front_ends_are_as_large_as_the_flow_and_channels_mirror(clips):
    seen = torch.from_numpy(clips.clips).float() / 255
    for name, channels in (("difference", 1), ("led", 1), ("led-learned", 1), ("both", 3), ("flow", 2)):
        motion = front_end(name, seen)
        made = motion(seen)
        assert made.shape[1:] == (channels, 5, 64, 64) and motion.channels == channels
        if name not in ("flow", "both"):
            assert made.square().mean().sqrt().item() == pytest.approx(0.2, rel=0.01)
        assert any(w.requires_grad for w in motion.parameters()) == (name == "led-learned")
        twice = mirror(mirror(made, torch.ones(len(made), dtype=torch.bool)), torch.ones(len(made)).bool())
        assert torch.equal(twice, made)
    flow = torch.randn(2, 3, 5, 64, 64)
    turned = mirror(flow, torch.tensor([True, False]))
    assert torch.equal(turned[0, 0], -flow[0, 0].flip(-1)) and torch.equal(turned[0, 2], flow[0, 2].flip(-1))
    assert torch.equal(turned[1], flow[1])


def test_projectors_read_what_they_should():
    mid, high = torch.rand(2, 64, 2, 9, 9), torch.rand(2, 256)
    for name, reads_mid, reads_high in (("mid-only", 1, 0), ("high-only", 0, 1), ("concat", 1, 1), ("lora", 1, 1)):
        make = model_of(name).projector
        with torch.no_grad():
            token = make(mid, high)
            assert token.shape == (2, 1, 64)
            assert (not torch.equal(make(mid + torch.rand_like(mid), high), token)) == reads_mid
            assert (not torch.equal(make(mid, high + torch.rand_like(high)), token)) == reads_high


# --- learning ---


def test_the_gradient_of_the_scripts_loss_is_that_of_the_formula():
    logits = torch.linspace(-6, 6, 49, dtype=torch.float64)[None].requires_grad_(True)
    p = torch.sigmoid(logits).detach()
    for label in (0.0, 1.0):
        (grad,) = torch.autograd.grad(script(logits, torch.full_like(p, label)), logits)
        easy = p < 0.05
        by_hand = -(1 - p) if label else torch.where(easy, 0.0, p * (1 - p) / (1.05 - p))
        assert torch.allclose(grad * 49, by_hand)
    assert not torch.allclose(script(logits, torch.zeros_like(p)), asl(logits, torch.zeros_like(p)))


def test_a_fitted_head_reads_what_is_linear():
    torch.manual_seed(0)
    hidden = torch.randn(400, 8) * torch.tensor([1.0, 100, 0.01, 1, 1, 1, 1, 1]) + 3
    labels = (hidden @ torch.randn(8, 3) > 3).float()
    weight, bias = fit_head(hidden, labels)
    assert ((hidden @ weight.T + bias > 0) == labels.bool()).float().mean() > 0.97


def test_batches_run_through_all_clips():
    rows = torch.cat([rows for rows, flip in batches(10, 5, 4, 0)])
    assert len(rows) == 20 and all(n == 2 for n in rows.bincount())
    assert all(torch.equal(a, b) for (a, _), (b, _) in zip(batches(10, 5, 4, 1), batches(10, 5, 4, 1)))


# --- what follows ---


def outcome(name: str, verdict: str) -> dict:
    difference = {"better": 0.03, "worse": -0.03, "no difference shown": 0.002}[verdict]
    interval = [difference - 0.01, difference + 0.01]
    return {"name": name, "difference": difference, "interval": interval, "verdict": verdict}


@pytest.mark.parametrize("verdict", ["better", "worse", "no difference shown"])
def test_the_paragraph_says_it_whichever_way_it_comes_out(verdict):
    names = [row.name for row in ROWS if row.name != "lora"]
    said = findings({"comparisons": [outcome(name, verdict) for name in names]})
    place = ["better", "worse", "no difference shown"].index(verdict)
    assert all(words[place] in said for words in WORDS.values()) and all(f"`{name}`" in said for name in names)
    expected = {
        "better": "costs accuracy here",
        "worse": "The language model adds something here",
        "no difference shown": "nothing shows that the language model adds anything",
    }[verdict]
    assert expected in said and ("+0.030 F1" in said) == (verdict == "better")
    assert sum(words[place] in said for words in WORDS.values()) == len(WORDS)


def test_the_paragraph_of_the_reference_alone():
    assert "nothing can be compared" in findings({"comparisons": []})
