"""Training: people do not leak, a killed run goes on as if nothing had happened, and something is learnt."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from aullm_lite import resume
from aullm_lite.cli import main
from aullm_lite.config import AULLMConfig
from aullm_lite.errors import InputError
from aullm_lite.model import AULLM
from aullm_lite.people import unpack
from aullm_lite.recipe import TrainConfig, mirror, one_cycle, split_inner
from aullm_lite.run import TrainingRun, check_folder
from aullm_lite.train import Trainer

QUICK = TrainConfig(epochs=2, warmup=1, batch_size=16, inner_share=0.34)


def start(clips, out, config=QUICK, **changes):
    torch.manual_seed(0)
    model = AULLM(AULLMConfig.from_preset("smoke", **changes))
    return TrainingRun(Trainer(model, clips, config), out)


def test_no_person_on_both_sides():
    subjects = np.repeat([f"s{i}" for i in range(20)], 3)
    inner = split_inner(subjects, 0.2, 0)
    assert set(subjects[inner]).isdisjoint(subjects[~inner]) and len(set(subjects[inner])) == 4


def test_one_person_cannot_be_split():
    with pytest.raises(InputError, match="at least 2 subjects"):
        split_inner(np.array(["a"] * 5), 0.1, 0)


def test_rate_rises_and_falls():
    rates = [one_cycle(p) for p in np.linspace(0, 1, 101)]
    assert rates[0] == 0 and max(rates) == pytest.approx(1) and rates[-1] == pytest.approx(0, abs=1e-9)
    assert np.argmax(rates) == 20


def test_mirror_swaps_columns_and_the_sign_of_x():
    motion = torch.randn(2, 2, 3, 4, 5)
    turned = mirror(motion, torch.tensor([True, False]))
    assert torch.equal(turned[1], motion[1])
    assert torch.equal(turned[0, 0], -motion[0, 0].flip(-1)) and torch.equal(turned[0, 1], motion[0, 1].flip(-1))


def test_mirror_is_what_the_flow_of_a_mirrored_clip_is(clips, smoke):
    clip = torch.from_numpy(clips.clips[:4]).float() / 255
    there = smoke.motion(clip.flip(-1))
    assert torch.allclose(mirror(smoke.motion(clip), torch.ones(4, dtype=torch.bool)), there, atol=1e-3)


def test_run_writes_a_checkpoint_and_figures(clips, tmp_path):
    model = start(clips, tmp_path).run()
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [row["stage"] for row in rows] == ["visual", "all", "all"] and all(np.isfinite(row["ap"]) for row in rows)
    again = AULLM.from_pretrained(tmp_path)
    assert again.config == model.config and again.config.thresholds != (0.5,) * 12
    clip = torch.from_numpy(clips.clips[:3]).float() / 255
    assert torch.allclose(again.probabilities(clip), model.probabilities(clip), atol=1e-2)  # stored in half precision


@pytest.mark.parametrize("killed_after", [1, 2])
def test_a_killed_run_resumes_to_the_same_weights(clips, tmp_path, killed_after):
    whole = start(clips, tmp_path / "whole")
    whole.run()
    part = start(clips, tmp_path / "part")

    class Killed(Exception):
        pass

    def train_epoch(original=part.trainer.train_epoch):
        if part.trainer.epoch == killed_after:
            raise Killed
        return original()

    part.trainer.train_epoch = train_epoch
    with pytest.raises(Killed):
        part.run()
    resumed = start(clips, tmp_path / "part")
    resumed.run(go_on=True)
    lines = (tmp_path / "part" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3]
    ends = [resume.load(tmp_path / folder / resume.STATE)[0] for folder in ("whole", "part")]
    assert ends[0].keys() == ends[1].keys() and any(name.startswith("optimizer.") for name in ends[0])
    for name, value in ends[0].items():  # of the last epoch, weights and moments
        assert torch.allclose(value.float(), ends[1][name].float(), atol=1e-5), name


def test_resume_refuses_other_people(clips, tmp_path):
    start(clips, tmp_path).run()
    with pytest.raises(InputError, match="other data"):
        start(clips.select(np.arange(len(clips) - 3)), tmp_path).run(go_on=True)


def test_resume_refuses_other_settings(clips, tmp_path):
    start(clips, tmp_path).run()
    with pytest.raises(InputError, match="other settings"):
        start(clips, tmp_path, TrainConfig(epochs=5, warmup=1, batch_size=16, inner_share=0.34)).run(go_on=True)


def test_a_folder_with_a_run_is_not_overwritten(clips, tmp_path):
    start(clips, tmp_path).run()
    with pytest.raises(InputError, match="--resume"):
        check_folder(tmp_path, go_on=False)


def test_a_full_disk_ends_the_run_and_leaves_the_last_epoch(clips, tmp_path, monkeypatch):
    run = start(clips, tmp_path)
    saves = []

    def full(original=run.save_state):
        saves.append(1)
        if len(saves) == 2:
            monkeypatch.setattr("aullm_lite.files.os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space")))
        original()

    run.save_state = full
    with pytest.raises(OSError):
        run.run()
    monkeypatch.undo()
    assert not list(tmp_path.glob("*.partial"))
    again = start(clips, tmp_path)
    again.load_state()
    assert again.trainer.epoch == 1


@pytest.mark.parametrize(
    "changes", [{"epochs": 0}, {"warmup": -1}, {"batch_size": 0}, {"seed": -1}, {"inner_share": 1}]
)
def test_impossible_settings(changes):
    with pytest.raises(InputError, match="Training needs"):
        TrainConfig(**changes)


def test_fewer_clips_than_a_batch_are_one_batch(clips, tmp_path):
    run = start(clips, tmp_path, TrainConfig(epochs=1, warmup=0, inner_share=0.34))
    before = run.trainer.model.au_head.weight.clone()
    run.run()
    assert (run.trainer.model.au_head.weight != before).any()


def test_labels_in_another_order_are_refused(clips, tmp_path):
    with pytest.raises(InputError, match="must be the same"):
        start(clips, tmp_path, aus=clips.aus[::-1])


def test_inner_subjects_without_any_au_are_refused(clips, tmp_path):
    with pytest.raises(InputError, match="show no Action Unit"):
        start(clips=replace(clips, labels=np.zeros_like(clips.labels)), out=tmp_path)


def test_a_damaged_state_is_one_sentence(clips, tmp_path):
    start(clips, tmp_path).run()
    (tmp_path / "state.safetensors").write_bytes(b"x" * 50)
    with pytest.raises(InputError, match="cannot be read"):
        start(clips, tmp_path).run(go_on=True)


def test_loss_falls_and_lora_moves(clips, tmp_path):
    run = start(clips, tmp_path, TrainConfig(epochs=6, warmup=2, batch_size=16, inner_share=0.34))
    before = {k: v.clone() for k, v in run.trainer.model.trained_state().items() if "lora_B" in k}
    run.run()
    losses = [json.loads(line)["loss"] for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert losses[-1] < losses[2]
    after = run.trainer.model.trained_state()
    assert all((after[name] != value).any() for name, value in before.items())


def test_a_fit_in_memory_ends_where_a_run_on_disk_does(clips, tmp_path):
    on_disk, in_memory = start(clips, tmp_path).run(), start(clips, tmp_path / "unused").trainer.fit()
    assert not (tmp_path / "unused").exists()
    for name, value in in_memory.trained_state().items():
        assert torch.allclose(value.float(), on_disk.trained_state()[name].float(), atol=1e-3), name  # stored in half


def test_training_that_goes_astray_is_one_sentence(clips, tmp_path):
    with pytest.raises(InputError, match="went astray"):
        start(clips, tmp_path, replace(QUICK, lr=float("nan"))).run()


def test_a_checkpoint_knows_everyone_it_was_trained_on(clips, tmp_path):
    start(clips, tmp_path).run()
    assert unpack(AULLM.from_pretrained(tmp_path).config.trained_on) == set(clips.subjects)


def test_without_language_model_the_token_goes_to_the_head(clips, tmp_path):
    model = start(clips, tmp_path, language_model="none").run()
    motion = model.motion(torch.from_numpy(clips.clips[:2]).float() / 255)
    assert torch.equal(model.logits_from_motion(motion), model.au_head(model.visual_token(motion)[:, 0]))
    assert not any("language" in name for name in model.trained_state())


def test_learned_front_end_trains_too(clips, tmp_path):
    run = start(clips, tmp_path, motion="eulerian")
    before = run.trainer.model.motion.logit_rates.clone()
    run.run()
    assert (run.trainer.model.motion.logit_rates != before).any()


def test_a_killed_run_that_learns_words_resumes_to_the_same_weights(clips, tmp_path):
    speaking = replace(QUICK, spoken=4)
    start(clips, tmp_path / "whole", speaking).run()
    part = start(clips, tmp_path / "part", speaking)
    part.out.mkdir()
    for _, figures in zip(range(2), part.trainer.epochs()):  # the warm-up and one epoch of words
        part.log(figures)
        part.trainer.model.save_pretrained(part.out)
        part.save_state()
    start(clips, tmp_path / "part", speaking).run(go_on=True)
    ends = [resume.load(tmp_path / folder / resume.STATE)[0] for folder in ("whole", "part")]
    assert any(name.startswith("helpers.details.") for name in ends[0])
    for name, value in ends[0].items():
        assert torch.allclose(value.float(), ends[1][name].float(), atol=1e-5), name


def order_to_train(out, *more: str) -> list[str]:
    return ["train", "--subjects", "4", "--clips", "6", "--batch-size", "8", "--epochs", "1", *more, "--out", str(out)]


def test_training_goes_on_from_a_checkpoint_with_new_people(tmp_path, capsys, monkeypatch):
    first, second = tmp_path / "first", tmp_path / "second"
    assert main(order_to_train(first, "--preset", "smoke", "--warmup", "1")) == 0
    again = order_to_train(second, "--init", str(first), "--warmup", "0", "--lr", "1e-6", "--lr-lora", "1e-6")
    with monkeypatch.context() as patch:
        patch.setattr("aullm_lite.synth.dataset.make_clips", lambda *some, **more: pytest.fail("drawn before refused"))
        assert main(again) == 2 and "pass another --seed" in capsys.readouterr().err  # the same people
    assert main([*again, "--seed", "50"]) == 0
    old, new = AULLM.from_pretrained(first), AULLM.from_pretrained(second)
    assert len(unpack(new.config.trained_on)) == 8 > len(unpack(old.config.trained_on))
    for name, weight in old.named_parameters():
        assert torch.allclose(weight, dict(new.named_parameters())[name], atol=1e-2), name


def test_a_killed_run_from_a_checkpoint_does_not_pass_for_a_finished_one(clips, tmp_path):
    run = start(clips, tmp_path)
    run.trainer.calibrated = lambda: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        run.run()
    left = AULLM.from_pretrained(tmp_path).config
    assert unpack(left.trained_on) == set(clips.subjects) and left.thresholds == (0.5,) * 12 and not left.speaks
