# %% [markdown]
# # 00 · What moved in this face?
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/au-llm-lite/au-llm-lite/blob/main/notebooks/00_start_here.ipynb)
#
# | read 12 min · run 1 min (full: 1 min) | CPU, 2 GB | synthetic, 0 MB (model files: 100 MB, once; 540 MB on disk) | needs: nothing | next: [01](01_facs_and_faces.ipynb) |
# |---|---|---|---|---|
#
# After this you can
# - go from a clip to named movements, to a sentence and to a heat map,
# - read a report: what moved, when, and how sure the model is,
# - say what such a report does not tell.
#
# `[ video → aligned clip → motion → 3D-CNN → one token → language model → Action Units: all of it, from outside ]`

# %%
import sys
from importlib.util import find_spec

if "google.colab" in sys.modules and not find_spec("aullm_lite"):
    package = "aullm-lite @ git+https://github.com/au-llm-lite/au-llm-lite@v0.1.0"
    get_ipython().run_line_magic("pip", f"install -q '{package}'")
import matplotlib.pyplot as plt
import numpy as np
import torch

from aullm_lite.teach import check, drawing, play, score, setup, show

course = setup(seed=0)

# %% [markdown]
# ## A movement that is easy to miss
#
# A drawn person moves two parts of the face for half a second, by less than two pixels of the small picture that the
# model sees (see `demo.RECIPES`). First look at the six frames and try to find the movement. Then look at the two longest
# bars below them, and at the times in the lowest part.

# %%
from aullm_lite import AULLM
from aullm_lite.demo import RECIPES, example_clips
from aullm_lite.plots import report_figure

model = AULLM.from_pretrained("demo")
report = model.analyze(example_clips()[1].video)
window = report.windows[12]  # the half second in which the model is surest of AU12
drawing.frames(window.clip, [f"{t:.2f} s" for t in window.times],
               alt="Six frames of a drawn face; the movement can hardly be seen")
show(report_figure(report), dpi=75,
     alt="A bar for each of twelve AUs: AU12 and AU6 are present; below, the time of each movement")

# %% [markdown]
# Each row is an *Action Unit* (AU), a visible movement with a number and a name from FACS, the Facial Action Coding
# System (Ekman and Friesen 1978). AU12 pulls the lip corners, AU6 raises the cheeks. The bar is a probability: from 0.8 on
# the AU is called *present*, under 0.2 *absent*, and between them *not sure*. The tick is the threshold where a plain yes
# or no would be cut. *Onset* is when a movement begins, *apex* when it is strongest, *offset* when it ends.
#
# ### The same in sentences
#
# Each sentence is filled in from the report, so it cannot claim more.

# %%
from textwrap import fill

print(fill(report.text(), 100))

# %% [markdown]
# ### In the words of the language model
#
# A small language model reads a prompt and one *visual token* that holds the motion. Its state there is read twice: a
# linear layer decides on the AUs, and the vocabulary writes a sentence. A guard compares which AUs the two name: a sentence
# that contradicts the decisions is replaced, and `problem` says why. It does not check side, strength and apex: those are
# the language model's own words.
#
# > **Predict.** We ask three questions. The last one is "Is she happy?" What should an honest program answer?

# %%
from aullm_lite.speech.questions import Refused
from aullm_lite.speech.spoken import describe_report

spoken = describe_report(model, report)
print(fill(spoken.text, 100))
print("Replaced by the guard:", spoken.problem or "no", end="\n\n")
for question in ("Is AU12 present?", "Is AU4 present?", "Is she happy?"):
    try:
        print(question, describe_report(model, report, question).text)
    except Refused as refusal:
        print(fill(f"{question} {refusal}", 100))

# %% [markdown]
# A question never reaches the language model as it was typed: the program recognises it, and the model reads our own
# wording.
#
# ## Read a report yourself
#
# The second clip is a photograph in the public domain, NASA's portrait of the astronaut Eileen Collins. We let one AU
# move on it. Here is the report as a table; `p` is the probability.

# %%
photo_report = model.analyze(example_clips()[2].video)
print(photo_report)

# %% [markdown]
# ### Exercise 0.1: the most probable Action Unit (★☆☆ · 2 min)
# Which AU of the photograph has the highest probability? Give its number, typed by hand or taken from `photo_report`.
#
# <details><summary>Hint</summary>
#
# Look for the largest `p`. In code, `photo_report.top(1)` is a list with one finding, and a finding has `.au`.
#
# </details>

# %% tags=["exercise"]
most_probable = ...  # the number of an AU

# %% tags=["check"]
check("0.1", most_probable, photo_report.top(1)[0].au, hint="the row with the largest p; its number alone")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why the most probable AU need not be present, then open the solution</summary>
#
# In a still face one of the twelve probabilities is the largest too, and it can lie far below 0.2.
#
# ```python
# most_probable = photo_report.top(1)[0].au
# ```
#
# </details>

# %% [markdown]
# ### Exercise 0.2: when it was strongest (★☆☆ · 2 min)
# At which time of the video, in seconds, is the *apex* of that AU? Two digits after the point are enough.
#
# <details><summary>Hint</summary>
#
# The last three columns are onset, apex and offset. In code, a finding has `.onset_s`, `.apex_s` and `.offset_s`.
#
# </details>

# %% tags=["exercise"]
apex = ...  # seconds

# %% tags=["check"]
check("0.2", apex, photo_report.top(1)[0].apex_s, tolerance=0.01,
      hint="take the column apex of the most probable AU; onset is where it begins, offset where it ends")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence how a window of half a second can give a time, then open the solution</summary>
#
# Inside the window the skin in the region of the AU is followed from frame to frame, and the apex is the frame in which it
# is farthest from where it began. Six frames in half a second lie 0.1 s apart, so the apex is known no finer than that.
#
# ```python
# apex = photo_report.top(1)[0].apex_s
# ```
#
# </details>

# %% [markdown]
# ## Why does it say so?
#
# Back to the drawn person, where AU12 and AU6 moved together. What does the decision on AU12 rest on? The method
# compares the clip with the same face held still. Orange speaks for AU12, violet against it: look for both on the face,
# in the bars of the zones (right: for, left: against), and in the frames.
#
# > **Predict.** The cheeks moved as well, because of AU6. Should a good map of AU12 be orange there too?

# %%
from aullm_lite.explain.figures import why_figure
from aullm_lite.explain.grades import sentence, shipped

why = model.explain(window.clip, 12)
figure = why_figure(why, window.clip, face=window.onset_crop, times=window.times,
                    verdict=report[12].verdict, grade=sentence(shipped(model), why.method, why.on))
show(figure, dpi=75,
     alt="A face with orange at the lip corners, bars of nine zones, six frames with their maps")

# %% [markdown]
# The orange lies at the lip corners, where AU12 pulls, in the frames up to the apex. The cheeks, which AU6 raises, do not
# speak for it: their bar points the other way. Lip corners on their way back speak against AU12, too: they move away from it.
#
# A map that looks right need not be right. On generated clips we know which skin moved, so maps can be graded: see the
# small print under the picture, and [notebook 08](08_explain.ipynb). Those grades are on synthetic faces only.

# %% [markdown]
# ### Exercise 0.3: the zone that carried the decision (★★☆ · 5 min)
# `why.zones` holds two numbers for each zone: what it added to the score (the *logit*) from onset to apex, and from apex to
# offset. Which zone added most in all, and how much? Give a tuple of a name and a number, computed from `why.zones`, not
# read off the picture.
#
# <details><summary>Hint</summary>
#
# `why.zones.items()` gives pairs such as `("chin", (0.2, -0.1))`. Add both numbers with their signs.
#
# </details>

# %% tags=["exercise"]
largest = ...  # (zone, what it added)

# %% tags=["check"]
added = {zone: float(np.sum(phases)) for zone, phases in why.zones.items()}
best = max(added, key=added.get)
check("0.3", largest, (best, added[best]), hint="add both numbers of a zone with their signs")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why these numbers are no probabilities, then open the solution</summary>
#
# They add up to the change of the logit, which calibration and a sigmoid turn into a probability only at the end.
#
# ```python
# totals = {zone: sum(phases) for zone, phases in why.zones.items()}
# largest = max(totals.items(), key=lambda total: total[1])
# ```
#
# </details>

# %% [markdown]
# ## Move the face yourself
#
# Now you choose the AU, the side and how far the skin moves at the apex, in pixels of the 64-pixel picture that the model
# sees. Left and right are the subject's, not the picture's. The same drawn person moves, a little camera noise is added,
# and the model answers. Compare the two faces first, then read the bars. Can you see what it found?

# %%
from aullm_lite.facs import CD6ME_AUS
from aullm_lite.plots import draw_verdicts
from aullm_lite.report import AUFinding, AUReport, verdict_of
from aullm_lite.synth.render import Actor, render
from aullm_lite.synth.script import PEAKS, Camera, Movement, Script

actor = Actor(RECIPES[1].person(), RECIPES[1].seed)  # the person of the first clip


def scene(au, side, pixels, times, **look):
    """Frames in which one AU moves for a third of a second, strongest at 0.2 s."""
    movement = Movement(au, side, pixels, onset=0.05, apex=0.2, offset=0.4)
    return render(actor, Script(np.array(times), (movement,), camera=Camera(noise=0.004)), **look)


def ask(au, side, pixels):
    """What the model finds in six frames of half a second."""
    clip = torch.from_numpy(scene(au, side, pixels, np.linspace(0, 0.5, 6)))
    values, known = model.probabilities(clip[None])[0].tolist(), model.config
    rows = zip(known.aus, values, known.thresholds, known.not_sure)
    findings = tuple(AUFinding(k, p, tick, verdict_of(p, *band)) for k, p, tick, band in rows)
    return AUReport(findings, times=(), series={}, video={}, model={})


# %%
def face_and_answer(au=12, side="both", pixels=1.0):
    """The face at rest and at the apex, beside what the model finds."""
    pictures = scene(au, side, pixels, [0.0, 0.2], size=128, colour=True)
    places = [["rest", "answer"], ["apex", "answer"]]
    figure, axes = plt.subplot_mosaic(places, figsize=(8.5, 5), width_ratios=[1, 2.6])
    for name, picture in zip(("rest", "apex"), pictures):
        axes[name].imshow(picture)
        axes[name].set_title(name)
        axes[name].set_axis_off()
    draw_verdicts(axes["answer"], ask(au, side, pixels))
    show(figure, alt=f"AU{au} {side}, {pixels} pixels: the face at rest and at the apex, and bars")


face_and_answer()

# %% [markdown]
# One pixel is hard to see, and the model names it. The next figure shows its probability for ten sizes of AU12, on both
# sides of the face and on the left alone. The grey band is *not sure*: above it AU12 is called present, below it absent.
#
# > **Predict.** At how many pixels will the curve cross the band? Will one lip corner be found as early as two?

# %%
steps = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6)  # pixels
figure, ax = plt.subplots(figsize=(6, 3.2))
ax.axhspan(*model.config.not_sure[CD6ME_AUS.index(12)], color="0.9")
ax.text(0.5, 0.5, "not sure", va="center")
for side, look in (("both", "o-"), ("L", "s--")):
    found = [ask(12, side, pixels)[12].probability for pixels in steps]
    ax.plot(steps, found, look, label=f"AU12, {side}")
ax.set(xlabel="movement at the apex, pixels of 64", ylabel="probability of AU12", ylim=(0, 1.05))
ax.legend()
show(figure, alt="Two curves rise from near 0 to near 1 as the movement grows")

# %% [markdown]
# With no movement the probability is low; with a large one it is high. Between them the movement is there and the model
# misses it, or is not sure. So *absent* means "I saw none", never "there was none". Remember this failure. The head is still
# here and there is little noise; with more of both the curve lies further right.
#
# The sliders do the same for every AU and side; `L` and `R` are the subject's.

# %% tags=["widget"]
play(face_and_answer, au=list(CD6ME_AUS), side=["both", "L", "R"], pixels=(0.0, 3.0, 0.1))

# %% [markdown]
# ### Exercise 0.4: until it is seen (★★☆ · 5 min)
# AU4 lowers the brows. Make it larger, on both sides, until the model calls it present. Which is the first of `steps` at
# which it does, in pixels?
#
# <details><summary>Hint</summary>
#
# `ask(4, "both", 0.3)[4].verdict` is the answer for 0.3 pixels. Go through `steps` from the smallest on.
#
# </details>

# %% tags=["exercise"]
least = ...  # pixels

# %% tags=["check"]
verdicts = {pixels: ask(4, "both", pixels)[4].verdict for pixels in steps}
expected = next(pixels for pixels in steps if verdicts[pixels] == "present")
check("0.4", least, expected, hint="the first size with the verdict 'present', not 'not sure'")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why this size differs from person to person, then open the solution</summary>
#
# Skin with more texture shows movement better, and no two people's muscles pull quite alike.
#
# ```python
# least = next(pixels for pixels in steps if ask(4, "both", pixels)[4].verdict == "present")
# ```
#
# </details>

# %% [markdown]
# ## How often is it right?
#
# One person proves little. These scores are from drawn people whom training never saw, in three sizes of movement. *F1*
# weighs misses against false alarms, and 1 is perfect ([notebook 07](07_evaluate.ipynb) builds it). Look at the distance from the floor, which is what "everything is present" would score. **All of it is synthetic
# (SynthME)**: no filmed person is in it.

# %%
import json

from aullm_lite.checkpoint import DEMO

tiers = json.loads((DEMO / "eval.json").read_text())["tiers"]
names = ("hard", "standard", "easy")
model_f1 = [tiers[name]["mean"]["f1"] for name in names]
floor_f1 = [tiers[name]["floors"]["all_positive"]["f1"] for name in names]
figure, ax = plt.subplots(figsize=(6, 3))
for shift, label, values in ((-0.2, "model", model_f1), (0.2, "floor", floor_f1)):
    ax.bar_label(ax.bar(np.arange(3) + shift, values, 0.38, label=label), fmt="%.2f")
sizes = [f"{name}\n{PEAKS[name][0]} to {PEAKS[name][1]} pixels" for name in names]
ax.set(xticks=range(3), xticklabels=sizes, ylabel="F1 of present AUs", ylim=(0, 1.35))
ax.legend(ncols=2, loc="upper left")
show(figure, alt="Bars: F1 grows with the size of the movement and is far above the floor")

# %% [markdown]
# The smaller the movement, the more is missed.
#
# ## What it does not tell
#
# - **Movement only.** Never emotion, intent, health or truthfulness: one movement can have many causes, and how people
#   show what they feel differs between cultures, situations and moments (Barrett et al. 2019).
# - **Not for judging people.** Do not run it on pupils, staff, applicants or anyone who did not agree.

# %% [markdown]
# - **The law.** In the EU, inferring emotions at work and in education is prohibited, with few exceptions (Regulation
#   2024/1689, Article 5).
# - **Untested on people.** It learned from drawings and carries over to animated photographs. On filmed people nobody has
#   scored it yet; beards, glasses, ages, skin tones and cameras vary more than ours.
# - **Fast cameras.** In CASME II, a set of micro-expressions, half of the movements rise within 150 ms (our count): four
#   or five frames of a common webcam.

# %% [markdown]
# ## What you have now
#
# - `model.analyze` gives a report, `report.text()` and `describe_report` put it into words, `model.explain` says why.
# - Each AU is *present*, *absent* or *not sure*, with a time. Absent means "not seen": small movements are missed.
# - It lists movement, nothing behind it.
#
# Sources: the method is AU-LLM, Liu, Yuan et al. 2025, arXiv 2507.21778. FACS: Ekman and Friesen 1978. Barrett et al.,
# Psychological Science in the Public Interest 20(1), 2019. Words: [glossary](glossary.md). Next:
# [what an Action Unit is](01_facs_and_faces.ipynb).

# %%
score(4)
