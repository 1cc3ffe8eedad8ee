"""The pictures of one annotated clip as the model wants them: one face, found once, and six frames evenly in time.

Only the frames that are needed are read.  The face is looked for in the first one, and all frames go through the same
transform: a face found anew in every frame would shake by more than a micro-expression moves.
"""

from pathlib import Path

import cv2
import numpy as np

from ..errors import InputError
from ..faces import FaceFinder, align, face_transform, to_rgb8
from ..video import FRAMES, read_picture
from ..windows import SIZE, grey, neighbours, sample_clip
from .records import Sample

PAIR = 128  # pixels of the onset and the apex frame, which optical flow compares


def crop_clip(sample: Sample, finder: FaceFinder) -> tuple[np.ndarray, np.ndarray, bool]:
    """Six frames, onset and apex, whether a face was found.  -> uint8 [6, 64, 64], uint8 [2, 128, 128], bool

    Raises `InputError` that names the file where one cannot be read, or differs in size from the first.
    """
    numbers = np.array(list(sample.frames))
    wanted = np.linspace(sample.onset, sample.offset, FRAMES) / sample.fps
    needed = numbers[neighbours(numbers / sample.fps, wanted)]
    first = numbers[0]  # the onset, or where it is missing the frame after it
    pictures = {n: _read(sample.frames[n]) for n in sorted({first, sample.apex, *needed.tolist()})}
    _check_sizes(sample, pictures)
    large, found = _transform(pictures[first], finder)
    small = _scaled(large, SIZE / PAIR)
    frames = {n: grey(picture) for n, picture in pictures.items()}
    clip = sample_clip(needed / sample.fps, [align(frames[n], small, SIZE) for n in needed], wanted)
    pair = np.stack([align(frames[n], large, PAIR) for n in (first, sample.apex)])
    return _bytes(clip), _bytes(pair), found


def file_name(path: Path) -> str:
    """A file as a person looks for it: subject, clip and name."""
    return "/".join(path.parts[-3:])


def _read(path: Path) -> np.ndarray:
    """A picture.  -> uint8 [H, W, 3]"""
    try:
        picture = read_picture(path)
    except OSError as error:
        raise InputError(f"{file_name(path)} cannot be read ({error.strerror})") from None
    if picture is None:
        raise InputError(f"{file_name(path)} is empty, or no picture that can be read")
    return to_rgb8(picture)


def _check_sizes(sample: Sample, pictures: dict[int, np.ndarray]) -> None:
    """One transform fits frames of one size."""
    first = next(iter(pictures.values())).shape
    for number, picture in pictures.items():
        if picture.shape != first:
            height, width, _ = picture.shape
            raise InputError(
                f"{file_name(sample.frames[number])} has {width}x{height} pixels, the clip's first frame "
                f"{first[1]}x{first[0]}"
            )


def _transform(rgb: np.ndarray, finder: FaceFinder) -> tuple[np.ndarray, bool]:
    """From the picture to a crop of 128 pixels, and whether it follows a face.  [H, W, 3] -> [2, 3], bool

    A tight crop gets a margin, for the detector wants to see a whole head; where that does not help either, the whole
    picture is the face.
    """
    height, width = rgb.shape[:2]
    for down, right in ((0, 0), (height // 2, width // 2)):
        padded = cv2.copyMakeBorder(rgb, down, down, right, right, cv2.BORDER_CONSTANT)
        if faces := finder.find(padded):
            transform = face_transform(faces[0], PAIR)
            transform[:, 2] += transform[:, :2] @ (right, down)
            return transform, True
    scale = PAIR / max(height, width)
    centre = np.array([width - 1, height - 1]) / 2
    return np.column_stack([np.eye(2) * scale, (PAIR - 1) / 2 - scale * centre]), False


def _scaled(transform: np.ndarray, factor: float) -> np.ndarray:
    """The same crop at another size: pixel centres, not corners, are what scales.  [2, 3] -> [2, 3]"""
    scaled = transform * factor
    scaled[:, 2] += (factor - 1) / 2
    return scaled


def _bytes(images: np.ndarray) -> np.ndarray:
    return (np.clip(images, 0, 255) + 0.5).astype(np.uint8)
