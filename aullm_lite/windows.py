"""Cut a video into half-second windows of aligned faces, ready for the model.

Nothing but the last half second of frames is kept, so memory does not grow with the length of the video.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from .errors import InputError
from .faces import Face, FaceFinder, align, face_transform
from .video import FRAMES, Frame, Video

SIZE, CROP = 64, 192  # pixels of the model's clip, and of the face that a report shows


@dataclass(frozen=True)
class Window:
    """Six aligned frames of a stretch of video, ready for the model."""

    start: float
    end: float
    times: np.ndarray  # [T] seconds
    clip: np.ndarray  # [T, H, W] grey, 0..1
    onset_crop: np.ndarray  # [192, 192, 3] uint8, the face at the start
    face: Face


def sample_times(start: float, end: float, count: int = FRAMES) -> np.ndarray:
    """Evenly spaced times from start to end, both included.  -> [count]"""
    return np.linspace(start, end, count)


def sample_clip(times, crops, wanted) -> np.ndarray:
    """Crops at the wanted times, mixed linearly from the two nearest frames.  [N], [N, H, W], [T] -> [T, H, W]"""
    times, crops = np.asarray(times, float), np.asarray(crops, np.float32)
    right = np.clip(np.searchsorted(times, wanted), 1, len(times) - 1)
    left = right - 1
    share = np.clip((wanted - times[left]) / np.maximum(times[right] - times[left], 1e-9), 0, 1)
    share = share.astype(np.float32)[:, None, None]
    return crops[left] * (1 - share) + crops[right] * share


def windows(
    video: Video, *, length: float = 0.5, hop: float = 0.1, finder: FaceFinder | None = None
) -> Iterator[Window]:
    """Windows of `length` seconds, one every `hop`; a shorter video, or its span, is one window.

    Raises `InputError` when no window shows a face.
    """
    scan = _Scan(video, finder or FaceFinder(), length, hop)
    if video.span:
        scan.start, scan.length, scan.hop = video.span[0], video.span[1] - video.span[0], float("inf")
    yield from scan.run()


class _Scan:
    """The moving state of one pass: a buffer of recent frames, and where the face was last."""

    def __init__(self, video: Video, finder: FaceFinder, length: float, hop: float):
        self.video, self.finder, self.length, self.hop = video, finder, length, hop
        self.start, self.seen, self.missed = 0.0, 0, 0
        self.buffer: deque[Frame] = deque()
        self.face: tuple[float, Face] | None = None

    def run(self) -> Iterator[Window]:
        for frame in self.video.frames():
            self.buffer.append(frame)
            while frame.time >= self.start + self.length - 1e-6:
                yield from self.window(self.start, self.start + self.length)
                self.start += self.hop
                self.forget()
            self.forget()
        if self.seen + self.missed == 0:  # shorter than a window: all of it is one
            if self.start >= self.buffer[-1].time:
                raise InputError(f"The span starts after the end of the video ({self.buffer[-1].time:.2f} s).")
            yield from self.window(self.start, self.buffer[-1].time)
        if self.seen == 0:
            raise InputError("No face was found: film one face from the front, well lit, at least 60 pixels wide.")
        if self.missed:
            self.video.warn(
                f"No face was found in {self.missed} of {self.seen + self.missed} windows; they were left out."
            )

    def forget(self) -> None:
        """Drop frames that no later window needs: all but one before the next start."""
        while len(self.buffer) > 2 and self.buffer[1].time <= self.start:
            self.buffer.popleft()

    def window(self, start: float, end: float) -> Iterator[Window]:
        times = [frame.time for frame in self.buffer]
        onset = self.buffer[max(0, bisect_right(times, start + 1e-6) - 1)]  # the last frame not after the start
        face = self.find(onset)
        if face is None:
            self.missed += 1
            return
        self.seen += 1
        wanted = sample_times(start, min(end, times[-1]))
        near = self.neighbours(times, wanted)
        transform = face_transform(face, SIZE)
        crops = [align(_grey(self.buffer[i].rgb), transform, SIZE) for i in near]
        clip = sample_clip([times[i] for i in near], crops, wanted) / 255
        yield Window(
            start, end, wanted, clip.astype(np.float32), align(onset.rgb, face_transform(face, CROP), CROP), face
        )

    @staticmethod
    def neighbours(times: list[float], wanted: np.ndarray) -> list[int]:
        """Indices of the frames on both sides of each wanted time: only these are aligned."""
        right = np.clip(np.searchsorted(times, wanted), 1, len(times) - 1)
        return sorted({*right.tolist(), *(right - 1).tolist()})

    def find(self, frame: Frame) -> Face | None:
        """The face to follow: the largest at first, then the one nearest to where it was."""
        faces = self.finder.find(frame.rgb)
        recent = self.face is not None and frame.time - self.face[0] < 0.3
        if not faces:
            return self.face[1] if recent else None
        if len(faces) > 1:
            self.video.warn(f"{len(faces)} faces were found: only the largest was followed.")
        face = min(faces, key=lambda f: _distance(f, self.face[1])) if recent else faces[0]
        if face.cut_off:
            self.video.warn("The face is partly outside the frame: Action Units there cannot be seen.")
        self.face = frame.time, face
        return face


def _distance(one: Face, other: Face) -> float:
    return float(np.linalg.norm(np.mean(one.eyes, 0) - np.mean(other.eyes, 0)))


def _grey(rgb: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
