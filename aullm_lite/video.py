"""Read a video file or a folder of frames, one frame at a time.

Time is always real time, in seconds: a variable frame rate, dropped frames and gaps in numbering are taken as they are.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

from . import limits
from .container import open_container, picture_stream, upright
from .errors import InputError
from .faces import to_rgb8

FRAMES = 6  # that the model looks at
IMAGES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"}
LARGEST = 1280  # pixels of the longer side that are kept; more shows nothing at 64
SLOW = 100  # frames a second below which a micro-expression is only a few frames long
LONGEST = 100_000  # seconds, more than a day; beyond, times are mistakes, and in time too fine to be told apart
LONGEST_SPAN = 10.0  # seconds; a span is one window, and a window is held in memory


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


def open_video(
    path: str | Path,
    *,
    fps: float | None = None,
    span: tuple[float, float] | None = None,
    longest: float | None = None,
) -> "Video":
    """A video file or a folder of frames.  Raises `InputError` when it is neither, or longer than `longest` seconds."""
    if "://" in str(path):
        raise InputError(f"{str(path)!r} is an address, and none is opened: download the clip first.")
    path = Path(path)
    if not path.exists():
        raise InputError(f"There is no file or folder {str(path)!r}: check the path.")
    if fps is not None and not 1 <= fps <= 10_000:
        raise InputError(f"fps must lie between 1 and 10000, got {fps}.")
    if span is not None and not 0 <= span[0] < span[1] <= span[0] + LONGEST_SPAN:
        raise InputError(
            f"A span must be (start, end) in seconds, the end at most {LONGEST_SPAN:.0f} seconds later, got {span}."
        )
    return Video(path, fps, span, longest)


class Video:
    """A source of frames and windows; `info` and `warnings` fill up while it is read."""

    def __init__(self, path: Path, fps: float | None, span: tuple[float, float] | None, longest: float | None):
        self.path, self.span, self.longest = path, span, longest
        self.warnings: list[str] = []
        self.info = VideoInfo()
        self._fps = fps
        self._last: float | None = None
        self._skipped, self._pixels = 0, 0
        self.expect_length()
        self.check_length(self.info.seconds)

    def warn(self, sentence: str) -> None:
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def expect_length(self) -> None:
        """A first guess of the length, for progress bars, from the header or the number of files."""
        if self.path.is_dir():
            self.info.seconds = len(self._numbered()) / (self._fps or 200)
            return
        with open_container(self.path) as container:
            stream = container.streams.video[0]
            rate = float(stream.average_rate or 0)
            length = container.duration / av.time_base if container.duration else 0.0
            self.info.fps, self.info.seconds = self._fps or rate, length * rate / self._fps if self._fps else length

    def check_length(self, seconds: float) -> None:
        """By the header at first, then by what is read: a header may be silent or wrong."""
        longest = LONGEST if self.longest is None else self.longest
        if seconds > longest:
            raise InputError(f"This clip is longer than {longest:,g} seconds: cut out the part to look at.")

    def check_work(self, picture: np.ndarray) -> None:
        """Where the length is limited, so is the number of pixels: small files may hold hours of work."""
        self._pixels += picture.shape[0] * picture.shape[1]
        if self.longest is not None and self._pixels > self.longest * limits.PIXELS_A_SECOND:
            raise InputError(
                f"{self.path.name} has more pixels than {self.longest:g} seconds of 4K video at 60 frames a second: "
                "cut out the part to look at, or make it smaller."
            )

    def frames(self) -> Iterator[Frame]:
        """Every frame in order, one in memory at a time; large ones reduced."""
        source = self._from_folder() if self.path.is_dir() else self._from_file()
        first = None
        for time, picture in source:
            self.check_work(picture)
            first = time if first is None else first
            time -= first
            if self._last is not None and time <= self._last:
                self._skipped += 1  # a time stamp that does not advance cannot be placed
                continue
            self.check_length(time)
            self._last = time
            self.info.frames += 1
            yield Frame(time, _reduced(to_rgb8(picture)))
        self._finish()

    def _finish(self) -> None:
        count = self.info.frames
        if count == 0:
            raise InputError(f"{self.path.name} holds no frames that can be read: choose another one.")
        if count == 1:
            raise InputError(f"{self.path.name!r} holds a single frame, and one frame shows no movement: give a clip.")
        self.info.fps = (count - 1) / self._last
        self.info.seconds = self._last
        if self._skipped:
            self.warn(f"{self._skipped} frames carry times that go back or stand still; they were left out.")
        if round(self.info.fps) < SLOW:
            self.warn(f"{self.info.fps:.0f} frames a second may miss a micro-expression: film at 100 or more.")
        if count < FRAMES:
            self.warn(f"Only {count} frames: the six that the model needs were interpolated in time.")

    def _from_file(self) -> Iterator[tuple[float, np.ndarray]]:
        with open_container(self.path) as container:
            stream = picture_stream(container, self.path.name)
            rate, colours = self._fps or float(stream.average_rate or 25), VideoReformatter()
            try:
                for index, frame in enumerate(container.decode(stream)):
                    by_count = self._fps or frame.time is None
                    yield (index / rate if by_count else frame.time), upright(frame, colours)
            except av.error.FFmpegError:
                if self.info.frames == 0:
                    raise InputError(
                        f"{self.path.name} cannot be decoded: it is damaged or has {limits.most_pixels()}; record or "
                        "convert it again."
                    ) from None
                self.warn(f"{self.path.name} breaks off after {self.info.frames} frames: what could be read was used.")

    def _numbered(self) -> list[tuple[int, Path]]:
        """Pictures of the folder with the last number in their names, in order."""
        found = pictures(self.path)
        if not found:
            raise InputError(
                f"The folder {str(self.path)!r} holds no pictures (jpg, png, bmp, tif): give a folder of frames."
            )
        numbered = {path: int(n[-1]) for path in found if (n := re.findall(r"\d+", path.stem))}
        if not numbered or len(set(numbered.values())) < len(numbered):  # no order but that of their names
            return list(enumerate(sorted(found, key=_natural)))
        for path in set(found) - set(numbered):
            self.warn(f"{path.name} has no number in its name and was left out.")
        return sorted((number, path) for path, number in numbered.items())

    def _from_folder(self) -> Iterator[tuple[float, np.ndarray]]:
        if self._fps is None:
            self.warn(
                "A folder of frames does not say its rate: 200 frames a second were assumed; pass --fps for another."
            )
        for number, path in self._numbered():
            picture = read_picture(path)
            if picture is None:
                self.warn(f"{path.name} cannot be read as a picture and was left out.")
                continue
            yield number / (self._fps or 200), picture


def read_picture(path: Path) -> np.ndarray | None:
    """A picture file as RGB, upright, 8 or 16 bit; None where it is none.  -> [H, W, 3]

    Raises `InputError` for one of too many pixels, before it is decoded.
    """
    content = np.fromfile(path, np.uint8)  # cv2.imread cannot open every name on Windows
    if limits.picture_size(content.tobytes(), path.name) is None:
        return None
    try:
        picture = cv2.imdecode(content, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    except cv2.error:
        return None
    return None if picture is None else picture[..., ::-1]


def pictures(folder: Path) -> list[Path]:
    """The picture files of a folder, without those that systems hide there, in the order of their names."""
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGES and not p.name.startswith(("~$", ".")))


def _natural(path: Path) -> list:
    """Names in the order in which people count: 2 before 10."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", path.name) if part]


def _reduced(rgb: np.ndarray) -> np.ndarray:
    shrink = LARGEST / max(rgb.shape[:2])
    return rgb if shrink >= 1 else cv2.resize(rgb, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)


def write_video(path: str | Path, frames: Iterable[np.ndarray], fps: int) -> None:
    """H.264 in mp4, which every browser plays, fine enough for movements of a pixel.

    `frames` are uint8 [H, W, 3] with even sides.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "12"})
        stream.pix_fmt = "yuv420p"
        for number, frame in enumerate(frames):
            if number == 0:
                stream.height, stream.width = frame.shape[:2]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame))))
        container.mux(stream.encode())
