"""The shipped checkpoint through the whole path, from an encoded video to verdicts: marked `model`."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from aullm_lite import evaluate
from aullm_lite.checkpoint import DEMO, weights_hash
from aullm_lite.demo import example_clips
from aullm_lite.model import AULLM
from aullm_lite.speech.scores import spoken_table
from aullm_lite.speech.spoken import describe_report
from aullm_lite.synth.dataset import HELD_OUT
from aullm_lite.synth.drawn import draw_identity
from aullm_lite.synth.photo import builtin_photos
from aullm_lite.synth.render import Actor, render
from aullm_lite.synth.script import Camera, Movement, Script
from aullm_lite.video import write_video

pytestmark = pytest.mark.model
README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def demo() -> AULLM:
    return AULLM.from_pretrained("demo")


def film(path: Path, movements=(), head=(0.0,) * 6, fps: int = 30, seconds: float = 2.5) -> Path:
    """The astronaut filmed: moved, with sensor noise, encoded as H.264."""
    times = np.arange(round(seconds * fps)) / fps
    script = Script(times, tuple(movements), head=head, camera=Camera(noise=0.004))
    frames = render(Actor(builtin_photos()[0], 1), script, 256, colour=True, extent=1.5)
    write_video(path, (frames * 255).astype(np.uint8), fps)
    return path


def test_a_smile_on_a_photograph_is_first_of_all_au12(demo, tmp_path):
    report = demo.analyze(
        film(tmp_path / "smile.mp4", [Movement(12, "both", 3.0, 0.9, 1.3, 2.0)], head=(0.5, 0.3, 0, 0, 0.5, 0))
    )
    assert report.top(1)[0].au == 12 and report[12].verdict == "present"
    assert report[12].apex_s == pytest.approx(1.3, abs=0.2)


@pytest.mark.parametrize("au", [1, 4, 9, 15])
def test_a_brief_movement_is_found_and_timed(demo, tmp_path, au):
    clip = film(tmp_path / "brief.mp4", [Movement(au, "both", 1.2, 0.8, 0.95, 1.15)], fps=100, seconds=1.8)
    report = demo.analyze(clip)
    assert report.top(1)[0].au == au and report[au].verdict == "present"
    assert report[au].apex_s == pytest.approx(0.95, abs=0.12)


def test_nothing_is_present_on_a_still_video(demo, tmp_path):
    report = demo.analyze(film(tmp_path / "still.mp4"))
    assert {f.verdict for f in report.findings} == {"absent"} and not report.events


@pytest.mark.parametrize("head", [(3, 0, 0, 0, 0, 0), (0, 3, 0, 0, 0, 0), (0, 0, 3, 0, 0, 0), (0, 0, 0, 0, 3, 2)])
def test_a_slowly_moving_head_is_no_action_unit(demo, tmp_path, head):
    report = demo.analyze(film(tmp_path / "head.mp4", head=head))
    assert not report.with_verdict("present")


@pytest.mark.parametrize("name", ["eval", "spoken", "grade"])
def test_quoted_figures_are_of_these_weights(demo, name):
    assert json.loads((DEMO / f"{name}.json").read_text())["model"] == weights_hash(demo)


def test_figures_of_the_model_card_hold_on_a_small_sample(demo):
    quoted = json.loads((DEMO / "eval.json").read_text())["tiers"]["standard"]["mean"]
    table = evaluate.synth_table(demo, subjects=8, clips=25, tier="standard", seed=98)
    assert table["mean"]["f1"] > quoted["f1"] - 0.06 and table["mean"]["ap"] > quoted["ap"] - 0.05


def test_the_checkpoint_is_small_and_belongs_to_its_base(demo):
    assert (DEMO / "model.safetensors").stat().st_size <= 10_000_000
    assert demo.config.base_fingerprint == demo.language.fingerprint and demo.config.preset == "lite"


@pytest.fixture(scope="module")
def smiling(demo, tmp_path_factory):
    """A report on a smile of the photograph."""
    path = tmp_path_factory.mktemp("film") / "smile.mp4"
    return demo.analyze(film(path, [Movement(12, "both", 1.6, 0.9, 1.05, 1.25)], fps=100))


def test_it_puts_a_smile_into_words(demo, smiling):
    heard = describe_report(demo, smiling)
    assert "AU12 lip corner puller" in heard.text and not heard.problem
    assert heard.report(demo)[12].apex_s == pytest.approx(1.05, abs=0.12)


@pytest.mark.parametrize(("question", "answer"), [("Is AU12 present?", "Yes"), ("Is AU4 present?", "No")])
def test_it_answers_questions_about_it(demo, smiling, question, answer):
    heard = describe_report(demo, smiling, question)
    assert heard.text.startswith(answer) and not heard.problem


def test_the_readme_quotes_what_it_says(demo):
    window = demo.analyze(example_clips()[1].video).windows[12]
    said = [demo.describe(window.clip, times=window.times), demo.describe(window.clip, "Is AU12 present?")]
    assert "\n".join(["```", *(one.text for one in said), "```"]) in README


def test_it_hears_which_side_moved(demo):
    times, sides = np.linspace(0, 0.3, 6), []
    for side in ("L", "R"):
        script = Script(times, (Movement(12, side, 1.6, 0.0, 0.18, 0.36),))
        clip = torch.from_numpy(render(Actor(draw_identity(HELD_OUT + 5), 5), script))
        sides += [said.side for said in demo.describe(clip).statements if said.au == 12]
    assert sides == ["L", "R"]


def test_quoted_words_hold_on_a_small_sample(demo):
    quoted = json.loads((DEMO / "spoken.json").read_text())
    table = spoken_table(demo, subjects=4, clips=10, seed=98)
    assert table["f1"]["text"] > quoted["f1"]["text"] - 0.15 and table["contradictions_after_guard"] == 0
