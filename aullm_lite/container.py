"""Open a video file that anybody may have made: it holds a video and no more, and no frame larger than allowed."""

from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from . import limits
from .errors import InputError

FORMATS = "mov,matroska,avi,mpeg,mpegts,asf"  # that hold all of a video; lists of other files are formats, too


def open_container(path: Path):
    """A container with pictures.  Raises `InputError` for a file that is none."""
    try:
        address = str(path.resolve())  # a bare `12:30.mp4` would pass for a network address
        container = av.open(address, options={"format_whitelist": FORMATS, **_most_pixels()})
    except (av.error.FFmpegError, OSError, ValueError):
        reason = "is empty" if path.stat().st_size == 0 else "is not a video that can be read"
        raise InputError(f"{path.name} {reason}: give an mp4, mov, webm or avi file, or a folder of frames.") from None
    if not container.streams.video:
        container.close()
        raise InputError(f"{path.name} holds no pictures (only sound?): give a video.")
    return container


def picture_stream(container, name: str):
    """The stream of pictures, ready to decode.  Raises `InputError` where it cannot be, or is too large."""
    stream = container.streams.video[0]
    if stream.codec_context is None:
        raise InputError(f"{name} is coded in a way that is not known here: convert it to H.264 in mp4.")
    limits.check_pixels(stream.width or 0, stream.height or 0, name)
    stream.codec_context.options = _most_pixels()
    stream.thread_type = "AUTO"
    return stream


def _most_pixels() -> dict[str, str]:
    """What keeps FFmpeg from decoding larger frames, whatever the header said."""
    return {"max_pixels": str(limits.MOST_PIXELS)}


def upright(frame: av.VideoFrame, colours: VideoReformatter) -> np.ndarray:
    """The picture as it is meant to be seen: phones store a turn beside it.  -> uint8 [H, W, 3]

    `colours` is one for all frames of a video: to make it takes longer than to use it.
    """
    turns = round((getattr(frame, "rotation", 0) or 0) / 90) % 4
    picture = colours.reformat(frame, format="rgb24").to_ndarray()
    return np.ascontiguousarray(np.rot90(picture, turns)) if turns else picture
