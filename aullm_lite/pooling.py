"""How answers on several test sets become one score.

The sound way is to put all answers together and to score once (`metrics`).  Here are the two scores of the CD6ME
protocol, and the average that must not be used.
"""

import numpy as np

from . import confusion


def cd6me_scores(labels: np.ndarray, decisions: np.ndarray, data_sets) -> dict:
    """Both scores of CD6ME: leave one data set out, answers on all test sets.  [N, K], [N, K], [N] -> dict

    `score_1` is the mean over AUs of F1 on all sets together (`per_au`, [K]), `score_2` the mean over sets of each
    set's mean F1 (`per_set`), where an AU without positives counts 0, as published (Varanka et al., TAFFC 15(1), 2024).
    """
    counts = confusion.counts_by(data_sets, labels, decisions)
    per_au = confusion.f1(counts.sum(0))
    per_set = confusion.f1(counts).mean(1)
    return {
        "per_au": per_au.tolist(),
        "per_set": {str(name): float(score) for name, score in zip(np.unique(data_sets), per_set)},
        "score_1": float(per_au.mean()),
        "score_2": float(per_set.mean()),
    }


def wrong_mean_of_folds(labels: np.ndarray, decisions: np.ndarray, subjects, zero_division: float) -> np.ndarray:
    """Only to show the fault: F1 per subject, averaged.  [N, K], [N, K], [N] -> [K]

    Most subjects never show a given AU; there F1 is 0 / 0, and `zero_division` is what the answer gets for it.  With 0
    a perfect answer stays far below 1, with 1 an answer that is always "absent" is far above 0.
    """
    counts = confusion.counts_by(subjects, labels, decisions)
    undefined = counts[..., :3].sum(-1) == 0
    return np.where(undefined, zero_division, confusion.f1(counts)).mean(0)
