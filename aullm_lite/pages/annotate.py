"""The clip once more, with its Action Units: an outline where each moves, its name, and a bar of all events below."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..faces import face_transform
from ..facs import region_mask
from ..report import AUEvent, AUReport
from ..style import INK
from ..video import Frame, open_video, write_video

LONGER_SIDE, FASTEST = 640, 60  # pixels of the picture; frames a second, more is for no screen
BAND, LINE, MOST_NAMES = 104, 20, 3  # pixels under the picture; of a line of text; lines of names
GRID, RIM = 128, 0.5  # pixels on which an outline is found; the level of the region's mask that it follows
LIGHT, DIM, NOTE = "white", "#aeb9c4", "Visible movement only, not emotion.  AU-LLM Lite"
COLOURS = {"present": "#2cc19b", "not sure": "#f0a83c", "absent": "#78889a"}  # bright enough on dark ink
Rims = dict[int, tuple[float, float, list[np.ndarray]]]  # of an AU: start, end, outlines in pixels of the frame


def annotate(
    path: str | Path,
    report: AUReport,
    target: Path,
    *,
    fps: float | None = None,
    progress: Callable[[float], object] = lambda share: None,
) -> None:
    """Write the clip that a report is of, annotated, as mp4 without sound.

    `fps` is the true rate of slow motion, as it was given to `analyze`; `progress` hears the share done.
    Raises `InputError` where the clip cannot be read.
    """
    source, rims = open_video(path, fps=fps), outlines(report)
    rate = int(np.clip(round(report.video.get("fps") or 25), 1, FASTEST))
    seconds = max(report.video.get("seconds") or 0.0, 1 / rate)

    def pages() -> Iterator[np.ndarray]:
        for number, frame in enumerate(steady(source.frames(), rate)):
            if number % rate == 0:
                progress(min(number / rate / seconds, 1.0))
            yield page(frame.rgb, number / rate, seconds, report, rims)

    write_video(target, pages(), rate)


def steady(frames: Iterable[Frame], rate: int) -> Iterator[Frame]:
    """The frame nearest to each tick, so that a clip whose rate changes plays in true time."""
    tick, last = 0, None
    for frame in frames:
        while (now := tick / rate) <= frame.time:
            yield frame if last is None or frame.time - now <= now - last.time else last
            tick += 1
        last = frame
    if last is not None and last.time > (tick - 0.5) / rate:  # a rounding error short of its tick
        yield last


def outlines(report: AUReport) -> Rims:
    """Where each AU shows, in the window in which the model was surest of it: elsewhere the head may have moved."""
    rims = {}
    for au, window in report.windows.items():
        mask = (region_mask(au, GRID) > RIM).astype(np.uint8)
        found = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
        to_frame = cv2.invertAffineTransform(face_transform(window.face, GRID))
        rims[au] = window.start, window.end, [cv2.transform(rim.astype(np.float32), to_frame) for rim in found]
    return rims


def page(rgb: np.ndarray, time: float, seconds: float, report: AUReport, rims: Rims) -> np.ndarray:
    """One frame with what moves at this time.  uint8 [H, W, 3] -> uint8 [H', W', 3], even sides"""
    scale = LONGER_SIDE / max(rgb.shape[:2])
    height, width = (max(2, round(side * scale) // 2 * 2) for side in rgb.shape[:2])
    picture = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    moving = [event for event in report.events if event.onset_s <= time <= event.offset_s]
    for event in moving:
        start, end, lines = rims.get(event.au, (0.0, 0.0, []))
        if start <= time <= end:
            points = [np.round(line * scale).astype(np.int32) for line in lines]
            cv2.polylines(picture, points, True, (255, 255, 255), 2, cv2.LINE_AA)
    sheet = Image.new("RGB", (width, height + BAND), INK)
    sheet.paste(Image.fromarray(picture))
    draw = ImageDraw.Draw(sheet)
    _write_names(draw, moving, report, height + 6)
    draw.text((8, height + BAND - 36), f"{time:.2f} s.  {NOTE}", DIM, font(12))
    _draw_bar(draw, width, height + BAND - 10, time, seconds, report)
    return np.asarray(sheet)


def _write_names(draw: ImageDraw.ImageDraw, moving: list[AUEvent], report: AUReport, top: int) -> None:
    for row, event in enumerate(moving[:MOST_NAMES]):
        finding = report[event.au]
        rest = len(moving) - MOST_NAMES
        more = f"  and {rest} more" if rest > 0 and row == MOST_NAMES - 1 else ""
        doubt = "" if finding.verdict == "present" else f" ({finding.verdict})"
        draw.rectangle((8, top + row * LINE + 3, 14, top + row * LINE + 15), COLOURS[finding.verdict])
        draw.text((20, top + row * LINE), f"{finding.label}{doubt}{more}", LIGHT, font(15))


def _draw_bar(draw: ImageDraw.ImageDraw, width: int, y: int, time: float, seconds: float, report: AUReport) -> None:
    """The whole clip as a line, its events as blocks, and where we are."""

    def at(when: float) -> float:
        return 8 + (width - 16) * min(max(when / seconds, 0.0), 1.0)

    draw.line((at(0), y, at(seconds), y), DIM, 1)
    for event in report.events:
        ends = at(event.onset_s), max(at(event.offset_s), at(event.onset_s) + 2)
        draw.rectangle((ends[0], y - 4, ends[1], y + 4), COLOURS[report[event.au].verdict])
    draw.line((at(time), y - 8, at(time), y + 8), LIGHT, 2)


@cache
def font(size: int):
    return ImageFont.load_default(size)
