# %% [markdown]
# # 02 · Why is the face looked for only once?
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/au-llm-lite/au-llm-lite/blob/main/notebooks/02_preprocessing.ipynb)
#
# | read 15 min · run 1 min (full: 1 min) | CPU, 2 GB | one photograph, 0 MB | needs: [01](01_facs_and_faces.ipynb) | next: [03](03_motion.ipynb) |
# |---|---|---|---|---|
#
# After this you can
# - bring any face to the same place, size and angle with two points and one transform,
# - take six frames of a clip by time, and say what goes wrong by number,
# - find onset and apex of a movement, and say what such a finder cannot tell.
#
# `video → [ ALIGNED CLIP: you are here ] → motion → 3D-CNN → one token → language model → Action Units`

# %%
import sys
from importlib.util import find_spec

if "google.colab" in sys.modules and not find_spec("aullm_lite"):
    package = "aullm-lite @ git+https://github.com/au-llm-lite/au-llm-lite@v0.1.0"
    get_ipython().run_line_magic("pip", f"install -q '{package}'")
import cv2
import matplotlib.pyplot as plt
import numpy as np
import torch

from aullm_lite.teach import check_fn, drawing, score, setup, show

course = setup(seed=0)

# %% [markdown]
# ## From a photograph to face coordinates
#
# The astronaut is a real photograph in the public domain. Two small networks find her face: BlazeFace a box, FaceMesh 468
# points in it. Look at the two crosses on the eyes, left in the photograph and right in the crop.

# %%
from skimage import data

from aullm_lite.faces import FaceFinder, align, face_transform
from aullm_lite.facs import EYES

photo, finder = data.astronaut(), FaceFinder()
face = finder.find(photo)[0]
crop = align(photo, face_transform(face, 192), 192)  # [192, 192, 3]
figure, axes = plt.subplots(1, 2, figsize=(5, 2.6))
for ax, image, eyes, name in ((axes[0], photo, face.eyes, "photograph"),
                              (axes[1], crop, (np.array(EYES) + 1) * 96 - 0.5, "aligned crop")):
    ax.imshow(image)
    ax.plot(*np.transpose(eyes), "+", color="#ff9f1c", markersize=10, mew=2)
    ax.set_title(name)
    ax.set_axis_off()
axes[0].plot(*face.landmarks[:, :2].T, ",", color="white")
show(figure, alt="Left the photograph with points on the face, right the face alone, "
     "cut from forehead to chin, with a cross on each eye")

# %% [markdown]
# The crop is where all later notebooks begin. In it the eyes lie at fixed places, in every clip of every person. So the
# brows, the nose and the mouth lie *about* where they always do, and a network need not look for them.
#
# An eye's centre is the mean of its two corners. Lids and brows would not do: Action Units move them.

# %% [markdown]
# ## Two points, four unknowns
#
# A *similarity transform* scales by $s$, turns by $\varphi$ and shifts by $t$, and does nothing else:
#
# $$\begin{pmatrix} x' \\ y' \end{pmatrix} = s \begin{pmatrix} \cos\varphi & -\sin\varphi \\ \sin\varphi & \cos\varphi
# \end{pmatrix} \begin{pmatrix} x \\ y \end{pmatrix} + \begin{pmatrix} t_x \\ t_y \end{pmatrix}$$
#
# Each eye gives two equations. Two eyes give four, for four unknowns: exactly one transform brings both eyes to their places.
# It cannot stretch a face: a narrow mouth stays narrow.

# %% [markdown]
# ### Exercise 2.1: the transform from two eyes (★★☆ · 10 min)
# Rows of `eyes` and `target` are points, x before y; row 0 is the eye at the image's left. Return the matrix and, as last
# column, the shift.
#
# <details><summary>Hint 1</summary>
#
# From one eye to the other is a vector. As complex numbers $dx + i\,dy$, target vector divided by eye vector is
# $s\,(\cos\varphi + i\sin\varphi)$: its real and imaginary part are all that the matrix needs.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The shift brings the *turned* midpoint of the eyes to the midpoint of the target.
#
# </details>

# %% tags=["exercise"]
def similarity(eyes, target):  # [2, 2], [2, 2] -> [2, 3]
    ...


# %% tags=["check"]
def reference(eyes, target):
    """The four equations, solved for s cos, s sin and the shift."""
    rows = [row for x, y in eyes for row in ([x, -y, 1, 0], [y, x, 0, 1])]
    a, b, dx, dy = np.linalg.solve(rows, target.ravel())
    return np.array([[a, -b, dx], [b, a, dy]])


check_fn("2.1", similarity, reference, np.random.rand(2, 2) * 9, np.random.rand(2, 2) * 9,
         hint="turn and scale first, and shift by what is then missing between the midpoints")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why no third point is needed, then open the solution</summary>
#
# Scale, turn and shift are four numbers, and two points with two coordinates each fix them.
#
# ```python
# def similarity(eyes, target):
#     (ax, ay), (bx, by) = eyes[1] - eyes[0], target[1] - target[0]
#     factor = complex(bx, by) / complex(ax, ay)
#     turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
#     return np.column_stack([turn, target.mean(0) - turn @ eyes.mean(0)])
# ```
#
# </details>

# %% [markdown]
# The package has it as `face_transform`. Next we turn and scale the photograph before the face is looked for. Compare the
# three crops in the second row.
#
# > **Predict.** Suppose the head had turned to the *side*, towards a shoulder. Which part of the crop could no longer fit,
# > although both eyes do?

# %%
views = [cv2.warpAffine(photo, cv2.getRotationMatrix2D((224, 120), angle, zoom), (512, 512))
         for angle, zoom in ((0, 1.0), (20, 0.85), (-15, 1.2))]
crops = [align(view, face_transform(finder.find(view)[0], 64), 64) for view in views]
small = [cv2.resize(view, (96, 96), interpolation=cv2.INTER_AREA) for view in views]
drawing.frames(np.stack(small) / 255, ["as it is", "turned, smaller", "turned, larger"],
               alt="The photograph upright, turned left and smaller, turned right and larger")
drawing.frames(np.stack(crops) / 255, ["its crop", "its crop", "its crop"],
               alt="Three crops of the face that look alike: upright, same size, same place")

# %% [markdown]
# Turn, size and place are gone. What a similarity cannot undo is a head turned to the side: then nose and mouth slide
# over to one half of the crop, and the eyes come closer together, so the rest gets too large. Such faces are out of the
# reach of this package.

# %% [markdown]
# ## Once for a clip, or anew in each frame?
#
# A video has many frames. One could find the face in each of them and align each by its own eyes. Then even a moving head
# would stand still in the crop.
#
# > **Predict.** The finder errs by a little in each frame, up one time, down the next. What do these errors look like to a
# > program that looks for movements of one pixel?

# %% [markdown]
# To measure it we need a clip with a known truth. We let AU12 pull the astronaut's lip corners by one pixel of the 64-pixel
# crop. We call that shape a *smile*: a form of the mouth, not a feeling. Nothing else moves: no head, no camera. Each frame gets the noise of a sensor, and the clip is written as a real video file and
# read back.

# %%
import tempfile
from pathlib import Path

from aullm_lite.synth.photo import astronaut
from aullm_lite.synth.render import Actor, render
from aullm_lite.synth.script import Camera, Movement, Script
from aullm_lite.video import open_video, write_video

rate = course.pick(100, 200)  # frames a second
smile = Movement(au=12, side="both", peak=1.0, onset=0.15, apex=0.3, offset=0.5)
script = Script(np.arange(rate * 3 // 5) / rate, (smile,), camera=Camera(noise=0.012), seed=1)
drawn = render(Actor(astronaut(), 1), script, 256, colour=True, extent=1.5)  # [T, 256, 256, 3]
with tempfile.TemporaryDirectory() as folder:
    write_video(Path(folder) / "clip.mp4", (drawn * 255).astype(np.uint8), rate)
    frames = list(open_video(Path(folder) / "clip.mp4").frames())
times = np.array([frame.time for frame in frames])  # [T] seconds
faces = [finder.find(frame.rgb)[0] for frame in frames]
anew = np.stack([face_transform(face, 64) for face in faces])  # [T, 2, 3], one for each frame

# %% [markdown]
# ### Exercise 2.2: how far does a still point travel? (★★☆ · 8 min)
# `point` is a fixed place in the video. Each frame's transform puts it somewhere in that frame's crop. Return the distance
# from where the first frame puts it, in pixels of the crop.
#
# <details><summary>Hint</summary>
#
# `transforms[:, :, :2] @ point` turns and scales for all frames at once; the shift is `transforms[:, :, 2]`.
#
# </details>

# %% tags=["exercise"]
def travel(transforms, point):  # [T, 2, 3], [2] -> [T]
    ...


# %% tags=["check"]
def reference(transforms, point):
    landed = np.stack([cv2.transform(point[None, None], one)[0, 0] for one in transforms])  # [T, 2]
    return np.linalg.norm(landed - landed[0], axis=1)


check_fn("2.2", travel, reference, np.random.rand(5, 2, 3), np.random.rand(2),
         hint="turn, scale and shift the point, subtract the first place, then take the length")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why one transform for the clip would give zeros, then open the solution</summary>
#
# A fixed place goes through the same transform each time, so it lands in the same place each time.
#
# ```python
# def travel(transforms, point):
#     landed = transforms[:, :, :2] @ point + transforms[:, :, 2]
#     return np.linalg.norm(landed - landed[0], axis=1)
# ```
#
# </details>

# %% [markdown]
# Now the place where the lip corner lies in the first frame. Compare the dots, which are nothing but errors of the finder,
# with the line: that is how far the smile really moves the skin.

# %%
place = faces[0].landmarks[61, :2]  # lip corner at the image's left
shaken = reference(anew, place)
figure, ax = plt.subplots(figsize=(6.5, 2.8))
ax.plot(times, smile.amount(times), "-", label="the smile, truth")
ax.plot(times, shaken, ".:", label=f"a still place, face found anew: up to {shaken.max():.1f}")
ax.plot(times, 0 * times, "--", label="a still place, face found once: 0")
ax.set(xlabel="time, seconds", ylabel="way, pixels of the crop")
ax.legend(loc="upper left", bbox_to_anchor=(0, 1.4))
show(figure, alt="A smooth hump of one pixel, and dots that jump by a good part of a pixel")

# %% [markdown]
# The dots jump from frame to frame, also before the smile, when nothing moves at all, and most during it: the finder
# follows the mouth. Smaller movements than this one would
# drown in them: the weakest that our generated clips hold are 0.15 pixels. To see what a network would see, we subtract the
# first crop from a later one, before the smile begins.

# %%
from aullm_lite.windows import grey


def aligned(transforms):
    """Grey crops, each frame by its own transform.  [T, 2, 3] -> [T, 64, 64]"""
    return np.stack([align(grey(f.rgb), one, 64) / 255 for f, one in zip(frames, transforms)])


clip, shaky = aligned(np.repeat(anew[:1], len(anew), axis=0)), aligned(anew)
still = int(shaken[times < smile.onset].argmax())  # the worst frame in which nothing has moved yet
drawing.maps([clip[still] - clip[0], shaky[still] - shaky[0]], ["found once", "found anew"],
             unit="change of grey value",
             alt="Left nothing but faint noise, right outlines of eyes, nose, mouth and hair")

# %% [markdown]
# Found anew, every edge of the face seems to move. So the package looks for the face **once** and sends all frames of a
# clip through that one transform. If it errs, it errs by the same amount in each frame, and motion is a difference between
# frames.
#
# The price: a head that moves now moves in the crop too. That movement is real, smooth and rigid, and the next notebook
# measures it and takes it away.

# %% [markdown]
# ## Six frames, by time
#
# The model looks at $T = 6$ frames. Cameras drop frames, phones vary their rate, and numbers on files have gaps. So we ask
# for *times*, evenly spaced, and mix the two frames around each wanted time $w$:
#
# $$\text{frame}(w) = (1-a)\,\text{left} + a\,\text{right},\quad a = \frac{w - t_\text{left}}{t_\text{right} - t_\text{left}}$$
#
# > **Predict.** A camera loses frames during the *first* half of a movement. You pick six frames evenly by number. Does the
# > movement seem to begin too fast or too slowly?

# %% [markdown]
# ### Exercise 2.3: frames by time (★★☆ · 8 min)
# `times` rise, but not evenly. All of `wanted` lie between the first and the last of them.
#
# <details><summary>Hint 1</summary>
#
# `np.searchsorted(times, wanted)` is the index of the frame to the right. At the very first time it is 0: clip it to 1.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The share needs two more axes before it can be multiplied with pictures: `share[:, None, None]`.
#
# </details>

# %% tags=["exercise"]
def sample(times, pictures, wanted):  # [N], [N, H, W], [T] -> [T, H, W]
    ...


# %% tags=["check"]
from aullm_lite.windows import sample_clip

uneven = np.cumsum(np.random.rand(7) + 0.1)
wanted = np.linspace(uneven[0], uneven[-1], 5)
check_fn("2.3", sample, sample_clip, uneven, np.random.rand(7, 3, 4), wanted,
         hint="a wanted time near the left frame gets nearly all of the left frame")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why two neighbours are enough, then open the solution</summary>
#
# Between two frames nothing was seen, so a straight line from one to the next claims the least.
#
# ```python
# def sample(times, pictures, wanted):
#     right = np.searchsorted(times, wanted).clip(1, len(times) - 1)
#     left = right - 1
#     share = ((wanted - times[left]) / (times[right] - times[left]))[:, None, None]
#     return pictures[left] * (1 - share) + pictures[right] * share
# ```
#
# </details>

# %% [markdown]
# A camera takes 200 frames a second, and from 0.25 seconds on only 40. The ticks at the bottom are its frames. Look for
# the six markers of each kind, left where they lie in time, right as the model gets them.

# %%
camera = np.concatenate([np.arange(50) / 200, 0.25 + np.arange(11) / 40])  # [N] seconds
moved = Movement(12, "both", 1.0, 0.1, 0.25, 0.4).amount(camera)  # [N] pixels
number = np.linspace(0, len(camera) - 1, 6).round().astype(int)
even = np.linspace(0, 0.5, 6)
by_time = sample_clip(camera, moved[:, None, None], even)[:, 0, 0]
figure, (left, right) = plt.subplots(1, 2, figsize=(7, 2.7), sharey=True)
left.plot(camera, moved, "-", color="lightgrey")
left.plot(camera, 0 * camera - 0.1, "|", color="grey")
for name, at, values, mark in (("by number", camera[number], moved[number], "s"),
                               ("by time", even, by_time, "o")):
    left.plot(at, values, mark, label=name)
    right.plot(range(6), values, mark + "-")
left.set(xlabel="time, seconds", ylabel="movement, pixels")
right.set(xlabel="frame that the model sees")
left.legend()
show(figure, alt="By time the six values rise and fall; by number they creep up and drop at once")

# %% [markdown]
# By number, most frames lie where the camera was quick: the rise looks slow and the fall looks like a jump. By time, rise
# and fall keep their shape; the top, which lies between two of the six, is lost. Frames lost in the first half would turn it round: a rise at once, a slow fall.
#
# That is why `video.py` keeps the true time of every frame, and why a gap in file numbers counts as a gap in time.

# %% [markdown]
# ## When did it move?
#
# Annotators mark the *onset*, where a movement begins, and the *apex*, where it is largest. Without annotators, the
# movement itself must tell. *Motion energy* is the mean way of the skin since the first frame, in the region of one Action
# Unit. Its largest value is the apex. But the onset? With noise it is never quite zero. So we say: the onset is where the
# curve last crosses a quarter of its peak on the way up.

# %% [markdown]
# ### Exercise 2.4: onset and apex (★★★ · 10 min)
# Return two times. For the onset, go from the apex *back* to the nearest value at or below `edge` times the peak, and
# interpolate between it and the next one.
#
# <details><summary>Hint</summary>
#
# With `at = energy.argmax()`, `np.flatnonzero(energy[:at] <= level)[-1]` is the last low value. `np.interp(level, two energies, two times)` gives the
# time at which the line between two points reaches the level.
#
# </details>

# %% tags=["exercise"]
def onset_and_apex(times, energy, edge):  # [T], [T], number -> two times
    ...


# %% tags=["check"]
from aullm_lite.events import movement_span

seconds = np.array([0, 0.05, 0.1, 0.15, 0.25, 0.3, 0.4, 0.45])
twitch = np.array([0, 0.7, 0.1, 0.3, 0.9, 2.0, 1.2, 0.2])  # a brief jump comes before the movement
check_fn("2.4", onset_and_apex, lambda *given: movement_span(*given)[:2], seconds, twitch, 0.25,
         hint="the level is a share of the peak; what came before the last low value is past")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why the search goes backwards from the apex, then open the solution</summary>
#
# An earlier twitch may cross the level too, but it belongs to another movement.
#
# ```python
# def onset_and_apex(times, energy, edge):
#     at = int(energy.argmax())
#     level = edge * energy[at]
#     low = np.flatnonzero(energy[:at] <= level)[-1]
#     onset = np.interp(level, energy[low : low + 2], times[low : low + 2])
#     return float(onset), float(times[at])
# ```
#
# </details>

# %% [markdown]
# Now the smile of the astronaut, measured with the flow that the next notebook builds. The package's `movement_span` finds
# onset, apex and offset.
#
# > **Predict.** The skin leaves rest slowly, along a cosine. Will the found onset be early or late, and which way will the
# > found offset be wrong?

# %%
from aullm_lite.events import region_energy
from aullm_lite.facs import region_mask
from aullm_lite.motion.lucas_kanade import LucasKanadeMotion

motion = LucasKanadeMotion()(torch.from_numpy(clip)[None])  # [1, 2, T-1, H, W]
masks = torch.from_numpy(np.stack([region_mask(au) for au in (12, 1)]))  # [K, H, W]
figure, ax = plt.subplots(figsize=(6.5, 2.8))
energies = region_energy(motion, masks)[0].numpy()  # [K, T]
names = ("around the lip corners, AU12", "at the inner brows, AU1")
for energy, name, line in zip(energies, names, ("-", "--")):
    found = movement_span(times, energy)
    drawn_line, = ax.plot(times, energy, line, label=name)
    ax.plot(found, np.interp(found, times, energy), "o", color=drawn_line.get_color())
for name in ("onset", "apex", "offset"):
    at = getattr(smile, name)
    ax.axvline(at, color="grey", linestyle=":")
    ax.annotate(f"true {name}", (at, 1), xycoords=("data", "axes fraction"), ha="center")
ax.set(xlabel="time, seconds", ylabel="energy, pixels", ylim=(0, None))
ax.legend(ncols=2, loc="upper left", bbox_to_anchor=(0, 1.3))
show(figure, alt="A hump at the lip corners, dots near the true times; nearly flat at the brows")

# %% [markdown]
# The energy peaks below the one pixel that the lip corner moves: it is a mean over the region. The apex lies near the true
# one. The onset comes late and the offset early, by about a third of the rise and of the
# fall: along a cosine, a quarter of the height is reached after a third of the time.
#
# **Where it fails.** The brows have dots too, although no brow moved: noise also has a largest value. `movement_span` says
# *when*, never *whether*. The package asks it only where the model's probability is high enough (`find_events`).

# %% [markdown]
# ## What you have now
#
# - Two eye centres fix one similarity transform, and with it every face lies in the same coordinates.
# - One transform for a clip, not one for each frame: errors of a finder would look like movement.
# - Six frames evenly in time, mixed from their neighbours.
# - Onset and apex from energy, for a movement that somebody else has made sure of.
#
# What can go wrong: a blink or a blur in the first frame, a face turned far to the side, a camera that is slower than the
# movement.
#
# Not known: how large the movements of real micro-expressions are in these pixels. We have no licensed data to measure it on.
#
# Sources: BlazeFace: Bazarevsky et al. 2019, arXiv 1907.05047. FaceMesh: Kartynnik et al. 2019, arXiv 1907.06724. Words:
# [glossary](glossary.md). Next: [which way the skin went](03_motion.ipynb).

# %%
score(4)
