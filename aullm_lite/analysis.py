"""From a video to an `AUReport`: sliding windows, their probabilities, and the movements that they show.

A window of half a second starts every tenth of a second.  An AU is scored by its surest window after a median over
three neighbours, which takes lone outliers away; its movement is timed by how far the skin in its region has moved
from the first frame of that window.  Only a few numbers are kept of each window, so memory hardly grows with the video.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from time import perf_counter

import numpy as np
import torch

from .errors import InputError
from .events import find_events, median3, region_energy
from .facs import region_mask
from .report import AUEvent, AUFinding, AUReport, verdict_of
from .video import Video, open_video
from .windows import Window, windows

BATCH = 16  # windows that go through the model at once


@dataclass
class Track:
    """What is kept of all N windows: centres, sample times [N, T], probabilities [N, K], region energy [N, K, T]."""

    times: np.ndarray
    samples: np.ndarray
    probabilities: np.ndarray
    energy: np.ndarray


@dataclass
class Stopwatch:
    """Milliseconds spent in each named stage."""

    ms: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = perf_counter()
        yield
        self.ms[stage] = self.ms.get(stage, 0.0) + (perf_counter() - start) * 1000


def analyze(
    model,
    path: str | Path,
    *,
    fps: float | None = None,
    span: tuple[float, float] | None = None,
    longest: float | None = None,
    progress: Callable[[float, str], object] | None = None,
) -> AUReport:
    """Find the Action Units in a video file or a folder of frames.

    `fps` is the rate of a folder of frames, or the true rate of a slow-motion file; `span` is (start, end) in seconds;
    `progress` is called with the share done, 0..1, and a word on what is being done.
    Raises `InputError` where there is no video, no face or no usable frame, or more than `longest` seconds.
    """
    watch = Stopwatch()
    source = open_video(path, fps=fps, span=span, longest=longest)
    track, best = scan(model, source, watch, progress)
    with watch("find events"):
        findings, series, events = decide(model.config, track)
    return AUReport(
        findings=findings,
        times=tuple(track.times.tolist()),
        series=series,
        events=events,
        video={"fps": source.info.fps, "frames": source.info.frames, "seconds": source.info.seconds},
        model=describe(model),
        warnings=tuple(source.warnings),
        latency_ms={**watch.ms, "total": sum(watch.ms.values())},
        crop=max(best.values(), key=lambda seen: seen[0])[1].onset_crop,
        windows={au: window for au, (_, window) in best.items()},
    )


def scan(model, source: Video, watch: Stopwatch, progress=None) -> tuple[Track, dict[int, tuple[float, Window]]]:
    """Run the model over all windows, a batch at a time; also the surest window of each AU and its probability."""
    masks = torch.from_numpy(np.stack([region_mask(au, model.config.size) for au in model.config.aus])).to(model.device)
    rows, best = [], {}
    unseen = windows(source)
    while batch := _pull(unseen, watch):
        clips = torch.from_numpy(np.stack([w.clip for w in batch])).to(model.device)
        with watch("measure movement"), torch.no_grad():
            motion = model.motion(clips)
            energy = region_energy(motion, masks)
        with watch("find Action Units"):
            probabilities = model.probabilities_from_motion(motion).cpu().numpy()
        for k, au in enumerate(model.config.aus):
            at = int(probabilities[:, k].argmax())
            if au not in best or probabilities[at, k] > best[au][0]:
                best[au] = float(probabilities[at, k]), batch[at]
        rows.append(([w.times for w in batch], probabilities, energy.cpu().numpy()))
        if progress:
            end = batch[-1].end
            progress(min(end / max(source.info.seconds, end), 1.0), f"{end:.1f} s of the video seen")
    return _track(rows), best


def _pull(windows: Iterator, watch: Stopwatch) -> list:
    with watch("read and align"):
        return list(islice(windows, BATCH))


def _track(rows: list[tuple]) -> Track:
    samples, probabilities, energy = (np.concatenate([np.asarray(part) for part in column]) for column in zip(*rows))
    if not np.isfinite(probabilities).all():
        raise InputError("The model gave a probability that is not a number: try another clip or checkpoint.")
    return Track((samples[:, 0] + samples[:, -1]) / 2, samples, probabilities, energy)


def decide(config, track: Track) -> tuple[tuple[AUFinding, ...], dict[int, tuple[float, ...]], tuple[AUEvent, ...]]:
    """Verdict, smoothed series and events of every AU."""
    findings, series, events = [], {}, []
    smooth = median3(track.probabilities)
    for k, au in enumerate(config.aus):
        threshold, (low, high) = config.thresholds[k], config.not_sure[k]
        probability = float(smooth[:, k].max())
        verdict = verdict_of(probability, low, high)
        found = find_events(au, smooth[:, k], max(threshold, low), track.samples, track.energy[:, k])
        strongest = max(found, key=lambda e: e.probability, default=None)
        times = (strongest.onset_s, strongest.apex_s, strongest.offset_s) if strongest else ()
        findings.append(AUFinding(au, probability, threshold, verdict, *times))
        series[au] = tuple(smooth[:, k].tolist())
        events.extend(found)
    return tuple(findings), series, tuple(sorted(events, key=lambda e: e.onset_s))


def describe(model) -> dict:
    """What the report says of the model that made it."""
    config, source = model.config, getattr(model, "source", None)
    return {
        "name": "AU-LLM Lite",
        "preset": config.preset,
        "language_model": config.language_model,
        "fingerprint": config.base_fingerprint,
        "aus": list(config.aus),
        **({"checkpoint": source} if source else {}),  # name, where from, revision, SHA-256 of the weights
    }
