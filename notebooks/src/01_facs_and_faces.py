# %% [markdown]
# # 01 · What is an Action Unit?
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/au-llm-lite/au-llm-lite/blob/main/notebooks/01_facs_and_faces.ipynb)
#
# | read 15 min · run 1 min (full: 1 min) | CPU, 1 GB | synthetic, 0 MB | needs: [00](00_start_here.ipynb) | next: [02](02_preprocessing.ipynb) |
# |---|---|---|---|---|
#
# After this you can
# - name what moves in a face by number, muscle and place,
# - draw an Action Unit as a field of arrows, from one formula,
# - tell a brief small movement from a long large one, left from right, and seen from not seen.
#
# `video → aligned clip → motion → 3D-CNN → one token → language model → [ Action Units: you are here ]`

# %%
import sys
from importlib.util import find_spec

if "google.colab" in sys.modules and not find_spec("aullm_lite"):
    package = "aullm-lite @ git+https://github.com/au-llm-lite/au-llm-lite@v0.1.0"
    get_ipython().run_line_magic("pip", f"install -q '{package}'")
import matplotlib.pyplot as plt
import numpy as np

from aullm_lite.teach import check, check_fn, drawing, play, score, setup, show

course = setup(seed=0)

# %% [markdown]
# ## Four movements of one face
#
# A drawn person at rest, and then with one movement each, by four pixels of a picture that is 64 pixels wide. That is a lot:
# such movements are seen by everybody. For each picture, find what differs from the first. Look at the brows, then at the
# mouth and the chin.

# %%
from aullm_lite.facs import ACTION_UNITS, CD6ME_AUS, REGIONS, face_grid, region_mask
from aullm_lite.synth.drawn import draw_identity
from aullm_lite.synth.render import Actor, render
from aullm_lite.synth.script import LIFTS, PEAKS, Movement, Script

actor = Actor(draw_identity(11), 11)


def moved_face(*moves, size=128):
    """The face at the apex of some AUs, each (number, side, pixels).  -> [S, S, 3]"""
    movements = tuple(Movement(*move, onset=0.0, apex=0.15, offset=0.3) for move in moves)
    return render(actor, Script(np.array([0.0, 0.15]), movements), size, colour=True)[1]


drawing.frames([moved_face(), *(moved_face((au, "both", 4.0)) for au in (1, 4, 12, 17))],
               ["rest", "AU1", "AU4", "AU12", "AU17"],
               alt="A face at rest; inner brows up; brows down; lip corners up; chin up")

# %% [markdown]
# The inner brows rise, the brows go down and together, the lip corners go up and outwards, the chin pushes up. FACS, the
# Facial Action Coding System (Ekman and Friesen 1978), calls each such movement an *Action Unit* (AU). It has a number, a
# name, and the muscle that pulls. A coder who writes "AU12" says what the skin did, and nothing about why.
#
# These are the twelve AUs that our model knows, with the place and the muscle.

# %%
for au in CD6ME_AUS:
    unit = ACTION_UNITS[au]
    print(f"{unit}: {unit.region} ({unit.muscle})")

# %% [markdown]
# ## Where on the face
#
# All parts of the package share one frame, the *face coordinates*: x runs from -1 to 1 to the right of the picture, y from
# -1 to 1 **down**, and the eyes lie at fixed points. Look at the axes, and at the outlines of seven regions, our own
# reading of the muscles.
#
# > **Predict.** We left five AUs out. Two of them share the lip corners with AU12. Which two, going by the table?

# %%
figure, ax = plt.subplots(figsize=(4.6, 4.6))
ax.imshow(moved_face() * 0.5 + 0.5, extent=(-1, 1, 1, -1))  # paled; left, right, bottom, top
for au in (1, 2, 5, 6, 9, 12, 17):
    ax.contour(*face_grid(128), region_mask(au, 128), levels=[0.5], colors="black", linewidths=1)
    ax.text(*REGIONS[au][0][:2], au, ha="center", va="center", fontweight="bold")
ax.set(xlabel="x, face coordinates", ylabel="y, face coordinates", xlim=(-1, 1), ylim=(1, -1))
show(figure, alt="A pale face with outlines: 1 and 2 over the brows, 5 at the lids, others below")

# %% [markdown]
# AU12, AU14 and AU15 all pull at the lip corners. So the place alone cannot tell them apart. Before we look at directions,
# a pixel has to find its place in this frame.
#
# > **Predict.** A crop has 64 x 64 pixels. Is the *middle* of its first pixel at (-1, -1)?

# %% [markdown]
# ### Exercise 1.1: from pixels to the face (★☆☆ · 5 min)
# Pixel $i$ of a crop of $S$ pixels reaches from $i$ to $i+1$ on a line of length $S$. The line is mapped to -1 ... 1. Give the
# face coordinates x and y of the *middles* of some pixels.
#
# <details><summary>Hint</summary>
#
# The middle of pixel $i$ is $i + 0.5$. Divide by $S$, stretch 0 ... 1 to -1 ... 1. Columns give x.
#
# </details>

# %% tags=["exercise"]
def to_face(rows, columns, size):  # two [N], a number -> x [N], y [N]
    ...


# %% tags=["check"]
def on_the_grid(rows, columns, size):
    x, y = face_grid(size)
    return x[rows, columns], y[rows, columns]


rows, columns = np.random.default_rng(0).integers(0, 48, (2, 7))
check_fn("1.1", to_face, on_the_grid, rows, columns, 48,
         hint="return x first, which comes from the columns; add half a pixel before you divide")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why half a pixel matters here, then open the solution</summary>
#
# Without it everything would sit half a pixel up and to the left, and half a pixel is as much as a small AU moves.
#
# ```python
# def to_face(rows, columns, size):
#     return (columns + 0.5) / size * 2 - 1, (rows + 0.5) / size * 2 - 1
# ```
#
# </details>

# %% [markdown]
# ## Which way the skin goes
#
# An AU is a *field*: at each point of the face an arrow that says how far the skin moves, and which way. The simplest one
# is a **pull**: around a centre $c$ the skin moves by $p = (p_x, p_y)$, and the movement fades out as a Gaussian:
#
# $$d(x, y) = p \cdot \exp\left(-\tfrac12\left[\left(\tfrac{x - c_x}{r_x}\right)^2 + \left(\tfrac{y - c_y}{r_y}\right)^2\right]\right)$$
#
# ### Exercise 1.2: a pull as a field (★★☆ · 8 min)
# Build the field for points `x`, `y`, with `radius` for the widths $r$ and `push` for $p$. The x parts of all arrows
# come first, then the y parts.
#
# <details><summary>Hint</summary>
#
# First the bell, one number for each point. Then `np.stack` the bell times $p_x$ and the bell times $p_y$.
#
# </details>

# %% tags=["exercise"]
def pull_field(x, y, centre, radius, push):  # two [H, W], three pairs -> [2, H, W]
    ...


# %% tags=["check"]
from scipy.stats import multivariate_normal


def pulled(x, y, centre, radius, push):
    """The same from SciPy's normal distribution, scaled to 1 at its centre."""
    bell = multivariate_normal(centre, np.diag(np.square(radius)))
    weight = bell.pdf(np.stack([x, y], -1)) / bell.pdf(centre)
    return np.asarray(push)[:, None, None] * weight


points = np.random.default_rng(1).uniform(-1, 1, (2, 5, 7))
check_fn("1.2", pull_field, pulled, *points, (0.3, 0.4), (0.6, 0.4), (0.7, -0.5),
         hint="square the distance in widths, add both axes, halve, and take exp of the negative")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why the movement fades out smoothly, then open the solution</summary>
#
# Skin is one sheet: a point that moves takes its neighbours along, and the farther they are, the less.
#
# ```python
# def pull_field(x, y, centre, radius, push):
#     across, down = (x - centre[0]) / radius[0], (y - centre[1]) / radius[1]
#     bell = np.exp(-0.5 * (across**2 + down**2))
#     return np.stack([push[0] * bell, push[1] * bell])
# ```
#
# </details>

# %% [markdown]
# The package gives each AU one to three pulls on one half of the face and mirrors them; AU17 lies on the midline, and AU14
# also squeezes the skin towards its centre. Look at the arrows around the
# mouth, drawn six times as long as the movement: first a single pull, then three whole AUs.

# %%
from aullm_lite.synth.fields import PULLS, au_field

first = PULLS[12][0]
one = pulled(*face_grid(64), (first.x, first.y), (first.rx, first.ry), (first.dx, first.dy))
drawing.arrows(moved_face(size=64).mean(-1), [one, au_field(12), au_field(14), au_field(15)],
               ["one pull", "AU12", "AU14", "AU15"], longer=6,
               alt="Arrows at the lip corners: up and out; the same on both sides; inwards; down")

# %% [markdown]
# One place, three directions: AU12 up and outwards, AU14 in towards the corner, AU15 down. So the model has to look at
# movement, not only at places. These fields are synthetic anatomy: plausible, not measured on people.
#
# ### Exercise 1.3: draw AU15 by hand (★★☆ · 8 min)
# Give *one* pull on the right half of the picture: centre, widths, push. The check mirrors it and takes the cosine
# between it and AU15 of the package: 1 is the same pattern, 0.9 is enough.
#
# <details><summary>Hint</summary>
#
# `REGIONS[15][0]` holds x, y and the two widths of the region. Remember which way y points.
#
# </details>

# %% tags=["exercise"]
my_pull = ...  # (x, y), (rx, ry), (dx, dy)

# %% tags=["check"]
def like_au15(pull):
    half, goal = pulled(*face_grid(64), *pull), au_field(15)
    both = half + half[:, :, ::-1] * np.array([-1, 1])[:, None, None]  # mirrored: x turns its sign
    likeness = (both * goal).sum() / (np.linalg.norm(both) * np.linalg.norm(goal))
    return bool(likeness > 0.9) or f"its cosine with AU15 is {likeness:.2f}, and 0.9 is asked for"


check("1.3", my_pull, like_au15, hint="a lip corner lies near x = 0.3, y = 0.5, and y points down")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why the strength of your push did not matter, then open the solution</summary>
#
# The cosine compares patterns only, and a weak AU15 is the same AU as a strong one.
#
# ```python
# my_pull = (0.28, 0.53), (0.13, 0.15), (0.0, 1.0)
# ```
#
# </details>

# %% [markdown]
# ## How far and how long: micro and macro
#
# A movement rises from *onset* to *apex* and falls back to *offset*, here along half a cosine each way. Let $u$ be the
# smaller of two shares, both cut to 0 ... 1: how much of the rise is done, how much of the fall is still to come.
#
# $$a(t) = \text{peak} \cdot \left(\tfrac12 - \tfrac12 \cos(\pi u)\right)$$
#
# > **Predict.** A common camera takes 30 frames a second, a laboratory camera 200. How many frames does each take while
# > the skin rises for 150 milliseconds?

# %% [markdown]
# ### Exercise 1.4: a movement over time (★★☆ · 8 min)
# The displacement at each time, in pixels. Before the onset and after the offset it is 0.
#
# <details><summary>Hint</summary>
#
# The share of the rise is `(t - onset) / (apex - onset)`. Cut it with `np.clip(..., 0, 1)`. Do the same for the fall, counted
# from the offset back, and take `np.minimum` of both.
#
# </details>

# %% tags=["exercise"]
def amount(t, peak, onset, apex, offset):  # [T], four numbers -> [T]
    ...


# %% tags=["check"]
def by_the_package(t, peak, onset, apex, offset):
    return Movement(12, "both", peak, onset, apex, offset).amount(t)


check_fn("1.4", amount, by_the_package, np.linspace(-0.1, 0.7, 17), 1.5, 0.1, 0.3, 0.6,
         hint="cut both shares to 0 ... 1, take the smaller one, then the formula")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why the shares are cut to 0 ... 1, then open the solution</summary>
#
# A cosine goes on for ever, so without the cut the skin would move again before the onset and after the offset.
#
# ```python
# def amount(t, peak, onset, apex, offset):
#     rise = np.clip((t - onset) / (apex - onset), 0, 1)
#     fall = np.clip((offset - t) / (offset - apex), 0, 1)
#     return peak * (0.5 - 0.5 * np.cos(np.pi * np.minimum(rise, fall)))
# ```
#
# </details>

# %% [markdown]
# Now two movements of the same AU, one as in a micro-expression, one as in everyday life. `PEAKS` holds the sizes that the
# generated clips use. First compare the faces. Then count the dots of each curve: they are the frames of a camera with
# 30 frames a second.

# %%
micro = Movement(12, "both", np.mean(PEAKS["standard"]), onset=0.0, apex=0.15, offset=0.31)
macro = Movement(12, "both", np.mean(PEAKS["macro"]), onset=0.0, apex=0.35, offset=0.75)
drawing.frames([moved_face(), *(moved_face((12, "both", m.peak)) for m in (micro, macro))],
               ["rest", "micro, apex", "macro, apex"],
               alt="Face at rest, a face that looks the same, and a face with lip corners drawn up")
figure, ax = plt.subplots(figsize=(6, 3))
fine, webcam = np.linspace(-0.1, 0.9, 400), np.arange(0, 0.9, 1 / 30)
for movement, name, line, dot in ((micro, "micro", "-", "o"), (macro, "macro", "--", "s")):
    drawn = ax.plot(fine, movement.amount(fine), line, label=name)
    ax.plot(webcam, movement.amount(webcam), dot, color=drawn[0].get_color(), ms=4)
ax.set(xlabel="seconds", ylabel="pixels of a picture of 64")
ax.legend()
show(figure, alt="Two humps over time: a low brief one, and one much higher and twice as long")

# %% [markdown]
# The micro movement is about a pixel high at most; the eyes are 22 such pixels apart. Its rise has about five dots, and would have
# thirty at 200 frames a second. Half of the clips in CASME II last at most 310 ms, and half rise within 150 ms; in SAMM
# it is 390 and 160 ms (our count of their annotations). At most 500 ms in all is the usual meaning of *micro*.

# %% [markdown]
# ## One side, two sides, together
#
# > **Predict.** A coder writes "L12". At which side of the *picture* does the lip corner move?
#
# Look for the lip corner that stays where it is, then for what moves together in the last two faces.

# %%
drawing.frames([moved_face((12, "L", 4.0)), moved_face((12, "R", 4.0)),
                moved_face((6, "both", 3.0), (12, "both", 4.0)),
                moved_face((1, "both", 4.0), (2, "both", 4.0))],
               ["L12", "R12", "6 + 12", "1 + 2"],
               alt="The lip corner at the right up; at the left; cheeks and both corners; brows")

# %% [markdown]
# Sides are the *subject's*: L12 moves the right side of the picture. A fifth of the clips in CASME II and a quarter in SAMM
# carry a one-sided code (our count). The last two faces combine AUs, whose numbers are simply written together.
#
# Mix your own with the sliders. At first only the left lip corner moves.

# %% tags=["widget"]
def face_with(au1=0.0, au4=0.0, au12_left=4.0, au12_right=0.0, au15=0.0, au17=0.0):
    moves = [(1, "both", au1), (4, "both", au4), (12, "L", au12_left), (12, "R", au12_right),
             (15, "both", au15), (17, "both", au17)]
    drawing.frames([moved_face(), moved_face(*moves)], ["rest", "moved"],
                   alt="A face at rest and with the chosen Action Units")


px = (0.0, 5.0, 0.5)  # from, to, step
play(face_with, au1=px, au4=px, au12_left=px, au12_right=px, au15=px, au17=px)

# %% [markdown]
# Which AUs come together? Each dot is one of fourteen pairs that stand out: how often it was seen in CASME II and SAMM,
# divided by how often it would be seen if the two had nothing to do with each other (our count, rounded, cut at six times).
# Look for pairs far from the line.

# %%
pairs = sorted(LIFTS, key=LIFTS.get)
figure, ax = plt.subplots(figsize=(6, 3.4))
ax.plot([LIFTS[pair] for pair in pairs], [f"{one} + {other}" for one, other in pairs], "o")
ax.axvline(1, color="0.6")
ax.set(xscale="log", xlabel="seen / expected", ylabel="pair of AUs")
ax.set_xticks([1 / 6, 1 / 3, 1, 3, 6], ["1/6", "1/3", "1", "3", "6"])
ax.minorticks_off()
show(figure, alt="Dots on a log scale: 1 + 2 far to the right; 4 with 1, 2 or 12 far to the left")

# %% [markdown]
# AU1 and AU2 come together, AU4 stays away from both, and from AU12. These are habits in two laboratories, not anatomy:
# people *can* move AU1 and AU4 at once. A model may learn such habits in place of movement; our generated clips keep them
# in a milder form.
#
# The last question is which AUs count. A clip shows movement *since its first frame*. What was over by then cannot be seen.

# %% [markdown]
# ### Exercise 1.5: which AUs can be seen (★★☆ · 8 min)
# An AU counts as seen when its displacement *grows* after the first frame of the clip, by at least half of its peak; going
# back does not count. You get the displacements of K AUs in T frames, and the K peaks.
#
# <details><summary>Hint</summary>
#
# Take the first frame away (`amounts[:, :1]` keeps the axis), then the largest value over time, then compare.
#
# </details>

# %% tags=["exercise"]
def can_be_seen(amounts, peaks):  # [K, T], [K] -> true or false [K]
    ...


# %% tags=["check"]
from aullm_lite.synth.dataset import labels_of

script = Script(np.linspace(0, 0.3, 6), (
    Movement(1, "both", 1.0, 0.0, 0.12, 0.3),    # all of it lies in the clip
    Movement(4, "L", 0.8, -0.2, 0.0, 0.2),       # the clip begins at its apex
    Movement(12, "both", 1.2, 0.22, 0.5, 0.8),   # the clip ends soon after its onset
    Movement(15, "R", 0.6, -0.1, 0.2, 0.5),      # it has begun before the clip
    Movement(17, "both", 1.0, 0.0, 0.3, 0.6),    # the clip ends at its apex
))
truth = labels_of(script, [m.au for m in script.movements])
check_fn("1.5", can_be_seen, lambda amounts, peaks: truth,
         np.stack([m.amount(script.times) for m in script.movements]),
         np.array([m.peak for m in script.movements]),
         hint="movement counts from the first frame on, and half is half of each AU's own peak")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why a clip that begins at the apex shows no AU, then open the solution</summary>
#
# It shows only the way back, and skin that returns to rest is the undoing of an AU, not an AU.
#
# ```python
# def can_be_seen(amounts, peaks):
#     return (amounts - amounts[:, :1]).max(1) >= 0.5 * peaks
# ```
#
# </details>

# %% [markdown]
# ## What an Action Unit does not tell
#
# An AU is a movement. It is not an emotion, an intention, or a sign of truth or health. How people show what they feel
# differs between cultures, situations and moments, and one movement can have many causes (Barrett et al. 2019). Even the
# labels of CASME II say so: where AU4 moves alone, the clip is called "others" 56 times and "disgust" 11 times (our
# count). This package names movements and stops there.

# %% [markdown]
# ## What you have now
#
# - An AU is a number, a muscle, a place *and a direction*. AU12, AU14 and AU15 share their place.
# - A field of a few Gaussian pulls draws it; a raised cosine moves it; sides are the subject's.
# - Micro means about a pixel of 64 and under half a second here, and only what happens after the first frame can be seen.
#
# Not known: how well such fields match real skin. They were read off the muscles, not measured.
#
# Sources: FACS: Ekman and Friesen 1978. Muscles: PMC7264164, Table 1, and Molecular Autism 2021, Table 2. Barrett et al.,
# Psychological Science in the Public Interest 20(1), 2019. Words: [glossary](glossary.md). Next:
# [a face that holds still](02_preprocessing.ipynb).

# %%
score(5)
