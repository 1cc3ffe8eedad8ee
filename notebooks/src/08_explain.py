# %% [markdown]
# # 08 · Would you believe this picture?
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/au-llm-lite/au-llm-lite/blob/main/notebooks/08_explain.ipynb)
#
# | read 20 min · run 1 min (full: 1 min) | CPU, 2 GB | synthetic, 0 MB (model files as in 00) | needs: [07](07_evaluate.ipynb) | next: [09](09_real_data.ipynb) |
# |---|---|---|---|---|
#
# After this you can
# - build Integrated Gradients and Shapley values from their formulas,
# - say what a map is compared with, and why that decides what it shows,
# - grade a map against the truth, and not be fooled by a pretty one.
#
# `video → aligned clip → motion → 3D-CNN → one token → language model → Action Units → [ WHY: you are here ]`

# %%
import sys
from importlib.util import find_spec

if "google.colab" in sys.modules and not find_spec("aullm_lite"):
    package = "aullm-lite @ git+https://github.com/au-llm-lite/au-llm-lite@v0.1.0"
    get_ipython().run_line_magic("pip", f"install -q '{package}'")
import matplotlib.pyplot as plt
import numpy as np
import torch

from aullm_lite.teach import check_fn, drawing, score, setup, show

course = setup(seed=0)

# %% [markdown]
# ## Two movements, two maps
#
# A drawn person (SynthME, whom the model has never met) does two things at once: AU1 raises the inner brows, AU12 pulls the
# lip corners, both by little more than a pixel. The shipped model gives a probability for each AU, and explains two of
# them. Orange speaks for the AU, violet against it. Look at where each row is orange.

# %%
from aullm_lite import AULLM
from aullm_lite.explain import figures
from aullm_lite.synth.dataset import HELD_OUT
from aullm_lite.synth.drawn import draw_identity
from aullm_lite.synth.render import Actor, render
from aullm_lite.synth.script import Camera, Movement, Script

model = AULLM.from_pretrained("demo")
moves = [Movement(au, "both", peak, 0.02, 0.2, 0.45) for au, peak in ((1, 1.3), (12, 1.5))]
script = Script(np.linspace(0, 0.5, 6), tuple(moves), camera=Camera(noise=0.002), seed=1)
actor = Actor(draw_identity(HELD_OUT + 36), 58)
clip = torch.from_numpy(render(actor, script))  # [T, H, W]
for au, p in zip(model.config.aus, model.probabilities(clip[None])[0].tolist()):
    print(f"AU{au} {p:.2f}", end="  ")
why = {au: model.explain(clip, au) for au in (1, 12)}
for au, where in ((1, "inner brows"), (12, "lip corners")):
    strip = figures.strip_figure(why[au], clip.numpy(), script.times)
    alt = f"Six frames of a face; what speaks for AU{au} lies at the {where}"
    show(strip, alt, dpi=80)

# %% [markdown]
# The model finds both. The upper row is orange at the brows, the lower one at the lip corners. This looks right, but a map
# that looks right need not be right. First we build the method, then we put it to the test.

# %% [markdown]
# ## A share for every movement
#
# What would the logit $f$ be if nothing moved? Walk from the still face $x'$ to the clip $x$ in $M$ small steps, and add up
# what each bit of movement does on the way (*Integrated Gradients*, Sundararajan et al. 2017):
#
# $$\phi = (x - x') \odot \frac{1}{M} \sum_{m=1}^{M} \nabla f\!\left(x' + \frac{m - 1/2}{M}\,(x - x')\right)$$
#
# > **Predict.** A logit rises until the skin has moved by half a pixel; more changes nothing. A clip moves by a whole
# > pixel. What does the gradient *at the clip* say of this movement, and what does the mean along the way say?

# %% [markdown]
# ### Exercise 8.1: Integrated Gradients (★★☆ · 12 min)
# For a function from a batch to one number a row, at the midpoints of `steps` steps, as in the formula.
#
# <details><summary>Hint 1</summary>
#
# `point = still + (m + 0.5) / steps * (x - still)` with m from 0, then `point.requires_grad_()`.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `torch.autograd.grad(f(point).sum(), point)[0]` holds the gradient of each row: rows do not mix.
#
# </details>

# %% tags=["exercise"]
def integrated_gradients(f, x, still, steps):  # function, two [B, D], number -> [B, D]
    ...


# %% tags=["check"]
from captum.attr import IntegratedGradients

net = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.Tanh(), torch.nn.Linear(7, 1))


def small(x):  # [B, 5] -> [B]
    return net(x)[:, 0]


def by_captum(f, x, still, steps):
    return IntegratedGradients(f).attribute(x, still, n_steps=steps, method="riemann_middle")


check_fn("8.1", integrated_gradients, by_captum, small, *torch.randn(2, 3, 5), 20,
         hint="mean of the gradients along the way, times the whole way x - still")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why the gradient at the clip may miss a movement, then open the solution</summary>
#
# Where the logit has stopped rising the gradient is 0, although the movement is what made it rise.
#
# ```python
# def integrated_gradients(f, x, still, steps):
#     total = torch.zeros_like(x)
#     for m in range(steps):
#         point = (still + (m + 0.5) / steps * (x - still)).requires_grad_()
#         total += torch.autograd.grad(f(point).sum(), point)[0]
#     return (x - still) * total / steps
# ```
#
# </details>

# %% [markdown]
# ## Nothing is lost on the way
#
# With smaller and smaller steps the sum of all shares comes to $f(x) - f(x')$: this is *completeness*, and it can be checked.
# Look at the logits of the shipped model along the way. Is either line straight?

# %%
from aullm_lite.explain import Decision

decision, share = Decision(model, clip, 12), torch.linspace(0, 1, 21)[:, None, None, None, None]
way = decision.still_motion + share * (decision.motion - decision.still_motion)
with torch.no_grad():
    logits = model.logits_from_motion(way)  # [21, K]
figure, ax = plt.subplots(figsize=(5, 2.8))
for (au, made), line in zip(why.items(), ("s--", "o-")):
    ax.plot(share.flatten(), logits[:, model.config.aus.index(au)], line, label=f"AU{au}")
    rise = made.logits[0] - made.logits[1]
    print(f"AU{au}: the map adds up to {made.map.sum():.3f}, the logits differ by {rise:.3f}")
ax.set(xlabel="share of the movement", ylabel="logit")
ax.legend()
show(figure, alt="Both logits rise on a bent line, steep on one part of the way, flat on another")

# %% [markdown]
# The lines are bent: the gradient at their end says little of how they got there. The sums agree to one per cent, because
# the package doubles its steps until they do, or until there are 256.

# %% [markdown]
# ## The still face is part of the answer
#
# Every share is a comparison. Ours is with *the same face, first frame held*: same person, same light, no movement. A black
# picture would be no face at all, and on pixels the map would pay skin and hair for being there.
#
# > **Predict.** What does the map of a clip look like in which nothing moves?

# %%
from aullm_lite import InputError

try:
    model.explain(clip[:1].repeat(6, 1, 1), 12)
except InputError as error:
    print(error)

# %% [markdown]
# Where nothing moves there is nothing to share. In any other clip the shares can be added up in zones of the face, before and after
# the apex. Then the map becomes a sentence. Look for the longest bar; the zone of this AU is named in bold.

# %%
show(figures.zones_figure(why[12]), alt="Bars of nine zones; the lip corners have the longest")
print(why[12].text())

# %% [markdown]
# The longest bar is that of the lip corners, up to the apex, and the sentence says it with its share. What has gone is *where*
# in the zone, and *when* exactly.
#
# ## Fair shares for zones
#
# There is another way: let only some zones move, and ask for the logit $v$. If zones work together, it matters who comes
# first. *Shapley values* let the zones come in every order and take the mean of what each one adds when it comes:
#
# $$\phi_i = \frac{1}{n!} \sum_{\text{orders}} \bigl[v(\text{before } i, \text{ and } i) - v(\text{before } i)\bigr]$$
#
# > **Predict.** Zones 0 and 1 each give the whole logit alone, and no more together. Zone 2 does nothing. Who gets what?

# %% [markdown]
# ### Exercise 8.2: Shapley values of three zones (★★☆ · 10 min)
# `v[a, b, c]` is the logit where zone 0 moves if `a` is 1, zone 1 if `b` is 1, zone 2 if `c` is 1. Give the exact shares
# over all six orders.
#
# <details><summary>Hint</summary>
#
# `itertools.permutations(range(3))` gives the orders. Begin each with `moving = [0, 0, 0]`, and read `v[tuple(moving)]`
# before and after each zone is switched on.
#
# </details>

# %% tags=["exercise"]
def shapley(v):  # [2, 2, 2] -> [3]
    ...


# %% tags=["check"]
from captum.attr import ShapleyValues


def exact(v):
    logit = lambda moving: torch.from_numpy(v)[tuple(moving.long().T)]  # [B, 3] -> [B]
    return ShapleyValues(logit).attribute(torch.ones(1, 3))[0].numpy()


check_fn("8.2", shapley, exact, np.random.default_rng(3).normal(size=(2, 2, 2)),
         hint="six orders, each with every zone once: the sum must be v[1, 1, 1] - v[0, 0, 0]")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence what goes wrong if zones are only taken away last, then open the solution</summary>
#
# Of two zones that each suffice, neither would be missed, so both would get 0; over all orders each gets a half.
#
# ```python
# def shapley(v):
#     from itertools import permutations
#
#     shares = np.zeros(3)
#     for order in permutations(range(3)):
#         moving = [0, 0, 0]
#         for zone in order:
#             before = v[tuple(moving)]
#             moving[zone] = 1
#             shares[zone] += (v[tuple(moving)] - before) / 6
#     return shares
# ```
#
# </details>

# %% [markdown]
# Now with the shipped model: brows, mouth, and all the rest, each moving or still. Eight logits are enough. Look at which
# zone carries which AU.

# %%
from itertools import product

from aullm_lite.facs import ZONES, zone_map

names, place = list(ZONES), np.full((64, 64), 2)
for n, zones in enumerate((("inner brows", "outer brows"), ("upper lip", "lip corners", "chin"))):
    place[np.isin(zone_map(), [names.index(zone) for zone in zones])] = n
moving = torch.tensor([*product((False, True), repeat=3)])[:, torch.from_numpy(place)]  # [8, H, W]
with torch.no_grad():
    rows = torch.where(moving[:, None, None], decision.motion, decision.still_motion)
    v = model.logits_from_motion(rows).reshape(2, 2, 2, -1).numpy()
figure, ax = plt.subplots(figsize=(5.5, 2.6))
for shift, hatch, au in ((-0.18, "", 1), (0.18, "///", 12)):
    shares = exact(v[..., model.config.aus.index(au)])
    ax.bar(np.arange(3) + shift, shares, 0.34, hatch=hatch, label=f"AU{au}")
ax.set(xticks=range(3), xticklabels=["brows", "mouth", "rest"], ylabel="added to the logit")
ax.legend()
show(figure, alt="The brows add most to the logit of AU1, the mouth adds most to that of AU12")

# %% [markdown]
# AU1 comes from the brows, AU12 from the mouth. Three zones need 8 runs of the model; the package's 18 parts (nine zones,
# two phases) would need $2^{18}$, so its `shapley` draws ten random orders.
#
# ## We know where the skin moved
#
# So far the maps *look* right. In generated clips the truth is known: the displacement field of each AU. A map is good if
# what speaks for the AU lies in the skin that this AU moved.

# %% [markdown]
# ### Exercise 8.3: energy in the moved skin (★★☆ · 8 min)
# Leave out the first frame. Keep what speaks *for* the AU (above 0), add it over the frames, and give the share of it that
# lies in the mask.
#
# <details><summary>Hint</summary>
#
# `np.maximum(made[1:], 0).sum(0)` is [H, W]. First clip at 0, then add: else the two signs cancel.
#
# </details>

# %% tags=["exercise"]
def energy(made, mask):  # [T, H, W], bool [H, W] -> number
    ...


# %% tags=["check"]
from aullm_lite.explain import controls, grading

rng = np.random.default_rng(4)
made, mask = rng.normal(size=(4, 5, 6)), rng.random((5, 6)) < 0.3
check_fn("8.3", energy, grading.energy_in_mask, made, mask,
         hint="the sum inside the mask divided by the sum everywhere, both of the positive part")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence what an even map gets, then open the solution</summary>
#
# It gets the share of the picture that the mask covers, which is the grade of chance.
#
# ```python
# def energy(made, mask):
#     places = np.maximum(made[1:], 0).sum(0)
#     return places[mask].sum() / places.sum()
# ```
#
# </details>

# %% [markdown]
# ## Fooled by a pretty map
#
# One of these four maps comes from the trained model's decision on AU12. The others are the size of the flow, the
# difference from the first frame, and the same method on a model whose trained parts have *random weights* again: it has
# learnt nothing of faces.
#
# The more orange, the more of its largest value a map has there.
#
# > **Predict.** Which one is it? Look at the mouth, and then at the brows.

# %% tags=["picture"]
from matplotlib.colors import to_rgb

from aullm_lite.style import FOR

truths = {move.au: grading.truth_of(actor, script, move) for move in moves}
with controls.randomised(model):
    blind = {au: model.explain(clip, au, steps=16, most=16).map for au in why}
known = {name: controls.CONTROLS[name](decision) for name in ("flow size", "frame difference")}
maps = {au: known | {"random weights": blind[au], "trained": why[au].map} for au in why}
order = np.random.default_rng(15).permutation(sorted(maps[12])).tolist()
maps = {au: {name: some[name] for name in order} for au, some in maps.items()}
pictures = [figures.smooth(grading.for_it(made[1:]).sum(0)) for made in maps[12].values()]
shares = [(picture / picture.max())[..., None] for picture in pictures]  # [H, W, 1]
drawing.frames([(1 - share) * clip[0, :, :, None].numpy() + share * to_rgb(FOR) for share in shares], "ABCD",
               alt="A face with four maps in orange; all cover the mouth, three of them the brows as well")

# %% [markdown]
# It is C. The other three know where something moves: with AU12 alone you might believe any of them. But they light up the
# brows too, which have no part in AU12.
#
# Now in numbers. *Specificity* asks whether the map of each AU avoids the skin that the *other* moved; a map of all movement
# gets 0.5. Dashed: chance on the left (one line for each AU), all movement on the right.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 2.6), sharey=True)
for shift, hatch, au in ((-0.18, "", 1), (0.18, "///", 12)):
    values = [grading.energy_in_mask(made, truths[au].mask) for made in maps[au].values()]
    left.barh(np.arange(4) + shift, values, 0.34, hatch=hatch, label=f"AU{au}")
    left.axvline(truths[au].mask.mean(), ls="--", color="black", lw=1)
left.set(yticks=range(4), yticklabels=order, xlabel="energy in the moved skin", xlim=(0, 1))
left.legend()
both = zip(maps[1].values(), maps[12].values())
right.barh(range(4), [grading.specificity(*two, truths[1], truths[12]) for two in both], 0.6)
right.axvline(0.5, ls="--", color="black", lw=1)
right.set(xlabel="AU-specificity", xlim=(0, 1))
show(figure, alt="The trained model's map is ahead in both; the others near a half on the right")

# %% [markdown]
# On the left even maps that know nothing of the model pass chance. On the right only one tells the two AUs apart.
#
# ## Does the map need the model?
#
# Adebayo et al. (2018) ask this: give the network random weights. If its map hardly changes, the map does not show what was
# learnt.

# %% [markdown]
# ### Exercise 8.4: rank correlation of two maps (★★☆ · 8 min)
# Without the first frame: put the rank of each value (0 for the smallest) in its place, in both maps, and give the
# correlation of the ranks (Spearman 1904). No two values are equal.
#
# <details><summary>Hint</summary>
#
# `argsort` gives the order, and the `argsort` of the order gives the ranks. `np.corrcoef(a, b)[0, 1]` is the correlation.
#
# </details>

# %% tags=["exercise"]
def rank_correlation(made, other):  # two [T, H, W] -> number
    ...


# %% tags=["check"]
one, noise = np.random.default_rng(5).normal(size=(2, 3, 4, 5))
check_fn("8.4", rank_correlation, grading.rank_correlation, one, np.exp(2 * one) + noise,
         hint="argsort twice, of the flattened maps without the first frame, then np.corrcoef")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why ranks are compared and not values, then open the solution</summary>
#
# Two maps with the same order say the same, whatever the unit, and a few huge values must not decide.
#
# ```python
# def rank_correlation(made, other):
#     ranks = [some[1:].ravel().argsort().argsort() for some in (made, other)]
#     return np.corrcoef(*ranks)[0, 1]
# ```
#
# </details>

# %% [markdown]
# Three maps of AU12, each from the trained model and from the same model with random weights. +1 means the same order, 0
# means that nothing is left.

# %%
with controls.randomised(model):
    untrained = model.explain(clip, 12, "saliency").map
pairs = {"ig": (why[12].map, blind[12]), "flow size": (known["flow size"],) * 2}
pairs["saliency"] = model.explain(clip, 12, "saliency").map, untrained
for name, both in pairs.items():
    print(f"{name:10} trained against random weights: {grading.rank_correlation(*both):+.2f}")

# %% [markdown]
# The size of the flow is the same map for any weights: it explains the clip, not the decision. `saliency`, the size of the
# gradient, keeps a part. Of `ig` next to nothing is left, as it should be.
#
# One clip proves little. The package grades every method on clips of 20 unseen people, beside four controls and random
# weights. Look at which methods lie left of the dashed line, the best control.

# %%
from aullm_lite.explain import grades

table = grades.shipped(model)  # only where it belongs to these very weights
picture = figures.grades_figure(table)
show(picture, alt="Five grades of eleven methods and five controls", colours=32, dpi=75)
print(grades.counted(table), *grades.losses(table), sep="\n")

# %% [markdown]
# Printed are clear losses only, where the interval of the difference lies below zero. Lines that cross a dashed one decide
# nothing.
#
# ## What you have now
#
# - A map is a comparison; without its baseline it says nothing. The shares of `ig` and `shapley` add up, and can be checked.
# - A pretty map may show the clip and not the decision. Grade it where the truth is known, beside maps that know nothing.
# - The default, `ig` on motion, stays behind no control. `saliency` does in part, and `gradcam`, much used elsewhere, hardly
#   tells two AUs apart here.
#
# Not known: whether this holds on filmed faces, for there nobody knows the truth. All grades are of synthetic ones. A map
# tells what moved a number, never what a person feels. Words: [glossary](glossary.md). Shapley values: Shapley 1953.
# Next: [real data](09_real_data.ipynb).

# %%
score(4)
