"""SynthME in the shape of CASME II and SAMM: published sums hold, people have habits, and the tables are read back."""

from collections import Counter

import numpy as np
import pytest

from aullm_lite.datasets import DATA_SETS, load
from aullm_lite.datasets.policy import Policy, positives
from aullm_lite.datasets.versions import au_counts
from aullm_lite.errors import InputError
from aullm_lite.facs import CD6ME_AUS
from aullm_lite.synth import odd
from aullm_lite.synth.dataset import HELD_OUT
from aullm_lite.synth.licensed import LAYOUTS
from aullm_lite.synth.shape import MOST_AUS, SHAPES, draw_shape, scripts_of, shaped_clips
from aullm_lite.synth.truth import truth_rows

NAMES = ("casme2", "samm")


@pytest.fixture(scope="module", params=NAMES)
def drawn(request):
    return request.param, draw_shape(request.param, HELD_OUT)


def test_sums_are_the_published_ones(drawn):
    name, rows = drawn
    shape, counts = SHAPES[name], Counter(au for _, aus in rows for au in aus)
    assert tuple(counts[au] for au in CD6ME_AUS) == shape.known.counts["meb"][:-1]
    assert len(rows) == shape.known.rows and max(len(aus) for _, aus in rows) <= MOST_AUS
    assert sum(not set(aus) & set(shape.spec.aus) for _, aus in rows) == shape.none


def test_folds_are_as_uneven_as_the_real_ones(drawn):
    name, rows = drawn
    sizes = Counter(person for person, _ in rows)
    assert sorted(sizes) == list(range(SHAPES[name].known.subjects)) and [p for p, _ in rows] == sorted(
        sizes.elements()
    )
    assert 0.85 * SHAPES[name].most <= max(sizes.values()) <= SHAPES[name].most


def test_a_shape_is_the_same_for_the_same_seed(drawn):
    name, rows = drawn
    assert rows == draw_shape(name, HELD_OUT) and rows != draw_shape(name, HELD_OUT + 1)


def test_aus_go_together_as_in_the_scripts():
    together = Counter(pair for _, aus in draw_shape("casme2", 0) for pair in [(1, 2), (1, 4)] if set(pair) <= set(aus))
    assert together[1, 2] > 2 * 28 * 25 / 255 and together[1, 4] < 0.5 * 28 * 125 / 255


def blind_f1(name: str, seed: int) -> np.ndarray:
    """Mean F1 over both answers, and over yes alone, of guessing an AU from the same person's other clips."""
    rows, aus = draw_shape(name, seed), SHAPES[name].spec.aus
    people, truth = np.array([p for p, _ in rows]), np.array([[au in some for au in aus] for _, some in rows])
    others = (people[:, None] == people) & ~np.eye(len(rows), dtype=bool)
    rate = others @ truth.astype(float) / np.maximum(others.sum(1, keepdims=True), 1)
    guess = rate > np.maximum(truth.mean(0), 0.25)
    f1 = lambda y, g: (2 * (y & g).sum(0) / np.maximum(y.sum(0) + g.sum(0), 1)).mean()  # noqa: E731
    return np.array([(f1(truth, guess) + f1(~truth, ~guess)) / 2, f1(truth, guess)])


@pytest.mark.parametrize("name, both, yes", [("casme2", 0.62, 0.38), ("samm", 0.63, 0.42)])
def test_people_have_habits(name, both, yes):
    """The published floors are 0.62 and 0.38 for CASME II, 0.69 and 0.52 for SAMM."""
    found = np.mean([blind_f1(name, HELD_OUT + seed) for seed in range(4)], 0)
    assert found == pytest.approx([both, yes], abs=0.07)


def test_clips_in_memory_show_what_was_ordered(monkeypatch):
    rows = [(0, (4, 7)), (1, ()), (1, (12,))]
    monkeypatch.setattr("aullm_lite.synth.shape.draw_shape", lambda name, seed: rows)
    clips = shaped_clips("samm", 50, size=16)
    assert clips.clips.shape == (3, 6, 16, 16) and list(clips.subjects) == ["drawn00000050"] + ["drawn00000051"] * 2
    assert len(set(clips.ids)) == 3
    assert [tuple(np.array(CD6ME_AUS)[row > 0]) for row in clips.labels] == [aus for _, aus in rows]


def test_only_two_sets_have_a_shape():
    with pytest.raises(InputError, match="casme2, samm"):
        draw_shape("mmew", 0)


# --- the tables of the trees ---


@pytest.fixture(scope="module")
def table(drawn, tmp_path_factory):
    """Name, truth and what the loader reads."""
    name, shape = drawn
    folder = tmp_path_factory.mktemp(name)
    scripts = scripts_of(shape, HELD_OUT, "standard")
    rows = [row for some in truth_rows([None] * len(scripts), scripts, HELD_OUT) for row in some]
    LAYOUTS[name].table(folder, rows)
    return name, rows, load(DATA_SETS[name], annotations=next(folder.glob("*.xlsx")))


def test_the_loader_counts_the_published_positives(table):
    name, rows, loaded = table
    known = SHAPES[name].known
    for alternatives in ("meb", "all", "first"):
        counts = au_counts(loaded.rows, Policy(alternatives=alternatives))
        assert tuple(counts[au] for au in CD6ME_AUS) == known.counts["meb"][:-1]
    assert len({row.subject for row in loaded.rows}) == known.subjects and len(loaded.samples) == known.rows
    assert all("known counts" in warning for warning in loaded.warnings)  # emotions are not invented


def test_every_row_is_read_as_it_was_drawn(table):
    name, rows, loaded = table
    for index, (row, sample) in enumerate(zip(rows, loaded.samples, strict=True)):
        shift = 4000 + 500 * row["clip"] if name == "samm" else 0
        assert sample.subject == LAYOUTS[name].subject(row) and LAYOUTS[name].folder(row).endswith("/" + sample.clip)
        assert (sample.onset, sample.offset) == (row["onset"] + shift, row["offset"] + shift)
        assert set(positives(sample.aus, Policy())) & set(CD6ME_AUS) == {m["au"] for m in row["movements"]}
        if index not in (odd.SLASH, odd.AT_OFFSET, odd.PAST_OFFSET, odd.NEXT_TO_ONSET):
            assert sample.apex == row["apex"] + shift and sample.apex_source == "table"


def test_odd_apexes_are_repaired_or_flagged(table):
    name, _, loaded = table
    expected = {
        "casme2": {odd.SLASH: "apex_missing", odd.AT_OFFSET: "apex_at_offset"},
        "samm": {odd.PAST_OFFSET: "apex_outside", odd.NEXT_TO_ONSET: "apex_near_onset"},
    }[name]
    for index, flag in expected.items():
        sample = loaded.samples[index]
        assert flag in sample.flags
        if flag in ("apex_missing", "apex_outside"):
            assert sample.apex == (sample.onset + sample.offset) // 2 and sample.apex_source == "midpoint"
    assert (name == "samm") == any(au.alt_group for row in loaded.rows for au in row.aus)
