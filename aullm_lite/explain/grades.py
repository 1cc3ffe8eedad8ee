"""From the rows of a grading study to its table: means with intervals over subjects, and what beats what."""

import json

import numpy as np
import pandas as pd

from ..checkpoint import DEMO, weights_hash
from ..errors import InputError
from ..intervals import mean_interval
from .controls import CONTROLS
from .study import RANDOM

GRADE = DEMO / "grade.json"
NOTE = "All grades are on generated clips (SynthME), whose truth is known; none is on a filmed person."
WHERE = ("energy_in_mask", "pointing", "pixel_ap", "temporal")  # of single maps; higher is better
CHECKS = ("deletion_still", "insertion_still", "deletion_smear", "insertion_smear", "infidelity")
OWN = ("max_sensitivity", "rank_correlation", "missed")  # of methods alone
RIVALS = (*CONTROLS, RANDOM)


def grade_table(rows: list[dict], about: dict) -> dict:
    """{"methods": {name: grades}, "controls": {name: grades}} and how they came about.

    Every grade is [mean, low, high]; None where nothing was measured.  `behind` lists the controls that are better than
    a method, and in what of the first five grades, where the interval of the paired difference excludes 0; nothing is
    corrected for the number of comparisons.  Raises `InputError` where no AU was found.
    """
    kinds = {kind: pd.DataFrame([row for row in rows if row["kind"] == kind]) for kind in ("clip", "map", "pair")}
    if kinds["map"].empty:
        raise InputError("The model finds no AU in any clip, so nothing can be graded: choose another checkpoint.")
    names = list(dict.fromkeys(kinds["map"]["map"]))
    graded = {name: _grades(name, kinds) for name in names}
    methods = {name: graded[name] | _against_controls(name, kinds) for name in names if name not in RIVALS}
    controls = {name: graded[name] for name in RIVALS if name in graded}
    return {"note": NOTE, **about, **_sizes(kinds, names[0]), "methods": methods, "controls": controls}


def _sizes(kinds: dict[str, pd.DataFrame], name: str) -> dict:
    """How much was graded: what was found of what was there, and the number of decisions behind each kind of grade."""
    own, clips = _of(kinds["map"], name), kinds["clip"]
    return {
        "clips": len(clips),
        "subjects": int(clips["subject"].nunique()),
        "aus_present": int(clips["present"].sum()),
        "aus_found": int(clips["found"].sum()),
        "decisions": len(own),
        "pairs": len(_of(kinds["pair"], name)),
        "checked": int(own["infidelity"].notna().sum()) if "infidelity" in own else 0,
        "shaken": int(own["max_sensitivity"].notna().sum()) if "max_sensitivity" in own else 0,
    }


def _grades(name: str, kinds: dict[str, pd.DataFrame]) -> dict:
    own, pairs = _of(kinds["map"], name), _of(kinds["pair"], name)
    grades = {key: _mean(own, key) for key in WHERE}
    grades |= {key: float(own[key].mean()) for key in ("chance", "temporal_chance")}
    grades |= {"ratio": grades["energy_in_mask"][0] / grades["chance"], "specificity": _mean(pairs, "specificity")}
    grades |= {key: _mean(own, key) for key in CHECKS}
    if name in RIVALS:
        return grades
    largest = own["missed"].max() if "missed" in own else np.nan
    return grades | {
        **{key: _mean(own, key) for key in OWN},
        "missed_at_most": None if np.isnan(largest) else float(largest),
        "silent": int(own["silent"].sum()),
    }


def _against_controls(name: str, kinds: dict[str, pd.DataFrame]) -> dict:
    """What a method has over each control in each grade, and the controls that it stays behind."""
    gains, behind = {}, []
    for rival in RIVALS:
        gains[rival] = {}
        for key, table in [*((key, kinds["map"]) for key in WHERE), ("specificity", kinds["pair"])]:
            if table.empty:
                continue
            one, other = _of(table, name), _of(table, rival)
            gain = mean_interval(one[key].to_numpy() - other[key].to_numpy(), one["subject"])
            gains[rival][key] = gain
            if gain[2] is not None and gain[2] < 0:
                behind.append([rival, key])
    return {"gain": gains, "behind": behind}


def _of(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """The rows of one map, in the order of clips and AUs."""
    return table if table.empty else table[table["map"] == name].reset_index(drop=True)


def _mean(table: pd.DataFrame, key: str) -> list[float] | None:
    if key not in table:
        return None
    known = table[table[key].notna()]
    return mean_interval(known[key].to_numpy(), known["subject"])


TITLES = {
    "energy_in_mask": "energy in the moved skin",
    "pointing": "pointing game",
    "pixel_ap": "pixel AP",
    "temporal": "time inside the event",
    "specificity": "AU-specificity",
}


def as_text(table: dict) -> str:
    """The grades as a table for the terminal, and what stays behind a control."""
    heads = ["energy", "(ratio)", "pointing", "AP", "time", "specific", "delete", "insert", "infidel"]
    lines = [table["note"], "", f"{'':22}" + "".join(f"{head:>10}" for head in heads)]
    for name, grades in (table["methods"] | table["controls"]).items():
        keys = ("pointing", "pixel_ap", "temporal", "specificity", "deletion_still", "insertion_still", "infidelity")
        figures = [_show(grades["energy_in_mask"]), f"{grades['ratio']:.1f}x", *(_show(grades[key]) for key in keys)]
        lines.append(f"{name:22}" + "".join(f"{figure:>10}" for figure in figures))
    chance = next(iter(table["methods"].values()))
    lines.append(
        f"Chance: energy and AP {chance['chance']:.3f}, time {chance['temporal_chance']:.3f}. {counted(table)}"
    )
    return "\n".join([*lines, *losses(table)])


def shipped(model) -> dict | None:
    """The grades that lie beside the demo checkpoint; None for another model."""
    table = json.loads(GRADE.read_text()) if GRADE.is_file() else {}
    return table if table.get("model") == weights_hash(model) else None


def sentence(table: dict | None, method: str, on: str) -> str:
    """How far a method is to be trusted, in one or two sentences; empty where it has not been graded."""
    name = method if on == "motion" else f"{method}-{on}"
    if table is None or name not in table["methods"]:
        return ""
    grades = table["methods"][name]
    said = (
        f"On generated clips, where the truth is known and the model was right, {name} put "
        f"{grades['energy_in_mask'][0]:.0%} of its positive pixels' sum into the skin that the AU had moved "
        f"(chance {grades['chance']:.0%}), and its strongest pixel in {grades['pointing'][0]:.0%} of the cases."
    )
    return " ".join([said, *(loss for loss in losses(table) if loss.startswith(f"{name} "))])


def counted(table: dict) -> str:
    """How much stands behind the grades."""
    return (
        f"Graded: {table['decisions']} decisions in {table['clips']} clips of {table['subjects']} people, "
        f"{table['pairs']} pairs of AUs; deletion, insertion, infidelity and random weights: {table['checked']} "
        f"decisions, tremor: {table['shaken']}."
    )


def losses(table: dict) -> list[str]:
    """One sentence for each method that stays behind a control in some grade."""
    said = []
    for name, grades in table["methods"].items():
        if grades["behind"]:
            words = ", ".join(f"{TITLES[key]} ({rival})" for rival, key in grades["behind"])
            said.append(f"{name} stays behind a control in: {words}.")
    return said


def _show(grade: list | None) -> str:
    return "n/a" if grade is None else f"{grade[0]:.3f}"
