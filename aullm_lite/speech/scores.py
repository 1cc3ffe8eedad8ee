"""How true are the words?  Spoken reports against the truth of generated clips and against the head.

A text counts as it left the language model, before the guard, unless a figure says otherwise; one that is no report
counts as naming nothing.
"""

import re
from collections import Counter

import numpy as np
import torch
from tqdm.auto import tqdm

from .. import confusion
from ..checkpoint import weights_hash
from ..clips import ClipSet
from ..intervals import paired_difference
from ..model import AULLM
from ..people import unpack
from ..synth.dataset import held_out_seed, make_clips, tier_recipe
from .questions import YES, Question, answer
from .spoken import Spoken, describe_all
from .wording import HALVES, Statement, parse, statements_of, tell

BATCH = 32
EVERY = 4  # one clip of so many is asked which AUs it shows; each clip is asked about one AU, in turn


def spoken_table(model: AULLM, *, subjects: int = 20, clips: int = 50, tier: str = "standard", seed: int = 7) -> dict:
    """All scores of what a model says about unseen drawn people.

    Raises `InputError` for a model that cannot speak.
    """
    data = make_clips(subjects, clips, tier_recipe(tier), seed=held_out_seed(seed))
    heard = [one for part in _parts(data, "reports") for one in describe_all(model, part.to(model.device))]
    truths = [statements_of(script, data.aus) for script in data.scripts]
    known = unpack(model.config.trained_on) & set(data.subjects.tolist())
    about = {"trained_on_of_these": len(known)} if known else {}
    about |= {"data": "SynthME (generated)", "tier": tier, "subjects": subjects, "clips": len(data), "seed": seed}
    about["model"] = weights_hash(model)
    words = against_truth([one.said for one in heard], truths)
    return about | against_head(model, data, heard) | words | {"questions": question_scores(model, data)}


def _parts(data: ClipSet, what: str):
    parts = torch.from_numpy(data.clips).split(BATCH)
    return (part.float() / 255 for part in tqdm(parts, desc=what, unit="batch", leave=False))


def statements_in(said: str) -> tuple[Statement, ...]:
    """What a text says, whether or not the guard let it stand; nothing where it is no report."""
    try:
        return parse(said)
    except ValueError:
        return ()


def against_head(model: AULLM, data: ClipSet, heard: list[Spoken]) -> dict:
    """F1 of text and head, with the paired difference; how often they agree; what the guard found, and what it left."""
    texts = np.array([[au in {s.au for s in statements_in(one.said)} for au in data.aus] for one in heard])
    with torch.no_grad():
        probabilities = torch.cat([model.probabilities(part.to(model.device)) for part in _parts(data, "head")])
    decisions = probabilities.cpu().numpy() >= np.array(model.config.thresholds)
    names = {"text": texts, "head": decisions}
    counts = {name: confusion.counts_by(data.subjects, data.labels, some).sum(0) for name, some in names.items()}
    present = data.labels.any(0)
    return {
        "f1": {name: float(confusion.f1(some)[present].mean()) for name, some in counts.items()},
        "text_less_head": paired_difference(data.labels, texts, decisions, data.subjects),
        "agree": float(np.mean([not one.problem for one in heard])),
        "same_aus": float((texts == decisions).all(1).mean()),
        "replaced": dict(Counter(_kind(one.problem) for one in heard if one.problem)),
        "contradictions_after_guard": sum(contradicts(one) for one in heard),
    }


def _kind(problem: str) -> str:
    return re.sub(r"AU\d+", "an AU", problem)


def contradicts(heard: Spoken) -> bool:
    """Whether the text that is shown still claims what the head denies, or denies what it is sure of.

    Reads the sentences by themselves, without the parser and the guard that made them.
    """
    claims = heard.text.split("Not sure about")[0].split("; ")
    named = {int(number) for claim in claims for number in re.findall(r"AU(\d+) [a-z]", claim)}
    present, absent = ({au for au, v in heard.verdicts.items() if v == wanted} for wanted in ("present", "absent"))
    empty = {au for half, aus in HALVES.items() if f"The {half} face shows no" in heard.text for au in aus}
    return bool(named & absent or present - named or named & empty or not named <= set(heard.verdicts))


def against_truth(said: list[str], truths: list[tuple[Statement, ...]]) -> dict:
    """Shares of side, strength and apex words that are right, over AUs that are there and are named."""
    parsed = [statements_in(text) for text in said]
    pairs = [(one, true) for some, all_ in zip(parsed, truths) for one in some for true in all_ if one.au == true.au]
    share = lambda rights: float(np.mean(rights)) if rights else None  # noqa: E731
    one_sided = [one.side == true.side for one, true in pairs if true.side != "both"]
    claimed = [one.side == true.side for one, true in pairs if one.side != "both"]
    return {
        "named": len(pairs),
        "one_sided": len(one_sided),
        "side": share([one.side == true.side for one, true in pairs]),
        "side_of_one_sided": share(one_sided),
        "side_where_one_is_claimed": share(claimed),
        "strength": share([one.strength == true.strength for one, true in pairs]),
        "frame": share([one.frame == true.frame for one, true in pairs]),
        "frame_within_one": share([abs(one.frame - true.frame) <= 1 for one, true in pairs]),
        "whole_text": share([text == tell(true) for text, true in zip(said, truths)]),
    }


def question_scores(model: AULLM, data: ClipSet) -> dict:
    """Share of right answers, before the guard: which AUs (no more, no less), and whether one is present."""
    rows = np.arange(0, len(data), EVERY)
    which = [one.said for part in _parts(data.select(rows), "which") for one in _ask(model, part, Question("which"))]
    true = [answer(Question("which"), np.array(data.aus)[row > 0].tolist()) for row in data.labels[rows]]
    yes, present = [], []
    for k, au in enumerate(data.aus):
        some = data.select(np.arange(k, len(data), len(data.aus)))
        yes += [
            one.said.strip() == YES.strip()
            for part in _parts(some, f"AU{au}")
            for one in _ask(model, part, Question("is", au))
        ]
        present += (some.labels[:, k] > 0).tolist()
    yes, present = np.array(yes), np.array(present)
    return {
        "which_right": float(np.mean([one.strip() == other.strip() for one, other in zip(which, true)])),
        "which_asked": len(rows),
        "is_right": float((yes == present).mean()),
        "is_right_by_always_no": float(1 - present.mean()),
        "is_right_where_present": float(yes[present].mean()) if present.any() else None,
        "is_asked": len(yes),
    }


def _ask(model: AULLM, part: torch.Tensor, question: Question) -> list[Spoken]:
    return describe_all(model, part.to(model.device), question)


def as_text(table: dict) -> str:
    """The scores in lines."""
    less, asked = table["text_less_head"], table["questions"]
    show = lambda share: "n/a" if share is None else f"{share:.1%}"  # noqa: E731
    return "\n".join(
        [
            f"{table['clips']} generated clips of {table['subjects']} unseen drawn people, {table['tier']}",
            f"F1 of the text {table['f1']['text']:.3f}, of the head {table['f1']['head']:.3f}; less "
            f"{less['difference']:+.3f} ({less['interval'][0]:+.3f} to {less['interval'][1]:+.3f})",
            f"text and head agree in {show(table['agree'])} of the clips, name the very same AUs in "
            f"{show(table['same_aus'])}; contradictions after the guard: {table['contradictions_after_guard']}",
            f"right words, of {table['named']} AUs: side {show(table['side'])} (one-sided "
            f"{show(table['side_of_one_sided'])} of {table['one_sided']}), strength {show(table['strength'])}, "
            f"frame {show(table['frame'])} (within one {show(table['frame_within_one'])})",
            f"questions: which {show(asked['which_right'])} of {asked['which_asked']}, is it present "
            f"{show(asked['is_right'])} of {asked['is_asked']} (always no: {show(asked['is_right_by_always_no'])}), "
            f"and {show(asked['is_right_where_present'])} where it is",
        ]
    )
