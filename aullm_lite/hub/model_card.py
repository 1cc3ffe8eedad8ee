"""The card of a checkpoint, its README.md on the Hub: made from config.json, eval.json and spoken.json alone.

No figure is typed: whoever changes the scores changes the card.
"""

from huggingface_hub import EvalResult, ModelCardData

from .. import __version__
from ..config import AULLMConfig
from ..facs import action_unit
from ..people import unpack
from ..report import LIMITS

LICENSE, TASK = "apache-2.0", "video-classification"
BASES = {"smollm2-135m-instruct": "HuggingFaceTB/SmolLM2-135M-Instruct"}  # by our names, else the Hub's own
METRICS = {"f1": "F1, positive class", "f1_macro": "macro F1", "ap": "average precision"}
TAGS = ["facial-action-units", "micro-expression", "facs", "optical-flow", "lora", "explainability", "synthetic"]

SOURCE = "https://github.com/au-llm-lite/au-llm-lite"
USE = f"""## Use

With the package [`aullm-lite`]({SOURCE}) (this card was written by version {{version}}):

```python
from aullm_lite import AULLM

model = AULLM.from_pretrained("{{repo}}")  # revision="..." names a tag or a commit; a commit is always the same
report = model.analyze("clip.mp4")
print(report)
```

Only `config.json` and `model.safetensors` are fetched; the language model comes from its own source and is checked
against the fingerprint in `config.json`. The hashes of all files here are checked by
`sha256sum --ignore-missing -c SHA256SUMS`."""

ETHICS = """## What it is for, and what it is not for

For teaching and research on facial movement: which Action Units moved in a clip of an adult who agreed, when, and how
sure the model is. "Not sure" is a real answer.

- **Movement, never emotion.** An Action Unit is a visible movement. It is not a feeling, an intent, a state of health
  or a lie, and none of these can be read from it. How people show what they feel varies across cultures, situations
  and within one person.
- **Not for judging people.** Do not run it on pupils, staff, applicants or anyone who did not agree. In the EU,
  inferring emotions at work and in education is prohibited, with exceptions for medical and safety uses (Regulation
  2024/1689, Article 5; this is no legal advice).
- **Limits.** Ages, skin tones, beards, glasses and cameras of the real world are more varied than generated ones, and
  faces turned far from the front are out. At 30 frames a second a micro-expression is ten frames long and rises within
  five: film at 100 or more."""

CITATION = """## How to cite

The method is that of AU-LLM; this is an independent implementation, and its scores are not those of the paper.

```bibtex
@misc{aullm2025,
  title         = {AU-LLM: Micro-Expression Action Unit Detection via Enhanced LLM-Based Feature Fusion},
  author        = {Liu and Yuan and Zhao, B. and Xu, Y. and Yu, Z.},
  year          = {2025},
  eprint        = {2507.21778},
  archivePrefix = {arXiv}
}
```"""


def model_card(repo: str, config: AULLMConfig, scores: dict | None, spoken: dict | None) -> str:
    """The whole page: front matter for machines, then sections for people."""
    front = front_matter(repo, config, scores).to_yaml()
    parts = [opening(repo, config), USE.format(repo=repo, version=__version__), inside(config)]
    parts += [how_good(scores, config.trained_on), how_it_speaks(spoken), ETHICS, CITATION]
    return f"---\n{front}\n---\n\n" + "\n\n".join(part for part in parts if part) + "\n"


def front_matter(repo: str, config: AULLMConfig, scores: dict | None) -> ModelCardData:
    """What the Hub reads: licence, base model, tags and, where there are scores, the model-index."""
    base, results = base_model(config), eval_results(scores) if scores else None
    return ModelCardData(
        license=LICENSE,
        library_name="aullm-lite",
        pipeline_tag=TASK,
        base_model=base,
        base_model_relation="adapter" if base else None,
        metrics=["f1"],
        tags=TAGS,
        model_name=repo.split("/")[-1] if results else None,  # else it would stand in the page as a key of its own
        eval_results=results,
    )


def base_model(config: AULLMConfig) -> str | None:
    """The Hub id of the language model; None where there is none or a random one."""
    name = config.language_model
    return None if name in ("none", "random") else BASES.get(name, name)


def eval_results(scores: dict) -> list[EvalResult]:
    """Both F1 scores and the average precision of every tier and photograph, as the model-index holds them."""
    tables = {tier: (f"SynthME {tier} (generated)", table) for tier, table in scores["tiers"].items()}
    for photo, table in scores["photographs"].items():
        name = photo.removeprefix("photo-")
        tables[f"standard-{name}"] = f"SynthME standard (generated), animated photograph {name}", table
    return [
        EvalResult(
            task_type=TASK,
            task_name="Action Unit detection",
            dataset_type="synthme",
            dataset_split="test",
            dataset_name=name,
            dataset_config=part,
            metric_type=metric,
            metric_name=title,
            metric_value=round(table["mean"][metric], 4),
        )
        for part, (name, table) in tables.items()
        for metric, title in METRICS.items()
    ]


def opening(repo: str, config: AULLMConfig) -> str:
    """What it is, in a paragraph, with whom it has learned from."""
    aus = ", ".join(str(action_unit(au)) for au in config.aus)
    return (
        f"# {repo.split('/')[-1]}\n\nFinds facial Action Units in short clips of a face, says when each moved and how "
        f"sure it is: {aus}.\n\n{LIMITS}\n\n{seen(config)}"
    )


def seen(config: AULLMConfig) -> str:
    """Whom it has learned from."""
    people = unpack(config.trained_on)
    if not people:
        return "Its config names nobody from whose clips it has learned: it was not trained, or not by `train`."
    return (
        f"It has learned from generated clips of {len(people):,} drawn people, named in `config.json`: no filmed "
        "person, no licensed data."
    )


def inside(config: AULLMConfig) -> str:
    """The settings that matter, from config.json."""
    base = base_model(config)
    rows = {
        "input": f"{config.frames} grey frames of {config.size} x {config.size} pixels, aligned, from onset to offset",
        "motion": f"`{config.motion}`",
        "projector": f"`{config.projector}`, to one visual token",
        "language model": f"`{base or config.language_model}`, frozen",
        "SHA-256 of its weights": f"`{config.base_fingerprint}`",
        "LoRA": f"rank {config.lora_rank}, alpha {config.lora_alpha}",
        "prompt": config.prompt,
        "puts what it saw into words": "yes" if config.speaks else "no",
    }
    return "\n".join(["## What is inside", "", "| | |", "|---|---|", *(f"| {k} | {v} |" for k, v in rows.items())])


def how_good(scores: dict | None, trained_on: tuple[str, ...]) -> str:
    """The headline scores of eval.json, with their floors."""
    if not scores:
        return "## How good is it?\n\nNot known: it was published without an `eval.json`."
    from ..card import scores as table

    tables = (scores["tiers"] | scores["photographs"]).values()
    doubts = sorted({note for one in tables for note in one.get("notes", ())})  # of people seen in training
    unseen = "Nobody in these clips was seen in training; thresholds were chosen on other people."
    unknown = "Whether people in these clips were seen in training is not known."
    who = " ".join(doubts) or (unseen if trained_on else unknown)
    return (
        f"## How good is it?\n\n{scores['note']} They must not be set beside published scores on filmed people. {who} "
        "The floor is what “everything is present” would score.\n\n"
        f"{table(scores)}\n\nAll figures per Action Unit are in `eval.json`."
    )


def how_it_speaks(spoken: dict | None) -> str:
    """What spoken.json says of its words, where there is one."""
    if not spoken:
        return ""
    from ..card import words

    return f"## How true are its words?\n\n{words(spoken)}\n\nAll figures are in `spoken.json`."
