"""Tables: answers go back to their clips by id, numbers are plain, and the page shows what the JSON holds."""

import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from protocol_data import noise

from aullm_lite.errors import InputError
from aullm_lite.protocols.page import FLOORS, as_markdown, table_figure
from aullm_lite.protocols.table import build_table, compare_all, pool

FACTS = {"protocol": "Leave one subject out (LOSO)", "seed": 0, "data_notes": ["Noise."], "data": {}}


@pytest.fixture
def data():
    """Eight people; nobody shows AU1."""
    data = noise(8, each=5, aus=(4, 12, 1))
    data.labels[:, 2] = 0
    return data


def answers(data, right=1.0, seed=0) -> pd.DataFrame:
    """Answers of which a share is right, the others turned."""
    n, k = data.labels.shape
    turned = np.random.default_rng(seed).random((n, k)) > right
    return pd.DataFrame(
        {
            "id": np.repeat(data.ids, k),
            "au": np.tile(data.aus, n),
            "label": data.labels.astype(np.int8).ravel(),
            "probability": (0.1 + 0.8 * np.abs(data.labels - turned)).astype(np.float32).ravel(),
            "threshold": np.float32(0.5),
        }
    )


def table_of(data, shares: dict) -> dict:
    rows = {name: answers(data, share, seed) for seed, (name, share) in enumerate(shares.items())}
    return build_table(rows, {name: {"title": f"Method {name}"} for name in shares}, data, FACTS)


@pytest.fixture
def table(data):
    return table_of(data, {"aullm-demo": 1.0, "aullm-scratch": 0.9, "linear-demo": 0.95, "linear-scratch": 0.5})


def test_the_order_of_answers_does_not_matter(data, table):
    mixed = answers(data, 0.7).sample(frac=1, random_state=3)
    one, two = (build_table({"a": some}, {"a": {"title": "A"}}, data, FACTS) for some in (answers(data, 0.7), mixed))
    assert one == two and np.array_equal(pool(mixed, data).decisions, pool(answers(data, 0.7), data).decisions)


def test_a_clip_twice_missing_or_changed_is_refused(data):
    some = answers(data)
    for wrong, words in (
        (pd.concat([some, some[:3]]), "more than one fold: choose another --out"),
        (some[3:], "not tested in any fold: run all folds"),
        (some.assign(label=1 - some["label"]), "not those of the saved folds"),
        (some[some["au"] != 12], "not tested in any fold"),
        (some[1:], "not those of the saved folds|not tested"),
    ):
        with pytest.raises(InputError, match=words):
            pool(wrong, data)


def test_the_table_is_plain_json_with_every_row(data, table):
    again = json.loads(json.dumps(table, allow_nan=False))
    assert list(again["rows"]) == ["aullm-demo", "aullm-scratch", "linear-demo", "linear-scratch"]
    assert (again["clips"], again["subjects"], again["aus"]) == (40, 8, [4, 12, 1]) and again["n_pos"]["1"] == 0
    for row in again["rows"].values():
        assert set(row["per_au"]) == {"4", "12", "1"} == set(row["interval"]["per_au"])
        for name in ("f1", "f1_macro"):
            low, high = row["interval"]["mean"][name]
            assert 0 <= low <= row["mean"][name] <= high <= 1
        assert row["per_au"]["1"]["f1"] is None and row["interval"]["per_au"]["1"]["f1"] is None
        assert "floors" not in row and "cd6me" not in row
    assert again["rows"]["aullm-demo"]["mean"]["f1"] == 1 and set(again["floors"]) == set(FLOORS)


def test_several_data_sets_have_their_own_scores(data):
    data.ids[:20] = [name.replace("casme2", "samm") for name in data.ids[:20]]
    row = table_of(data, {"a": 0.8})["rows"]["a"]
    assert set(row["cd6me"]["per_set"]) == {"casme2", "samm"}


def test_comparisons(table):
    verdicts = {(c["name"], c["against"]): c["verdict"] for c in table["comparisons"]}
    assert verdicts[("linear-scratch", "aullm-demo")] == "worse"
    assert set(verdicts) == {(name, "aullm-demo") for name in list(table["rows"])[1:]} | {
        ("linear-demo", "linear-scratch")
    }
    assert verdicts[("linear-demo", "linear-scratch")] == "better" and table["against"] == "aullm-demo"


def test_equal_methods_show_no_difference(data):
    decisions = pool(answers(data, 0.8), data).decisions
    (found,) = compare_all({"motion": decisions, "identity": decisions}, data)
    assert (found["difference"], found["verdict"]) == (0, "no difference shown")


def numbers(value) -> list[float]:
    """All numbers of a JSON."""
    if isinstance(value, dict):
        return [n for some in value.values() for n in numbers(some)] + [float(k) for k in value if str(k).isdigit()]
    if isinstance(value, list):
        return [n for some in value for n in numbers(some)]
    return [float(value)] if isinstance(value, (int, float)) else []


def test_every_figure_of_the_page_is_in_the_json(table):
    page, known = as_markdown(table), np.array(numbers(table))
    cells = [cell.replace("−", "-") for line in page.splitlines() if line[:1] == "|" for cell in line.split("|")]
    shown = [float(figure) for cell in cells for figure in re.findall(r"(?<![\w.])[-+]?\d+\.\d+", cell)]
    assert len(shown) > 60
    assert all(np.abs(known - figure).min() <= 0.00051 for figure in shown)
    assert page.startswith("# Leave one subject out (LOSO)\n\nNoise.\n\n40 clips of 8 people, AUs 4 12 1.")
    for row in table["rows"].values():  # once with its scores, once with those of each AU
        assert len(re.findall(rf"^\| {row['title']} \| [0-9]", page, re.MULTILINE)) == 2


def test_what_is_not_there_is_not_a_number_on_the_page(table):
    (row,) = [
        line for line in as_markdown(table).splitlines() if line.startswith("| Method linear-demo | ") and "n/a" in line
    ]
    assert row.split("|")[-2].strip() == "n/a"
    assert "nan" not in as_markdown(table).lower().replace("n/a", "") and "None" not in as_markdown(table)


def test_one_row_has_nothing_to_compare_with(data):
    page = as_markdown(table_of(data, {"a": 0.8}))
    assert "Only one method: nothing to compare." in page


@pytest.mark.parametrize("count", [1, 14])
def test_the_figure(data, count):
    picture = io.BytesIO()
    table = table_of(data, {f"row {n}": 0.4 + 0.04 * n for n in range(count)})
    figure = table_figure(table)
    figure.savefig(picture, format="png")
    assert len(figure.axes) == 2 and len(figure.axes[0].get_yticklabels()) == count and picture.tell() > 5000
