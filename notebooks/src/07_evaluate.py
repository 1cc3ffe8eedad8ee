# %% [markdown]
# # 07 · Is that a good score?
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/au-llm-lite/au-llm-lite/blob/main/notebooks/07_evaluate.ipynb)
#
# | read 20 min · run 1 min (full: 1 min) | CPU, 2 GB | synthetic, 0 MB | needs: [03](03_motion.ipynb) | next: [08](08_explain.ipynb) |
# |---|---|---|---|---|
#
# After this you can
# - split clips by person, and say what goes wrong where they are not,
# - read two scores that share the name F1, beside their floors and with their intervals,
# - tell a probability that can be believed from one that cannot.
#
# `video → aligned clip → motion → 3D-CNN → one token → language model → Action Units → [ SCORE: you are here ]`

# %%
import sys
from importlib.util import find_spec

if "google.colab" in sys.modules and not find_spec("aullm_lite"):
    package = "aullm-lite @ git+https://github.com/au-llm-lite/au-llm-lite@v0.1.0"
    get_ipython().run_line_magic("pip", f"install -q '{package}'")
import matplotlib.pyplot as plt
import numpy as np
import torch

from aullm_lite.teach import check_fn, play, score, setup, show

course = setup(seed=0)

# %% [markdown]
# ## Three scores, and not one face
#
# 255 clips of 26 people, eight Action Units. The clips are invented (SynthME), in the shape of the data set CASME II: its
# published counts, uneven numbers of clips, people with habits. Three methods are scored by macro F1, as papers of the
# field do. Look at how the score climbs. Which method would you choose?

# %%
from aullm_lite import confusion, floors, intervals, metrics
from aullm_lite.datasets.casme2 import CASME2
from aullm_lite.synth import dataset, shape

first = dataset.held_out_seed(1)  # seed of the first person
drawn = shape.draw_shape("casme2", first)  # for each clip: who, and which AUs
people = np.array([person for person, _ in drawn])  # [N]
labels = np.array([[au in aus for au in CASME2.aus] for _, aus in drawn], float)  # [N, K]
known = floors.identity_scores(labels, people) >= floors.identity_thresholds(labels)
climb = [floors.floors(labels)[name]["f1_macro"] for name in ("all_negative", "random_swept")]
climb.append(metrics.f1_macro(labels, known).mean())
figure, ax = plt.subplots(figsize=(5, 2.6))
ax.bar_label(ax.bar(["method A", "method B", "method C"], climb, width=0.5), fmt="%.2f")
ax.set(ylabel="macro F1, mean of 8 AUs", ylim=(0, 1))
show(figure, alt="Three bars climb from below a half, by way of a half, to above six tenths")

# %% [markdown]
# Choose none. No picture has been drawn yet: the code knows the labels, and who is in which clip.
#
# - **A** says "absent" to everything.
# - **B** draws random numbers. Its thresholds were chosen on the test.
# - **C** knows who it is: it has the labels of the same person's other clips.
#
# ## Nobody on both sides
#
# People have habits, so knowing the person tells much about the labels. The remedy is *leave one subject out* (LOSO): one
# fold for each person, who is tested alone, while all others train.

# %% [markdown]
# ### Exercise 7.1: one fold for each person (★☆☆ · 5 min)
# For each person in the order of `np.unique`: a pair of index arrays, the clips of all others (train) and the person's own
# (test). Clips of one person need not stand together.
#
# <details><summary>Hint</summary>
#
# `np.flatnonzero(subjects == person)` gives the places of one person's clips.
#
# </details>

# %% tags=["exercise"]
def one_fold_each(subjects):  # [N] -> list of (train indices, test indices)
    ...


# %% tags=["check"]
from aullm_lite.clips import ClipSet
from aullm_lite.protocols import splits


def reference(subjects):
    blank = ClipSet(np.zeros((len(subjects), 1, 1, 1)), np.ones((len(subjects), 1)), subjects)
    rows = lambda group: np.flatnonzero(np.isin(subjects, sorted(group)))
    return [(rows(f.train | f.inner), rows(f.test)) for f in splits.leave_one_subject_out(blank, 0)]


check_fn("7.1", one_fold_each, reference, np.array([5, 2, 2, 9, 5, 7, 2, 9, 9, 9]),
         hint="compare all names with one name, for test by == and for train by !=")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence what a split of single clips gives away, then open the solution</summary>
#
# The same faces are in training and in the test, so knowing the person passes for seeing the movement.
#
# ```python
# def one_fold_each(subjects):
#     return [(np.flatnonzero(subjects != person), np.flatnonzero(subjects == person))
#             for person in np.unique(subjects)]
# ```
#
# </details>

# %% [markdown]
# ## A quick learner, tested honestly
#
# The 255 clips are drawn and their flow is measured ([notebook 03](03_motion.ipynb)). The learner is small: flow in 8 x 8
# cells of each frame, and a ridge regression to each AU.
#
# The tested person may decide nothing. But thresholds have to come from somewhere. So there are three groups: *train*
# people fit the weights, *inner* people set thresholds and calibration (explained below), *test* people only give the score.
# The package raises `LeakError` where somebody would be in two of them. In the code, `split` holds the fold of each clip and
# a function that picks the inner clips.

# %%
from dataclasses import replace
from functools import reduce

from aullm_lite.clips import join
from aullm_lite.motion import LucasKanadeMotion
from aullm_lite.protocols import leaks

scripts = enumerate(shape.scripts_of(drawn, first, "standard"))
data = reduce(join, [dataset.render_people([None], [some], seed=first + n) for n, some in scripts])
data = replace(data, labels=labels, aus=CASME2.aus, scripts=None)
parts = torch.from_numpy(data.clips).split(64)
motion = torch.cat([LucasKanadeMotion()(part.float() / 255) for part in parts])
seen = leaks.views(replace(data, motion=motion), seed=0)  # {"motion": [N, 640], ...}

# %%
from sklearn.linear_model import Ridge


def answers(inputs, split, score=metrics.f1_positive):  # -> scores, probabilities, thresholds
    folds, inner_of = split
    raw, said, cut = np.zeros((3, *labels.shape))  # [N, K] each
    for fold in np.unique(folds):
        test, inner = folds == fold, inner_of(folds == fold)
        train = ~test & ~inner
        z = (inputs - inputs[train].mean(0)) / (inputs[train].std(0) + 1e-6)
        scores = Ridge(alpha=1000).fit(z[train], labels[train]).predict(z)
        scale, bias = metrics.fit_calibration(labels[inner], scores[inner]).T
        p = 1 / (1 + np.exp(-(scores * scale + bias)))
        raw[test], said[test] = scores[test], p[test]
        cut[test] = metrics.best_thresholds(labels[inner], p[inner], score=score)
    return raw, said, cut


apart = leaks.by_person(data, seed=0)
raw, said, cut = answers(seen["motion"], apart)

# %% [markdown]
# ## Two scores that share one name
#
# For one AU count hits TP, false alarms FP, misses FN, and rightly "absent" TN. Papers call $F_1^{+}$ "F1", and they call
# macro "F1" too.
#
# $$F_1^{+} = \frac{2\,TP}{2\,TP + FP + FN},\qquad F_1^{-} = \frac{2\,TN}{2\,TN + FP + FN},\qquad
# \text{macro} = \frac{F_1^{+} + F_1^{-}}{2}$$
#
# The diamonds are *floors*: "present" for all clips on the left, "absent" for all on the right.
#
# > **Predict.** An AU is in one clip of ten. A method says "absent" always. What are its $F_1^{+}$ and its macro F1?

# %%
decided, always = said >= cut, np.ones_like(said, bool)
panels = {"F1, positive": (metrics.f1_positive, always), "macro F1": (metrics.f1_macro, ~always)}
figure, axes = plt.subplots(1, 2, figsize=(8, 2.8), sharey=True)
for ax, (title, (formula, blind)) in zip(axes, panels.items()):
    ax.bar([f"AU{au}" for au in CASME2.aus], formula(labels, decided), 0.6, label="motion learner")
    ax.plot(formula(labels, blind), "D", color="black", label="floor")
    ax.set(title=title, ylabel="score", ylim=(0, 1.15))
axes[0].legend(ncols=2, loc="upper right")
show(figure, alt="Bars of eight AUs; floors on the left low but for AU4, on the right near a half")

# %% [markdown]
# The same answers look better on the right, where most floors are higher: AU15 gets next to nothing on the left and about a
# half on the right. AU4 is in half of the clips: there "always
# present" scores high. Only the distance from a floor tells something. (Scores of generated clips.)
#
# ### Exercise 7.2: both F1 scores (★★☆ · 8 min)
# For boolean labels and decisions of all clips: positive-class F1 and macro F1 of each AU, as a tuple.
#
# <details><summary>Hint</summary>
#
# `(labels & ~decisions).sum(0)` counts the misses of each AU. $F_1^{-}$ is $F_1^{+}$ with both arrays turned round.
#
# </details>

# %% tags=["exercise"]
def both_f1(labels, decisions):  # two bool [N, K] -> ([K], [K])
    ...


# %% tags=["check"]
check_fn("7.2", both_f1, lambda *two: (metrics.f1_positive(*two), metrics.f1_macro(*two)),
         *(np.random.default_rng(0).random((2, 17, 3)) < 0.4),
         hint="count over the clips, axis 0; in macro F1 the two classes weigh the same")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why macro F1 of "always absent" is near a half, then open the solution</summary>
#
# Its F1 of "present" is 0, but its F1 of "absent" is nearly 1 where few clips hold the AU (at one in ten: 1.8 / 1.9).
#
# ```python
# def both_f1(labels, decisions):
#     wrong = (labels != decisions).sum(0)
#     hits, spared = (labels & decisions).sum(0), (~labels & ~decisions).sum(0)
#     present, absent = 2 * hits / (2 * hits + wrong), 2 * spared / (2 * spared + wrong)
#     return present, (present + absent) / 2
# ```
#
# </details>

# %% [markdown]
# ## Add counts, never scores
#
# Many people never show a given AU. In their fold F1 is 0 / 0 for an answer without false alarms, and whoever averages the
# scores of folds must invent a value: 0, or 1. Both are printed beside the score of all answers together.
#
# > **Predict.** A *perfect* answer is scored fold by fold, and 0 / 0 counts as 0. Is the mean 1?

# %%
from aullm_lite.pooling import wrong_mean_of_folds

for name, row in {"perfect": labels, "motion learner": decided, "always absent": ~always}.items():
    pooled = metrics.f1_positive(labels, row).mean()
    zero, one = (wrong_mean_of_folds(labels, row, data.subjects, z).mean() for z in (0, 1))
    print(f"{name:15} pooled {pooled:.2f}; mean of folds {zero:.2f} or {one:.2f}")

# %% [markdown]
# A perfect answer stays far below 1, or one that finds nothing rises far above 0. The sound way adds the counts of all
# folds and scores once (Forman and Scholz, SIGKDD Explorations 2010).
#
# ## Break it: who, not what
#
# The second learner sees the still first frame: a face, and no movement. It is tested twice, split by person, and with
# clips dealt at random, so that everybody is on both sides.
#
# > **Predict.** Which of the four bars should not rise above the floor?

# %%
ways = {"split by person": apart, "clips at random": leaks.at_random(data, seed=0)}
figure, ax = plt.subplots(figsize=(6, 2.8))
for shift, hatch, (way, split) in zip((-0.18, 0.18), ("", "///"), ways.items()):
    found = [answers(seen[view], split, metrics.f1_macro) for view in ("still face", "motion")]
    height = [metrics.f1_macro(labels, p >= t).mean() for _, p, t in found]
    ax.bar_label(ax.bar(np.arange(2) + shift, height, 0.34, hatch=hatch, label=way), fmt="%.2f")
ax.axhline(climb[0], ls="--", color="black", label="floor: always absent")
ax.set(xticks=[0, 1], xticklabels=["still face", "motion"], ylabel="macro F1", ylim=(0, 1.1))
ax.legend(loc="upper left", fontsize=9)
show(figure, alt="The still face is little above the floor if split by person, further above it otherwise")

# %% [markdown]
# Between strangers the still face gets little more than "always absent", and no more than method B got with random numbers.
# With people on both sides it climbs, because it recognises them. Method C is this leak alone.
#
# ### Exercise 7.3: a score without a face (★★☆ · 8 min)
# Build method C: the rate of each AU in the same person's *other* clips. Who has no other clip gets the rate of all clips.
#
# <details><summary>Hint</summary>
#
# `people[:, None] == people` is an [N, N] table of who is the same. Clear its diagonal, then multiply it with `labels`.
#
# </details>

# %% tags=["exercise"]
def rate_elsewhere(labels, people):  # [N, K], [N] -> [N, K]
    ...


# %% tags=["check"]
some = np.random.default_rng(2).integers(0, 2, (9, 4)).astype(float)
check_fn("7.3", rate_elsewhere, floors.identity_scores, some, np.array([3, 1, 3, 3, 1, 7, 3, 1, 2]),
         hint="a clip's own label is not among the person's others; alone: labels.mean(0), of each AU")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why a clip must not count itself, then open the solution</summary>
#
# Its own label is what is asked, so counting it would leak the answer itself, not a habit.
#
# ```python
# def rate_elsewhere(labels, people):
#     others = (people[:, None] == people) & ~np.eye(len(people), dtype=bool)
#     count = others.sum(1, keepdims=True)
#     return np.where(count > 0, others @ labels / np.maximum(count, 1), labels.mean(0))
# ```
#
# </details>

# %% [markdown]
# Method B needs no person either. Code that was once public tried 16 thresholds for each AU on the test answers and kept the
# best ([`floors.py`](../aullm_lite/floors.py)). The best of many random scores is a lucky one: this alone lifts random
# numbers above "always absent", as the first figure shows.

# %% [markdown]
# ## How sure is a score?
#
# 26 others would give another score. The *bootstrap* imitates this: draw 26 of the 26 with replacement, pool, score, and
# repeat; the middle 95 % of the scores is the interval. A third learner sees only the mean of the five frames. Look at the
# interval of each, and of their difference on the same draws.
#
# > **Predict.** Two intervals overlap. Does it follow that neither method is better?

# %%
mean_frame = seen["motion"].reshape(len(data), 2, 5, 64).mean(2).reshape(len(data), -1)
_, p, t = answers(mean_frame, apart)
rows, draws = {"all frames": decided, "mean frame": p >= t}, course.pick(1000, 5000)
ends = [intervals.interval_table(CASME2.aus, labels, row, data.subjects, draws=draws)["mean"]["f1"]
        for row in rows.values()]
pair = intervals.compare(rows, [tuple(rows)], labels, data.subjects, draws=draws)[0]
figure, ax = plt.subplots(figsize=(6, 1.9))
ax.hlines(range(3), *np.transpose([*ends, pair["interval"]]), lw=5)
ax.axvline(0, ls="--", color="black")
ax.set(yticks=range(3), yticklabels=[*rows, "difference"], xlabel="mean F1", ylim=(-0.6, 2.6))
ax.set_title(f"all frames against mean frame: {pair['verdict']}")
show(figure, alt="Two intervals that overlap, and near zero the shorter one of their difference")

# %% [markdown]
# The difference has the shortest interval: both met the same people, so much of the chance cancels. Overlap alone decides
# nothing; methods are compared in pairs. Where the interval of the difference holds 0, no difference is shown, which does not
# mean that the two are equal.
#
# ### Exercise 7.4: an interval over people (★★☆ · 8 min)
# `counts` are TP, FP, FN, TN of each person and AU. A row of `weights` says how often each person was drawn. Give the
# 2.5th and 97.5th percentile of the mean positive-class F1.
#
# <details><summary>Hint</summary>
#
# `np.tensordot(weights, counts, 1)` adds up the counts of each draw, [R, K, 4]. Score, take the mean over AUs, then
# `np.percentile`.
#
# </details>

# %% tags=["exercise"]
def interval(counts, weights):  # [S, K, 4], [R, S] -> [2]
    ...


# %% tags=["check"]
def reference(counts, weights):
    values = intervals.resampled(confusion.f1, counts, draws=len(weights), seed=5)
    return np.percentile(values[:, -1], [2.5, 97.5])


check_fn("7.4", interval, reference, np.random.default_rng(0).integers(1, 9, (6, 3, 4)),
         np.random.default_rng(5).multinomial(6, np.full(6, 1 / 6), size=200),
         hint="first pool the counts of the people drawn, then score, then the percentiles")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why people are drawn and not clips, then open the solution</summary>
#
# Clips of one person are alike, so they hold less news than as many clips of strangers.
#
# ```python
# def interval(counts, weights):
#     hits, false, missed, _ = np.moveaxis(np.tensordot(weights, counts, 1), -1, 0)
#     f1 = 2 * hits / (2 * hits + false + missed)
#     return np.percentile(f1.mean(1), [2.5, 97.5])
# ```
#
# </details>

# %% [markdown]
# ## Can a probability be believed?
#
# It is *calibrated* if of all answers with probability 0.8 the AU is present in four of five, and with 0.2 in one of five. The expected calibration error (Guo et
# al., ICML 2017) sorts the $N$ answers into ten bins of equal width, $n_b$ in each:
#
# $$\text{ECE} = \sum_b \frac{n_b}{N}\, \bigl|\,\text{share of "present" in } b - \text{mean probability in } b\,\bigr|$$
#
# `metrics.fit_calibration` finds two numbers for each AU on inner people, $p = \sigma(\text{scale} \cdot z + \text{bias})$
# (Platt 1999; a *temperature* gives a scale alone). Look at the distance from the dotted line.

# %%
from sklearn.calibration import calibration_curve

truth, p, t = labels.ravel(), said.ravel(), cut.ravel()
figure, ax = plt.subplots(figsize=(4.2, 3.6))
ax.axvspan(0.2, 0.8, color="0.93", label="not sure")
ax.plot([0, 1], [0, 1], ":", color="black", label="said = seen")
for name, line, some in (("error before", "s--", raw.ravel().clip(0, 1)), ("after", "o-", p)):
    error = metrics.calibration_error(truth[:, None], some[:, None])[0]
    ax.plot(*calibration_curve(truth, some, n_bins=10)[::-1], line, label=f"{name}: {error:.3f}")
ax.set(xlabel="probability that was said", ylabel='share of "present"')
ax.legend(fontsize=8)
show(figure, alt="The calibrated curve lies near the diagonal, the other one rises above it")
low, high = metrics.verdict_band(t).T
sure, right = (p < low) | (p >= high), (p >= t) == truth
print(f"sure in {sure.mean():.0%} of answers, of which {right[sure].mean():.0%} are right;",
      f"of the others, by threshold alone, {right[~sure].mean():.0%}")

# %% [markdown]
# Before, scores in the middle say too little. In the grey band, from 0.2 to 0.8 (and always around the threshold), the package
# says "not sure": there a forced answer is wrong far more often.
#
# ### Exercise 7.5: calibration error (★★☆ · 8 min)
# For the answers on one AU, with ten bins from 0 to 1.
#
# <details><summary>Hint</summary>
#
# `np.minimum((probability * 10).astype(int), 9)` is the bin of each answer: 1.0 belongs to the last one. Leave out empty bins:
# their mean is no number.
#
# </details>

# %% tags=["exercise"]
def ece(present, probability):  # bool [N], [N] -> number
    ...


# %% tags=["check"]
claimed, chance = np.minimum(1.03 * np.random.default_rng(2).random((2, 150)), 1)  # some are 1
check_fn("7.5", ece, lambda y, p: metrics.calibration_error(y[:, None], p[:, None])[0],
         chance < 0.25 + claimed / 2, claimed, hint="weigh each gap by its bin's share of answers")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why an answer without skill can have no error, then open the solution</summary>
#
# It says the overall rate for every clip: that is true on average, and useless.
#
# ```python
# def ece(present, probability):
#     bin_of, error = np.minimum((probability * 10).astype(int), 9), 0.0
#     for rows in (bin_of == n for n in range(10)):
#         if rows.any():
#             error += rows.mean() * abs(present[rows].mean() - probability[rows].mean())
#     return error
# ```
#
# </details>

# %% [markdown]
# ## One threshold, two mistakes
#
# *Recall* is the share of what is there that is found, *precision* the share of what is said that is true. A low threshold
# favours the one, a high one the other. Look at where F1 is highest.

# %%
from sklearn.metrics import precision_recall_curve

*curves, grid = precision_recall_curve(labels[:, 4], said[:, 4])  # AU12
curves.append(2 * curves[0] * curves[1] / (curves[0] + curves[1] + 1e-9))


def draw(threshold=0.5):
    at = np.searchsorted(grid, threshold)
    for curve, line, name in zip(curves, ("--", ":", "-"), ("precision", "recall", "F1")):
        plt.plot(grid, curve[:-1], line, label=f"{name} {curve[at]:.2f}")
    plt.axvline(threshold, color="black", lw=1)
    plt.gca().set(xlabel="threshold for AU12", ylabel="score", ylim=(0, 1.02))
    plt.legend(loc="lower left")


figure = plt.figure(figsize=(5.5, 3))
draw()
show(figure, alt="Recall falls with the threshold, precision tends to rise, F1 has a flat top")

# %% tags=["widget"]
play(draw, threshold=(0.05, 0.95, 0.05))

# %% [markdown]
# F1 has a flat top: many thresholds are nearly as good. The best one on these very answers would be a leak, so inner people
# choose it. On calibrated probabilities it lies near half of the best F1 (Lipton et al., ECML 2014).

# %% [markdown]
# ## What you have now
#
# - A split by person, with a third group that chooses.
# - Two F1 scores, named, pooled before they are scored, beside what an answer gets that never looks.
# - Intervals over people, differences in pairs, probabilities that mean what they say, and "not sure".
#
# All scores here are of generated people. With licensed data, `python -m aullm_lite loso` does all of this; nobody has yet
# scored this package on them. `python -m aullm_lite leaks` shows the faults on a network. Words: [glossary](glossary.md).
# Bootstrap: Efron and Tibshirani 1993. Next: [why did it decide so](08_explain.ipynb).

# %%
score(5)
