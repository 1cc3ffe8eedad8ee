# %% [markdown]
# # 05 · What does one token know?
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/au-llm-lite/au-llm-lite/blob/main/notebooks/05_fusion.ipynb)
#
# | read 20 min · run 1 min (full: 3 min) | CPU, 2 GB | synthetic, 0 MB | needs: [04](04_backbone.ipynb) | next: [06](06_language_model.ipynb) |
# |---|---|---|---|---|
#
# After this you can
# - count the weights of the paper's fusion projector (EFP) and say where they go,
# - build the small projector by hand: pool, join, normalise, two layers,
# - measure with linear probes what a token knows, and what pooling takes away.
#
# `video → aligned clip → motion → 3D-CNN → [ FUSION, one token: you are here ] → language model → Action Units`

# %%
import sys
from importlib.util import find_spec

if "google.colab" in sys.modules and not find_spec("aullm_lite"):
    package = "aullm-lite @ git+https://github.com/au-llm-lite/au-llm-lite@v0.1.0"
    get_ipython().run_line_magic("pip", f"install -q '{package}'")
import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F

from aullm_lite.teach import check_fn, score, setup, show

course = setup(seed=0)

# %% [markdown]
# ## Six clips, six tokens
#
# Two drawn people, A and B, each move three Action Units (AUs): AU4 lowers the brows, AU12 pulls the lip corners up, AU15
# pulls them down. The shipped model turns each clip into one token of 576 numbers. We take away the token of a still face
# and compare what is left by its *cosine*: 1 for the same direction, 0 for nothing in common.
#
# Look at the pairs: which are more alike, two clips of one person or two clips of one AU?

# %%
import seaborn as sns

from aullm_lite.checkpoint import DEMO, read_weights
from aullm_lite.config import AULLMConfig
from aullm_lite.model import AULLM
from aullm_lite.style import SIGNED
from aullm_lite.synth.dataset import HELD_OUT, render_people
from aullm_lite.synth.script import Movement, Script

model = AULLM(AULLMConfig(language_model="none")).eval().requires_grad_(False)
model.load_state_dict(read_weights(DEMO, model.config)[0], strict=False)  # all up to the token
moves = [Movement(au, "both", 1.5, onset=0.0, apex=0.3, offset=0.6) for au in (4, 12, 15)]
scripts = [Script(np.linspace(0, 0.3, 6), (move,)) for move in moves]
few = render_people([None, None], [scripts, scripts], seed=HELD_OUT)  # A and B, drawn from the seed
motion = model.motion(torch.from_numpy(few.clips).float() / 255)
change = F.normalize((model.visual_token(motion) - model.visual_token(motion * 0))[:, 0])
order, names = [0, 3, 1, 4, 2, 5], ["AU4 A", "AU4 B", "AU12 A", "AU12 B", "AU15 A", "AU15 B"]
figure, ax = plt.subplots(figsize=(6.4, 3.8))
sns.heatmap((change @ change.T)[order][:, order].numpy(), vmin=-1, vmax=1, cmap=SIGNED, annot=True,
            fmt=".1f", xticklabels=names, yticklabels=names, cbar_kws={"label": "cosine"}, ax=ax)
ax.tick_params(axis="y", rotation=0)
show(figure, alt="Six by six cosines: about 1 for the same AU of two people, about 0.7 for others")

# %% [markdown]
# Along the diagonal stand blocks of two: the same AU of two people. They are more alike than two AUs of one person. All
# tokens share something, too: that anything moved at all. So the
# token says *what moved* rather than *who*. How is such a token made, and what else does it know?
#
# ## Two kinds of features, one token
#
# The 3D-CNN gives two things (notebook 04): `mid`, $64 \times 2 \times 9 \times 9$ numbers that know where, and `high`, 256
# numbers made from all of `mid`. The paper's *Enhanced Fusion Projector* (EFP) joins them and sends all through two layers,
# with ReLU between them:
#
# $$\text{token} = W_2\,\mathrm{relu}(W_1\,[\text{mid}, \text{high}] + b_1) + b_2$$

# %% [markdown]
# The idea is published (arXiv 2507.21778), the sizes come from a script that the authors had online in August 2025: the
# hidden layer is half as wide as input and output together, rounded down. The output is as wide as a word of the language
# model: 576 for ours.
#
# > **Predict.** A language model with words of 896 numbers is about half as wide again as ours. Does its projector need
# > half as many weights again?

# %% [markdown]
# ### Exercise 5.1: count the weights (★☆☆ · 5 min)
# How many numbers does the paper's projector learn, weights and biases of both layers? `joined` is the length of mid and
# high together, `width` that of the token.
#
# <details><summary>Hint</summary>
#
# A layer from `n` to `m` numbers has `n * m` weights and `m` biases. Use `//` for the hidden width.
#
# </details>

# %% tags=["exercise"]
def paper_weights(joined, width):  # -> whole number
    ...


# %% tags=["check"]
from aullm_lite.projector import FusionProjector


def counted(joined, width):
    return sum(some.numel() for some in FusionProjector(width, kind="paper").parameters())


check_fn("5.1", paper_weights, counted, 64 * 2 * 9 * 9 + 256, 77,
         hint="two layers, each with weights and biases; hidden = (joined + width) // 2")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence which of the two layers is so large, then open the solution</summary>
#
# The first: it ties every one of ten thousand inputs to every one of thousands of hidden numbers.
#
# ```python
# def paper_weights(joined, width):
#     hidden = (joined + width) // 2
#     return (joined + 1) * hidden + (hidden + 1) * width
# ```
#
# </details>

# %% [markdown]
# With 896 the paper's projector would have 66.4 million weights, only 6 % more than with our 576: the input decides, not the
# width of the token.
#
# Our presets: `paper` has the paper's projector, `lite` (the default) pools `mid` to a 3 x 3 grid first, and `smoke` is
# `lite` for a tiny language model, for tests. Look at the first layer in each line.

# %%
for preset, width in (("paper", 576), ("lite", 576), ("smoke", 64)):
    projector = FusionProjector(width, kind=AULLMConfig.from_preset(preset).projector)
    layers = [f"{len(some.weight.T)} x {len(some.weight)}" for some in projector.mlp
              if isinstance(some, torch.nn.Linear)]
    total = sum(some.numel() for some in projector.parameters())
    print(f"{preset:6} {', '.join(layers):28} {total:>11,} weights")

# %% [markdown]
# CASME II, a set that the field often uses, has some 250 clips ([its card](../data_cards/casme2.md)). With the paper's
# projector that is a quarter of a million weights for every clip: enough to learn clips by heart. `lite` has some sixty
# times fewer. What does it lose?

# %% [markdown]
# ## Pool, but not too much
#
# > **Predict.** Pool `mid` down to one number for each channel and time. Would the token still know whether a lip corner
# > or a brow moved? And whether it was the left or the right one?

# %% [markdown]
# ### Exercise 5.2: pool to a grid (★★☆ · 8 min)
# Cut height and width into `grid` by `grid` equal cells, and take the mean of each cell. Channels and times stay.
#
# <details><summary>Hint 1</summary>
#
# Reshape `H` into two axes, `grid` and `H // grid`; the same with `W`. Then take the mean over two of the seven axes.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Which comes first? Neighbouring rows share a cell, so the axis *within* the cell comes last.
#
# </details>

# %% tags=["exercise"]
def pool_grid(mid, grid):  # [B, C, T, H, W] -> [B, C, T, grid, grid]
    ...


# %% tags=["check"]
def pooled(mid, grid):
    return F.adaptive_avg_pool3d(mid, (mid.shape[2], grid, grid))  # as the projector does


check_fn("5.2", pool_grid, pooled, torch.randn(2, 4, 5, 6, 9), 3,
         hint="[B, C, T, grid, H // grid, grid, W // grid], and the mean over axes 4 and 6")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence what a mean over the whole map cannot tell, then open the solution</summary>
#
# It cannot tell where: a movement at the brow and the same one at the mouth have the same mean.
#
# ```python
# def pool_grid(mid, grid):
#     b, c, t, h, w = mid.shape
#     cells = mid.reshape(b, c, t, grid, h // grid, grid, w // grid)
#     return cells.mean(dim=(4, 6))
# ```
#
# </details>

# %% [markdown]
# ### Exercise 5.3: from features to the token (★★★ · 12 min)
# The `lite` projector: pool `mid` to 2 x 3 x 3, flatten, put `high` behind it, then a layer norm, a linear layer, GELU, a
# linear layer. Layer norm, for each clip's joined numbers $v$:
#
# $$\frac{v - \mathrm{mean}(v)}{\sqrt{\mathrm{var}(v) + 10^{-5}}} \cdot \text{weight} + \text{bias}$$
#
# The `weights` have the names `mlp.0` (layer norm), `mlp.1` and `mlp.4` (linear), each with `.weight` and `.bias`.
#
# <details><summary>Hint</summary>
#
# `F.layer_norm(v, v.shape[1:], weight, bias)`, `F.linear(v, weight, bias)` and `F.gelu(v)` may be used. Dropout rests
# when a model is not in training.
#
# </details>

# %% tags=["exercise"]
def fuse(mid, high, weights):  # [B, 64, 2, 9, 9], [B, 256], dictionary -> [B, 1, E]
    ...


# %% tags=["check"]
given = {k: 0.2 * torch.randn_like(w) for k, w in FusionProjector(12).state_dict().items()}


def projected(mid, high, weights):
    projector = FusionProjector(12).eval()
    projector.load_state_dict(weights)
    return projector(mid, high).detach()


check_fn("5.3", fuse, projected, torch.rand(3, 64, 2, 9, 9), torch.rand(3, 256), given,
         hint="mid before high, all weights and biases, and one axis more at the end: [:, None]")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why the norm helps where mid and high are joined, then open the solution</summary>
#
# It brings weak and strong clips to one size, so that the next layer reads the pattern and not the strength.
#
# ```python
# def fuse(mid, high, weights):
#     joined = torch.cat([F.adaptive_avg_pool3d(mid, (2, 3, 3)).flatten(1), high], dim=1)
#     centred = joined - joined.mean(1, keepdim=True)
#     normal = centred / (centred.square().mean(1, keepdim=True) + 1e-5).sqrt()
#     normal = normal * weights["mlp.0.weight"] + weights["mlp.0.bias"]
#     hidden = F.gelu(normal @ weights["mlp.1.weight"].T + weights["mlp.1.bias"])
#     return (hidden @ weights["mlp.4.weight"].T + weights["mlp.4.bias"])[:, None]
# ```
#
# </details>

# %% [markdown]
# ## Questions to a token
#
# A *linear probe* is a linear classifier on frozen features. What it can read off lies there openly, ready for the next
# layer. Our clips are balanced: one AU each, on both sides or one, from weak to strong. Their scripts know the truth. Nobody
# here was in the checkpoint's training, and the second half of the people tests the probes.

# %%
from dataclasses import replace

from aullm_lite.facs import CD6ME_AUS
from aullm_lite.motion import measure_motion
from aullm_lite.speech.lessons import truths_of
from aullm_lite.synth.dataset import make_clips
from aullm_lite.synth.script import draw_script


def recipe(rng):
    """One movement: any AU, any side, 0.25 to 2 pixels."""
    script = draw_script(rng, aus=(int(rng.choice(CD6ME_AUS)),))
    move = script.movements[0]
    side = "both" if move.au == 17 else str(rng.choice(["both", "L", "R"]))
    return replace(script, movements=(replace(move, side=side, peak=0.25 * 8 ** rng.random()),))


people = course.pick(14, 30)  # to fit the probes, and as many others to test them
sets = [make_clips(people, 14, recipe, seed=HELD_OUT + start) for start in (100, 100 + people)]

# %%
def features(data):
    """What lies before and behind the fusion, for each clip."""
    flow = measure_motion(model.motion, data.clips).float()
    mid, high = map(torch.cat, zip(*map(model.backbone, flow.split(64))))
    return {"mid": mid, "high": high, "token": model.projector(mid, high)[:, 0]}


def truth(data):
    """The right answers as numbers, for each clip."""
    side, strength, _ = truths_of(data.scripts, data.aus).amax(1).T.numpy()  # -1 where absent
    person = np.unique(data.subjects, return_inverse=True)[1]
    return {"AU": data.labels.argmax(1), "side": side, "strength": strength, "person": person}


seen, asked = [features(some) for some in sets], [truth(some) for some in sets]

# %% [markdown]
# ### Exercise 5.4: what guessing gets (★☆☆ · 5 min)
# Without looking, the best guess is the answer that was most frequent among the *known* clips. Which share of the *new*
# clips does it get right? A probe must beat this.
#
# <details><summary>Hint</summary>
#
# `np.unique(known, return_counts=True)` gives values and their counts.
#
# </details>

# %% tags=["exercise"]
def chance(known, new):  # whole numbers [N], [M] -> share 0..1
    ...


# %% tags=["check"]
from sklearn.dummy import DummyClassifier


def guess(known, new):
    dummy = DummyClassifier(strategy="most_frequent").fit(known[:, None], known)
    return float(dummy.score(new[:, None], new))


check_fn("5.4", chance, guess, np.array([3, 0, 3, 1, 3, 0]), np.array([0, 1, 0, 0, 3, 3, 1]),
         hint="choose the answer on the known clips, count it in the new ones")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why the guess may not look at the new clips, then open the solution</summary>
#
# The answers there are what is asked for, so choosing by them would be a small leak.
#
# ```python
# def chance(known, new):
#     values, counts = np.unique(known, return_counts=True)
#     return float(np.mean(new == values[counts.argmax()]))
# ```
#
# </details>

# %% [markdown]
# ## What pooling takes away
#
# Probes on `mid`, pooled to grids from 1 x 1 to 4 x 4. A larger grid also has more numbers, so there is a control: the same
# grids after the 81 places of each clip were *shuffled*. It has as many numbers, but no *where*. Compare the two lines, and
# both with chance.

# %%
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def probe(known, answers, new, right):
    """Share of right answers to new clips of a linear probe that was fitted to known ones."""
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    return linear.fit(known.flatten(1).numpy(), answers).score(new.flatten(1).numpy(), right)


def shuffled(mid):
    """Every clip's 81 places in an order of its own.  [N, C, T, 9, 9] -> [N, C, T, 9, 9]"""
    mixed = [one.flatten(2)[..., torch.randperm(81)].reshape(one.shape) for one in mid]
    return torch.stack(mixed)


figure, axes = plt.subplots(1, 2, figsize=(7, 2.8), sharey=True)
for ax, what in zip(axes, ("AU", "side")):
    known, new = (some[what] for some in asked)
    for line, name, change in (("o-", "mid", torch.clone), ("s--", "shuffled", shuffled)):
        a, b = (change(some["mid"]) for some in seen)
        right = [probe(pooled(a, grid), known, pooled(b, grid), new) for grid in (1, 2, 3, 4)]
        ax.plot((1, 2, 3, 4), right, line, label=name)
    ax.axhline(guess(known, new), color="k", ls=":", label="chance")
    ax.set(title=what, xlabel="grid, cells a side", xticks=(1, 2, 3, 4), ylim=(0, 1.05))
axes[0].set_ylabel("right, new people")
axes[1].legend()
show(figure, alt="Two panels: mid rises from one cell to several, shuffled places stay lower")

# %% [markdown]
# With one cell, the probe still knows something: filters know the direction of a movement. With a grid it also knows the
# place, and gets more right; shuffled places do not help. That is why `lite` keeps a grid. All clips are synthetic
# (SynthME), and with a hundred or two to test on, small differences mean nothing.

# %% [markdown]
# ## Mid, high, both, token
#
# Now four questions to four kinds of features: `mid` (3 x 3), `high`, both joined, and the token made of both. Three
# questions are judged on new people. *Who is it?* can only be asked about known people: there the probe learns from every
# second clip and is tested on the others.
#
# > **Predict.** `high` is made from all 81 places of `mid`. Can it add anything to `mid` pooled to 3 x 3? What should a fair detector know of
# > the person?

# %%
import pandas as pd


def by_question(name, ask):
    """Shares by `ask(known, answers, new, right)`, from one kind of features."""
    (a, b), (known, new) = [some[name] for some in kinds], asked
    found = {what: ask(a, known[what], b, new[what]) for what in ("AU", "side", "strength")}
    return found | {"person": ask(b[::2], new["person"][::2], b[1::2], new["person"][1::2])}


kinds = [some | {"mid": pooled(some["mid"], 3).flatten(1)} for some in seen]
kinds = [some | {"both": torch.cat([some["mid"], some["high"]], dim=1)} for some in kinds]
table = pd.DataFrame({n: by_question(n, probe) for n in ("mid", "high", "both", "token")})
luck = pd.Series(by_question("high", lambda known, answers, new, right: guess(answers, right)))
ax = table.plot.bar(figsize=(7, 3), rot=0, width=0.8, ylabel="right answers", ylim=(0, 1.2))
at = np.arange(len(luck))
ax.hlines(luck, at - 0.45, at + 0.45, colors="k", linestyles="dotted", label="chance")
ax.legend(ncols=5, loc="upper center")
show(ax.figure, alt="Bars of four kinds of features for each question, with a line of chance")
print(table.assign(chance=luck).round(2).to_string())

# %% [markdown]
# The token and `high` say more openly than pooled `mid` which AU moved, on people they have never seen. For side and strength
# the token is ahead: training asked it for words about both (06), and what is asked for gets laid open. Joined to `mid`,
# `high` adds what it saw before the pooling. Of the person a token should know little: what it knows above chance can become
# a leak ([07](07_evaluate.ipynb)).

# %% [markdown]
# ## Where the token fails
#
# Weak movements are under half a pixel, strong ones a pixel or more. How often is the AU right in each group, and which AUs
# does the probe mix up?

# %%
from collections import Counter

linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
said = linear.fit(seen[0]["token"].numpy(), asked[0]["AU"]).predict(seen[1]["token"].numpy())
right = said == asked[1]["AU"]
for n, word in enumerate(("weak", "medium", "strong")):
    print(f"{word:7} {right[asked[1]['strength'] == n].mean():.2f} of the AUs right")
pairs = Counter(zip(asked[1]["AU"][~right].tolist(), said[~right].tolist()))
for (true, named), times in pairs.most_common(3):
    print(f"AU{CD6ME_AUS[true]} taken for AU{CD6ME_AUS[named]}: {times} times")

# %% [markdown]
# Most that is lost is weak: there the motion is hardly larger than the noise.
#
# ## What you have now
#
# - The paper's EFP is two layers; most of its weights tie single places to hidden numbers.
# - Pooling saves weights. Pooled to one cell, the features lose the place; a small grid keeps it.
# - `high` adds no new source of information: it is made from `mid`. But it has seen the places before they were pooled.
# - A probe without its chance level says nothing. "Linear" matters too: what a probe does not find may still be there.
#
# Not known: what a token knows of filmed faces. Sources: AU-LLM, arXiv 2507.21778; the idea of probes: Alain and Bengio,
# arXiv 1610.01644. Words: [glossary](glossary.md). Next: [the language model reads it](06_language_model.ipynb).

# %%
score(4)
