"""CD6ME scores against the published all-ones row, and what the average of folds does to honest answers."""

import numpy as np
import pytest

from aullm_lite import metrics, pooling
from aullm_lite.errors import InputError

# Clips, and positives of AU 1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, in the six data sets as CD6ME cleaned them.
CD6ME = {
    "CASME II": (256, (26, 22, 130, 2, 13, 39, 13, 16, 34, 27, 16, 25)),
    "SAMM": (159, (6, 18, 23, 10, 3, 46, 5, 6, 28, 13, 4, 6)),
    "CAS(ME)3 A": (860, (153, 128, 274, 44, 8, 27, 50, 10, 15, 193, 6, 20)),
    "MMEW": (300, (50, 41, 109, 70, 10, 47, 8, 38, 37, 17, 6, 11)),
    "4DME": (267, (46, 54, 102, 8, 25, 89, 1, 2, 53, 4, 6, 11)),
    "CASME": (189, (23, 17, 70, 0, 1, 4, 40, 3, 9, 23, 14, 13)),
}
ALL_ONES = (26.0, 24.2, 51.7, 12.4, 5.7, 22.1, 10.9, 7.1, 15.9, 24.0, 5.0, 8.1)
# Subjects, and how many of them show each AU at all.
CASME2_SUPPORT = (26, (11, 9, 24, 13, 15, 12, 7, 10))
SAMM_SUPPORT = (29, (9, 10, 16, 8))


def cd6me_labels():
    labels = np.concatenate([np.arange(n)[:, None] < np.array(positives) for n, positives in CD6ME.values()])
    return labels, np.repeat(list(CD6ME), [n for n, _ in CD6ME.values()])


def test_all_ones_score_what_cd6me_published():
    labels, data_sets = cd6me_labels()
    scores = pooling.cd6me_scores(labels, np.ones_like(labels), data_sets)
    assert len(labels) == 2031 and set(scores["per_set"]) == set(CD6ME)
    assert 100 * np.array(scores["per_au"]) == pytest.approx(ALL_ONES, abs=0.06)
    assert 100 * scores["score_1"] == pytest.approx(17.8, abs=0.06)
    assert 100 * scores["score_2"] == pytest.approx(17.8, abs=0.06)


def test_a_set_without_an_au_cannot_reach_one():
    labels, data_sets = cd6me_labels()
    scores = pooling.cd6me_scores(labels, labels, data_sets)
    assert scores["score_1"] == 1 and scores["per_set"]["CASME"] == pytest.approx(11 / 12)


def test_every_clip_needs_a_data_set():
    with pytest.raises(InputError, match="one subject or data set each"):
        pooling.cd6me_scores(np.eye(3), np.eye(3), ["a"])


@pytest.mark.parametrize("support, perfect, silent", [(CASME2_SUPPORT, 0.486, 0.514), (SAMM_SUPPORT, 0.371, 0.629)])
def test_the_mean_of_folds_is_no_score(support, perfect, silent):
    subjects, with_positives = support
    labels = np.repeat(np.arange(subjects)[:, None] < np.array(with_positives), 4, axis=0)
    who = np.repeat(np.arange(subjects), 4)
    assert pooling.wrong_mean_of_folds(labels, labels, who, 0).mean() == pytest.approx(perfect, abs=0.0006)
    assert metrics.f1_positive(labels, labels).mean() == 1
    nothing = np.zeros_like(labels)
    assert pooling.wrong_mean_of_folds(labels, nothing, who, 1).mean() == pytest.approx(silent, abs=0.0006)
    assert metrics.f1_positive(labels, nothing).mean() == 0
