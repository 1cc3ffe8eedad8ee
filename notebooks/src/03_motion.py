# %% [markdown]
# # 03 · Which way did the skin go?
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/au-llm-lite/au-llm-lite/blob/main/notebooks/03_motion.ipynb)
#
# | read 15 min · run 1 min (full: 1 min) | CPU, 2 GB | synthetic, 0 MB | needs: [02](02_preprocessing.ipynb) | next: [04](04_backbone.ipynb) |
# |---|---|---|---|---|
#
# After this you can
# - build the paper's motion filter from its formula,
# - build optical flow from two equations in two unknowns,
# - say why one of them carries over to faces that no training has seen.
#
# `video → aligned clip → [ MOTION: you are here ] → 3D-CNN → one token → language model → Action Units`

# %%
import sys
from importlib.util import find_spec

if "google.colab" in sys.modules and not find_spec("aullm_lite"):
    package = "aullm-lite @ git+https://github.com/au-llm-lite/au-llm-lite@v0.1.0"
    get_ipython().run_line_magic("pip", f"install -q '{package}'")
import matplotlib.pyplot as plt
import numpy as np
import torch

from aullm_lite.teach import check, check_fn, drawing, play, score, setup, show

course = setup(seed=0)

# %% [markdown]
# ## A smile of one and a half pixels
#
# We draw a person and let one Action Unit move: AU12 pulls the lip corners, by 1.5 pixels at the peak. Look for the
# movement in the frames first. Then look at the arrows below them.

# %%
from aullm_lite.motion.lucas_kanade import LucasKanadeMotion, blur, gaussian_matrix, gradient
from aullm_lite.synth.drawn import draw_identity
from aullm_lite.synth.render import Actor, displacement, render
from aullm_lite.synth.script import Movement, Script

smile = Movement(au=12, side="both", peak=1.5, onset=0.0, apex=0.3, offset=0.6)
script = Script(times=np.linspace(0, 0.3, 6), movements=(smile,))
clip = torch.from_numpy(render(Actor(draw_identity(11), 11), script))  # [T, H, W]
drawing.frames(clip, [f"frame {t}" for t in range(6)],
               alt="Six frames of a drawn face; the smile can hardly be seen")
flow = LucasKanadeMotion()(clip[None])[0]  # [2, T-1, H, W]
drawing.arrows(clip[0], flow[:, [1, 4]].transpose(0, 1), ["frame 2", "frame 5"],
               alt="Arrows at the lip corners point up and outwards, longer in frame 5")

# %% [markdown]
# The arrows are four times as long as the movement. They sit at the lip corners and point up and outwards. In the frames
# themselves the smile could hardly be seen. So the rest of the model never looks at frames: it looks at motion. This
# notebook builds three ways to measure it.
#
# ## First try: subtract
#
# The simplest motion is a difference: each later frame minus the first one, the *onset*.
#
# > **Predict.** A dark lip corner moves up over bright skin. Which sign does the difference have just above the old place
# > of the corner, and which sign at the old place itself?

# %% [markdown]
# ### Exercise 3.1: difference of frames (★☆☆ · 3 min)
# Every later frame minus the onset, for a batch of clips.
#
# <details><summary>Hint</summary>
#
# `clips[:, :1]` keeps the time axis, so the subtraction broadcasts over it.
#
# </details>

# %% tags=["exercise"]
def frame_difference(clips):  # [B, T, H, W] -> [B, T-1, H, W]
    ...


# %% tags=["check"]
from aullm_lite.ablate.parts import FrameDifference

check_fn("3.1", frame_difference, lambda clips: FrameDifference()(clips)[:, 0], torch.rand(2, 6, 5, 7),
         hint="later frames are clips[:, 1:]; take the onset away from each of them")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why the result has one frame less, then open the solution</summary>
#
# The onset minus itself is zero in every clip, so it tells nothing.
#
# ```python
# def frame_difference(clips):
#     return clips[:, 1:] - clips[:, :1]
# ```
#
# </details>

# %%
difference = FrameDifference()(clip[None])[0, 0]
drawing.maps(difference[[0, 2, 4]], ["frame 1", "frame 3", "frame 5"], unit="change of grey value",
             alt="Thin lines of both signs along mouth and cheeks, where edges moved")

# %% [markdown]
# Darker (violet) where the corner arrived, brighter (orange) where it left. The difference is large only where an *edge*
# moved: it says that something changed, not where it went.
#
# ## The paper's way: Eulerian motion
#
# AU-LLM uses LED, *learnable Eulerian dynamics* (Varanka et al., SCIA 2023). At each pixel it keeps two running averages
# of the brightness, a quick one (rate $r_1$) and a slow one (rate $r_2$), and subtracts them. Brightness that stays as it is
# cancels; light that drifts during the clip does not. Written as weights from source frame $i$ to output frame $j$:
#
# $$W_{ij} = \alpha\left[(1-r_1)^{j-i}\, r_1^{\min(1,i)} - (1-r_2)^{j-i}\, r_2^{\min(1,i)}\right]\ (j>i),\qquad
# W_{ii} = \alpha\,(r_1-r_2),\qquad W_{ij} = 0\ (j<i)$$
#
# > **Predict.** What is the sum of a column $W_{\cdot j}$, $j \geq 1$? Think of a clip in which nothing moves.

# %% [markdown]
# ### Exercise 3.2: the Eulerian weights (★★☆ · 10 min)
# Build the matrix from its formula, frames counted from 0.
#
# <details><summary>Hint</summary>
#
# `lag = frame - frame[:, None]` holds $j-i$ in row $i$ and column $j$. Fill the part above the diagonal and the diagonal
# with `torch.where`, and let `torch.triu` clear the rest.
#
# </details>

# %% tags=["exercise"]
def eulerian_weights(frames, alpha, r1, r2):  # -> [T, T]
    ...


# %% tags=["check"]
from aullm_lite.motion.eulerian import EulerianMotion


def reference(frames, alpha, r1, r2):
    return EulerianMotion(frames, alpha=alpha, r1=r1, r2=r2).weights().detach()


check_fn("3.2", eulerian_weights, reference, 6, 10.0, 0.4, 0.05,
         hint="the onset (i = 0) has r to the power of 0, which is 1; the diagonal has a formula of its own")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence what a later column sums to, then open the solution</summary>
#
# To zero: each running average has weights that sum to one, and a still clip has no motion.
#
# ```python
# def eulerian_weights(frames, alpha, r1, r2):
#     frame = torch.arange(frames)
#     lag = (frame - frame[:, None]).clamp_min(0)
#     first = frame[:, None].clamp_max(1)
#     above = (1 - r1) ** lag * r1**first - (1 - r2) ** lag * r2**first
#     return alpha * torch.where(lag > 0, above, (r1 - r2) * torch.eye(frames))
# ```
#
# </details>

# %%
led = EulerianMotion()
drawing.maps([led.weights().detach()], ["weights"], unit="weight",
             alt="The weight matrix: a negative first row, positive on and above the diagonal")
drawing.maps(led(clip[None])[0, 0, [0, 2, 4]].detach(), ["frame 1", "frame 3", "frame 5"],
             unit="LED output", alt="Lines of both signs along the mouth, as in the difference")

# %% [markdown]
# Rows of the matrix are source frames, columns are outputs. The maps look like the difference: brightness that came and
# went at one place. That is what *Eulerian* means: the observer stays at the pixel. The sliders show what the two rates do
# to the output of a pixel that brightens within one frame; the figure shows three settings.

# %%
def response(r1=0.4, r2=0.05):
    """How LED answers a pixel that jumps from 0.2 to 0.6 in frame 2 and stays."""
    pixel = torch.tensor([0.2, 0.2, 0.6, 0.6, 0.6, 0.6])[None, :, None, None]
    answer = EulerianMotion(r1=r1, r2=r2)(pixel)[0, 0, :, 0, 0].detach()
    plt.plot(range(1, 6), answer, "o-", label=f"r1 {r1}, r2 {r2}")
    plt.gca().set(xlabel="frame", ylabel="LED output", xticks=range(1, 6), ylim=(-0.05, 0.7))
    plt.legend()


figure = plt.figure(figsize=(5, 2.8))
for rates in ((0.4, 0.05), (0.8, 0.05), (0.4, 0.3)):
    response(*rates)
show(figure, alt="Three curves jump at frame 2: larger r1 jumps higher, larger r2 falls back")

# %% tags=["widget"]
play(response, r1=(0.1, 0.9, 0.1), r2=(0.05, 0.85, 0.1))

# %% [markdown]
# A larger $r_1$ answers more at once. A larger $r_2$ forgets sooner: the slow average catches up, and the curve falls back.
#
# ## Our way: where did the skin go?
#
# *Lagrangian* motion follows the skin. Lucas and Kanade (1981) assume that a small patch keeps its brightness while it
# moves by $d = (d_x, d_y)$. To first order, each pixel of the patch gives one equation, with the gradient $g$ of the onset:
#
# $$g_x d_x + g_y d_y = e, \qquad e = \text{onset} - \text{later}$$
#
# One equation, two unknowns: a single pixel cannot tell. A patch has many pixels, so we solve for the $d$ that fits all of
# them best, weighted by a Gaussian window $\langle\cdot\rangle$:
#
# $$\begin{pmatrix} \langle g_x g_x\rangle & \langle g_x g_y\rangle \\ \langle g_x g_y\rangle & \langle g_y g_y\rangle
# \end{pmatrix} \begin{pmatrix} d_x \\ d_y \end{pmatrix} = \begin{pmatrix} \langle g_x e\rangle \\ \langle g_y e\rangle
# \end{pmatrix}$$

# %% [markdown]
# ### Exercise 3.3: solve two equations at every pixel (★★☆ · 10 min)
# Given the five windowed products, solve the 2x2 system. Add `ridge` to both numbers on the diagonal first: on smooth skin
# the gradients vanish, and without it you would divide by nearly nothing.
#
# <details><summary>Hint</summary>
#
# Cramer's rule: the determinant is `xx * yy - xy * xy`, and `dx = (yy * ex - xy * ey) / determinant`.
#
# </details>

# %% tags=["exercise"]
def solve(xx, xy, yy, ex, ey, ridge):  # five [H, W] -> [2, H, W]
    ...


# %% tags=["check"]
def reference(xx, xy, yy, ex, ey, ridge):
    matrix = torch.stack([torch.stack([xx + ridge, xy], -1), torch.stack([xy, yy + ridge], -1)], -2)
    return torch.linalg.solve(matrix, torch.stack([ex, ey], -1)).movedim(-1, 0)


(xx, yy), (xy, ex, ey) = 1 + torch.rand(2, 3, 4), torch.rand(3, 3, 4)
check_fn("3.3", solve, reference, xx, xy, yy, ex, ey, 0.5,
         hint="add the ridge to xx and yy first; dx comes first, and dy has xx * ey - xy * ex")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence what the ridge does to the flow on smooth skin, then open the solution</summary>
#
# It pulls the flow towards zero where the patch shows no texture, so that noise does not become motion.
#
# ```python
# def solve(xx, xy, yy, ex, ey, ridge):
#     xx, yy = xx + ridge, yy + ridge
#     determinant = xx * yy - xy * xy
#     return torch.stack([(yy * ex - xy * ey) / determinant, (xx * ey - xy * ex) / determinant])
# ```
#
# </details>

# %% [markdown]
# ### Exercise 3.4: flow from two frames (★★★ · 10 min)
# Put it together for a batch of pairs: gradients of the onset, the five products, each blurred with the `window` matrix,
# and the solution, stacked along axis 1. Use `gx, gy = gradient(onset)`; `blur(product, window)` is $\langle\cdot\rangle$.
#
# <details><summary>Hint 1</summary>
#
# The error is `onset - later`. Blur `gx * gx`, `gx * gy`, `gy * gy`, `gx * error`, `gy * error`.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Blur the *products*, not the gradients: the product of two means is not the mean of the product. Then write Cramer's rule
# once more, and stack along axis 1.
#
# </details>

# %% tags=["exercise"]
def lucas_kanade(onset, later, window, ridge):  # two [B, H, W], [S, S] -> [B, 2, H, W]
    ...


# %% tags=["check"]
def one_step(onset, later, window, ridge):
    motion = LucasKanadeMotion(onset.shape[-1], levels=1, steps=(1,), ridge=ridge)
    return motion.refine(torch.stack([onset, later], 1), None, onset.shape[-1], 1)[0]


onset, later = blur(torch.rand(2, 3, 16, 16), gaussian_matrix(16, 1.0))
check_fn("3.4", lucas_kanade, one_step, onset, later, gaussian_matrix(16, 2.0), 0.03,
         hint="blur the products, not the gradients, and add the ridge to the diagonal")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why the window must not be too small or too large, then open the solution</summary>
#
# A small one sees too few edges to tell both directions, a large one mixes skin that moves in different ways.
#
# ```python
# def lucas_kanade(onset, later, window, ridge):
#     gx, gy = gradient(onset)
#     error = onset - later
#     xx, xy, yy = (blur(product, window) for product in (gx * gx, gx * gy, gy * gy))
#     ex, ey = blur(gx * error, window), blur(gy * error, window)
#     xx, yy = xx + ridge, yy + ridge
#     determinant = xx * yy - xy * xy
#     return torch.stack([(yy * ex - xy * ey) / determinant, (xx * ey - xy * ex) / determinant], 1)
# ```
#
# </details>

# %% [markdown]
# The package does the same, and then repeats it: it warps the later frame back by the flow found so far and measures what
# is left, from a coarse picture to the fine one, after it has made both equally bright and rich in contrast. That is
# [`lucas_kanade.py`](../aullm_lite/motion/lucas_kanade.py). At the end [`rigid.py`](../aullm_lite/motion/rigid.py) takes
# away what a moving head would do.
#
# ## What the window does
#
# Look at the error of the flow against the truth. We know the truth: we moved the skin ourselves.

# %%
def error_of(window):
    """Mean distance of the flow from the truth, in pixels, where the skin moved."""
    found = LucasKanadeMotion(window=window).flow(clip[None])[0][0, -1]
    truth = torch.from_numpy(displacement(Actor(draw_identity(11), 11), script)[-1])
    truth = torch.nn.functional.interpolate(truth[None], 64, mode="area")[0]
    moved = truth.norm(dim=0) > 0.3
    return (found - truth).norm(dim=0)[moved].mean().item()


windows = [0.5, 1, 1.5, 2, 3, 4, 6, 8]
figure, ax = plt.subplots(figsize=(5, 2.8))
ax.plot(windows, [error_of(window) for window in windows], "o-")
ax.set(xlabel="window, pixels", ylabel="error, pixels", ylim=(0, None))
show(figure, alt="A curve with its minimum at two pixels; smaller and larger are worse")

# %% [markdown]
# A window under a pixel sees no second direction, one of many pixels smears the corner over the cheek. The package uses 2.
#
# ## Which of them knows a face it has never seen?
#
# We let each of the twelve Action Units move on a few drawn people and average the motion at the last frame: one
# *template* for each AU. Then we move the same AUs on the face of an astronaut, a real photograph in the public domain, and
# ask for the most similar template. Both sides know nothing but motion.
#
# > **Predict.** A template of brightness knows where the edges of *drawn* mouths and brows are. A template of flow knows
# > which way the skin goes. Which one finds more of the twelve AUs on the photograph?

# %%
from aullm_lite.facs import CD6ME_AUS
from aullm_lite.synth.photo import astronaut


def clips_of(identity, seed):
    """One clip for each of the twelve AUs, 1.5 pixels at the peak.  -> [K, T, H, W]"""
    actor, times = Actor(identity, seed), np.linspace(0, 0.3, 6)
    scripts = [Script(times, (Movement(au, "both", 1.5, 0.0, 0.3, 0.6),)) for au in CD6ME_AUS]
    return torch.from_numpy(np.stack([render(actor, script) for script in scripts]))


people = [clips_of(draw_identity(seed), seed) for seed in range(course.pick(6, 30))]
photo = clips_of(astronaut(), 0)
drawing.frames(photo[[0, 3, 8], 5], ["AU1", "AU5", "AU12"],
               alt="The astronaut with raised inner brows, wide eyes, a smile")

# %% [markdown]
# ### Exercise 3.5: the nearest template (★★☆ · 8 min)
# For each map the index of the template with the largest cosine similarity. Maps differ in strength, so divide each by its
# length first.
#
# <details><summary>Hint</summary>
#
# Flatten all axes but the first, normalise with `torch.nn.functional.normalize(..., dim=1)`, multiply, take `argmax`.
#
# </details>

# %% tags=["exercise"]
def nearest(maps, templates):  # [N, C, H, W], [K, C, H, W] -> [N]
    ...


# %% tags=["check"]
def reference(maps, templates):
    pairs = maps.flatten(1)[:, None], templates.flatten(1)[None]
    return torch.nn.functional.cosine_similarity(*pairs, dim=-1).argmax(1)


sizes = torch.linspace(0.1, 9, 5)[:, None, None, None]  # templates of very different strength
check_fn("3.5", nearest, reference, torch.randn(7, 2, 3, 4), torch.randn(5, 2, 3, 4) * sizes,
         hint="a strong template must not win by its strength: normalise both sides")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why the maps are divided by their length, then open the solution</summary>
#
# A strong smile and a weak one are the same Action Unit, so only the pattern may count.
#
# ```python
# def nearest(maps, templates):
#     unit = lambda some: torch.nn.functional.normalize(some.flatten(1), dim=1)
#     return (unit(maps) @ unit(templates).T).argmax(1)
# ```
#
# </details>

# %%
def found_by(motion):
    """AUs of twelve that the templates find: on two more drawn people, on the photograph."""
    seen = [motion(clips)[:, :, -1].detach() for clips in people]
    templates, right = torch.stack(seen[:-2]).mean(0), torch.arange(12)
    drawn = sum((reference(maps, templates) == right).sum().item() for maps in seen[-2:]) / 2
    on_photo = motion(photo)[:, :, -1].detach()
    return drawn, (reference(on_photo, templates) == right).sum().item()


ways = {"difference": FrameDifference(), "LED": EulerianMotion(), "flow": LucasKanadeMotion()}
scores = {name: found_by(motion) for name, motion in ways.items()}
figure, ax = plt.subplots(figsize=(5, 2.8))
for shift, where, part in ((-0.2, "new drawn people", 0), (0.2, "photograph", 1)):
    bars = ax.bar(np.arange(3) + shift, [found[part] for found in scores.values()], 0.38, label=where)
    ax.bar_label(bars, fmt="%g")
ax.set(ylabel="AUs found, of 12", xticks=range(3), xticklabels=scores, ylim=(0, 13))
ax.legend(ncols=2, loc="upper left", bbox_to_anchor=(0, 1.15))
show(figure, alt="Bars: flow finds all on the photograph, difference and LED clearly fewer")

# %% [markdown]
# Twelve templates and no training are enough for flow. Brightness depends on the texture under the pixel: the edges of a
# drawn mouth are not those of a real one, and not even those of another drawn one. That is why the preset `lite` measures
# flow, and `paper` keeps LED. This is one photograph, moved by our own fields: it tests texture, not anatomy.
#
# ## Where flow fails
#
# Flow believes that brightness moves with the skin. A cloud that passes over a window breaks this. So does a turning head:
# everything moves.

# %%
yaw = (2.0, 0, 0, 0, 0, 0)  # the tip of the nose moves by two pixels; no AU moves
turn = Script(script.times, head=yaw)
turned = torch.from_numpy(render(Actor(draw_identity(11), 11), turn))
lk = LucasKanadeMotion()
pictures = [lk.flow(turned[None])[0][0, -1], lk(turned[None])[0, :, -1]]
drawing.arrows(turned[0], torch.stack(pictures), ["flow as it is", "head taken away"],
               alt="Left arrows all over the face point sideways, right few are left on the face, some at the edge")

# %% [markdown]
# On the face little is left. At the edges, where hair and background lie, the model of the head does not hold.
#
# ### Exercise 3.6: how much is left of the head (★☆☆ · 3 min)
# The mean length of the arrows, in pixels, before and after the head was taken away: a tuple of two numbers. Take both
# flows from `pictures`.
#
# <details><summary>Hint</summary>
#
# The length of `[2, H, W]` is `.norm(dim=0)`, and `.mean().item()` makes it a number.
#
# </details>

# %% tags=["exercise"]
left_over = ...  # (before, after)

# %% tags=["check"]
expected = tuple(picture.square().sum(0).sqrt().mean().item() for picture in pictures)
check("3.6", left_over, expected, hint="first the length of each arrow, then the mean of the lengths")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why the mean of dx and dy would not do, then open the solution</summary>
#
# Arrows that point in opposite directions would cancel, and much movement would look like none.
#
# ```python
# left_over = tuple(picture.norm(dim=0).mean().item() for picture in pictures)
# ```
#
# </details>

# %% [markdown]
# ## What you have now
#
# - Difference and LED answer "what changed at this pixel", flow answers "where did the skin go".
# - Flow is two equations at every pixel. The window decides how much skin they share, the ridge what happens without texture.
# - Flow carries over to faces that were never seen, because it does not know the texture. It still confuses a turn with an
#   Action Unit unless the head is taken away, and it is blind where light changes faster than it assumes.
#
# Not known: how far this carries on filmed people. Nobody has scored this package on licensed data yet.
#
# Sources: LED: Varanka et al., SCIA 2023, doi 10.1007/978-3-031-31438-4_26. Flow: Lucas and Kanade, IJCAI 1981; Baker and
# Matthews, IJCV 2004. Words: [glossary](glossary.md). Next: [a network that reads the motion](04_backbone.ipynb).

# %%
score(6)
