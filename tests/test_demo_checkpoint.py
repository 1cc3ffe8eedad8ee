"""The shipped checkpoint through the whole path, from an encoded video to verdicts: marked `model`."""

import json
from pathlib import Path

import numpy as np
import pytest

from aullm_lite import evaluate
from aullm_lite.checkpoint import DEMO
from aullm_lite.model import AULLM
from aullm_lite.synth.photo import builtin_photos
from aullm_lite.synth.render import Actor, render
from aullm_lite.synth.script import Camera, Movement, Script
from aullm_lite.video import write_video

pytestmark = pytest.mark.model


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


def test_figures_of_the_model_card_hold_on_a_small_sample(demo):
    """A coarse guard against a checkpoint and an eval.json that do not belong together."""
    quoted = json.loads((DEMO / "eval.json").read_text())["tiers"]["standard"]["mean"]
    table = evaluate.synth_table(demo, subjects=8, clips=25, tier="standard", seed=99)
    assert table["mean"]["f1"] > quoted["f1"] - 0.06 and table["mean"]["ap"] > quoted["ap"] - 0.05


def test_the_checkpoint_is_small_and_belongs_to_its_base(demo):
    assert (DEMO / "model.safetensors").stat().st_size <= 10_000_000
    assert demo.config.base_fingerprint == demo.language.fingerprint and demo.config.preset == "lite"
