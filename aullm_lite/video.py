"""Read a video file or a folder of frames, and cut it into windows that the model can judge.

Time is always real time, in seconds: a variable frame rate, dropped frames and gaps in numbering are taken as they are.
Nothing but the last half second of frames is kept, so memory does not grow with the length of the video.
"""

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np

from .errors import InputError
from .faces import Face, FaceFinder, align, face_transform, to_rgb8

FRAMES, SIZE, CROP = 6, 64, 192
IMAGES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"}
LARGEST = 1280  # pixels of the longer side that are kept; more shows nothing at 64
SLOW = 100  # frames a second below which a micro-expression is only a few frames long


@dataclass(frozen=True)
class Frame:
    """One picture and when it was taken, in seconds from the first."""

    time: float
    rgb: np.ndarray  # [H, W, 3] uint8


@dataclass
class VideoInfo:
    """What was read so far: frames a second, number of frames, seconds."""

    fps: float = 0.0
    frames: int = 0
    seconds: float = 0.0


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


def open_video(path: str | Path, *, fps: float | None = None, span: tuple[float, float] | None = None) -> "Video":
    """A video file or a folder of frames.  Raises `InputError` when it is neither."""
    path = Path(path)
    if not path.exists():
        raise InputError(f"There is no file or folder {str(path)!r}: check the path.")
    if fps is not None and not 1 <= fps <= 10_000:
        raise InputError(f"fps must lie between 1 and 10000, got {fps}.")
    if span is not None and not 0 <= span[0] < span[1]:
        raise InputError(f"A span must be (start, end) in seconds with start before end, got {span}.")
    return Video(path, fps, span)


class Video:
    """A source of frames and windows; `info` and `warnings` fill up while it is read."""

    def __init__(self, path: Path, fps: float | None = None, span: tuple[float, float] | None = None):
        self.path, self.span = path, span
        self.warnings: list[str] = []
        self.info = VideoInfo()
        self._fps = fps
        self._last: float | None = None
        self.expect_length()

    def warn(self, sentence: str) -> None:
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def expect_length(self) -> None:
        """A first guess of the length, for progress bars, from the header or the number of files."""
        if self.path.is_dir():
            self.info.seconds = len(self._numbered()) / (self._fps or 200)
            return
        with self._open() as container:
            stream = container.streams.video[0]
            rate = float(stream.average_rate or 0)
            length = container.duration / av.time_base if container.duration else 0.0
            self.info.fps, self.info.seconds = self._fps or rate, length * rate / self._fps if self._fps else length

    def frames(self) -> Iterator[Frame]:
        """Every frame in order, one in memory at a time; large ones reduced."""
        source = self._from_folder() if self.path.is_dir() else self._from_file()
        first = None
        for time, picture in source:
            first = time if first is None else first
            time -= first
            if self._last is not None and time <= self._last:
                continue  # a time stamp that does not advance says nothing new
            self._last = time
            self.info.frames += 1
            yield Frame(time, _reduced(to_rgb8(picture)))
        self._finish()

    def _finish(self) -> None:
        count = self.info.frames
        if count == 0:
            raise InputError(f"{self.path.name} holds no frames that can be read: choose another file.")
        if count == 1:
            raise InputError(f"{self.path.name} holds a single frame, and one frame shows no movement: give a clip.")
        self.info.fps = (count - 1) / self._last
        self.info.seconds = self._last
        if self.info.fps < SLOW:
            self.warn(f"{self.info.fps:.0f} frames a second are few: a micro-expression may fall between them; 100 or more are better.")
        if count < FRAMES:
            self.warn(f"Only {count} frames: the six that the model needs were interpolated in time.")

    def _open(self):
        try:
            container = av.open(str(self.path))
        except (av.error.FFmpegError, OSError, ValueError):
            reason = "is empty" if self.path.stat().st_size == 0 else "is not a video that can be read"
            raise InputError(f"{self.path.name} {reason}: give an mp4, mov, webm or avi file, or a folder of frames.") from None
        if not container.streams.video:
            container.close()
            raise InputError(f"{self.path.name} holds no pictures (only sound?): give a video.")
        return container

    def _from_file(self) -> Iterator[tuple[float, np.ndarray]]:
        with self._open() as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            rate = self._fps or float(stream.average_rate or 25)
            try:
                for index, frame in enumerate(container.decode(stream)):
                    by_count = self._fps or frame.time is None
                    yield (index / rate if by_count else frame.time), _upright(frame)
            except av.error.FFmpegError:
                if self.info.frames == 0:
                    raise InputError(f"{self.path.name} cannot be decoded: it may be damaged; record or convert it again.") from None
                self.warn(f"{self.path.name} breaks off after {self.info.frames} frames: what could be read was used.")

    def _numbered(self) -> list[tuple[int, Path]]:
        """Pictures of the folder with the last number in their names, in order."""
        found = [p for p in self.path.iterdir() if p.suffix.lower() in IMAGES and not p.name.startswith(("~$", "._", "."))]
        if not found:
            raise InputError(f"The folder {str(self.path)!r} holds no pictures (jpg, png, bmp, tif): give a folder of frames.")
        numbers = [re.findall(r"\d+", p.stem) for p in found]
        if not all(numbers) or len({int(n[-1]) for n in numbers}) < len(found):
            return list(enumerate(sorted(found)))
        return sorted((int(n[-1]), p) for n, p in zip(numbers, found))

    def _from_folder(self) -> Iterator[tuple[float, np.ndarray]]:
        if self._fps is None:
            self.warn("A folder of frames does not say its rate: 200 frames a second were assumed; pass --fps for another.")
        for number, path in self._numbered():
            picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED) if path.stat().st_size else None
            if picture is None:
                self.warn(f"{path.name} cannot be read as a picture and was left out.")
                continue
            colour = picture if picture.ndim == 2 else picture[..., [2, 1, 0]] if picture.shape[2] >= 3 else picture
            yield number / (self._fps or 200), colour

    def windows(self, *, length: float = 0.5, hop: float = 0.1, finder: FaceFinder | None = None) -> Iterator[Window]:
        """Windows of `length` seconds, one every `hop`; a shorter video, or a span, is one window.

        Raises `InputError` when no window shows a face.
        """
        scan = _Scan(self, finder or FaceFinder(), length, hop)
        if self.span:
            scan.length, scan.hop = self.span[1] - self.span[0], float("inf")
            scan.start = self.span[0]
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
            self.video.warn(f"No face was found in {self.missed} of {self.seen + self.missed} windows; they were left out.")

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
        yield Window(start, end, wanted, clip.astype(np.float32), align(onset.rgb, face_transform(face, CROP), CROP), face)

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


def _reduced(rgb: np.ndarray) -> np.ndarray:
    shrink = LARGEST / max(rgb.shape[:2])
    return rgb if shrink >= 1 else cv2.resize(rgb, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)


def _upright(frame: av.VideoFrame) -> np.ndarray:
    """The picture as it is meant to be seen: phones store a turn beside it."""
    turns = round((getattr(frame, "rotation", 0) or 0) / 90) % 4
    picture = frame.to_ndarray(format="rgb24")
    return np.ascontiguousarray(np.rot90(picture, turns)) if turns else picture


def write_video(path: str | Path, frames: np.ndarray, fps: int) -> None:
    """H.264 in mp4, which every browser plays, fine enough for movements of a pixel.  uint8 [T, H, W, 3], even sides"""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "12"})
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame))))
        container.mux(stream.encode())
