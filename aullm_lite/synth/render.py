"""Turn an identity and a script into frames, and tell the truth about them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np

from ..facs import face_grid
from .fields import GRID, au_field, au_wrinkles
from .identity import CANVAS, EXTENT, LUMA, Identity
from .mouth import open_mouth, openings, teeth_share
from .script import PIXEL, Movement, Script

WRINKLE_DEPTH = 0.05  # brightness lost in a groove for each pixel of movement


@dataclass
class Actor:
    """An identity with its own anatomy, ready to render many clips: layers and fields are computed once."""

    identity: Identity
    seed: int = 0
    _fields: dict = field(default_factory=dict, repr=False)

    def field(self, au: int, side: str) -> np.ndarray:
        """This person's displacement field at unit peak.  -> [2, S, S]"""
        if (au, side) not in self._fields:
            rng = np.random.default_rng((self.seed, au))
            self._fields[au, side] = au_field(au, side, rng), au_wrinkles(au, side)
        return self._fields[au, side][0]

    def wrinkles(self, au: int, side: str) -> np.ndarray:
        self.field(au, side)
        return self._fields[au, side][1]

    @cached_property
    def colour(self) -> tuple[np.ndarray, np.ndarray]:
        """Skin with its cover as last channel (premultiplied), and eyeballs.  -> [S, S, 4], [S, S, 3]"""
        cover = self.identity.cover[..., None]
        return np.concatenate([self.identity.skin * cover, cover], -1), self.identity.eyes

    @cached_property
    def grey(self) -> tuple[np.ndarray, np.ndarray]:
        """The same in grey.  -> [S, S, 2], [S, S, 1]"""
        cover = self.identity.cover[..., None]
        return np.concatenate([(self.identity.skin @ LUMA)[..., None] * cover, cover], -1), (self.identity.eyes @ LUMA)[
            ..., None
        ]

    @cached_property
    def head(self) -> np.ndarray:
        """Soft mask of what turns with the head, on the crop.  -> [S, S]"""
        x, y = (axis.astype(np.float32) for axis in face_grid(GRID))
        return cv2.remap(self.identity.head.astype(np.float32), _canvas(x), _canvas(y), cv2.INTER_LINEAR)


def _canvas(coordinate: np.ndarray) -> np.ndarray:
    """Face coordinates to canvas pixels."""
    return ((coordinate / EXTENT + 1) * (CANVAS / 2) - 0.5).astype(np.float32)


def head_depth(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Height of an average head above the plane of its eyes, in face units: an ellipsoid and a nose."""
    ellipsoid = np.sqrt(np.maximum(0.02, 1 - (x / 1.0) ** 2 - ((y - 0.05) / 1.3) ** 2)) * 0.8
    nose = 0.20 * np.exp(-0.5 * (x / 0.13) ** 2 - 0.5 * ((y - 0.08) / 0.17) ** 2)
    return ellipsoid + nose


def head_field(pose, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Displacement by a rigid head: yaw, pitch, roll, scale, shift x, shift y in pixels at 64.  -> [2, S, S]

    Turns are about the head's centre, seen from far away; a yaw of one pixel moves the tip of the nose by one pixel.
    """
    yaw, pitch, roll, scale, shift_x, shift_y = np.asarray(pose) * PIXEL
    z = head_depth(x, y)
    cos_yaw, sin_yaw, cos_pitch, sin_pitch = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    turned_x, depth = x * cos_yaw + z * sin_yaw, z * cos_yaw - x * sin_yaw
    turned_y = y * cos_pitch + depth * sin_pitch
    zoom, c, s = 1 + scale, np.cos(roll), np.sin(roll)
    moved = zoom * (c * turned_x - s * turned_y) + shift_x, zoom * (s * turned_x + c * turned_y) + shift_y
    return np.stack([moved[0] - x, moved[1] - y]).astype(np.float32)


def head_amount(script: Script) -> np.ndarray:
    """Share of the pose's path covered at each frame; 0..1, or there and back for a phase of 2.  -> [T]"""
    start, end = script.head_phase
    along = np.linspace(start, end, len(script.times))
    return np.where(along > 1, 2 - along, along) if end > 1 else 0.5 - 0.5 * np.cos(np.pi * along)


def _aligned(script: Script, size: int, extent: float) -> tuple[np.ndarray, np.ndarray]:
    """Face coordinates that the crop's pixels really show, after what the aligner got wrong.  -> [S, S], [S, S]"""
    dx, dy, turn, scale = script.camera.align
    x, y = face_grid(size, extent)
    c, s = np.cos(turn) * scale, np.sin(turn) * scale
    return (c * x - s * y + dx).astype(np.float32), (s * x + c * y + dy).astype(np.float32)


def _at(grid: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Sample a face-coordinate grid [S, S, ...] at face coordinates; zero outside."""
    size = grid.shape[0]
    return cv2.remap(grid, (x + 1) * (size / 2) - 0.5, (y + 1) * (size / 2) - 0.5, cv2.INTER_LINEAR)


def displacement(actor: Actor, script: Script) -> np.ndarray:
    """Where the skin went by AUs alone since rest, in pixels at 64.  -> [T, 2, S, S]"""
    total = np.zeros((len(script.times), 2, GRID, GRID), np.float32)
    for m in script.movements:
        total += m.amount(script.times)[:, None, None, None].astype(np.float32) * actor.field(m.au, m.side)
    return total


def moved(actor: Actor, script: Script, movement: Movement, size: int = 64) -> np.ndarray:
    """How far one AU has moved each pixel of the crop since the first frame, in pixels at 64.  -> [T, S, S]"""
    field = _at(actor.field(movement.au, movement.side).transpose(1, 2, 0), *_aligned(script, size, 1.0))
    amount = movement.amount(script.times)
    return np.abs(amount - amount[0])[:, None, None] * np.hypot(*field.transpose(2, 0, 1))


def render(actor: Actor, script: Script, size: int = 64, *, colour: bool = False, extent: float = 1.0) -> np.ndarray:
    """Frames of a script as the aligned crop [-extent, extent] shows them, 0..1.  -> [T, S, S] or [T, S, S, 3]

    Drawn at twice the size and reduced, so that fine texture does not alias.
    """
    return _expose(_pictures(actor, script, size, colour, extent), script, size)


def _pictures(actor: Actor, script: Script, size: int, colour: bool, extent: float) -> Iterator[np.ndarray]:
    """One frame after the other, before light and camera.  -> [2S, 2S(, 3)] each"""
    skin, eyes = actor.colour if colour else actor.grey
    x, y = _aligned(script, 2 * size, extent)
    coarse_x, coarse_y = _aligned(script, size, extent)
    moving = [
        (
            m.amount(script.times).astype(np.float32),
            _at(actor.field(m.au, m.side).transpose(1, 2, 0), coarse_x, coarse_y),
            _at(actor.wrinkles(m.au, m.side), x, y),
        )
        for m in script.movements + script.others
    ]
    head = _at(actor.head, coarse_x, coarse_y) if extent <= 1 else _at_canvas(actor, coarse_x, coarse_y)
    apart = openings(script)
    for t, turned in enumerate(head_amount(script)):
        rigid = head_field(np.asarray(script.head) * turned, coarse_x, coarse_y).transpose(1, 2, 0) * head[..., None]
        shift = cv2.resize(rigid + sum(a[t] * PIXEL * f for a, f, _ in moving), (2 * size, 2 * size))
        turn = cv2.resize(rigid, (2 * size, 2 * size))
        before_x, before_y = x - turn[..., 0], y - turn[..., 1]  # where each pixel was before the head turned
        gaze = np.asarray(script.gaze, np.float32) * min(1.0, 2 * t / (len(script.times) - 1))
        frame = _compose(skin, eyes, x - shift[..., 0], y - shift[..., 1], before_x - gaze[0], before_y - gaze[1])
        if apart[t] > 0:
            frame = open_mouth(frame, apart[t], teeth_share(script), actor.identity.mouth, before_x, before_y)
        shade = sum(a[t] * WRINKLE_DEPTH * w for a, _, w in moving)
        yield frame * (1 - shade if frame.ndim == 2 else np.reshape(1 - shade, (*np.shape(shade), 1)))


def _at_canvas(actor: Actor, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return cv2.remap(actor.identity.head.astype(np.float32), _canvas(x), _canvas(y), cv2.INTER_LINEAR)


def _compose(skin, eyes, skin_x, skin_y, eye_x, eye_y) -> np.ndarray:
    """Lids and skin over eyeballs that move by themselves."""
    top = cv2.remap(skin, _canvas(skin_x), _canvas(skin_y), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    frame, hidden = np.ascontiguousarray(top[..., :-1]), top[..., -1]
    rows, columns = (np.flatnonzero((hidden < 1).any(axis)) for axis in (1, 0))
    if len(rows):  # eyeballs are drawn only where the lids leave them free: most of a frame is skin
        box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        below = cv2.remap(
            eyes, _canvas(eye_x[box]), _canvas(eye_y[box]), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        frame[box] += (1 - hidden[box])[..., None] * below.reshape(frame[box].shape)
    return frame if frame.shape[-1] == 3 else frame[..., 0]


def _expose(frames: Iterable[np.ndarray], script: Script, size: int) -> np.ndarray:
    """What light, lens, sensor and codec do to the frames.  T of [2S, 2S(, 3)] -> [T, S, S(, 3)]"""
    rng, camera, count = np.random.default_rng(script.seed), script.camera, len(script.times)
    x, y = face_grid(2 * size)
    slope = (camera.light[0] * x + camera.light[1] * y).astype(np.float32)
    exposed = []
    for t, frame in enumerate(frames):
        along = t / max(count - 1, 1)
        gain = 1 + camera.gain[0] * along + camera.gain[1] * rng.standard_normal() + slope * along
        frame = np.clip(frame, 0, 1) ** camera.gamma * (gain if frame.ndim == 2 else gain[..., None])
        if camera.blur > 0.15:
            frame = cv2.GaussianBlur(frame.astype(np.float32), (0, 0), camera.blur * 2 * size / 64)
        small = cv2.resize(_compress(frame, camera.jpeg), (size, size), interpolation=cv2.INTER_AREA)
        exposed.append(small + camera.noise * rng.standard_normal(small.shape, np.float32))
    return np.clip(np.stack(exposed), 0, 1).astype(np.float32)


def _compress(frame: np.ndarray, quality: int) -> np.ndarray:
    if not quality:
        return frame.astype(np.float32)
    coded = cv2.imencode(".jpg", np.clip(frame * 255, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(coded, cv2.IMREAD_UNCHANGED).astype(np.float32) / 255
