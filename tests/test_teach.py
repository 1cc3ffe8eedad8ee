"""The checks of the course: what they accept, what they reject, and that they say why."""

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from matplotlib import rc_context
from matplotlib.figure import Figure

from aullm_lite import teach
from aullm_lite.teach import check, check_fn, check_shape, score, setup, show, state_of
from aullm_lite.teach.compare import difference

RIGHT, OPEN, WRONG = "✅", "✏️", "❌"


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.delenv("AULLM_STRICT", raising=False)
    teach.checks.forget()


def test_a_right_function_passes_in_silence_but_for_its_sign(capsys):
    check_fn("1.1", lambda x: x * 2, lambda x: x + x, torch.rand(2, 3))
    assert state_of("1.1") == RIGHT and capsys.readouterr().out == "✅ 1.1\n"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda x: x[:1] * 2, "shape is [1, 3], expected [2, 3]"),
        (lambda x: x * 3, "differ by up to"),
        (lambda x: x * float("nan"), "no numbers"),
        (lambda x: (x * 2).numpy(), "expected one torch tensor"),
        (lambda x: 1 / 0, "raised ZeroDivisionError"),
        (lambda x: x.mul_(2), "changed in place"),
        (lambda x: "two", "expected numbers"),
    ],
)
def test_a_wrong_function_is_told_why(capsys, answer, reason):
    check_fn("1.1", answer, lambda x: x * 2, torch.rand(2, 3) + 1, hint="twice as much")
    said = capsys.readouterr().out
    assert state_of("1.1") == WRONG and reason in said
    assert ("Hint: twice as much." in said) == (reason != "changed in place")  # the result is right there


@pytest.mark.parametrize("answer", [None, ..., lambda x: None, lambda x: ...])
def test_what_was_not_attempted_is_not_wrong(answer):
    check_fn("1.1", answer, lambda x: x * 2, torch.rand(2))
    assert state_of("1.1") == OPEN


def test_reader_and_reference_have_inputs_of_their_own():
    numbers = torch.rand(3)
    kept = numbers.clone()
    check_fn("1.1", lambda x: x.zero_() + kept + 1, lambda x: x.add_(1), numbers)
    assert torch.equal(numbers, kept) and state_of("1.1") == WRONG  # right, but it works in place
    check_fn("1.1", lambda x: x + 1, lambda x: x.add_(1), numbers)
    assert torch.equal(numbers, kept) and state_of("1.1") == RIGHT


def test_a_list_that_was_sorted_in_place_is_noticed():
    check_fn("1.1", lambda names: names.sort() or names, sorted, ["b", "a"])
    assert state_of("1.1") == WRONG


def test_an_input_that_was_replaced_inside_a_list_is_noticed():
    check_fn("1.1", lambda rows: rows.__setitem__(0, None) or 1.0, lambda rows: 1.0, [[1, 2], 3])
    assert state_of("1.1") == WRONG


def test_a_dictionary_whose_arrays_became_lists_has_changed(capsys):
    def spoil(weights):
        weights["a"] = weights["a"].tolist()
        return 1.0

    check_fn("1.1", spoil, lambda weights: 1.0, {"a": torch.ones(2)})
    assert state_of("1.1") == WRONG and "changed in place" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "expected", "state"),
    [
        (0.5, 0.50000001, RIGHT),
        (0.5, 0.6, WRONG),
        (3, 3, RIGHT),
        (True, True, RIGHT),
        ("12", 12, WRONG),
        ((1.0, 2.0), (1.0, 2.0), RIGHT),
        ((1.0,), (1.0, 2.0), WRONG),
        ({"a": 1.0}, {"a": 1.0}, RIGHT),
        ({"b": 1.0}, {"a": 1.0}, WRONG),
        (np.ones(2), np.ones(3), WRONG),
        (..., 3, OPEN),
        (4, lambda value: value > 3, RIGHT),
        (2, lambda value: value > 3 or "it must be above 3", WRONG),
        ("x", lambda value: value > 3, WRONG),
        ("0.5", 0.5, WRONG),
        (["1", "2"], [1.0, 2.0], WRONG),
        (1 + 5j, 1.0, WRONG),
        (np.array([1.0, 2.0]), (1.0, 2.0), RIGHT),
        (torch.tensor([1.0, 2.0], dtype=torch.bfloat16), torch.tensor([1.0, 2.0]), RIGHT),
        (torch.ones(2, requires_grad=True), np.ones(2), RIGHT),
        ([[1.0], [1.0, 2.0]], np.ones(2), WRONG),
        (np.array([1.0, np.inf]), np.array([1.0, np.inf]), RIGHT),
        (np.array([1.0, np.nan]), np.ones(2), WRONG),
    ],
)
def test_values(answer, expected, state):
    check("2.1", answer, expected)
    assert state_of("2.1") == state


def test_what_is_no_array_does_not_count_as_changed():
    report = SimpleNamespace(values=np.zeros(2))
    check_fn("1.1", lambda layer, report, names: layer.weight.sum(), lambda layer, report, names: layer.weight.sum(),
             torch.nn.Linear(2, 3), report, np.array(["a", "b"]))  # fmt: skip
    assert state_of("1.1") == RIGHT


def test_a_changed_layer_is_noticed(capsys):
    check_fn("1.1", lambda layer: layer.weight.data.add_(1).sum() - 6, lambda layer: layer.weight.sum(),
             torch.nn.Linear(2, 3))  # fmt: skip
    assert state_of("1.1") == WRONG and "changed in place" in capsys.readouterr().out


def test_shapes(capsys):
    check_shape("2.1", torch.zeros(2, 3), (2, 3))
    assert state_of("2.1") == RIGHT
    check_shape("2.1", torch.zeros(3, 2), (2, 3))
    assert state_of("2.1") == WRONG and "[3, 2], expected [2, 3]" in capsys.readouterr().out


def test_strict_raises_unless_right(monkeypatch):
    monkeypatch.setenv("AULLM_STRICT", "1")
    check("2.1", 3, 3)
    for answer in (4, ...):
        with pytest.raises(teach.NotRight, match="2.1"):
            check("2.1", answer, 3)


def test_the_score_counts_each_exercise_once(capsys):
    for answer in (2, 3):
        check("2.1", answer, 3)
    check("2.2", ..., 3)
    score(3)
    assert capsys.readouterr().out.endswith("✅ 2.1   ✏️ 2.2\n1 of 3 exercises done.\n")


def test_a_difference_is_named_with_its_place():
    assert "at [1, 2]" in difference(torch.tensor([[0.0, 0, 0], [0, 0, 5]]), torch.zeros(2, 3))
    assert "at [1] the values differ" in difference([1.0, 2.0], [1.0, 3.0])
    assert "expected one number" in difference(np.ones(2), 1.0)


def test_common_slips_are_named():
    square = np.arange(9.0).reshape(3, 3)
    assert difference(-square, square) == "its sign is turned round"
    assert difference(square.T, square) == "its rows and columns have changed places"


@pytest.fixture
def quiet(monkeypatch):
    """No choice of the size from outside, and matplotlib's style as it was before."""
    monkeypatch.delenv("AULLM_COURSE", raising=False)
    with rc_context():
        yield


def drawn():
    return random.random(), np.random.rand(), torch.rand(1).item()


def test_setup_seeds_and_says_on_what_it_runs(capsys, quiet):
    course = setup(seed=3)
    first = drawn()
    assert first == (setup(seed=3), drawn())[1] and first != (setup(seed=4), drawn())[1]
    said = capsys.readouterr().out.splitlines()[0]
    assert "torch" in said and "Python" in said and "seed 3" in said and said.endswith("quick")
    assert (course.pick(1, 2), setup(size="full").pick(1, 2)) == (1, 2)


def test_setup_refuses_another_size(quiet):
    with pytest.raises(ValueError, match="quick, full"):
        setup(size="huge")


@pytest.mark.notebook
def test_a_picture_is_small_and_has_words(capsys, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    figure = Figure(figsize=(4, 3))
    figure.subplots().plot([0, 1], [0, 1])
    show(figure, alt="A line that rises")
    assert shown[0].metadata["alt"] == "A line that rises" and len(shown[0].data) < 20_000
    with pytest.raises(ValueError, match="alt"):
        show(figure, alt=" ")


def test_sliders_are_left_out_where_they_cannot_be_had(capsys, monkeypatch):
    monkeypatch.setenv("AULLM_NO_WIDGETS", "1")
    teach.play(lambda a: None, a=(0, 1))
    assert "figure above" in capsys.readouterr().out
