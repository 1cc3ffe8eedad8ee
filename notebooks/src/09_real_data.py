# %% [markdown]
# # 09 · What does a licensed data set look like inside?
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/au-llm-lite/au-llm-lite/blob/main/notebooks/09_real_data.ipynb)
#
# | read 15 min · run 1 min (full: 1 min) | CPU, 2 GB | synthetic, 0 MB | needs: [02](02_preprocessing.ipynb), [07](07_evaluate.ipynb) | next: [10](10_share.ipynb) |
# |---|---|---|---|---|
#
# After this you can
# - read an annotation table of CASME II or SAMM, its Action Unit cells and its errors,
# - say which Action Units such a set can score, and which it cannot,
# - handle the faces of other people as their agreement asks.
#
# `[ ANNOTATED CLIPS: you are here ] → aligned clip → motion → 3D-CNN → one token → language model → Action Units`

# %%
import re
import sys
from functools import partial
from importlib.util import find_spec

if "google.colab" in sys.modules and not find_spec("aullm_lite"):
    package = "aullm-lite @ git+https://github.com/au-llm-lite/au-llm-lite@v0.1.0"
    get_ipython().run_line_magic("pip", f"install -q '{package}'")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch

from aullm_lite.teach import check, check_fn, drawing, score, setup, show

course = setup(seed=0)

# %% [markdown]
# ## Three clips for which nobody had to sign
#
# CASME II and SAMM show real people. Each user signs an agreement and must not pass them on, so they are not here.
# Generated people stand in: we write three clips with the names, folders and table of SAMM; the pictures are smaller, and in
# colour. Look at the file names.

# %%
import tempfile
from pathlib import Path

from aullm_lite.synth.drawn import draw_identity
from aullm_lite.synth.export import write_frames
from aullm_lite.synth.licensed import LAYOUTS
from aullm_lite.synth.render import Actor
from aullm_lite.synth.script import Movement, Script
from aullm_lite.synth.truth import truth_rows
from aullm_lite.video import read_picture


def event(*moved):  # AU, side and pixels of each movement
    movements = [Movement(au, side, peak, 0.2, 0.35, 0.5) for au, side, peak in moved]
    return Script(np.linspace(0.2, 0.5, 6), tuple(movements))


one_person = [event((12, "L", 1.6)), event((1, "both", 1.4), (2, "both", 1.2))]
scripts = [one_person, [event((4, "both", 1.5))]]
rows, layout = sum(truth_rows([None, None], scripts, 70), []), LAYOUTS["samm"]
scratch = tempfile.TemporaryDirectory()
root = Path(scratch.name) / "SAMM-like"
for row, script in zip(rows, sum(scripts, [])):
    actor = Actor(draw_identity(70 + row["subject"]), 70 + row["subject"])
    write_frames(root / layout.folder(row), actor, script, partial(layout.frame, row), 160)
shown = [root / layout.folder(rows[0]) / layout.frame(rows[0], n) for n in (21, 51, 81)]
pictures = np.stack([read_picture(path) for path in shown]) / 255  # [3, 160, 160, 3]
drawing.frames(pictures, [path.name for path in shown],
               alt="Onset, apex and offset of a drawn person; they can hardly be told apart")

# %% [markdown]
# The last number in a name is the frame, counted through a whole recording: this clip does not begin at 1. From one frame to
# the next it is 5 milliseconds (200 frames a second).
#
# Real names vary: some are padded with zeros, some are not, some begin with `reg_`. So the package never *builds* a file
# name. It lists the folder and reads the last number of each name.

# %% [markdown]
# ## Who may have the real ones
#
# | | people, clips | pictures | who made it | card |
# |---|---|---|---|---|
# | CASME II | 26, 255 | colour, 640 x 480 | Institute of Psychology, Chinese Academy of Sciences | [casme2](../data_cards/casme2.md) |
# | SAMM | 29, 159 | grey, 960 x 650 (reported) | Manchester Metropolitan University (reported) | [samm](../data_cards/samm.md) |
#
# Researchers get them who sign an agreement with the owners. Who may sign, and for which use, stands in the agreement. Ask
# the authors of the papers that the cards name. Pages for applications move, so we link to none. Never take a copy from
# somebody else. [Six such sets](../data_cards/README.md) have a card.

# %% [markdown]
# ## The table, as it comes
#
# With the frames comes a table: a row for each clip. We write one, and put in two faults that real copies have: a mistyped
# apex in the second row, and a frame that got lost on the disk.
#
# > **Predict.** Above its headers stand thirteen rows of text, each in the first cell. `pandas.read_excel(path)` takes the
# > first row for the headers. What would the columns be called?

# %%
rows[1]["apex"] = rows[1]["offset"] + 300  # a typing error
(root / layout.folder(rows[0]) / layout.frame(rows[0], 40)).unlink(missing_ok=True)  # a lost frame
layout.table(root, rows)
raw = pd.read_excel(root / "SAMM_Micro_FACS_Codes_v2.xlsx", header=None, dtype=object)
raw.iloc[[0, 1, 12, 13, 14, 15, 16], [0, 1, 3, 4, 5, 8]].fillna("")

# %% [markdown]
# Text, then the headers in row 14, as in SAMM ([card](../data_cards/samm.md)). The first column would be named
# after a sentence, all others `Unnamed`. The package looks for the header row by its words.
#
# One AU cell is a number, the others are text: Excel decides. And the apex of the second clip lies behind its offset.

# %% [markdown]
# ## What an AU cell says
#
# Coders write more than numbers:
#
# | in the cell | meaning |
# |---|---|
# | `+` | separates Action Units |
# | `L` or `R`, before or after the number | the side, the *subject's* left or right |
# | `A`, `T` or `B` before the number | asymmetric, top lip, bottom lip |
# | `A` to `E` after the number | intensity, from a trace to the maximum |
# | `?` at the end | the coder was not sure |
# | `AU` before all of it | nothing, it is left out mostly |
#
# > **Predict.** In `R4B` and in `B18` stands a B. It means two different things. Which?

# %% [markdown]
# ### Exercise 9.1: read a cell (★★☆ · 12 min)
# Return a list with one tuple for each Action Unit, in the order of the cell: number, side (`"L"`, `"R"` or `""`), and
# whether it is uncertain (`True` or `False`). A part that is no Action Unit, such as a word or a number of three digits, is
# left out.
#
# <details><summary>Hint 1</summary>
#
# `cell.split("+")`, then `part.strip()`, then `re.fullmatch(pattern, part)`, which is `None` where the part does not fit.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The pattern, piece by piece: `(?:AU)?` `([LR]?)` `(\d{1,2})` `[A-E]?` `([LR]?)` `(\??)`. `.groups()` gives the four parts
# in round brackets.
#
# </details>

# %% tags=["exercise"]
def parse(cell):  # "4 + L12?" -> [(4, "", False), (12, "L", True)]
    ...


# %% tags=["check"]
from aullm_lite.datasets.codes import parse_cell


def reference(cell):
    return [(au.num, au.side or "", au.uncertain) for au in parse_cell(cell).aus]


check_fn("9.1", parse, reference, "4+ L12 +R14?+7B + 20L+not clear+AU17?+AUR2C+1214+10AR?",
         hint="try each part by itself: L12, R14?, 7B, 20L, not clear, AU17?, AUR2C, 1214, 10AR?")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why 1214 must not become 12 and 14, then open the solution</summary>
#
# Nobody wrote that, and a guess that looks like data is worse than a gap that is reported.
#
# ```python
# def parse(cell):
#     found = []
#     for part in cell.split("+"):
#         fit = re.fullmatch(r"(?:AU)?([LR]?)(\d{1,2})[A-E]?([LR]?)(\??)", part.strip())
#         if fit:
#             before, number, after, unsure = fit.groups()
#             found.append((int(number), before or after, bool(unsure)))
#     return found
# ```
#
# </details>

# %% [markdown]
# The package's `parse_cell` reads some more. First, one cell is read in four ways: coders also write `or` (`meb` is the rule of
# the open toolkit MEB). Then, in the
# table, look at `A12` and `12A`.

# %%
from aullm_lite.datasets import Policy
from aullm_lite.datasets.policy import numbers

for choice in ("meb", "all", "first", "drop"):
    chosen = numbers(parse_cell("L12 or L14").aus, Policy(alternatives=choice))
    print(f"'L12 or L14' by {choice}: {chosen}")
print(parse_cell("1214").warnings[0])
read = [(cell, au) for cell in ("4+L12", "A12", "12A", "AU4(k)+L7") for au in parse_cell(cell).aus]
pd.DataFrame([(cell, au.num, au.side or "", au.intensity or "", au.static) for cell, au in read],
             columns=["cell", "AU", "side", "intensity", "held still"])

# %% [markdown]
# A letter *before* the number tells where: `A` for asymmetric, `B` for the bottom lip. `A` to `E` *after* it is a strength.
# `(k)` marks what is held and does not move.
#
# Five cells of SAMM hold an `or`. By the choice `meb`, which the published counts follow, AU12 has 28 clips, by `all` it
# has 30 ([card](../data_cards/samm.md)). So each result must name its choice: the package calls it a *policy*.

# %% [markdown]
# ## Onset, apex, offset
#
# An apex must lie after the onset, and not after the offset. Where it does not, or the cell holds a slash, nobody knows
# the apex. The middle of the clip takes its place: $\lfloor (\text{onset} + \text{offset}) / 2 \rfloor$. An apex *on* the
# offset is odd, but possible, and stays ([rules](../data_cards/README.md)).
#
# ### Exercise 9.2: repair the apex (★☆☆ · 6 min)
# For all rows at once. A missing apex is `nan`.
#
# <details><summary>Hint</summary>
#
# Comparisons with `nan` are false, so `np.where(possible, apex, middle)` needs no case of its own for it.
#
# </details>

# %% tags=["exercise"]
def repair(onset, apex, offset):  # [N], [N], [N] -> [N]
    ...


# %% tags=["check"]
from aullm_lite.datasets.records import Sample, repair_apex


def reference(*columns):
    names = dict(dataset="samm", version="v2", subject="900", clip="900_1_1", fps=200)
    numbers = [[None if np.isnan(one) else int(one) for one in row] for row in zip(*columns)]
    samples = [Sample(onset=a, apex=b, offset=c, **names) for a, b, c in numbers]
    return np.array([repair_apex(sample)[0].apex for sample in samples])


onset, offset = np.array([10, 10, 10, 11, 20, 5, 30, 7]), np.array([20, 21, 20, 30, 40, 9, 60, 12])
check_fn("9.2", repair, reference, onset, np.array([13, 10, np.nan, 30, 41, 4, 31, 90]), offset,
         hint="apex = onset is not possible, apex = offset is; // drops the half")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why each repair is written into a log, then open the solution</summary>
#
# A value that a program made must never pass for one that a coder saw.
#
# ```python
# def repair(onset, apex, offset):
#     possible = (onset < apex) & (apex <= offset)
#     return np.where(possible, apex, (onset + offset) // 2)
# ```
#
# </details>

# %% [markdown]
# ## What `inspect` says
#
# With a copy on your disk, begin with one command: `python -m aullm_lite inspect samm --root DIR`. Here are its words on
# our three clips. Look for the two faults.

# %%
from aullm_lite.datasets import DATA_SETS, load
from aullm_lite.datasets.summary import as_text, summary

loaded = load(DATA_SETS["samm"], root=root)
print(as_text(summary(loaded)))
for line in loaded.repairs:
    print("\nRepaired:", line)

# %% [markdown]
# Both are found and named; nothing is mended in silence. `unknown` is right too: the counts fit no version of SAMM.
#
# That matters for real copies. The tables of CASME II from 2014 and 2019 share all frames, but differ in the Action Units
# of 56 of 255 clips ([card](../data_cards/casme2.md)). Scores on one are not scores on the other, so every result of the
# package carries the name, the SHA-256 and the version of its table.

# %% [markdown]
# ## From onset to offset
#
# `prepare` makes clips for a model: the face is found in the onset frame, one transform serves all, and six frames lie
# evenly in time from onset to offset (notebook 02). `crop_clip` is its inner part, for one row.
#
# > **Predict.** The cell of this row says `L12`. On which half of the *picture* will the arrows be?

# %%
from aullm_lite.datasets.crops import crop_clip
from aullm_lite.faces import FaceFinder
from aullm_lite.motion.lucas_kanade import LucasKanadeMotion

sample = loaded.samples[0]
frames, pair, found = crop_clip(sample, FaceFinder())  # uint8 [6, 64, 64], [2, 128, 128], bool
wanted = np.linspace(sample.onset, sample.offset, 6)
drawing.frames(frames / 255, [f"{n:.0f}" for n in wanted],
               alt="Six aligned crops of one face, evenly from onset to offset")
flow = LucasKanadeMotion()(torch.from_numpy(frames / 255).float()[None])[0]  # [2, T-1, H, W]
drawing.arrows(frames[0] / 255, flow[:, [2]].transpose(0, 1), [f"onset to {wanted[3]:.0f}"],
               alt="Arrows at one lip corner, in the right half of the picture, up and outwards")

# %% [markdown]
# On the right: the subject's left is at the picture's right, as when you face somebody. Whoever flips pictures to get more
# of them must swap `L` and `R` too.
#
# The numbers above the frames are 12 apart: evenly in time. The lost frame, 4040, was not needed. Had it been, its
# neighbours would have been mixed.

# %% [markdown]
# ## Which Action Units can a set score?
#
# For this we need all 255 rows of CASME II. Nobody may show them, but sums over the whole table are published. A generated
# table has exactly these sums (2019): clips, people, and clips of each Action Unit. Who has which clip is invented.

# %%
from aullm_lite.datasets.policy import positives
from aullm_lite.facs import CD6ME_AUS
from aullm_lite.synth.dataset import HELD_OUT
from aullm_lite.synth.shape import draw_shape, scripts_of

acts = scripts_of(draw_shape("casme2", HELD_OUT), HELD_OUT, "standard")
invented = sum(truth_rows([None] * len(acts), acts, HELD_OUT), [])
LAYOUTS["casme2"].table(Path(scratch.name), invented)
table = load(DATA_SETS["casme2"], annotations=Path(scratch.name) / "CASME2-coding-20190701.xlsx")
present = [positives(row.aus, table.policy) for row in table.rows]
labels = np.array([[au in some for au in CD6ME_AUS] for some in present])  # [N, K]
subjects = np.array([row.subject for row in table.rows])
print(f"{len(labels)} clips, {len(set(subjects))} people, {labels.sum()} labels of twelve AUs")

# %% [markdown]
# ### Exercise 9.3: in how many people? (★★☆ · 6 min)
# For each Action Unit the number of people who show it in at least one of their clips.
#
# <details><summary>Hint</summary>
#
# For one person, `labels[subjects == person].any(axis=0)` says which Action Units occur at all. Sum this over
# `np.unique(subjects)`.
#
# </details>

# %% tags=["exercise"]
def people_with(labels, subjects):  # [N, K] bool, [N] -> [K]
    ...


# %% tags=["check"]
def reference(labels, subjects):
    return pd.DataFrame(labels).groupby(subjects).any().sum().to_numpy()


check_fn("9.3", people_with, reference, np.random.rand(30, 7) < 0.12, np.random.randint(0, 5, 30),
         hint="a person who shows an AU in three clips counts once")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why people count for more than clips, then open the solution</summary>
#
# Clips of one person look alike, so ten clips of one tell less about strangers than ten clips of ten.
#
# ```python
# def people_with(labels, subjects):
#     return sum(labels[subjects == person].any(axis=0).astype(int) for person in np.unique(subjects))
# ```
#
# </details>

# %%
counts, known = labels.sum(0), reference(labels, subjects)
figure, ax = plt.subplots(figsize=(7, 2.9))
bars = ax.bar(range(12), counts, color="lightsteelblue", edgecolor="white", label="clips")
for bar, au in zip(bars, CD6ME_AUS):
    bar.set_hatch("" if au in table.spec.aus else "///")
ax.bar_label(bars)
ax.plot(range(12), known, "o", color="black", label="people, invented")
ax.set_xticks(range(12), [f"AU{au}" for au in CD6ME_AUS])
ax.set(ylabel="number")
ax.legend()
show(figure, alt="Bars from 125 clips for AU4 down to 5 for AU5; dots of people below the bars")

# %% [markdown]
# AU4 is in every second clip, AU5 in five. The hatched ones are left out of the published protocol of CASME II. The bars are
# the counts of the real table ([card](../data_cards/casme2.md)), the dots are ours. In the real table AU15 is seen in 7 of
# the 26 people, and one single person has 38% of AU17.
#
# Suppose a detector finds 8 of 10 clips with an AU, whichever the AU. Draw many test sets of the size of CASME II. Between
# which shares do 95 of 100 results lie? The binomial distribution knows: the next figure has a bar for each AU.
#
# > **Predict.** How much shorter would a bar be with four times as many clips?

# %%
from scipy.stats import binom

low, high = np.array(binom.interval(0.95, counts, 0.8)) / counts
order = np.argsort(counts)
figure, ax = plt.subplots(figsize=(7, 2.9))
ax.axhline(0.8, color="grey", linestyle="--")
ax.vlines(range(12), low[order], high[order], linewidth=7, color="lightsteelblue")
ax.set_xticks(range(12), [f"AU{CD6ME_AUS[k]}\n{counts[k]}" for k in order])
ax.set(xlabel="Action Unit, and its clips in CASME II (2019)", ylabel="share that is found")
ax.set_ylim(0, 1.05)
show(figure, alt="Bars around 0.8: very long for AUs of few clips, short only for AU4")

# %% [markdown]
# The same detector, and by luck alone two papers may report very different results for a rare AU. Four times as many clips
# would about halve a bar. In truth it is worse: clips of one person are alike, which the binomial does not know. So the
# package draws its intervals over *people*, prints `n/a` for an AU without clips, and calls a method better only where the
# interval of the difference excludes zero and Holm's correction for many comparisons leaves p under 0.05
# ([07](07_evaluate.ipynb)).

# %% [markdown]
# ## Other people's faces
#
# - **Consent.** People in these sets agreed to a purpose. Publishing pictures of some of them is restricted in CASME II
#   (unverified, [card](../data_cards/casme2.md)). Read your agreement before you print any face.
# - **No face in a repository**, and none in the output of a notebook. So never run *this* notebook on a licensed copy in a
#   folder that you share.
# - **Deletion.** `prepare` keeps crops in the folder `clips` of the package's cache. Delete them, and the copy, when your
#   agreement ends.
# - **Movement only.** An AU is no feeling, no intent and no lie.

# %% [markdown]
# ### Exercise 9.4: what may be published? (★☆☆ · 3 min)
# You hold a licence and want to publish your code. What may be in the repository, by the rules of this project? (Your own
# agreement may be stricter.) Give a list of letters.
#
# - `A` a script that reads the annotation table
# - `B` one row of the table: frames and Action Units of one clip
# - `C` a grey crop of 64 pixels, too small to know anybody
# - `D` the number of clips that show AU12 in the whole table
# - `E` a notebook with its output: the flow of one clip
#
# <details><summary>Hint</summary>
#
# Ask of each: is it made from one clip of one person, or does it tell nothing about any one?
#
# </details>

# %% tags=["exercise"]
may_publish = ...  # a list of letters, such as ["B", "C"]

# %% tags=["check"]
check("9.4", may_publish, lambda letters: sorted(letters) == ["A", "D"] or "not these letters",
      hint="two of the five tell nothing about any single person or clip")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why a small grey crop is still a face, then open the solution</summary>
#
# Who knows the person may know the crop, and the person agreed to neither size.
#
# ```python
# may_publish = ["A", "D"]  # code, and a sum over a whole table
# ```
#
# </details>

# %% [markdown]
# ## What you have now
#
# - A table has odd headers, cells of two types, sides, doubts and errors. Each repair is logged, each choice has a name.
# - Counts decide: with five clips no score is worth much, whatever the model.
# - Faces of other people stay where their agreement lets them be.
#
# With a licence, go on with `python -m aullm_lite inspect casme2 --root DIR`, then `loso`
# ([README](../README.md), "On your licensed data"). Without one, the command `synth` writes whole trees like ours.
#
# Not known: how this package scores on the real sets. We have none of them, and know of nobody who has measured it.
#
# Sources: CASME II: Yan et al., PLoS ONE 2014. SAMM: Davison et al., IEEE TAFFC 2018. Counts: our
# [data cards](../data_cards/README.md). Words: [glossary](glossary.md). Next: [share what you made](10_share.ipynb).

# %%
scratch.cleanup()  # nothing that we wrote stays behind
score(4)
