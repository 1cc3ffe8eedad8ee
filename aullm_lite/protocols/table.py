"""From the answers of all folds to one table: pooled first, scored once, with floors and intervals."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .. import intervals, metrics, pooling
from ..clips import ClipSet
from ..errors import InputError
from .splits import data_sets


@dataclass(frozen=True)
class Pooled:
    """The answers of one row for all tested clips, in the order of the data.  [N, K] each"""

    probabilities: np.ndarray
    thresholds: np.ndarray

    @property
    def decisions(self) -> np.ndarray:
        return self.probabilities >= self.thresholds


def pool(answers: pd.DataFrame, data: ClipSet) -> Pooled:
    """Bring answers back to their clips by record id.

    Raises `InputError` for a clip that was answered twice or not at all, or whose label has changed since.
    """
    if answers.duplicated(["id", "au"]).any():
        raise InputError("Some clips were tested in more than one fold: choose another --out.")
    wide = answers.pivot(index="id", columns="au", values=["probability", "threshold", "label"])
    try:
        wide = wide.loc[data.ids.tolist()]
        columns = {name: wide[name][list(data.aus)].to_numpy(float) for name in ("probability", "threshold", "label")}
    except KeyError:
        raise InputError("Some clips of the data were not tested in any fold: run all folds, with --resume.") from None
    if not np.array_equal(columns["label"], data.labels):
        raise InputError("The labels of the data are not those of the saved folds: choose another --out.")
    return Pooled(columns["probability"], columns["threshold"])


def build_table(rows: dict[str, pd.DataFrame], titles: dict[str, str], data: ClipSet, facts: dict) -> dict:
    """Scores, intervals and comparisons of all rows as plain numbers.

    `facts` tell what was tested and how.  The comparisons are against the first row.
    """
    pooled = {name: pool(answers, data) for name, answers in rows.items()}
    scored = {name: _scored(titles[name], row, data) for name, row in pooled.items()}
    floors = next(iter(scored.values()))["floors"]
    decisions = {name: row.decisions for name, row in pooled.items()}
    table = facts | {
        "aus": list(data.aus),
        "clips": len(data),
        "subjects": len(set(data.subjects.tolist())),
        "n_pos": {str(au): int(n) for au, n in zip(data.aus, data.labels.sum(0))},
        "floors": floors,
        "rows": {name: {k: v for k, v in row.items() if k != "floors"} for name, row in scored.items()},
        "against": next(iter(rows)),
        "comparisons": compare_all(decisions, data),
    }
    return table


def _scored(title: str, row: Pooled, data: ClipSet) -> dict:
    table = metrics.score_table(data.aus, data.labels, row.probabilities, row.thresholds)
    between = intervals.interval_table(data.aus, data.labels, row.decisions, data.subjects)
    sets = data_sets(data)
    per_set = pooling.cd6me_scores(data.labels, row.decisions, sets) if len(set(sets.tolist())) > 1 else None
    return {"title": title, **table, "interval": between} | ({"cd6me": per_set} if per_set else {})


def compare_all(decisions: dict[str, np.ndarray], data: ClipSet) -> list[dict]:
    """Every row against the first, and of each model what pre-training adds to a start from scratch."""
    first = next(iter(decisions))
    found = [c | {"against": first} for c in intervals.compare(decisions, data.labels, data.subjects, first)]
    for name in decisions:
        start = f"{name.rsplit('-', 1)[0]}-scratch"
        if start in decisions and name != start and first not in (name, start):
            pair = {key: decisions[key] for key in (start, name)}
            found += [c | {"against": start} for c in intervals.compare(pair, data.labels, data.subjects, start)]
    return found
