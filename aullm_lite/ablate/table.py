"""From kept answers to numbers: seeds pooled first, then scored once, every row against the one it differs from."""

import numpy as np

from .. import intervals, metrics
from ..errors import InputError
from ..floors import floors
from .kept import Arrays, Kept
from .rows import REFERENCE, ROWS, Row

NOTE = "All clips are generated (SynthME): the figures tell nothing about filmed people."


def build_table(kept: Kept, seeds: int) -> dict:
    """All numbers of the study as plain data; only rows whose seeds have all ended.

    Raises `InputError` while the reference is missing.
    """
    complete = [row for row in ROWS if all(kept.has(seed, row.name) for seed in range(seeds))]
    if REFERENCE not in complete:
        raise InputError(f"The reference, {REFERENCE.name}, has not ended for all seeds: run it with --resume.")
    clips, who = kept.people()
    pooled = {row.name: pool([kept.read(seed, row.name) for seed in range(seeds)]) for row in complete}
    labels = {part: np.concatenate([some] * seeds) for part, some in clips.items()}
    people = np.array(who["test"] * seeds)
    decisions = {name: arrays["test"] >= arrays["test_thresholds"] for name, (arrays, _) in pooled.items()}
    pairs = [(row.name, row.against) for row in complete if row != REFERENCE and row.against in pooled]
    rows = {row.name: about(row) | scores(*pooled[row.name], labels, people) for row in complete}
    return {
        "note": NOTE,
        **kept.settings,
        "seeds": seeds,
        "aus": who["aus"],
        "clips": len(people) // seeds,
        "people": len(set(who["test"])),
        "photographs": sorted(set(who["photos"])),
        "floors": floors(clips["test"]),
        "rows": rows,
        "missing": [row.name for row in ROWS if row not in complete],
        "comparisons": compared(rows, intervals.compare(decisions, pairs, labels["test"], people)) if pairs else [],
    }


def compared(rows: dict, comparisons: list[dict]) -> list[dict]:
    """Comparisons with the difference of each seed; "better" and "worse" only where all seeds agree."""
    found = []
    for one in comparisons:
        pairs = zip(rows[one["name"]]["f1_of_seeds"], rows[one["against"]]["f1_of_seeds"])
        each = [row - other for row, other in pairs]
        agree = len({difference > 0 for difference in each}) == 1
        found.append(one | {"of_seeds": each} | ({} if agree else {"verdict": "no difference shown"}))
    return found


def about(row: Row) -> dict:
    return {"group": row.group, "title": row.title, "against": row.against}


def pool(runs: list[tuple[Arrays, dict]]) -> tuple[Arrays, list[dict]]:
    """The answers of all seeds one after another, each clip with the thresholds of its seed.  -> arrays, facts"""
    pooled = {}
    for part in ("test", "photos"):
        pooled[part] = np.concatenate([arrays[part] for arrays, _ in runs])
        cuts = [np.broadcast_to(arrays["thresholds"], arrays[part].shape) for arrays, _ in runs]
        pooled[f"{part}_thresholds"] = np.concatenate(cuts)
    return pooled, [facts for _, facts in runs]


def scores(arrays: Arrays, facts: list[dict], labels: Arrays, people: np.ndarray) -> dict:
    """Scores of one row: over all seeds, and F1 of each."""
    decisions = arrays["test"] >= arrays["test_thresholds"]
    between = intervals.interval_table(range(labels["test"].shape[1]), labels["test"], decisions, people)["mean"]
    return {
        **{name: _mean(score, labels["test"], decisions) for name, score in F1S.items()},
        "ap": _mean(metrics.average_precision, labels["test"], arrays["test"]),
        "interval": between["f1"],
        "interval_macro": between["f1_macro"],
        "f1_photographs": _mean(metrics.f1_positive, labels["photos"], arrays["photos"] >= arrays["photos_thresholds"]),
        "f1_of_seeds": [
            _mean(metrics.f1_positive, *halves)
            for halves in zip(np.split(labels["test"], len(facts)), np.split(decisions, len(facts)))
        ],
        "trainable": facts[0]["trainable"],
        "steps": facts[0]["steps"],
        "seconds": [some["seconds"] for some in facts],
    }


F1S = {"f1": metrics.f1_positive, "f1_macro": metrics.f1_macro}


def _mean(score, labels: np.ndarray, said: np.ndarray) -> float:
    """A score's mean over the AUs that have positives."""
    return float(score(labels, said)[labels.any(0)].mean())
