"""Motion: Lucas-Kanade in torch against the optical flow of OpenCV and scikit-image, and all of them against the truth.

SynthME moves each point of the skin by a known displacement field, so the flow from the first frame to each later one
is known, and so is the part of it that the head made.
"""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import torch
from skimage.registration import optical_flow_ilk, optical_flow_tvl1

from aullm_lite.bench import in_turns
from aullm_lite.facs import face_grid
from aullm_lite.motion import LucasKanadeMotion
from aullm_lite.synth.dataset import HELD_OUT, tier_recipe
from aullm_lite.synth.drawn import draw_identity
from aullm_lite.synth.photo import astronaut
from aullm_lite.synth.render import Actor, displacement, head_amount, head_field, render
from aullm_lite.synth.script import PIXEL, Camera, Script

SIZE, PEOPLE, CLIPS = 64, 6, 6
MOVES = 0.2  # pixels at 64: from here on skin counts as moved by an Action Unit
DIS = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
Flow = Callable[[np.ndarray, np.ndarray], np.ndarray]  # uint8 [H, W] onset and later -> [2, H, W]

NOTE = """\
Milliseconds for the five fields of one clip.  Errors are mean distances from the true displacement in pixels of the
64-pixel crop: `all` of the whole flow on the whole head; the others on skin that an Action Unit moves by more than 0.2
pixels, when the head's movement is taken away: `less median`, as is the custom, and `less rigid`, by the fit of our
model, here for all.  The time is that of the first for peers, of the second for ours.  `no flow` answers zero."""


def dis(onset: np.ndarray, later: np.ndarray) -> np.ndarray:
    return np.moveaxis(DIS.calc(onset, later, None), -1, 0)


def dis_enlarged(onset: np.ndarray, later: np.ndarray) -> np.ndarray:
    """DIS leaves out the finest level of its pyramid, so it sees more of an enlarged frame."""
    onset, later = (cv2.resize(frame, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC) for frame in (onset, later))
    flow = cv2.resize(DIS.calc(onset, later, None), (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return np.moveaxis(flow, -1, 0) / 2


def farneback(onset: np.ndarray, later: np.ndarray) -> np.ndarray:
    """With the values of OpenCV's tutorial."""
    return np.moveaxis(cv2.calcOpticalFlowFarneback(onset, later, None, 0.5, 3, 15, 3, 5, 1.2, 0), -1, 0)


def tv_l1(onset: np.ndarray, later: np.ndarray) -> np.ndarray:
    return optical_flow_tvl1(onset / np.float32(255), later / np.float32(255))[::-1]  # rows, columns -> x, y


def iterative_lk(onset: np.ndarray, later: np.ndarray) -> np.ndarray:
    return optical_flow_ilk(onset / np.float32(255), later / np.float32(255))[::-1]


PEERS: dict[str, Flow] = {
    "OpenCV DIS": dis,
    "OpenCV DIS, frames enlarged twice": dis_enlarged,
    "OpenCV Farneback": farneback,
    "scikit-image TV-L1": tv_l1,
    "scikit-image iterative LK": iterative_lk,
}


def script_of(seed: tuple, head: str) -> Script:
    """A clip whose skin is moved by Action Units, and by the head unless it is `still`, through a usual camera."""
    drawn = tier_recipe("standard", head=head, none=0.0)(np.random.default_rng(seed))
    camera = replace(drawn.camera, align=Camera().align)
    head = (0.0,) * 6 if head == "still" else drawn.head
    return replace(drawn, head=head, others=(), gaze=(0.0, 0.0), camera=camera)


def follow(shifts: np.ndarray) -> np.ndarray:
    """Flow of the first frame's points, where `shifts` say what came to each pixel.  [T, 2, S, S] -> [T-1, 2, S, S]

    A pixel q shows the skin that rests at q - shift(q); so the skin that the first frame shows at p is later at the q
    for which q - shift(q) = p - first shift(p), found by iteration.
    """
    pixels = np.stack(np.meshgrid(*[np.arange(shifts.shape[-1], dtype=np.float32)] * 2))
    rest, flows = pixels - shifts[0], []
    for shift in shifts[1:]:
        at = pixels
        for _ in range(10):
            at = rest + np.stack([cv2.remap(s, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for s in shift])
        flows.append(at - pixels)
    return np.stack(flows)


def true_flow(actor: Actor, script: Script) -> tuple[np.ndarray, np.ndarray]:
    """The flow of a clip, and what of it Action Units made, in pixels at 64.  -> [T-1, 2, S, S] twice"""
    x, y = face_grid(SIZE)
    turned = [head_field(np.asarray(script.head) * share, x, y) * actor.head for share in head_amount(script)]
    rigid = (np.stack(turned) / PIXEL).astype(np.float32)
    whole = follow(rigid + displacement(actor, script))
    return whole, whole - follow(rigid)


def film(actors: list[Actor], head: str) -> dict[str, np.ndarray]:
    """Clips of some actors with their truth: `clips` uint8 [B, T, S, S], `all` and `au` [B, T-1, 2, S, S], `head`"""
    orders = [(actor, (HELD_OUT, n, clip)) for n, actor in enumerate(actors) for clip in range(CLIPS)]
    pairs = [(actor, script_of(seed, head)) for actor, seed in orders]
    truths = [true_flow(actor, script) for actor, script in pairs]
    return {
        "clips": np.stack([(render(actor, script, SIZE) * 255 + 0.5).astype(np.uint8) for actor, script in pairs]),
        "all": np.stack([whole for whole, _ in truths]),
        "au": np.stack([au for _, au in truths]),
        "head": np.stack([actor.head > 0.5 for actor, _ in pairs]),
    }


def films() -> dict[str, dict[str, np.ndarray]]:
    """Drawn people whom training has not seen, and the astronaut."""
    drawn = [Actor(draw_identity(HELD_OUT + n), HELD_OUT + n) for n in range(PEOPLE)]
    photo = [Actor(astronaut(), n) for n in range(PEOPLE)]  # one face, each time with another anatomy
    return {
        "drawn, heads still": film(drawn, "still"),
        "drawn, heads move": film(drawn, "moving"),
        "photograph, head moves": film(photo, "moving"),
    }


def as_floats(clips: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(clips).float() / 255


def theirs(flow: Flow, clips: np.ndarray) -> np.ndarray:
    """The flow of a peer, frame by frame.  uint8 [B, T, S, S] -> [B, T-1, 2, S, S]"""
    return np.array([[flow(clip[0], later) for later in clip[1:]] for clip in clips], np.float32)


def less_median(whole: np.ndarray) -> np.ndarray:
    return whole - np.median(whole, axis=(-2, -1), keepdims=True)


def less_rigid(motion: LucasKanadeMotion, clips: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """A flow without the rigid head that our model fits to it.  [B, T, S, S], [B, T-1, 2, S, S] -> the latter"""
    texture = motion.flow(as_floats(clips))[1].repeat_interleave(whole.shape[1], 0)
    flow = torch.from_numpy(whole).flatten(0, 1)
    return (flow - motion.rigid(flow, texture)).view(whole.shape).numpy()


def errors(motion: LucasKanadeMotion, film: dict, whole: np.ndarray) -> dict:
    """Mean endpoint errors of all flow on the head, and of what Action Units do to the skin, in both ways."""
    on_head = np.broadcast_to(film["head"][:, None], whole[:, :, 0].shape)
    moved = on_head & (np.linalg.norm(film["au"], axis=2) > MOVES)
    distance = lambda found, true: np.linalg.norm(found - film[true], axis=2)  # noqa: E731
    return {
        "all": float(distance(whole, "all")[on_head].mean()),
        "au_median": float(distance(less_median(whole), "au")[moved].mean()),
        "au_rigid": float(distance(less_rigid(motion, film["clips"], whole), "au")[moved].mean()),
    }


@torch.no_grad()
def speed(motion: LucasKanadeMotion, flow: Flow, clips: np.ndarray, rounds: int = 15) -> dict:
    """Milliseconds for one clip, in turns, each side with its usual way to take the head away."""
    ours, peer = (lambda: motion(as_floats(clips))), (lambda: less_median(theirs(flow, clips)))
    one, other = in_turns(ours, peer, rounds)
    return {"ours_ms": one * 1000, "peer_ms": other * 1000, "ratio": other / one}


def compare() -> list[dict]:
    """A row for each film and method: errors, and for each peer its speed beside ours."""
    motion, rows = LucasKanadeMotion(SIZE), []
    for name, film in films().items():
        clips = film["clips"]
        whole = motion.flow(as_floats(clips))[0].numpy()
        rows.append({"film": name, "method": "ours", **errors(motion, film, whole)})
        for peer, flow in PEERS.items():
            found = errors(motion, film, theirs(flow, clips))
            rows.append({"film": name, "method": peer, **found, **speed(motion, flow, clips[:1])})
        rows.append({"film": name, "method": "no flow", **errors(motion, film, 0 * whole)})
    return rows
