"""A report made by hand, and a tiny model that needs no weights: for the tests of report, analysis, plots and app."""

from types import SimpleNamespace

import numpy as np
import torch

from aullm_lite.faces import Face
from aullm_lite.facs import CD6ME_AUS, EYES, face_grid, region_mask
from aullm_lite.report import AUEvent, AUFinding, AUReport

THRESHOLD, NOT_SURE = 0.5, (0.4, 0.6)
EXTENT = 1.2  # what `face_crop` shows, in face coordinates


def bump(times: np.ndarray, centre: float, width: float, height: float) -> np.ndarray:
    return height * np.exp(-0.5 * ((times - centre) / width) ** 2)


def sample_report(**changes) -> AUReport:
    """AU12 and AU6 present, AU1 uncertain, the rest absent, over four seconds."""
    times = np.arange(0.25, 3.8, 0.1)
    wobble = np.random.default_rng(0)
    series = {au: 0.02 + 0.03 * wobble.random(len(times)) for au in CD6ME_AUS}
    series[12] = series[12] + bump(times, 1.2, 0.22, 0.92) + bump(times, 3.0, 0.16, 0.7)
    series[6] = series[6] + bump(times, 1.25, 0.20, 0.66)
    series[1] = series[1] + bump(times, 2.3, 0.20, 0.45)
    events = (AUEvent(12, 0.95, 1.15, 1.42, 0.95), AUEvent(6, 1.0, 1.2, 1.4, 0.69), AUEvent(12, 2.8, 2.95, 3.2, 0.73))
    spans = {12: (0.95, 1.15, 1.42), 6: (1.0, 1.2, 1.4)}
    verdicts = {12: "present", 6: "present", 1: "not sure"}
    findings = tuple(
        AUFinding(au, float(series[au].max()), THRESHOLD, verdicts.get(au, "absent"), *spans.get(au, ()))
        for au in CD6ME_AUS
    )
    fields = dict(
        findings=findings,
        times=tuple(times.tolist()),
        series={au: tuple(values.tolist()) for au, values in series.items()},
        events=events,
        video={"fps": 30.0, "frames": 120, "seconds": 4.0},
        model={"name": "AU-LLM Lite", "preset": "smoke", "fingerprint": "0" * 64, "aus": list(CD6ME_AUS)},
        warnings=("The video has 30 frames a second: brief movements need 100 or more.",),
        latency_ms={"read and align": 812.4, "find Action Units": 402.1, "measure movement": 190.0, "total": 1404.5},
        crop=face_crop(),
        windows={au: sample_window() for au in CD6ME_AUS},
    )
    return AUReport(**{**fields, **changes})


def sample_window() -> SimpleNamespace:
    """Six frames in which the lower half of a face slides."""
    face = face_crop(64)[..., 0].astype(np.float32) / 255
    texture = face + np.random.default_rng(0).normal(0, 0.1, face.shape).astype(np.float32)
    frames = [np.concatenate([texture[:32], np.roll(texture[32:], n % 4, 1)]) for n in range(6)]
    times = np.linspace(0.9, 1.4, 6)
    face = SimpleNamespace(eyes=tuple((np.array(eye) / EXTENT + 1) * 96 for eye in EYES))  # those of `face_crop`
    pictures = dict(clip=np.clip(frames, 0, 1), onset_crop=face_crop(), face=face)
    return SimpleNamespace(**pictures, times=times, start=0.9, end=1.4)


def face_crop(size: int = 192) -> np.ndarray:
    """A disc with two eyes: enough of a face for a figure, and nobody's."""
    x, y = face_grid(size, EXTENT)
    image = np.full((size, size, 3), (205, 214, 222), np.uint8)
    image[(x / 0.86) ** 2 + (y / 1.05) ** 2 < 1] = (196, 154, 122)
    for side in (-0.35, 0.35):
        image[((x - side) / 0.13) ** 2 + ((y + 0.32) / 0.07) ** 2 < 1] = (52, 44, 40)
    image[(x / 0.27) ** 2 + ((y - 0.46) / 0.06) ** 2 < 1] = (150, 80, 76)
    return image


class StillFinder:
    """Finds the same upright face in every frame whose middle is bright, so that no model file is needed."""

    def __init__(self, faces: int = 1):
        self.faces, self.calls = faces, 0

    def find(self, frame):
        self.calls += 1
        if frame.mean() < 10:
            return []
        points = np.zeros((468, 3))
        points[[33, 133], :2] = [frame.shape[1] * 0.4, frame.shape[0] * 0.4]
        points[[362, 263], :2] = [frame.shape[1] * 0.6, frame.shape[0] * 0.4]
        return [Face((0, 0, 50 - i, 50 - i), 0.9, points, 1.0, False) for i in range(self.faces)]


class FakeModel:
    """Answers from the movement itself: the mean brightness change in the region of each AU, no weights."""

    device = torch.device("cpu")

    def __init__(self, scale: float = 8.0):
        K = len(CD6ME_AUS)
        self.scale = scale
        self.masks = torch.from_numpy(np.stack([region_mask(au) for au in CD6ME_AUS]))
        self.config = SimpleNamespace(
            preset="smoke",
            aus=CD6ME_AUS,
            size=64,
            frames=6,
            language_model="random",
            base_fingerprint="",
            thresholds=(THRESHOLD,) * K,
            not_sure=(NOT_SURE,) * K,
        )

    def motion(self, clips):
        return (clips[:, 1:] - clips[:, :1])[:, None]

    def probabilities_from_motion(self, motion):
        change = motion.abs().amax(2)[:, 0]
        change = torch.einsum("nhw,khw->nk", change, self.masks) / self.masks.sum((1, 2))
        return (change * self.scale).clamp(0, 1)
