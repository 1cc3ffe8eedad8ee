"""AU cells: each row of the specification's two tables, and a round trip of everything the grammar can say."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aullm_lite.datasets.codes import AU, parse_cell, write_cell
from aullm_lite.datasets.policy import Policy, chosen, numbers, positives
from aullm_lite.errors import InputError

L, R = {"side": "L"}, {"side": "R"}


@pytest.mark.parametrize(
    "cell, aus",
    [
        ("4+L10", [AU(4), AU(10, **L)]),
        ("17", [AU(17)]),
        (17, [AU(17)]),
        (17.0, [AU(17)]),
        ("17.0", [AU(17)]),
        ("AU17?", [AU(17, uncertain=True)]),
        ("12A", [AU(12, intensity="A")]),
        ("A12", [AU(12, side="A")]),
        ("7B", [AU(7, intensity="B")]),
        ("B18+25", [AU(18, side="B"), AU(25)]),
        ("T18+39", [AU(18, side="T"), AU(39)]),
        ("10A/B", [AU(10, intensity="A/B")]),
        ("A/L12", [AU(12, **L)]),
        ("12A/R", [AU(12, **R)]),
        ("A1B+A2C", [AU(1, side="A", intensity="B"), AU(2, side="A", intensity="C")]),
        ("15+12 ", [AU(15), AU(12)]),
        ("L12 + 61", [AU(12, **L), AU(61)]),
        ("4R+7", [AU(4, **R), AU(7)]),
        ("20L", [AU(20, **L)]),
        ("12L", [AU(12, **L)]),
        ("U12", [AU(12, side="U")]),
        ("ref(7B)+43C", [AU(7, intensity="B", ref=True), AU(43, intensity="C")]),
        ("7B+ ref(43)", [AU(7, intensity="B"), AU(43, ref=True)]),
        ("R4+AD38", [AU(4, **R), AU(38, kind="AD")]),
        ("1+2+M58", [AU(1), AU(2), AU(58, kind="M")]),
        ("2\uff0c4", [AU(2), AU(4)]),
        ("4,7", [AU(4), AU(7)]),
        ("AU4(k)+L7", [AU(4, static=True), AU(7, **L)]),
        ("AUR2+12(k)+45", [AU(2, **R), AU(12, static=True), AU(45)]),
        ("R2(k)", [AU(2, **R, static=True)]),
    ],
)
def test_cells(cell, aus):
    read = parse_cell(cell)
    assert read.aus == tuple(aus) and not read.unknown and not read.warnings


@pytest.mark.parametrize("cell", ["?", "/", "\\", "none", "nan", "NaN", "", "  ", None, math.nan, "None"])
def test_cells_without_an_au(cell):
    read = parse_cell(cell)
    assert read.aus == () and not read.warnings and read.unknown == (cell == "?")


@pytest.mark.parametrize(
    "cell, left, word",
    [
        ("R14+17+some words", [14, 17], "'some words'"),
        ("1214", [], "three or more digits"),
        (1214, [], "three or more digits"),
        ("4+123", [4], "three or more digits"),
        ("1 2", [], "'1 2'"),  # digits are never glued
        ("4.5", [], "'4.5'"),
        ("L12R", [], "'L12R'"),
        ("7 or maybe", [7], "'maybe'"),
        ("(12+4", [], "(12+4"),
        ("4)+7", [7], "'4)'"),
    ],
)
def test_what_is_no_au_is_left_out_with_a_warning(cell, left, word):
    read = parse_cell(cell)
    assert [au.num for au in read.aus] == left and len(read.warnings) == 1 and word in read.warnings[0]


@pytest.mark.parametrize(
    "cell, of_all, first, meb, drop",
    [
        ("7 or 43", (7, 43), (7,), (7,), ()),
        ("(R6 or R12)+R15", (6, 12, 15), (6, 15), (12, 15), (15,)),
        ("L12 or L14", (12, 14), (12,), (14,), ()),
        ("R14A or 17A or 24A", (14, 17, 24), (14,), (14,), ()),
    ],
)
def test_alternatives(cell, of_all, first, meb, drop):
    aus = parse_cell(cell).aus
    found = [numbers(aus, Policy(alternatives=name)) for name in ("all", "first", "meb", "drop")]
    assert found == [of_all, first, meb, drop]


def test_groups_are_counted_and_kept_apart():
    aus = parse_cell("(1 or 2)+4+7 or 43").aus
    assert [au.alt_group for au in aus] == [1, 1, None, 2, 2]
    assert numbers(aus, Policy(alternatives="first")) == (1, 4, 7)


def test_what_enters_the_vector():
    aus = parse_cell("4+R4+AD25+M58+61+AU2(k)+17?+ref(7)").aus
    assert positives(aus, Policy()) == (4, 7, 17) and numbers(aus, Policy()) == (4, 7, 17, 25, 58, 61)
    assert positives(aus, Policy(drop_static=False)) == (2, 4, 7, 17)
    assert [au.num for au in chosen(aus, Policy())] == [4, 4, 25, 58, 61, 17, 7]


def test_unknown_choices():
    for name in ("alternatives", "unknown_cell", "fixups"):
        with pytest.raises(InputError, match=f"{name} must be one of"):
            Policy(**{name: "other"})


labels = st.builds(
    AU,
    st.integers(0, 99),
    kind=st.sampled_from(["AU", "AD", "M"]),
    side=st.sampled_from([None, "L", "R", "A", "T", "B", "U"]),
    intensity=st.sampled_from([None, "A", "B", "C", "D", "E", "A/B", "C/D"]),
    static=st.booleans(),
    uncertain=st.booleans(),
)
parts = st.tuples(st.lists(labels, min_size=1, max_size=3), st.booleans())


def numbered(parts) -> tuple[AU, ...]:
    """Parts as a parser returns them: `ref` on lone labels only, groups counted from 1."""
    aus, groups = [], 0
    for members, ref in parts:
        groups += len(members) > 1
        extra = {"alt_group": groups} if len(members) > 1 else {"ref": ref}
        aus += [AU(**vars(member) | extra) for member in members]
    return tuple(aus)


@given(st.lists(parts, min_size=1, max_size=6), st.randoms())
def test_round_trip(parts, random):
    aus = numbered(parts)
    text = write_cell(aus)
    for sign in "+()?":  # annotators put spaces where they like, and other separators
        spaced = f" {sign} " if random.random() < 0.5 and sign != "?" else sign
        text = text.replace(sign, spaced)
    read = parse_cell(text.replace("+", random.choice("+,;\uff0c")))
    assert read.aus == aus and not read.warnings


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none()))
def test_no_cell_raises_and_three_digits_are_never_split(value):
    read = parse_cell(value)
    assert all(0 <= au.num < 100 for au in read.aus)
    assert not isinstance(value, int) or 0 <= value < 100 or not read.aus
