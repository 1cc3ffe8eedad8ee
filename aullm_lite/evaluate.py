"""Score a checkpoint on people it has never seen: drawn ones, animated photographs, moving heads."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from . import metrics
from .checkpoint import weights_hash
from .clips import ClipSet
from .errors import InputError
from .files import write_together
from .model import AULLM
from .people import unpack
from .synth.dataset import held_out_seed, make_clips, tier_recipe
from .synth.script import PEAKS

HEAD_LIMIT = "yaw, pitch, roll, scale and shift of 0.5 to 4 pixels at 64"


def probabilities(model: AULLM, clips: np.ndarray, batch: int = 64) -> np.ndarray:
    """Calibrated probabilities of many clips.  uint8 [N, T, H, W] -> [N, K]"""
    parts = torch.from_numpy(clips).split(batch)
    return np.concatenate([model.probabilities(part.to(model.device).float() / 255).cpu().numpy() for part in parts])


def evaluate(model: AULLM, data: ClipSet) -> dict:
    """All scores of a model on a data set, at the thresholds of its config, chosen on inner training subjects."""
    if tuple(data.aus) != tuple(model.config.aus):
        raise InputError(f"The data hold AUs {data.aus}, the model {model.config.aus}: they must be the same.")
    answers = probabilities(model, data.clips)
    table = metrics.score_table(model.config.aus, data.labels, answers, model.config.thresholds)
    known = unpack(model.config.trained_on) & set(data.subjects.tolist())
    note = f"The checkpoint was trained on {len(known)} of these {len(set(data.subjects))} people: its scores mislead."
    return table | ({"notes": [note]} if known else {})


def false_alarms(model: AULLM, data: ClipSet) -> float:
    """Share of clips in which any AU gets the verdict `present`; to be used on clips that hold none."""
    high = np.array([band[1] for band in model.config.not_sure])
    return float((probabilities(model, data.clips) >= high).any(1).mean())


def synth_table(model: AULLM, *, subjects: int = 30, clips: int = 50, tier: str = "standard", seed: int = 7) -> dict:
    """Scores on unseen drawn subjects of one tier."""
    data = make_clips(subjects, clips, tier_recipe(tier), seed=held_out_seed(seed))
    return evaluate(model, data) | {
        "data": "SynthME (generated)",
        "tier": tier,
        "subjects": subjects,
        "first_subject_seed": held_out_seed(seed),
    }


def head_motion_table(model: AULLM, people, *, clips: int, seed: int) -> dict:
    """What head movement does: false alarms on clips without any AU, and scores with AUs under the same movement."""
    alone = make_clips(people, clips, tier_recipe("standard", head="moving", none=1.0), seed=seed)
    under = make_clips(people, clips, tier_recipe("standard", head="moving"), seed=seed)
    scores = evaluate(model, under)
    return {
        "movement": HEAD_LIMIT,
        "clips": len(alone),
        "any_present_without_au": false_alarms(model, alone),
        "f1": scores["mean"]["f1"],
        "ap": scores["mean"]["ap"],
    }


def open_mouth_table(model: AULLM, people, *, clips: int, seed: int) -> dict:
    """Scores where people also speak, and smile with open lips."""
    return evaluate(model, make_clips(people, clips, tier_recipe("standard", mouth=True), seed=seed))["mean"]


def full_report(
    model: AULLM,
    photos: list,
    *,
    subjects: int = 30,
    clips: int = 50,
    seed: int = 7,
    say: Callable[[str], None] = print,
) -> dict:
    """Every score that the README quotes, on generated data only."""
    first = held_out_seed(seed)
    people = {"drawn": (subjects, clips)} | ({"photographs": (photos, 10 * clips)} if photos else {})
    report = {
        "note": "All figures are on generated clips (SynthME); none is on a licensed data set.",
        "model": weights_hash(model),
        "seed": seed,
        "subjects": subjects,
        "clips_a_subject": clips,
        "tiers": {},
        "photographs": {},
    }
    for tier in PEAKS:
        say(f"drawn people, {tier} ...")
        report["tiers"][tier] = synth_table(model, subjects=subjects, clips=clips, tier=tier, seed=seed)
    for photo in photos:
        say(f"animated photograph {photo.subject} ...")
        data = make_clips([photo], 10 * clips, tier_recipe("standard"), seed=first)
        report["photographs"][photo.subject] = evaluate(model, data)
    for name, table in (("head_motion", head_motion_table), ("open_mouths", open_mouth_table)):
        say(f"{name.replace('_', ' ')} ...")
        report[name] = {who: table(model, some, clips=n, seed=first) for who, (some, n) in people.items()}
    return report


def write_json(path: Path | str, content: dict) -> None:
    """Write a JSON file whole or not at all."""
    write_together({Path(path): (json.dumps(content, indent=1, allow_nan=False) + "\n").encode()})


def as_text(scores: dict) -> str:
    """The table of one evaluation, or the headline figures of a full report."""
    return _table_text(scores) if "per_au" in scores else _report_text(scores)


def _report_text(report: dict) -> str:
    lines = [
        f"{tier:>18}: F1 {_show(s['mean']['f1'])}  macro F1 {_show(s['mean']['f1_macro'])}  AP {_show(s['mean']['ap'])}"
        for tier, s in (report["tiers"] | report["photographs"]).items()
    ]
    lines += [
        f"moving heads, {who}: F1 {_show(s['f1'])}, any `present` without AU {s['any_present_without_au']:.1%}"
        for who, s in report["head_motion"].items()
    ]
    lines += [f"open mouths, {who}: F1 {_show(s['f1'])}" for who, s in report["open_mouths"].items()]
    return "\n".join([report["note"], *lines])


def _table_text(table: dict) -> str:
    rows = [*table["per_au"].items(), ("mean", table["mean"])]
    lines = [f"{au:>5} {_show(s['f1'])} {_show(s['f1_macro'])} {_show(s['ap'])} {s['n_pos']:>6}" for au, s in rows]
    lines += [
        f"floor {name.replace('_', ' ')}: F1 {_show(s['f1'])}, macro F1 {_show(s['f1_macro'])}"
        for name, s in table["floors"].items()
    ]
    return "\n".join(["   AU    F1 macro    AP    pos", *lines, *table.get("notes", ())])


def _show(value: float | None) -> str:
    return "  n/a" if value is None else f"{value:5.3f}"
