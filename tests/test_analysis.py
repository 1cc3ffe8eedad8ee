from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sample_report import THRESHOLD, FakeModel, face_crop

from aullm_lite import analysis
from aullm_lite.analysis import Track, analyze, decide
from aullm_lite.errors import InputError
from aullm_lite.facs import CD6ME_AUS, region_mask

T, HOP, LENGTH = 6, 0.1, 0.5


class FakeVideo:
    """Windows of a face that brightens in the region of an AU and comes back, (AU, onset, apex, offset) each."""

    def __init__(self, seconds: float = 2.0, movements=(), warnings=()):
        self.info = SimpleNamespace(fps=100.0, frames=round(seconds * 100), seconds=seconds)
        self.warnings, self.movements, self.open = list(warnings), movements, 0

    def face(self, t: float) -> np.ndarray:
        image = np.full((64, 64), 0.4, np.float32)
        for au, onset, apex, offset in self.movements:
            amount = min((t - onset) / (apex - onset), (offset - t) / (offset - apex))
            image += 0.2 * max(0.0, amount) * region_mask(au)
        return image

    def windows(self):
        for start in np.arange(0, max(self.info.seconds - LENGTH, 0) + 1e-6, HOP):
            times = np.linspace(start, start + LENGTH, T)
            clip = np.stack([self.face(t) for t in times]).astype(np.float32)
            crop = face_crop() + round(start * 10)
            yield SimpleNamespace(start=start, end=start + LENGTH, times=times, clip=clip, onset_crop=crop)


class OneWayModel(FakeModel):
    """As the trained model: a movement undone is no movement."""

    def motion(self, clips):
        return super().motion(clips).clamp(min=0)


@pytest.fixture
def show(monkeypatch):
    def run(video: FakeVideo, model=None, **options):
        monkeypatch.setattr(analysis, "open_video", lambda path, **_: video)
        monkeypatch.setattr(analysis, "windows", lambda source: source.windows())
        return analyze(model or OneWayModel(), "clip.mp4", **options)

    return run


def test_a_movement_is_found_named_and_timed(show):
    report = show(FakeVideo(movements=[(17, 0.8, 0.95, 1.1)]))
    assert report.top(1)[0].au == 17 and report[17].verdict == "present" and report[1].verdict == "absent"
    finding = report[17]
    assert finding.apex_s == pytest.approx(0.95, abs=0.06)
    assert finding.onset_s == pytest.approx(0.84, abs=0.06) and finding.offset_s == pytest.approx(1.06, abs=0.06)
    assert [e.au for e in report.events].count(17) == 1


def test_two_movements_of_one_au_are_two_events(show):
    report = show(FakeVideo(4.0, movements=[(2, 0.8, 0.95, 1.1), (2, 2.8, 2.95, 3.1)]))
    apexes = [e.apex_s for e in report.events if e.au == 2]
    assert apexes == pytest.approx([0.95, 2.95], abs=0.06)


def test_nothing_moves_nothing_is_found(show):
    report = show(FakeVideo())
    assert {f.verdict for f in report.findings} == {"absent"} and not report.events
    assert all(f.onset_s is f.apex_s is f.offset_s is None for f in report.findings)


def test_series_peak_is_the_probability(show):
    report = show(FakeVideo(movements=[(17, 0.8, 0.95, 1.1)]))
    assert list(report.series) == list(CD6ME_AUS) == [f.au for f in report.findings]
    assert all(max(report.series[f.au]) == pytest.approx(f.probability) for f in report.findings)
    assert report.times[0] == pytest.approx(LENGTH / 2) and len(report.times) == len(report.series[1]) == 16


def test_shorter_than_a_window_is_one_window(show):
    report = show(FakeVideo(0.3, movements=[(17, 0.05, 0.2, 0.3)]))
    assert len(report.times) == 1 and report[17].verdict == "present"


def test_video_model_warnings_and_latency_are_passed_on(show):
    report = show(FakeVideo(warnings=["Two faces: the larger one was read."]))
    assert report.video == {"fps": 100.0, "frames": 200, "seconds": 2.0}
    assert report.model["aus"] == list(CD6ME_AUS) and report.warnings == ("Two faces: the larger one was read.",)
    stages = dict(report.latency_ms)
    assert stages.pop("total") == pytest.approx(sum(stages.values())) and all(ms >= 0 for ms in stages.values())


def test_crop_is_that_of_the_surest_window(show):
    report = show(FakeVideo(4.0, movements=[(17, 2.0, 2.15, 2.3)]))
    surest = int(np.argmax(report.series[17]))
    assert abs(int(report.crop[0, 0, 0]) - int(face_crop()[0, 0, 0]) - surest) <= 2


def test_progress_ends_at_one(show):
    seen = []
    show(FakeVideo(4.0), progress=lambda share, word: seen.append(share))
    assert seen == sorted(seen) and seen[-1] == 1 and len(seen) == 3


def test_windows_go_through_the_model_in_batches(show):
    sizes, model = [], OneWayModel()
    model.probabilities_from_motion = lambda motion: (
        sizes.append(len(motion)) or OneWayModel().probabilities_from_motion(motion)
    )
    show(FakeVideo(4.0), model)
    assert sizes == [16, 16, 4]


def test_a_number_that_is_none_is_refused(show):
    model = OneWayModel()
    model.probabilities_from_motion = lambda motion: torch.full((len(motion), 12), float("nan"))
    with pytest.raises(InputError, match="not a number"):
        show(FakeVideo(), model)


def test_uncertain_is_said_so():
    N, K = 5, 12
    probabilities = np.full((N, K), 0.1)
    probabilities[1:4, 0] = THRESHOLD
    track = Track(np.arange(N) / 10, np.tile(np.linspace(0, 0.5, T), (N, 1)), probabilities, np.ones((N, K, T)))
    findings, _, _ = decide(FakeModel().config, track)
    assert findings[0].verdict == "not sure" and findings[1].verdict == "absent"
