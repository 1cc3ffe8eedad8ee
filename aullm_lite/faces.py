"""Find a face, place 468 points on it, and bring it into face coordinates by one similarity transform.

BlazeFace finds the box (short range first, the full-range net for small faces), FaceMesh the points; both run through
`cv2.dnn`.  A face counts only when the mesh agrees that there is one.  Alignment uses the eye centres alone: finding a
face anew in every frame would shake it by more than a micro-expression moves, so a clip gets one transform.
"""

import threading
from dataclasses import dataclass

import cv2
import numpy as np

from .assets import face_model
from .blazeface import FULL, SHORT, Detector, merge
from .errors import InputError
from .facs import EYES

MESH_EYES = ((33, 133), (362, 263))  # corners: image-left eye, image-right eye
MIN_SCORE, MIN_PRESENCE = 0.5, 0.5  # of the box, and of the mesh in it
DETECTION_SIDE = 1280  # larger frames are reduced before a face is looked for


@dataclass(frozen=True)
class Face:
    """A face in a frame; all positions in pixels of that frame."""

    box: tuple[float, float, float, float]  # x, y, width, height
    score: float
    landmarks: np.ndarray  # [468, 3], z in pixels, smaller is nearer
    presence: float
    cut_off: bool  # part of it lies outside the frame

    @property
    def eyes(self) -> tuple[np.ndarray, np.ndarray]:
        """Centres of the image-left and the image-right eye."""
        return tuple(self.landmarks[list(corners), :2].mean(0) for corners in MESH_EYES)

    @property
    def area(self) -> float:
        return self.box[2] * self.box[3]


def to_rgb8(frame: np.ndarray) -> np.ndarray:
    """Any usual frame as RGB: grey, grey with one channel, with alpha, 16-bit, float in 0..1.  -> uint8 [H, W, 3]"""
    frame = np.asarray(frame)
    if frame.ndim == 2 or (frame.ndim == 3 and frame.shape[2] in (1, 2)):
        frame = np.repeat(frame.reshape(*frame.shape[:2], -1)[..., :1], 3, axis=2)
    if frame.ndim != 3 or frame.shape[2] not in (3, 4) or 0 in frame.shape:
        raise InputError(f"A frame must be an image [H, W] or [H, W, 3], got {[*frame.shape]}.")
    frame = frame[..., :3]
    if frame.dtype == np.uint16:
        return (frame >> 8).astype(np.uint8)
    if frame.dtype.kind == "f":
        if not np.isfinite(frame).all():
            raise InputError("The frame holds values that are not numbers (NaN or infinite).")
        return (np.clip(frame, 0, 1) * 255 + 0.5).astype(np.uint8)
    return np.ascontiguousarray(frame.astype(np.uint8))


def _load(name: str):
    classic = (
        {"engine": cv2.dnn.ENGINE_CLASSIC} if hasattr(cv2.dnn, "ENGINE_CLASSIC") else {}
    )  # OpenCV 5 drops outputs without it
    return cv2.dnn.readNetFromTFLite(str(face_model(name)), **classic)


class FaceFinder:
    """`FaceFinder().find(frame)` lists the faces of a frame, largest first.  Safe to share between threads."""

    def __init__(self):
        self._nets = {name: _load(name) for name in (SHORT.name, FULL.name, "face_landmark")}
        self._lock = threading.Lock()  # a net keeps state between its input and its output

    def find(self, frame: np.ndarray) -> list[Face]:
        """All faces, largest first.  [H, W, 3] uint8 -> list"""
        shrink = min(1.0, DETECTION_SIDE / max(frame.shape[:2]))
        if shrink < 1:
            frame = cv2.resize(frame, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        for detector in (SHORT, FULL):
            faces = [face for box in self._detect(frame, detector) if (face := self._mesh(frame, box, shrink))]
            if faces:
                return sorted(faces, key=lambda face: -face.area)
        return []

    def _run(self, name: str, image: np.ndarray, outputs=None):
        blob = np.ascontiguousarray(image.transpose(2, 0, 1)[None], np.float32)
        with self._lock:
            net = self._nets[name]
            net.setInput(blob)
            return net.forward(outputs or net.getUnconnectedOutLayersNames())

    def _detect(self, frame: np.ndarray, detector: Detector) -> list[tuple]:
        """Boxes, overlapping ones merged, with the eyes in them.  -> [(score, box [x, y, w, h], eyes [2, 2])]"""
        height, width = frame.shape[:2]
        side = max(height, width)
        top, left = (side - height) // 2, (side - width) // 2
        square = cv2.copyMakeBorder(frame, top, side - height - top, left, side - width - left, cv2.BORDER_CONSTANT)
        small = cv2.resize(
            square,
            (detector.side, detector.side),
            interpolation=cv2.INTER_AREA if side > detector.side else cv2.INTER_LINEAR,
        )
        scores, raw = self._run(detector.name, small.astype(np.float32) / 127.5 - 1, detector.outputs)
        scores = 1 / (1 + np.exp(-np.clip(scores.reshape(-1), -50, 50)))
        raw = raw.reshape(len(scores), 16) / detector.side
        raw[:, :2] += detector.anchors
        raw[:, 4:] += np.tile(detector.anchors, 6)
        keep = scores >= MIN_SCORE
        return [
            (
                score,
                np.array([row[0] - row[2] / 2, row[1] - row[3] / 2, row[2], row[3]]) * side - (left, top, 0, 0),
                row[4:8].reshape(2, 2) * side - (left, top),
            )
            for score, row in merge(scores[keep], raw[keep])
        ]

    def _mesh(self, frame: np.ndarray, found: tuple, shrink: float) -> Face | None:
        """Points of a detected face, or None where the mesh sees no face in the box."""
        score, box, eyes = found
        (dx, dy), centre = eyes[1] - eyes[0], box[:2] + box[2:] / 2
        side, turn = 1.5 * max(box[2:]), np.arctan2(dy, dx)
        c, s = np.cos(turn) * side, np.sin(turn) * side
        to_frame = np.array(
            [[c, -s, centre[0] - 0.5 * (c - s)], [s, c, centre[1] - 0.5 * (c + s)]]
        )  # crop 0..1 -> frame
        crop = cv2.warpAffine(
            frame, to_frame @ np.diag([1 / 192, 1 / 192, 1]), (192, 192), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        outputs = {out.size: out.reshape(-1) for out in self._run("face_landmark", crop.astype(np.float32) / 255)}
        presence = float(1 / (1 + np.exp(-np.clip(outputs[1][0], -50, 50))))
        if presence < MIN_PRESENCE:
            return None
        points = outputs[1404].reshape(468, 3) / 192
        flat = points[:, :2] @ to_frame[:, :2].T + to_frame[:, 2]
        outside = (flat < -0.02 * side).any() or (flat > np.array(frame.shape[1::-1]) + 0.02 * side).any()
        landmarks = np.concatenate([flat, points[:, 2:] * side], 1) / shrink
        return Face(tuple(box / shrink), float(score), landmarks, presence, bool(outside))


def face_transform(face: Face, size: int, extent: float = 1.0) -> np.ndarray:
    """Similarity, frame to crop pixels, that puts the eyes at `facs.EYES` in a crop of [-extent, extent].  -> [2, 3]"""
    source = np.array(face.eyes)
    target = (np.array(EYES) / extent + 1) * (size / 2) - 0.5
    (ax, ay), (bx, by) = source[1] - source[0], target[1] - target[0]
    scale_turn = complex(bx, by) / complex(ax, ay)  # a similarity is one complex factor and a shift
    matrix = np.array([[scale_turn.real, -scale_turn.imag], [scale_turn.imag, scale_turn.real]])
    return np.concatenate([matrix, (target.mean(0) - matrix @ source.mean(0))[:, None]], 1)


def align(frame: np.ndarray, transform: np.ndarray, size: int) -> np.ndarray:
    """Cut the aligned crop, where it shrinks by way of a larger one, or texture would alias.  -> [S, S(, 3)]"""
    shrink = np.sqrt(abs(np.linalg.det(transform[:, :2])))
    factor = int(np.clip(np.ceil(1 / max(shrink, 1e-6)), 1, 16))
    larger = transform * factor
    larger[:, 2] += (factor - 1) / 2  # pixel centres, not corners, are what scales
    crop = cv2.warpAffine(
        frame, larger, (size * factor, size * factor), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return crop if factor == 1 else cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
