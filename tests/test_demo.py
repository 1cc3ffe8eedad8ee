import numpy as np
import pytest
from sample_report import FakeModel

from aullm_lite import demo
from aullm_lite.analysis import analyze
from aullm_lite.motion.lucas_kanade import LucasKanadeMotion
from aullm_lite.synth.dataset import HELD_OUT

BROWS, CORNERS, PHOTO = demo.RECIPES


class FlowModel(FakeModel):
    """Real flow, and a probability that grows with the movement in a region."""

    motion = staticmethod(LucasKanadeMotion())


@pytest.fixture(scope="module")
def frames():
    return demo.render_example(BROWS, fps=20, size=96)


def test_example_moves_where_it_should_and_comes_back(frames):
    assert frames.shape == (32, 96, 96, 3) and frames.dtype == np.uint8
    change = np.abs(frames.astype(float) - frames[0]).mean(-1)
    apex = round(BROWS.movements[0].apex * 20)
    assert change[apex, :48].mean() > 1.5 * change[apex, 48:].mean()
    assert change[apex].mean() > 1.5 * change[-1].mean()


def test_drawn_people_are_held_out(monkeypatch):
    seeds = []
    monkeypatch.setattr(demo, "draw_identity", seeds.append)
    for recipe in (BROWS, CORNERS):
        recipe.person()
    assert len(set(seeds)) == 2 and min(seeds) >= HELD_OUT


def test_examples_are_made_once_and_a_broken_one_again(frames, monkeypatch, tmp_path):
    made = []
    monkeypatch.setattr(demo, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(demo, "FPS", 20)
    monkeypatch.setattr(demo, "render_example", lambda recipe: made.append(recipe.name) or frames)
    make = demo.example_clips.__wrapped__
    assert make() == make() and made == ["brows", "corners", "astronaut"]
    folder = tmp_path / f"examples-{demo.VERSION}"
    (folder / "corners.mp4").write_bytes(b"")
    (folder / "brows.png").unlink()
    examples = make()
    assert made[3:] == ["brows", "corners"] and all(
        open(e.video, "rb").read() and open(e.poster, "rb").read() for e in examples
    )


@pytest.mark.model
@pytest.mark.parametrize("recipe", demo.RECIPES, ids=lambda recipe: recipe.name)
def test_example_is_found_named_and_timed(recipe, tmp_path):
    """From the file to the report: decoding, face, alignment, flow, events."""
    demo.write_video(tmp_path / "clip.mp4", demo.render_example(recipe), demo.FPS)
    report = analyze(FlowModel(scale=5), tmp_path / "clip.mp4")
    movement = recipe.movements[0]
    finding = report[movement.au]
    assert finding.verdict == "present" and finding in report.top(4)
    assert finding.onset_s == pytest.approx(movement.onset, abs=0.1)
    assert finding.apex_s == pytest.approx(movement.apex, abs=0.1)
    assert finding.offset_s == pytest.approx(movement.offset, abs=0.1)
    assert report.crop.shape == (192, 192, 3) and report.video["frames"] == 160 and not report.warnings
