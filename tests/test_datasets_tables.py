"""Tables: cells are read as they are, headers found and named; what is no table of the data set says so."""

import math
import sys
from datetime import datetime
from types import SimpleNamespace

import pytest
import stand_ins
from stand_ins import table

from aullm_lite.datasets import DATA_SETS, load
from aullm_lite.datasets.cells import clip_name, emotion_name, frame_number, objective_class, subject_id
from aullm_lite.datasets.tables import find_columns, normal, read_table
from aullm_lite.errors import InputError

ROW = stand_ins.casme2_row(90, "EP01_1", 1, 5, 9)


@pytest.mark.parametrize("value", [12, 12.0, "12", "12.0", " 12 ", "'12'", "012", "0" * 5000 + "12"])
def test_frame_numbers(value):
    assert frame_number(value) == 12


@pytest.mark.parametrize("value", [" ", "/", "\\", math.nan, None, "", "12a", 12.5, "-3", True, "9" * 10, "9" * 5000])
def test_what_is_no_frame_number(value):
    assert frame_number(value) is None


@pytest.mark.parametrize("value", [6, 6.0, "06", "'06'", "sub06", "006", "S06", " 6 ", "spNO.6"])
def test_subjects(value):
    assert (subject_id(value, 2), subject_id(value, 3)) == ("06", "006")


def test_other_cells():
    assert subject_id("Total", 2) is None and subject_id(None, 2) is None and subject_id("9" * 5000, 2) is None
    assert subject_id("0" * 5000 + "6", 2) == "06"
    assert subject_id("149", 2) == "149"
    assert [clip_name(v) for v in (" EP09f ", 3, 3.0, None, datetime(2020, 1, 2))] == ["EP09f", "3", "3", "", ""]
    assert {emotion_name(v) for v in ("Other", "Others", "others ", "OTHERS")} == {"others"}
    assert [emotion_name(v) for v in ("Happiness", "happy", "sad", "", None)] == [
        "happiness",
        "happiness",
        "sadness",
        None,
        None,
    ]
    assert [objective_class(v) for v in (3, "3", "III", " vii", "", "VIII")] == [3, 3, 3, 7, None, None]


def test_a_column_of_an_impossible_au_is_none(tmp_path):
    path = table(
        tmp_path / "t.xlsx", [[*stand_ins.FOURDME, "AU" + "9" * 5000], [90, "a", "others", 1, 2, 3, "4"] + [1] * 6]
    )
    assert len(load(DATA_SETS["4dme"], annotations=path).rows) == 1


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"people": []}', '{"people": {"Total": "x"}}', '{"people": {"90": 5}}']
)
def test_people_that_cannot_be_read(tmp_path, text):
    path = table(tmp_path / "t.xlsx", [stand_ins.CASME2, ROW])
    (tmp_path / "synthme.json").write_text(text)
    with pytest.raises(InputError, match="synthme.json does not map"):
        load(DATA_SETS["casme2"], annotations=path)


def test_headers_are_normalised():
    names = {normal(h) for h in ("Onset Frame", "OnsetFrame", " onset_frame'", "'OnsetFrame'", '"Onsetframe"')}
    assert names == {"onsetframe"} and normal("Onset (ms)") == "onset"
    assert {normal(h) for h in (None, "", " ", "Unnamed: 3", math.nan)} == {""}


@pytest.mark.parametrize("above", [0, 13, 29])
def test_the_header_is_found_by_content(tmp_path, above):
    text = [["Subject"], ["Subject of these notes: none"], ["Notes", "Subject"]]
    preface = [text[i % 3] for i in range(above)]
    read = read_table(table(tmp_path / "t.xlsx", [*preface, stand_ins.CASME2, ROW]))
    assert [row.number for row in read.rows] == [above + 2] and read.rows[0].cells["filename"] == "EP01_1"


def test_a_header_too_far_down_or_missing(tmp_path):
    far = table(tmp_path / "far.xlsx", [["text"]] * 30 + [stand_ins.CASME2, ROW])
    for path in (far, table(tmp_path / "none.xlsx", [ROW, ROW]), table(tmp_path / "empty.xlsx", [])):
        with pytest.raises(InputError, match=f"{path.name} has no header row .* first 30 rows"):
            read_table(path)


def test_columns_may_move_and_cells_keep_their_types(tmp_path):
    header = ["'Subject'", " filename", "Offset Frame", "Action units'", "APEXFRAME", "OnsetFrame", "Estimated Emotion"]
    path = table(tmp_path / "t.xlsx", [header, ["'90'", "EP09f ", 9.0, 17, "5", 1, "others"], [None] * 7])
    read = read_table(path)
    assert read.rows[0].cells["actionunits"] == 17 and read.rows[0].cells["apexframe"] == "5"
    sample = load(DATA_SETS["casme2"], annotations=path).samples[0]
    assert (sample.subject, sample.clip, sample.onset, sample.apex, sample.offset) == ("90", "EP09f", 1, 5, 9)


def test_a_missing_column_lists_those_found(tmp_path):
    path = table(tmp_path / "t.xlsx", [["Subject", "Filename", None, "OnsetFrame"], [90, "EP01_1", None, 1]])
    with pytest.raises(InputError, match="t.xlsx lacks the column 'ApexFrame', .* it has Subject, Filename, OnsetFr"):
        load(DATA_SETS["casme2"], annotations=path)


def test_of_two_columns_of_one_name_the_first_counts(tmp_path):
    read = read_table(table(tmp_path / "t.xlsx", [["Subject", "Filename", "filename"], [1, "first", "second"]]))
    assert read.rows[0].cells == {"subject": 1, "filename": "first"}


def test_the_named_sheet_is_read_and_others_are_not(tmp_path):
    from openpyxl import load_workbook

    path = table(tmp_path / "t.xlsx", [["Subject", "Filename"], [1, "wrong"]], sheet="other")
    book = load_workbook(path)
    for row in (["Subject", "Filename"], [1, "right"]):
        book["label" if "label" in book.sheetnames else book.create_sheet("label").title].append(row)
    book.save(path)
    assert read_table(path, "Label").rows[0].cells["filename"] == "right"
    assert read_table(path, "missing").rows[0].cells["filename"] == "wrong"


@pytest.mark.parametrize("content", [b"", b"Subject,Filename\n1,a\n", b"PK\x03\x04 broken"])
def test_what_is_no_table(tmp_path, content):
    path = tmp_path / "t.xlsx"
    path.write_bytes(content)
    with pytest.raises(InputError, match="t.xlsx is not an Excel table"):
        read_table(path)
    with pytest.raises(InputError, match="is no annotation file: check the path"):
        read_table(tmp_path / "gone.xlsx")


def test_a_table_without_rows(tmp_path):
    with pytest.raises(InputError, match="no rows below"):
        read_table(table(tmp_path / "t.xlsx", [stand_ins.CASME2]))
    with pytest.raises(InputError, match="no row of CASME II with a subject"):
        load(DATA_SETS["casme2"], annotations=table(tmp_path / "u.xlsx", [stand_ins.CASME2, [None, "EP01"]]))


def test_old_excel_needs_xlrd(tmp_path, monkeypatch):
    path = tmp_path / "t.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0 old")
    monkeypatch.setitem(sys.modules, "xlrd", None)
    with pytest.raises(InputError, match="t.xls .*pip install xlrd"):
        read_table(path)
    rows = [["Subject", "Filename"], [90.0, "EP01_1"]]  # xls knows no whole numbers
    sheet = SimpleNamespace(name="s", nrows=2, row_values=lambda n: rows[n])
    book = SimpleNamespace(sheets=lambda: [sheet])
    monkeypatch.setitem(sys.modules, "xlrd", SimpleNamespace(open_workbook=lambda file_contents: book))
    assert read_table(path).rows[0].cells == {"subject": 90.0, "filename": "EP01_1"}
    monkeypatch.setitem(sys.modules, "xlrd", SimpleNamespace(open_workbook=lambda file_contents: 1 / 0))
    with pytest.raises(InputError, match="t.xls cannot be read as an xls table"):
        read_table(path)


def test_an_xlsx_named_xls_is_read_by_its_content(tmp_path):
    path = table(tmp_path / "t.xlsx", [["Subject", "Filename"], [90, "a"]]).rename(tmp_path / "t.xls")
    assert read_table(path).rows[0].cells["subject"] == 90


@pytest.mark.parametrize(
    "name, header, sentence",
    [
        ("casme2", stand_ins.SAMM, "a table of SAMM, not of CASME II"),
        ("casme2", stand_ins.MMEW, "a table of MMEW, not of CASME II"),
        ("casme2", stand_ins.CASME, "a table of CASME, not of CASME II"),
        ("casme2", stand_ins.CASME3, "lacks the column 'OnsetFrame'"),
        ("casme2", stand_ins.CASME2 + ["EmotionId", "Fps"], "a table of DFME"),
        ("samm", stand_ins.CASME2, "lacks the column 'Inducement Code' of SAMM"),
        ("samm", ["Subject", "Filename", "Inducement Code", "Onset", "Type"], "SAMM Long Videos"),
        ("mmew", stand_ins.CASME2, "lacks the column 'remarks' of MMEW"),
        ("mmew", stand_ins.SAMM, "a table of SAMM, not of MMEW"),
        ("casme", stand_ins.CASME2, "lacks the column 'OnsetF'"),
        ("casme3", stand_ins.FOURDME, "a table of 4DME"),
        ("casme3", stand_ins.CASME2, "lacks the column 'Onset'"),
        ("4dme", stand_ins.CASME3, "lacks the column 'sub_ID', 'fold_name'"),
    ],
)
def test_the_table_of_another_data_set(tmp_path, name, header, sentence):
    path = table(tmp_path / "t.xlsx", [header, [90] * len(header)])
    with pytest.raises(InputError) as error:
        load(DATA_SETS[name], annotations=path)
    assert sentence in str(error.value) and "t.xlsx" in str(error.value)


def test_the_second_layout_of_columns_is_named(tmp_path):
    read = read_table(table(tmp_path / "t.xlsx", [["sub", "count"], [90, 1]]))
    variants = {"table": {"subject": "Subject", "clip": "Filename"}, "C": {"subject": "sub", "clip": "count"}}
    assert find_columns(read, variants, "a set") == ("C", {"subject": "sub", "clip": "count"})
