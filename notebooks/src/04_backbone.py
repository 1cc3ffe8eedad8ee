# %% [markdown]
# # 04 · How much skin does one number of the network see?
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/au-llm-lite/au-llm-lite/blob/main/notebooks/04_backbone.ipynb)
#
# | read 20 min · run 2 min (full: 5 min) | CPU or GPU, 2 GB | synthetic, 0 MB | needs: [03](03_motion.ipynb) | next: [05](05_fusion.ipynb) |
# |---|---|---|---|---|
#
# After this you can
# - say for each layer what it does along time, height and width, and compute its output size,
# - build a 3D convolution and a squeeze-and-excitation gate by hand,
# - train the visual part on generated clips and judge it on people it has never seen.
#
# `video → aligned clip → motion → [ 3D-CNN: you are here ] → one token → language model → Action Units`

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

from aullm_lite.teach import check_fn, drawing, score, setup, show

course = setup(seed=0)

# %% [markdown]
# ## What the first layer has learned
#
# The shipped checkpoint has read many generated clips. We take its 3D-CNN, give it the motion of AU12, a smile, and look at the
# five filters of the first layer that answer most. Look where each filter answers: at both lip corners alike, or at one
# of them only?

# %%
from aullm_lite.backbone import Backbone3D
from aullm_lite.checkpoint import DEMO, read_weights
from aullm_lite.config import AULLMConfig
from aullm_lite.motion.lucas_kanade import LucasKanadeMotion
from aullm_lite.synth.drawn import draw_identity
from aullm_lite.synth.render import Actor, render
from aullm_lite.synth.script import Movement, Script

stored = read_weights(DEMO, AULLMConfig())[0]
own = {k.removeprefix("backbone."): w for k, w in stored.items() if k.startswith("backbone.")}
trained = Backbone3D(2).eval().requires_grad_(False)
trained.load_state_dict(own)

smile = Script(np.linspace(0, 0.3, 6), (Movement(12, "both", 1.5, 0.0, 0.3, 0.6),))
clip = torch.from_numpy(render(Actor(draw_identity(11), 11), smile))  # [T, H, W]
flow = LucasKanadeMotion()(clip[None])  # [B, C, T-1, H, W]
answers = (trained.stem(flow) - trained.stem(flow * 0))[0, :, -1]  # [32, 20, 20]
best = answers.abs().amax(dim=(1, 2)).argsort(descending=True)[:5]
drawing.maps(answers[best], [f"filter {n}" for n in best.tolist()], unit="change by the smile",
             alt="Five maps of 20 by 20 cells; each is strong around one or both lip corners")

# %% [markdown]
# Each map shows how the smile changes the answer of one filter, compared with a still face; the rest of the face stays
# near zero. The two lip corners move up alike but sideways in opposite directions. So a filter for "up" answers at both,
# and one for "sideways" mostly at one of them, because ReLU cuts off the other sign. Nobody told the filters this: they
# learned it from labels.

# %% [markdown]
# ## Three axes that are not alike
#
# Motion is a box of numbers, $[C, T, H, W]$: two channels ($d_x$, $d_y$), five frames after the onset, 64 rows, 64
# columns. A 3D convolution slides a small box over $T$, $H$ and $W$, and adds up all of $C$.

# %% [markdown]
# Nothing is padded: the small box never leaves the large one. A box of $k$ finds $n-k+1$ places in $n$; with steps of
# $s$, it finds
#
# $$\left\lfloor \frac{n-k}{s} \right\rfloor + 1$$
#
# Convolution and pooling follow the same formula, each axis for itself.
#
# > **Predict.** In time the network has a convolution of 2 frames (step 1), then a pool of 2 (step 2). Five motion frames
# > become two. How many would six become, and how many seven?

# %% [markdown]
# ### Exercise 4.1: the size after a layer (★☆☆ · 4 min)
# Sizes of all three axes after one layer without padding: a tuple of three whole numbers. All three arguments are tuples
# in the order $T$, $H$, $W$.
#
# <details><summary>Hint</summary>
#
# `//` divides and rounds down. Use `zip` to walk through the three axes together.
#
# </details>

# %% tags=["exercise"]
def size_after(size, kernel, stride):  # three tuples (T, H, W) -> tuple (T, H, W)
    ...


# %% tags=["check"]
def reference(size, kernel, stride):
    return tuple(F.max_pool3d(torch.zeros(1, 1, *size), kernel, stride).shape[2:])


check_fn("4.1", size_after, reference, (7, 23, 34), (2, 3, 5), (1, 3, 2),
         hint="round down after the division, and count the first place too")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why the division rounds down, then open the solution</summary>
#
# A last step that would carry the box over the border is not taken, so what is left over is not seen.
#
# ```python
# def size_after(size, kernel, stride):
#     return tuple((n - k) // s + 1 for n, k, s in zip(size, kernel, stride))
# ```
#
# </details>

# %% [markdown]
# ## The shape after every layer
#
# Now the real network, layer by layer, with the motion of the smile. Follow one axis at a time from top to bottom. Which
# layers touch time, and which only height and width?

# %%
print(f"{'motion':14} {list(flow.shape)}")
features = flow
for layer in [*trained.stem, *trained.body, *trained.semantic]:
    features = layer(features)
    print(f"{type(layer).__name__:14} {list(features.shape)}")

# %% [markdown]
# | layer | box (T, H, W) | what it asks |
# |---|---|---|
# | first `Conv3d` | 1, 5, 5 | which way does this bit of skin go, now? |
# | first `MaxPool3d` | 1, 3, 3 | did it happen anywhere near? |
# | second `Conv3d` | 2, 3, 3 | how does it go on, and what do the neighbours do? |
# | `SqueezeExcite` | all of H, W | which channels matter in this time slice? |
# | second `MaxPool3d` | 2, 2, 2 | did it happen near, now or next? |
#
# What stands before `Flatten` is called **mid**, what stands at the end **high**. This chain of layers is published
# (AU-LLM, arXiv 2507.21778), with ReLU before the pool, which gives the same numbers; the box sizes are those of a script
# that its authors had online in August 2025.

# %% [markdown]
# ### Exercise 4.2: one number of a convolution (★★☆ · 8 min)
# Compute what a 3D convolution gives at one place $(t, y, x)$, for all its $O$ filters $w$ with biases $b$, from motion $m$:
#
# $$b_o + \sum_{c,i,j,k} w_{o,c,i,j,k}\; m_{c,\;t+i,\;y+j,\;x+k}$$
#
# <details><summary>Hint</summary>
#
# Cut out the box first: `motion[:, t : t + depth, ...]`. It has the shape of one filter, so `weight * box` broadcasts
# over the filters.
#
# </details>

# %% tags=["exercise"]
def conv_at(motion, weight, bias, t, y, x):  # [C, T, H, W], [O, C, 3 sizes], [O] -> [O]
    ...


# %% tags=["check"]
check_fn("4.2", conv_at, lambda m, w, b, t, y, x: F.conv3d(m[None], w, b)[0, :, t, y, x],
         torch.randn(3, 4, 7, 9), torch.randn(5, 3, 2, 3, 4), torch.randn(5), 1, 3, 2,
         hint="weight.shape[2:] is the size of the box in t, y and x")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why no place gets weights of its own, then open the solution</summary>
#
# The same weights slide over all places, so a movement is known again wherever on the face it happens.
#
# ```python
# def conv_at(motion, weight, bias, t, y, x):
#     depth, height, width = weight.shape[2:]
#     box = motion[:, t : t + depth, y : y + height, x : x + width]
#     return (weight * box).sum(dim=(1, 2, 3, 4)) + bias
# ```
#
# </details>

# %% [markdown]
# ## A gate for every time slice
#
# *Squeeze-and-excitation* (Hu et al., CVPR 2018) turns channels up or down. Squeeze: the mean $s$ of each channel. Excite:
# two small matrices, $D$ down to few numbers, then $U$ up again:
#
# $$g = \sigma\big(U\,\mathrm{relu}(D\,s)\big)$$
#
# Each channel is multiplied by its $g$ between 0 and 1. Here the mean runs over $H$ and $W$ only, so every time slice has a
# gate of its own: a slice in which nothing moves does not thin out the mean of one in which much does.

# %% [markdown]
# ### Exercise 4.3: squeeze and excite (★★☆ · 10 min)
# Gate a batch of features with the matrices `down` and `up`, each time slice alone.
#
# <details><summary>Hint 1</summary>
#
# `x.mean(dim=(-2, -1))` is `[B, C, T]`. Bring C to the end with `.mT` before you multiply with `down.T`.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Bring T back to the end with `.mT`, and add two axes for H and W with `[..., None, None]`.
#
# </details>

# %% tags=["exercise"]
def squeeze_excite(x, down, up):  # [B, C, T, H, W], [R, C], [C, R] -> [B, C, T, H, W]
    ...


# %% tags=["check"]
from aullm_lite.backbone import SqueezeExcite


def reference(x, down, up):
    excite = SqueezeExcite(len(up), len(up) // len(down))
    excite.load_state_dict({"gate.0.weight": down, "gate.2.weight": up})
    return excite(x).detach()


check_fn("4.3", squeeze_excite, reference, torch.randn(2, 6, 4, 3, 5), torch.randn(3, 6),
         torch.randn(6, 3), hint="no mean over T; relu between the matrices, sigmoid at the end")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why the channels meet in so few numbers, then open the solution</summary>
#
# With few numbers in between the gate must find what channels have in common, and it costs few weights.
#
# ```python
# def squeeze_excite(x, down, up):
#     squeezed = x.mean(dim=(-2, -1)).mT  # [B, T, C]
#     gate = torch.sigmoid(torch.relu(squeezed @ down.T) @ up.T)
#     return x * gate.mT[..., None, None]
# ```
#
# </details>

# %% [markdown]
# ## What one number sees
#
# The *receptive field* of a number is the part of the input that can change it. It grows from layer to layer. A box of $k$
# adds $k-1$ places, and each place is as wide as all steps so far, multiplied:
#
# $$\text{field} \mathrel{+}= (k-1)\cdot\text{step}, \qquad \text{step} \mathrel{\times}= s$$
#
# > **Predict.** Along one side the boxes are 5, 3, 3, 2 with steps 1, 3, 1, 2. If the first step were 2 instead of 1, how
# > wide a square of skin would one number of `mid` see? Twice as wide as now, or not quite?

# %% [markdown]
# ### Exercise 4.4: the receptive field (★★☆ · 6 min)
# How many inputs along one axis can change one output, after a chain of layers? Kernels and strides come as lists.
#
# <details><summary>Hint</summary>
#
# Begin with `field = 1` and `step = 1`. The step of a layer counts only for the layers after it.
#
# </details>

# %% tags=["exercise"]
def field_of(kernels, strides):  # two lists -> whole number
    ...


# %% tags=["check"]
def reference(kernels, strides):
    line = out = torch.zeros(1, 1, 99, requires_grad=True)
    for kernel, stride in zip(kernels, strides):
        out = F.avg_pool1d(out, kernel, stride)
    out[0, 0, 1].backward()
    return int(line.grad.count_nonzero())  # counted, not computed


check_fn("4.4", field_of, reference, [3, 2, 4, 3], [2, 1, 3, 1],
         hint="first add to the field, then let the step grow")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why late layers widen the field more, then open the solution</summary>
#
# Their neighbours stand further apart on the face, because every step before them counts.
#
# ```python
# def field_of(kernels, strides):
#     field, step = 1, 1
#     for kernel, stride in zip(kernels, strides):
#         field += (kernel - 1) * step
#         step *= stride
#     return field
# ```
#
# </details>

# %% [markdown]
# The package's network, asked directly: which pixels have a gradient? Bright is what can change one number near a lip
# corner. First a number of the stem (after the first pool and norm), then one of `mid`, with the gate left out and with it.

# %%
def counts(layers, at):
    """What can change the first output in time, in row and column `at`?  -> bool [T-1, H, W]"""
    noise = torch.randn(24, 2, 5, 64, 64, requires_grad=True)
    torch.nn.Sequential(*layers)(noise)[..., 0, at, at].sum().backward()
    return noise.grad.abs().sum(dim=(0, 1)) > 0


stem, body = list(trained.stem), list(trained.body)
fields = {"stem": counts(stem, 13), "mid, no gate": counts(stem + body[:3] + body[4:], 6),
          "mid": counts(stem + body, 6)}
faces = [clip[0] * (0.35 + 0.65 * field.any(0)) for field in fields.values()]
drawing.frames(torch.stack(faces), list(fields),
               alt="A face with a small bright square at the lip corner, a larger one, all bright")
for name, field in fields.items():
    print(f"{name}: {field.any(0).any(0).sum()} pixels wide, {field.any(2).any(1).sum()} frames")

# %% [markdown]
# One number of `mid` sees a lip corner, not a mouth, and three of the five frames. So `mid` knows *where*: its 9 x 9 places
# lie 6 pixels apart. The gate opens a side door: its mean runs over the whole slice, so every pixel has a small say
# everywhere. `high` is a linear layer over all places: it sees everything, and must learn each place by itself.

# %% [markdown]
# ## Train it
#
# People to train on, people on whom cut-offs are chosen (*inner*), and people to test on are three groups. All are generated
# (SynthME), and their movements are easy: one to two pixels.

# %%
from aullm_lite.motion import measure_motion
from aullm_lite.recipe import mirror, one_cycle, split_inner
from aullm_lite.synth.dataset import HELD_OUT, make_clips, tier_recipe

known = make_clips(course.pick(48, 240), 8, tier_recipe("easy"), seed=0)
test = make_clips(24, 8, tier_recipe("easy"), seed=HELD_OUT)
held_back = split_inner(known.subjects, 0.2, seed=0)
train, inner = known.select(~held_back), known.select(held_back)
front = LucasKanadeMotion().to(course.device)
seen = [measure_motion(front, some.clips, course.device) for some in (train, inner, test)]
print([len(some) for some in seen], "clips: to train, to choose cut-offs, to test")

# %% [markdown]
# Behind the network stands one linear layer: from the 256 numbers of `high` to a logit for each of the twelve Action Units.
# A mirrored clip is a second clip for free, if $d_x$ changes its sign. The learning rate goes up, then down. The loss is the
# package's own, [`asl`](../aullm_lite/losses.py), which cares less for easy absences.

# %%
from aullm_lite.losses import asl

eye = Backbone3D(2, drop_rate=0.1).to(course.device)
head = torch.nn.Linear(256, len(train.aus)).to(course.device)
optimizer = torch.optim.AdamW([*eye.parameters(), *head.parameters()], weight_decay=0.01)
labels, steps = torch.from_numpy(train.labels), course.pick(110, 800)
for step in range(steps):
    rows, flip = torch.randint(len(train), (32,)), torch.rand(32) < 0.5
    batch = mirror(seen[0][rows].float(), flip).to(course.device)
    loss = asl(head(eye(batch)[1]), labels[rows].to(course.device))
    optimizer.param_groups[0]["lr"] = 2e-3 * one_cycle(step / steps)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"loss of the last batch: {loss.item():.3f}")

# %% [markdown]
# A small loss says little: these are clips it has trained on. What counts is people it has never seen. *Average precision*
# asks whether clips with an Action Unit (AU) get higher scores than those without; by chance it is as high as the share of
# such clips. *F1* needs a cut-off, and ours come from the inner people; with hits $TP$, false alarms $FP$ and misses $FN$,
# $F_1 = 2\,TP / (2\,TP + FP + FN)$.
#
# > **Predict.** Each AU moves in about one clip in nine. Which F1 does the answer "all AUs, always" get, for free?

# %%
from aullm_lite import metrics


@torch.no_grad()
def say(flows):
    """Probability of each Action Unit.  [N, C, T-1, H, W] -> [N, K]"""
    parts = [head(eye(part.to(course.device).float())[1]) for part in flows.split(64)]
    return torch.cat(parts).sigmoid().cpu().numpy()


eye.eval()
cuts, said = metrics.best_thresholds(inner.labels, say(seen[1])), say(seen[2])
table = metrics.score_table(test.aus, test.labels, said, cuts)
print(f"on unseen people: AP {table['mean']['ap']:.2f}, F1 {table['mean']['f1']:.2f}")
print(f"all AUs, always:  F1 {table['floors']['all_positive']['f1']:.2f}")

# %%
names, rows = [f"AU{au}" for au in test.aus], table["per_au"].values()
figure, ax = plt.subplots(figsize=(6.5, 2.8))
ax.bar(names, [row["ap"] for row in rows], label="average precision")
ax.plot(names, test.labels.mean(0), "k_", ms=16, label="chance: its share of the clips")
ax.set(ylabel="on unseen people", ylim=(0, 1.2))
ax.legend(ncols=2, loc="upper left")
show(figure, alt="A bar for each Action Unit, all well above the short line that marks chance")

# %% [markdown]
# All of this is synthetic (SynthME): drawn people, movements of one to two pixels, a short training. One AU moves in only
# a few of these clips, so single bars are rough. Read the picture as "far above chance, some harder than others", not as a
# ranking.
#
# ## How long does it take?
#
# The same work on every device of this machine: a batch of 32 clips, only seen, and seen and learned from.

# %%
from time import perf_counter


def milliseconds(device, learn):
    """For one clip, in a batch of 32; the best of four tries."""
    spent, batch = [], torch.randn(32, 2, 5, 64, 64, device=device)
    network = Backbone3D(2).to(device)
    for _ in range(4):
        start = perf_counter()
        answer = network(batch)[1].sum()
        if learn:
            answer.backward()
        answer.item()  # waits until a GPU is done
        spent.append(perf_counter() - start)
    return 1000 * min(spent) / 32


for device in ["cpu"] + ["cuda"] * torch.cuda.is_available():
    times = milliseconds(device, False), milliseconds(device, True)
    print("{}: {:.2f} ms seen, {:.2f} ms seen and learned from".format(device, *times))
print("" if torch.cuda.is_available() else "cuda: no GPU here, so not measured")

# %% [markdown]
# Learning costs a few times as much as seeing: the gradient has to go back through the input and through the weights. These
# numbers are for the machine of this run; without a GPU there is none for it, for we do not guess.
#
# ## Where it fails
#
# The test clip with the gravest mistake. Left the flow in the middle of the clip, four times as long as it is; right what
# the network says. Look for a reason in the arrows.

# %%
from aullm_lite.style import ABSENT, PRESENT

there = test.labels > 0
worst = (np.abs(said - there) * ((said >= cuts) != there)).max(1).argmax()
figure, (face, bars) = plt.subplots(1, 2, figsize=(8, 2.6), width_ratios=(1, 2.4))
drawing.draw_arrows(face, test.clips[worst, 0] / 255, seen[2][worst, :, 2].float().numpy(), 4, 4.0)
face.set_axis_off()
names = [f"{au}*" if moved else f"{au}" for au, moved in zip(test.aus, there[worst])]
bars.bar(names, said[worst], color=[PRESENT if moved else ABSENT for moved in there[worst]])
bars.plot(names, cuts, "k_", ms=14, label="cut-off")
bars.set(xlabel="Action Unit (* moved)", ylabel="probability", ylim=(0, 1.2))
bars.legend(loc="upper left")
show(figure, alt="A face with arrows, and bars: at least one is on the wrong side of its cut-off")

# %% [markdown]
# One clip proves nothing, but it shows the kind of mistake. Several AUs pull the same skin: 1, 2 and 4 the brows, 2 and 5
# the skin above the eyes, 12, 14 and 15 the lip corners. Only direction and shape tell them apart.
#
# ## What you have now
#
# - Each axis has its own treatment: frames first alone, then in pairs; space in small boxes and pools.
# - One number of `mid` sees a small square and three frames; a gate and `high` see the whole face.
# - A few hundred generated clips teach it clearly more than chance. Falling loss alone would not have shown it.
#
# Not known: how far this carries on filmed people. Sources: Hu et al., CVPR 2018; AU-LLM, arXiv 2507.21778. Words:
# [glossary](glossary.md). Next: [mid and high become one token](05_fusion.ipynb).

# %%
score(4)
