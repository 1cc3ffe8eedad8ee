"""Cut a video into half-second windows of aligned faces, ready for the model.

Nothing but the last half second of frames is kept, so memory does not grow with the length of the video.  Frames closer
than a 240th of a second tell nothing new at six frames a window; the second of two is passed over.
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
LENGTH, HOP = 0.5, 0.1  # seconds of a window, and from one to the next
CLOSEST = 1 / 240 - 1e-6  # seconds between frames that are kept
MEMORY = 0.3  # seconds for which a lost face is taken to be where it was


@dataclass(frozen=True)
class Window:
    """Six aligned frames of a stretch of video, ready for the model."""

    start: float
    end: float
    times: np.ndarray  # [T] seconds
    clip: np.ndarray  # [T, H, W] grey, 0..1
    onset_crop: np.ndarray  # [192, 192, 3] uint8, the face at the start
    face: Face


def sample_clip(times, crops, wanted) -> np.ndarray:
    """Crops at the wanted times, mixed linearly from the two nearest frames.  [N], [N, H, W], [T] -> [T, H, W]"""
    times, crops = np.asarray(times, float), np.asarray(crops, np.float32)
    right = np.clip(np.searchsorted(times, wanted), 1, len(times) - 1)
    left = right - 1
    share = np.clip((wanted - times[left]) / np.maximum(times[right] - times[left], 1e-9), 0, 1)
    share = share.astype(np.float32)[:, None, None]
    return crops[left] * (1 - share) + crops[right] * share


def neighbours(times, wanted: np.ndarray) -> list[int]:
    """Indices of the frames on both sides of each wanted time: `sample_clip` needs no others.  [N], [T] -> list"""
    right = np.clip(np.searchsorted(times, wanted), 1, len(times) - 1)
    return sorted({*right.tolist(), *(right - 1).tolist()})


def windows(video: Video, finder: FaceFinder | None = None) -> Iterator[Window]:
    """Windows of half a second, one every tenth; a shorter video, or its span, is one window.

    Raises `InputError` when no window shows a face.
    """
    yield from _Scan(video, finder or FaceFinder()).run()


class _Scan:
    """The moving state of one pass: a buffer of recent frames, and where the face was last."""

    def __init__(self, video: Video, finder: FaceFinder):
        self.video, self.finder = video, finder
        start, end = video.span or (0.0, LENGTH)
        self.start, self.length, self.hop = start, end - start, float("inf") if video.span else HOP
        self.seen, self.missed = 0, 0
        self.buffer: deque[Frame] = deque()
        self.face: tuple[float, Face] | None = None

    def run(self) -> Iterator[Window]:
        for frame in self.video.frames():
            if not self.take(frame):
                continue
            while frame.time >= self.start + self.length - 1e-6:
                yield from self.window(self.start, self.start + self.length)
                self.start += self.hop
                self.forget()
            self.forget()
        if self.seen + self.missed == 0:  # shorter than a window: all of it is one
            yield from self.only_window()
        if self.seen == 0:
            raise InputError("No face was found: film one face from the front, well lit, at least 60 pixels wide.")
        if self.missed:
            self.video.warn(
                f"No face was found in {self.missed} of {self.seen + self.missed} windows; they were left out."
            )

    def take(self, frame: Frame) -> bool:
        """Keep a frame unless it follows too closely; after a gap in time begin anew, for nobody knows what moved."""
        since = frame.time - self.buffer[-1].time if self.buffer else float("inf")
        if since < CLOSEST:
            return False
        if self.buffer and since > LENGTH and not self.video.span:
            self.video.warn("There are gaps of more than half a second between frames: windows do not reach over them.")
            self.buffer.clear()
            self.start = frame.time
        self.buffer.append(frame)
        return True

    def only_window(self) -> Iterator[Window]:
        end = self.buffer[-1].time
        if self.start < end:
            yield from self.window(self.start, end)
        elif self.video.span:
            raise InputError(f"The span starts after the end of the video ({end:.2f} s).")
        else:
            raise InputError("The frames lie more than half a second apart: give at least ten frames a second.")

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
        wanted = np.linspace(start, min(end, times[-1]), FRAMES)
        near = neighbours(times, wanted)
        transform = face_transform(face, SIZE)
        crops = [align(grey(self.buffer[i].rgb), transform, SIZE) for i in near]
        clip = sample_clip([times[i] for i in near], crops, wanted) / 255
        yield Window(
            start, end, wanted, clip.astype(np.float32), align(onset.rgb, face_transform(face, CROP), CROP), face
        )

    def find(self, frame: Frame) -> Face | None:
        """The face to follow: the largest at first, then the one that is where it was a moment ago."""
        faces = self.finder.find(frame.rgb)
        if len(faces) > 1:
            self.video.warn("Several faces were found: one was followed, at first the largest.")
        before = self.face[1] if self.face and frame.time - self.face[0] < MEMORY else None
        if not faces:
            return before
        face = min(faces, key=lambda f: _distance(f, before)) if before else faces[0]
        if before and _distance(face, before) > np.linalg.norm(before.eyes[1] - before.eyes[0]):
            return before  # somebody else: the detector has lost the one we follow
        if face.cut_off:
            self.video.warn("The face is partly outside the frame: Action Units there cannot be seen.")
        self.face = frame.time, face
        return face


def _distance(one: Face, other: Face) -> float:
    return float(np.linalg.norm(np.mean(one.eyes, 0) - np.mean(other.eyes, 0)))


def grey(rgb: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
