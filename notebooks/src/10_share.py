# %% [markdown]
# # 10 · Can somebody else run what you trained?
#
# [![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/au-llm-lite/au-llm-lite/blob/main/notebooks/10_share.ipynb)
#
# | read 15 min · run 1 min (full: 1 min) | CPU, 2 GB | synthetic, 0 MB, no login | needs: [07](07_evaluate.ipynb) | next: [the map](README.md) |
# |---|---|---|---|---|
#
# After this you can
# - say what lies in a checkpoint, and check that it is the one you mean,
# - write a model card from the scores themselves, and list what an upload would send,
# - make an app from one tested function, and say what it must not do with faces.
#
# `video → aligned clip → motion → 3D-CNN → one token → language model → Action Units → [ SHARED: you are here ]`

# %%
import hashlib
import json
import shutil
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

if "google.colab" in sys.modules and not find_spec("aullm_lite"):
    package = "aullm-lite @ git+https://github.com/au-llm-lite/au-llm-lite@v0.1.0"
    get_ipython().run_line_magic("pip", f"install -q '{package}'")
import matplotlib.pyplot as plt
import torch

from aullm_lite.teach import check_fn, drawing, score, setup, show

course = setup(seed=0)

# %% [markdown]
# ## What lies in a checkpoint?
#
# The shipped checkpoint is a folder. We open its file of weights and add up the bytes of each part. Look for the language
# model: the frozen one has 135 million weights.

# %%
from safetensors.torch import load_file

from aullm_lite.checkpoint import DEMO

sizes = {}
for name, tensor in load_file(DEMO / "model.safetensors").items():
    part = "LoRA" if "lora_" in name else name.split(".")[0]
    sizes[part] = sizes.get(part, 0) + tensor.nbytes / 1e6
figure, ax = plt.subplots(figsize=(5, 2))
ax.bar_label(ax.barh(list(sizes), list(sizes.values())), fmt=" %.2f")
ax.set(xlabel="megabytes in model.safetensors", xlim=(0, max(sizes.values()) * 1.15))
show(figure, alt="Bars: the backbone is largest, projector and LoRA follow, the head is tiny")
print("The folder:", *sorted(path.name for path in DEMO.iterdir()))

# %% [markdown]
# It is not there. Only what training changed is kept: the 3D-CNN (`backbone`), projector, LoRA and head. The language model
# comes from its own source; the checkpoint names it by a fingerprint. Two files are enough to load, `config.json` and
# `model.safetensors`. The others say how good it is.
#
# ## Why safetensors, and never pickle
#
# A safetensors file is a table in JSON and then bare numbers. A pickle is a list of *instructions*, and reading it carries
# them out.
#
# > **Predict.** The last line below only reads. Can it print anything?

# %%
import pickle

raw = (DEMO / "model.safetensors").read_bytes()
table = raw[8 : 8 + int.from_bytes(raw[:8], "little")]  # the first eight bytes: how long it is
print("safetensors:", table.decode()[:320], "...")


class Trick:
    def __reduce__(self):  # called to make the object anew: any function, with any argument
        return print, ("pickle: ran a function that the file had named",)


pickle.loads(pickle.dumps(Trick()))

# %% [markdown]
# Here it was `print`. It could have been a function that deletes your files. So the package reads safetensors alone. A
# stranger's `.bin`, `.pt` or `.pkl` may be a pickle: do not open it.
#
# ## Is it the file that you mean?
#
# A *hash* is a short number made of all bytes of a file. The Hub keeps one for each large file, SHA-256.
#
# > **Predict.** One bit of the file flips. How many of the 64 digits of its SHA-256 change?

# %% [markdown]
# ### Exercise 10.1: the SHA-256 of a file (★☆☆ · 5 min)
# The 64 hexadecimal digits of a file. Better read it in blocks: then it need not fit into memory. `hashlib` is imported.
#
# <details><summary>Hint</summary>
#
# `digest = hashlib.sha256()`, then `digest.update(block)` for each block, at the end `digest.hexdigest()`. Open with `"rb"`.
#
# </details>

# %% tags=["exercise"]
def sha256_of(path):  # path of a file -> string of 64 digits
    ...


# %% tags=["check"]
def digest_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


check_fn("10.1", sha256_of, digest_of, DEMO / "model.safetensors",
         hint="all blocks of the contents, opened with 'rb', and hexdigest() at the end")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence what an equal hash proves and what it does not, then open the solution</summary>
#
# It proves that the bytes are the same, not that who made them can be trusted.
#
# ```python
# def sha256_of(path):
#     digest = hashlib.sha256()
#     with open(path, "rb") as file:
#         while block := file.read(1 << 20):
#             digest.update(block)
#     return digest.hexdigest()
# ```
#
# </details>

# %%
flipped = raw[:-1] + bytes([raw[-1] ^ 1])  # one bit
digests = digest_of(DEMO / "model.safetensors"), hashlib.sha256(flipped).hexdigest()
print(*digests, f"{sum(a != b for a, b in zip(*digests))} of 64 digits differ", sep="\n")

# %% [markdown]
# Nearly all of them: a digit stays only by chance, one time in sixteen.
#
# ## Save and load
#
# A small model with random weights stands in for yours. `save_pretrained` writes both files, in half precision unless you
# ask for more.
#
# > **Predict.** Are the probabilities after loading *exactly* those from before?

# %%
from aullm_lite import AULLM, AULLMConfig, InputError

home = tempfile.TemporaryDirectory()  # all that follows is written here, and goes away with it
folder = Path(home.name) / "mine"
mine = AULLM(AULLMConfig.from_preset("smoke")).eval()
clips = torch.rand(3, 6, 64, 64)
before = mine.probabilities(clips)
for dtype in (torch.float32, torch.float16):
    mine.save_pretrained(folder, dtype)
    off = (AULLM.from_pretrained(folder).probabilities(clips) - before).abs().max()
    print(f"{dtype}: {(folder / 'model.safetensors').stat().st_size:,} bytes, off by {off:.0e}")

# %% [markdown]
# `off by` is the largest difference of a probability. In full precision there is none; half precision is nearly the same,
# at half the size.
#
# What if a download breaks off? We cut the end from a copy and load that.

# %%
broken = shutil.copytree(folder, Path(home.name) / "broken", dirs_exist_ok=True)
(broken / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-1000])
try:
    AULLM.from_pretrained(broken)
except InputError as error:
    print(str(error).replace(home.name, "..."))

# %% [markdown]
# One sentence, and no model. The same happens with a missing file, with labels in another order, or where the language
# model is another one.
#
# ## A card that is made, not typed
#
# The Hub shows `README.md` as the model's card. Its *front matter*, between two lines of three dashes, is YAML for machines:
# licence, base model, scores. We fill it from the files of the shipped checkpoint. No score is typed by hand, and each says
# that the clips were synthetic.

# %%
from huggingface_hub import EvalResult, ModelCard, ModelCardData

config, scores = (json.loads((DEMO / f"{name}.json").read_text()) for name in ("config", "eval"))
results = [EvalResult("video-classification", "synthme", f"SynthME {tier} (synthetic)", metric,
                      round(of["mean"][metric], 3), dataset_config=tier, metric_name=title)
           for tier, of in scores["tiers"].items()
           for metric, title in (("f1", "F1, positive class"), ("f1_macro", "macro F1"))]
facts = ModelCardData(license="apache-2.0", base_model="HuggingFaceTB/SmolLM2-135M-Instruct",
                      model_name="au-llm-lite-demo", eval_results=results)
floor = scores["tiers"]["standard"]["floors"]["all_positive"]["f1"]
body = (f"Finds {len(config['aus'])} Action Units: movement, never emotion, intent or health. "
        f"{scores['note']} All-positive floor on `standard`: F1 {floor:.3f}.")
card = ModelCard(f"---\n{facts.to_yaml()}\n---\n\n# AU-LLM Lite, demo\n{body}\n")
share = shutil.copytree(DEMO, Path(home.name) / "share", dirs_exist_ok=True)
card.save(share / "README.md")
print(*str(card).splitlines()[:22], "...", body, sep="\n")

# %% [markdown]
# Two F1 scores for every tier, by name, and a floor to hold them against. A card that gave only the easiest tier would be
# true and would mislead.

# %% [markdown]
# ### Exercise 10.2: read the front matter (★★☆ · 6 min)
# From the text of a card to a dictionary. The text begins with `---` and a new line; a line of three dashes may come again
# further down, as a rule. `yaml.safe_load` turns YAML into a dictionary (after `import yaml`).
#
# <details><summary>Hint</summary>
#
# `text.split("---\n", 2)` splits at the first two such lines only. The front matter is the second of the three parts.
#
# </details>

# %% tags=["exercise"]
def front_matter(text):  # text of a card -> dictionary
    ...


# %% tags=["check"]
from huggingface_hub import RepoCard

page = ("---\ntitle: Action Units --- with care\npython_version: '3.12'\n"
        "models: [your-name/your-model]\npinned: 1\n---\n# A page\n---\nkept: no faces\n")
check_fn("10.2", front_matter, lambda text: RepoCard(text).data.to_dict(), page,
         hint="what stands between the first two lines of three dashes, read by yaml.safe_load")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why it must be safe_load, then open the solution</summary>
#
# YAML, like pickle, can name functions to call, and `safe_load` takes plain values alone.
#
# ```python
# def front_matter(text):
#     import yaml
#
#     return yaml.safe_load(text.split("---\n", 2)[1])
# ```
#
# </details>

# %% [markdown]
# ## What would go up?
#
# An upload sends a *folder*. Faces, licensed frames, logs with names: what lies there goes too, unless you say what may go.
# So name what may. What you forget then stays at home.

# %% [markdown]
# ### Exercise 10.3: only what is allowed (★☆☆ · 4 min)
# The names that match at least one pattern, in their order. `fnmatch(name, pattern)` from Python's module `fnmatch` tells
# whether `*.json` fits `config.json`; a `*` fits `/` too.
#
# <details><summary>Hint</summary>
#
# `any(fnmatch(name, pattern) for pattern in patterns)` for each name, after `from fnmatch import fnmatch`.
#
# </details>

# %% tags=["exercise"]
def allowed(names, patterns):  # list of names, list of patterns -> list of names
    ...


# %% tags=["check"]
from huggingface_hub.utils import filter_repo_objects

names = ["README.md", "config.json", "config.json.bak", "faces/0001.png", "model.safetensors",
         "model.safetensors.partial", "optimizer.pt", "runs/eval.json", "subjects.xlsx"]
check_fn("10.3", allowed, lambda names, may: list(filter_repo_objects(names, allow_patterns=may)),
         names, ["*.json", "*.safetensors", "README.md"],
         hint="a name goes up if any of the patterns fits all of it; leave the order as it is")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why a list of what may go beats a list of what may not, then open the solution</summary>
#
# A file that nobody thought of is left out by the first and sent by the second.
#
# ```python
# def allowed(names, patterns):
#     from fnmatch import fnmatch
#
#     return [name for name in names if any(fnmatch(name, pattern) for pattern in patterns)]
# ```
#
# </details>

# %% [markdown]
# The Hub's own client takes the same patterns. The cell sends nothing unless you fill in a name *and* have logged in before;
# a new repository is private.

# %%
from huggingface_hub import HfApi, get_token

repo = ""  # "your-name/your-model": only for what you want to publish
lying, may = sorted(p.name for p in share.iterdir()), ["config.json", "model.safetensors", "*.md"]
if repo and get_token():
    HfApi().create_repo(repo, private=True, exist_ok=True)
    HfApi().upload_folder(repo_id=repo, folder_path=share, allow_patterns=may)
else:
    print("Nothing was sent. Of", len(lying), "files in the folder these would go up:")
    print(*filter_repo_objects(lying, allow_patterns=may), sep="\n")

# %% [markdown]
# ## A hub of folders
#
# Others would then write `AULLM.from_pretrained("your-name/your-model")`. What `revision=` means can be seen without a
# network. Below, a hub is a folder: each upload is a snapshot with a name made of its contents, and `refs` says which
# snapshot a word stands for.
#
# > **Predict.** You upload again. One person loads `v1`, another `main`. Who gets what?

# %%
hub = Path(home.name) / "hub" / "your-name" / "your-model"
(hub / "refs").mkdir(parents=True, exist_ok=True)


def publish(folder, tag):  # keep a snapshot, and let `main` and a tag stand for it
    revision = digest_of(folder / "model.safetensors")[:12]
    shutil.copytree(folder, hub / "snapshots" / revision, dirs_exist_ok=True)
    for ref in ("main", tag):
        (hub / "refs" / ref).write_text(revision)


publish(folder, "v1")
mine.au_head.bias.data += 1  # as if training went on
mine.save_pretrained(folder)
publish(folder, "v2")
for ref in ("v1", "v2", "main"):
    revision = (hub / "refs" / ref).read_text()
    after = AULLM.from_pretrained(hub / "snapshots" / revision).probabilities(clips)
    print(f"{ref:4} -> {revision}, mean probability {after.mean():.2f}")

# %% [markdown]
# `main` moved, `v1` did not. Who wants the same answer tomorrow names a tag or, as a tag can be moved, the revision itself:
# `from_pretrained(name, revision=...)`. The real Hub names a revision by its git commit.
#
# ## An app from one function
#
# First a clip and what the package says of it, so that there is something to compare with. A drawn person pulls the lip
# corners and raises the cheeks. Look at the corners.

# %%
from aullm_lite.demo import RECIPES, render_example
from aullm_lite.video import write_video

video, frames = Path(home.name) / "clip.mp4", render_example(RECIPES[1], fps=50)
write_video(video, frames, 50)  # frames: uint8 [T, H, W, 3]
drawing.frames(frames[[22, 28, 35, 46]] / 255, ["0.44 s", "0.56 s", "0.70 s", "0.92 s"],
               alt="A drawn person in colour; the lip corners rise until 0.70 s and fall again")
model = AULLM.from_pretrained("demo")
report = model.analyze(video)
print(report)

# %% [markdown]
# The corners rise and fall within half a second. The note says that the camera is slow for such brief movements. In the table
# each Action Unit has a probability, a verdict and, where it
# moved, its times.
#
# ### Exercise 10.4: bars for an app (★☆☆ · 3 min)
# Gradio's `Label` draws a bar for each entry of a dictionary. Make it from a report: the label of every finding, such as
# "AU12 Lip corner puller", and its probability.
#
# <details><summary>Hint</summary>
#
# `report.findings` holds them all, each with `.label` and `.probability`.
#
# </details>

# %% tags=["exercise"]
def bars(report):  # AUReport -> dictionary of label: probability
    ...


# %% tags=["check"]
def labelled(report):
    return {f"AU{au['au']} {au['name']}": au["probability"] for au in report.to_dict()["aus"]}


check_fn("10.4", bars, labelled, report, tolerance=1e-3,
         hint="all findings, whatever their verdict; .label and .probability")

# %% [markdown] tags=["solution"]
# <details><summary>Explain in one sentence why the absent ones belong in as well, then open the solution</summary>
#
# A visitor should see how sure the model is of a "no", not only of a "yes".
#
# ```python
# def bars(report):
#     return {finding.label: finding.probability for finding in report.findings}
# ```
#
# </details>

# %% [markdown]
# Now the app. `detect` is all that it does; Gradio adds the page around it. We build the page without opening it, and call
# the function that it would call.

# %%
def detect(video):  # path of a video -> label: probability
    return labelled(model.analyze(video))


if find_spec("gradio"):
    import gradio as gr

    app = gr.Interface(detect, gr.Video(label="Face clip"), gr.Label(label="Probabilities, not verdicts"),
                       description="Movement only, never emotion. Trained on generated faces.",
                       flagging_mode="never", delete_cache=(3600, 3600), analytics_enabled=False)
    answer = app.fn(str(video))
    assert all(abs(answer[label] - p) < 1e-3 for label, p in labelled(report).items())
    print("The app gives what the report gives. On top:", max(answer, key=answer.get))
else:
    print("gradio is not installed here: pip install gradio, and run this cell again.")

# %% [markdown]
# `app.launch()` would open it. The app that is shipped, [`app.py`](../app.py), has more on its page, such as the verdict *not
# sure*, but rests on the same call. A test of `detect` covers the answers. Whether a real upload reaches it, and how the page
# looks, needs a test in a browser: `pytest -m browser`.
#
# ## The Space
#
# A Space is a repository whose app runs on the Hub. Its README says how, again in front matter.

# %%
from importlib.metadata import version

from huggingface_hub import SpaceCard, SpaceCardData

tested = version("gradio") if find_spec("gradio") else "6.31.0"
facts = SpaceCardData(title="AU-LLM Lite", sdk="gradio", sdk_version=tested, app_file="app.py",
                      python_version="3.12", models=["your-name/your-model"], license="apache-2.0")
space = SpaceCard(f"---\n{facts.to_yaml()}\n---\n\n# Facial movement, never emotion\n")
assert space.data.to_dict() == facts.to_dict() and space.data.sdk == "gradio"
print(space.content)

# %% [markdown]
# `sdk_version` is the version that was tested. `python_version` stands in quotes: 3.10 without them would be the number 3.1.
#
# The package does all of this by one command. `python -m aullm_lite push checkpoint --repo your-name/your-model --dry-run OUT`
# writes the folder that would go up, card and hashes included, and sends nothing; so do `push dataset` and `push space`.
#
# ## What a Space must not do with faces
#
# - Name feelings, intent, health or lies. In the EU, inferring emotions at work and in education is prohibited, with
#   exceptions for medical and safety reasons (Regulation 2024/1689, Article 5; this is no legal advice).
# - Look at pupils, staff, applicants, or anyone who did not agree. Ask before the upload.
# - Keep faces: no flagging, no history, short-lived files.
# - Show licensed frames, or weights that a licence forbids to share.
# - Hide that training was on synthetic faces, or that it is "not sure".

# %% [markdown]
# ## What you have now
#
# - A checkpoint is two files: settings and bare numbers. A hash says that they are the ones you mean.
# - A card takes its scores from the evaluation file, so it agrees with it whenever it is made. These scores are synthetic.
# - An upload sends a whole folder, unless you name what may go. Revisions do not move, `main` does.
# - An app is one tested function and a page around it.
#
# What can go wrong: a safe file may still hold a bad model. Not known: how the shipped one fares on filmed people.
#
# Words: [glossary](glossary.md). All notebooks: [the map](README.md).

# %%
home.cleanup()
score(4)
