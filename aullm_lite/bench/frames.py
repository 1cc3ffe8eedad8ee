"""What comes before the model: decode, find the face, align, sample, for one clip of half a second."""

import tempfile
from pathlib import Path

import numpy as np

from ..faces import FaceFinder, align, face_transform
from ..video import FRAMES, open_video
from ..windows import LENGTH, SIZE, grey, sample_clip
from .timing import steady
from .whole import FRAME, film

FPS = 30


def frame_stages() -> list[dict]:
    """Milliseconds for one clip, where nothing is known from the clip before: 15 frames, one face, six crops."""
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "clip.mp4"
        film(video, 2, FPS)
        frames = [frame.rgb for frame in open_video(video).frames()]
        decode = steady(lambda: sum(1 for _ in open_video(video).frames()), rounds=5) / len(frames)
    finder, some = FaceFinder(), round(LENGTH * FPS)
    face = finder.find(frames[0])[0]
    transform, times = face_transform(face, SIZE), np.arange(some) / FPS
    crops = [align(grey(frame), transform, SIZE) for frame in frames[:some]]
    wanted = np.linspace(0, times[-1], FRAMES)
    work = {
        "decode": decode * some,
        "detect": steady(lambda: finder.find(frames[0])),
        "align": steady(lambda: align(grey(frames[0]), transform, SIZE)) * FRAMES,
        "sample": steady(lambda: sample_clip(times, crops, wanted)),
    }
    what = {"decode": f"{some} frames of {FRAME[1]}x{FRAME[0]}", "detect": "1 frame", "align": f"{FRAMES} frames"}
    return [{"stage": name, "of": what.get(name, "1 clip"), "ms": spent * 1e3} for name, spent in work.items()]
