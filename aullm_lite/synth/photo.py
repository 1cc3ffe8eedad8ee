"""A photograph as an identity: the test of whether a detector that grew up on drawings knows a real face."""

from pathlib import Path

import cv2
import numpy as np

from ..errors import InputError
from ..faces import Face, FaceFinder, face_transform, to_rgb8
from ..video import pictures, read_picture
from .identity import CANVAS, EXTENT, Identity

# Mesh points along the lids of the image-left and the image-right eye, and along the outline of the face.
LIDS = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (362, 382, 381, 380, 374, 373, 390, 249, 263, 466, 388, 387, 386, 385, 384, 398),
)


def photo_identity(image: np.ndarray, name: str, finder: FaceFinder | None = None) -> Identity:
    """The largest face of a photograph, at rest in face coordinates.  [H, W, 3] -> Identity

    Raises `InputError` when there is no face.
    """
    rgb = to_rgb8(image)
    faces = (finder or FaceFinder()).find(rgb)
    if not faces:
        raise InputError(f"No face was found in {name}: give a photograph of one face from the front.")
    transform = face_transform(faces[0], CANVAS, EXTENT)
    canvas = cv2.warpAffine(rgb, transform, (CANVAS, CANVAS), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    opening, head = _masks(faces[0], transform)
    return Identity(
        subject=f"photo-{name}",
        skin=canvas.astype(np.float32) / 255,
        cover=1 - cv2.GaussianBlur(opening, (0, 0), 0.7),
        eyes=_eyeballs(canvas, opening),
        head=cv2.GaussianBlur(head, (0, 0), 8),
        mouth=_mouth(faces[0]),
    )


def _mouth(face: Face) -> tuple[float, float, float]:
    """Middle of the line between the lips and half its width, in face coordinates."""
    inner_lips = face.landmarks[[13, 14, 78, 308], :2]  # upper and lower middle, corners
    to_face = face_transform(face, 2)  # a crop of two pixels has one a unit
    upper, lower, one, other = inner_lips @ to_face[:, :2].T + to_face[:, 2] - 0.5
    x, y = (upper + lower) / 2
    return float(x), float(y), float(np.hypot(*(other - one)) / 2)


def _masks(face: Face, transform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The eye openings and the head (the face's outline grown by a quarter) on the canvas.  -> [S, S], [S, S]"""
    points = face.landmarks[:, :2] @ transform[:, :2].T + transform[:, 2]
    opening, head = np.zeros((2, CANVAS, CANVAS), np.float32)
    for lid in LIDS:
        cv2.fillPoly(opening, [np.round(points[list(lid)] * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
    outline = cv2.convexHull(points.astype(np.float32))[:, 0]
    grown = outline.mean(0) + 1.25 * (outline - outline.mean(0))
    cv2.fillPoly(head, [np.round(grown).astype(np.int32)], 1.0)
    return opening, head


def _eyeballs(canvas: np.ndarray, opening: np.ndarray) -> np.ndarray:
    """The eyes continued under the lids, so that lids may open a little.  -> [S, S, 3]"""
    around = cv2.dilate(opening, np.ones((9, 9))) > 0.5
    unknown = (around & (opening < 0.9)).astype(np.uint8)
    return cv2.inpaint(canvas, unknown, 3, cv2.INPAINT_TELEA).astype(np.float32) / 255


def folder_photos(folder: str | Path) -> list[Identity]:
    """Every photograph of a folder as an identity.  Raises `InputError` when there is none, or one cannot be read."""
    folder = Path(folder)
    paths = pictures(folder) if folder.is_dir() else []
    if not paths:
        raise InputError(
            f"{folder} holds no photographs (jpg, png, bmp, tif): give a folder of pictures, one face each."
        )
    finder, stems = FaceFinder(), [path.stem for path in paths]
    return [
        photo_identity(_readable(path), path.stem if stems.count(path.stem) == 1 else path.name, finder)
        for path in paths
    ]


def _readable(path: Path) -> np.ndarray:
    picture = read_picture(path)
    if picture is None:
        raise InputError(f"{path.name} cannot be read as a picture: take it out of the folder.")
    return picture


def astronaut() -> Identity:
    """NASA's portrait of Eileen Collins, in the public domain, read from scikit-image."""
    from skimage import data

    return photo_identity(data.astronaut(), "astronaut")


def builtin_photos() -> list[Identity]:
    """Portraits that other packages bring along, read in place: the astronaut, and Grace Hopper if installed."""
    from matplotlib import get_data_path

    hopper = Path(get_data_path()) / "sample_data" / "grace_hopper.jpg"
    return [astronaut()] + ([photo_identity(read_picture(hopper), "grace-hopper")] if hopper.is_file() else [])
