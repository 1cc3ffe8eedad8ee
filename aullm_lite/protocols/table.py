"""From the answers of all folds to one table: pooled first, scored once, with floors and intervals."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .. import intervals, metrics, pooling
from ..clips import ClipSet
from ..errors import InputError
from ..floors import floors
from .methods import model_of
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


def build_table(answers: dict[str, pd.DataFrame], kept: dict[str, dict], data: ClipSet, facts: dict) -> dict:
    """Scores, intervals and comparisons of all rows as plain numbers; the comparisons are against the first row.

    `kept` is what lies beside the folds of each row: its title, model, first weights, preset and training; `facts` tell
    what was tested and how.
    """
    pooled = {name: pool(some, data) for name, some in answers.items()}
    decisions = {name: row.decisions for name, row in pooled.items()}
    return facts | {
        "aus": list(data.aus),
        "clips": len(data),
        "subjects": len(set(data.subjects.tolist())),
        "n_pos": {str(au): int(n) for au, n in zip(data.aus, data.labels.sum(0))},
        "floors": floors(data.labels),
        "rows": {name: _scored(kept[name], row, data) for name, row in pooled.items()},
        "against": next(iter(answers)),
        "comparisons": compare_all(decisions, data),
    }


def _scored(kept: dict, row: Pooled, data: ClipSet) -> dict:
    about = {name: kept[name] for name in ("title", "row", "method") if name in kept}
    table = metrics.score_table(data.aus, data.labels, row.probabilities, row.thresholds)
    scores = {name: table[name] for name in ("per_au", "mean", "ece_pooled")}
    between = intervals.interval_table(data.aus, data.labels, row.decisions, data.subjects)
    sets = data_sets(data)
    per_set = pooling.cd6me_scores(data.labels, row.decisions, sets) if len(set(sets.tolist())) > 1 else None
    return about | scores | {"interval": between} | ({"cd6me": per_set} if per_set else {})


def compare_all(decisions: dict[str, np.ndarray], data: ClipSet) -> list[dict]:
    """Every row against the first, and of each model what pre-training adds; Holm's p is over all of them."""
    first, *others = decisions
    pairs = [(name, first) for name in others]
    for name in others:
        start = f"{model_of(name)}-scratch"
        if start in others and start != name:
            pairs.append((name, start))
    return intervals.compare(decisions, pairs, data.labels, data.subjects)
