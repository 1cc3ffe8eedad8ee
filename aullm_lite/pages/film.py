"""A short clip as one still picture: its frames side by side, which a style sheet shows one after the other.

So any browser plays it, a visitor can stop it or see it at its true speed, it has a text for those who cannot see it,
and nothing is asked of another host.
"""

import base64
import io
from collections.abc import Sequence
from dataclasses import replace
from html import escape

import numpy as np
from PIL import Image

from ..synth.render import Actor, render
from ..synth.script import Script

MOVING, RESTING = 14, 5  # frames of the movement, and of the still face after it
SLOWER = 4  # how many times slower than life it plays at first: a micro-expression is too brief to be seen
EXTENT = 1.25  # what is shown in face coordinates: a little more than the model sees
QUALITY = 90  # of the JPEG; sizes in pixels are multiples of 16, its blocks, so that frames do not bleed into others

SWITCHES = """<div class="au-switches"><label><input type="checkbox" class="au-halt"> Stop or play</label>
<label><input type="checkbox" class="au-true"> True speed</label></div>"""
HALT = '<div class="au-switches"><label><input type="checkbox" class="au-halt"> Stop or play all faces</label></div>'

CSS = """
.au-gate { width: var(--size); height: var(--size); overflow: hidden; clip-path: inset(1px round 10px); }
.au-gate img { display: block; width: calc(var(--size) * var(--n)); max-width: none; height: var(--size);
  animation: au-film var(--s) steps(var(--n)) infinite; }
@keyframes au-film { to { transform: translateX(-100%); } }
.au-stage:has(.au-halt:checked) .au-gate img { animation-play-state: paused; }
.au-stage:has(.au-true:checked) .au-gate img { animation-duration: calc(var(--s) / var(--slower)); }
.au-switches { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; font-size: .9rem; }
.au-switches label { display: flex; align-items: center; gap: .45rem; min-height: 24px; cursor: pointer; }
.au-switches input { width: 18px; height: 18px; accent-color: #007a5e; }
.gradio-container .au-switches input:focus-visible { outline: 2px solid var(--au-present); outline-offset: 2px; }
@media (prefers-reduced-motion: reduce) {
  .au-gate img { animation-play-state: paused; }
  .au-stage:has(.au-halt:checked) .au-gate img { animation-play-state: running; }
}
"""


def filmed(actor: Actor, script: Script, seconds: float, size: int) -> np.ndarray:
    """A script in colour, larger and with more frames than the model sees, then at rest.  -> uint8 [N, S, S, 3]"""
    shown = replace(script, times=np.linspace(0, seconds, MOVING))
    frames = (render(actor, shown, size, colour=True, extent=EXTENT) * 255 + 0.5).astype(np.uint8)
    return np.concatenate([frames, np.repeat(frames[-1:], RESTING, 0)])


def film_html(frames: Sequence[np.ndarray], seconds: float, alt: str, size: int) -> str:
    """Frames that play in a loop of `seconds`, `size` pixels wide.  N of uint8 [S, S, 3] -> str"""
    strip = np.concatenate(list(frames), axis=1)  # [S, N * S, 3]
    look = f"--n:{len(frames)};--s:{seconds:.2f}s;--slower:{SLOWER};--size:{size}px"
    return f'<div class="au-gate" style="{look}"><img src="{photo_address(strip)}" alt="{escape(alt)}"></div>'


def loop_seconds(seconds: float) -> float:
    """How long one round of `filmed` takes, slowed down."""
    return SLOWER * seconds * (MOVING + RESTING) / MOVING


def photo_address(rgb: np.ndarray) -> str:
    """A picture as a data address, smaller than `page.picture_address` and not exact.  uint8 [H, W, 3] -> str"""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
