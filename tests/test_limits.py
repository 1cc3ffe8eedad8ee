"""Small files that would fill the memory: one sentence before they do."""

import io
import zipfile

import pytest
import stand_ins
from openpyxl import Workbook

from aullm_lite.datasets.tables import read_table
from aullm_lite.errors import InputError
from aullm_lite.limits import MOST_UNPACKED

SHEET = "xl/worksheets/sheet1.xml"
OPEN = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))


def workbook(path, members: dict[str, bytes | str], compression=zipfile.ZIP_DEFLATED):
    """A small table with some members put in the place of its own."""
    plain = io.BytesIO()
    book = Workbook()
    book.active.append(stand_ins.CASME2)
    book.active.append(stand_ins.casme2_row(90, "EP01_1", 1, 5, 9))
    book.save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w", compression) as new:
        for name in dict.fromkeys([*old.namelist(), *members]):
            new.writestr(name, members[name] if name in members else old.read(name))
    return path


def sheet(rows: str, after: str = "") -> str:
    return f"{OPEN}<sheetData>{rows}</sheetData>{after}</worksheet>"


def understate(path, name: str) -> None:
    """Let the zip say that a member unpacks to 100 bytes."""
    content = path.read_bytes()
    with zipfile.ZipFile(path) as packed:
        size = packed.getinfo(name).file_size.to_bytes(4, "little")
    assert content.count(size) == 2  # beside the member, and in the list at the end
    path.write_bytes(content.replace(size, (100).to_bytes(4, "little")))


def test_a_table_as_it_should_be(tmp_path):
    assert read_table(workbook(tmp_path / "t.xlsx", {})).rows[0].cells["filename"] == "EP01_1"


@pytest.mark.parametrize("name", [SHEET, "docProps/more.xml"])
@pytest.mark.parametrize("lies", [False, True])
def test_a_zip_that_unpacks_to_far_more(tmp_path, name, lies):
    path = workbook(tmp_path / "t.xlsx", {name: bytes(MOST_UNPACKED + 1)})
    assert path.stat().st_size < 100_000
    if lies:
        understate(path, name)
    with pytest.raises(InputError, match="t.xlsx (unpacks to more than 8 MB|is not an Excel table)"):
        read_table(path)


def test_pictures_in_a_table_are_passed_over(tmp_path):
    assert read_table(workbook(tmp_path / "t.xlsx", {"xl/media/photo.png": bytes(MOST_UNPACKED + 1)})).rows


def test_a_zip_of_another_kind(tmp_path):
    path = workbook(tmp_path / "t.xlsx", {}, compression=zipfile.ZIP_LZMA)  # no limit holds for what it unpacks to
    with pytest.raises(InputError, match="t.xlsx is not an Excel table"):
        read_table(path)


@pytest.mark.parametrize("rows", [
    '<row r="1048576"><c r="A1048576"><v>1</v></c></row>',
    "".join(f'<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>' for n in range(1, 100)),
])  # fmt: skip
def test_a_table_as_large_as_excel_allows(tmp_path, rows):
    path = workbook(tmp_path / "t.xlsx", {SHEET: sheet(rows)})
    with pytest.raises(InputError, match="t.xlsx has more than 1 million cells"):
        read_table(path)


@pytest.mark.parametrize("after", [
    '<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>',
    '<hyperlinks><hyperlink ref="A1:XFD1048576"/></hyperlinks>',
])  # fmt: skip
def test_a_range_over_everything_costs_nothing(tmp_path, after):
    row = '<row r="1"><c r="A1" t="str"><v>Subject</v></c><c r="B1" t="str"><v>Filename</v></c></row>'
    path = workbook(tmp_path / "t.xlsx", {SHEET: sheet(row + '<row r="2"><c r="A2"><v>1</v></c></row>', after)})
    assert read_table(path).rows[0].cells["subject"] == 1


def test_xml_that_grows_as_it_is_read(tmp_path):
    text = f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>' + sheet('<row r="1"><c r="A1" t="str"><v>&l11;</v></c></row>')
    with pytest.raises(InputError, match="t.xlsx is not an Excel table"):
        read_table(workbook(tmp_path / "t.xlsx", {SHEET: text}))


def test_a_damaged_byte_in_a_packed_member(tmp_path):
    path = workbook(tmp_path / "t.xlsx", {})
    with zipfile.ZipFile(path) as packed:
        at = packed.getinfo(SHEET).header_offset + 30 + len(SHEET)
    content = bytearray(path.read_bytes())
    content[at : at + 4] = b"\xff" * 4
    path.write_bytes(content)
    with pytest.raises(InputError, match="t.xlsx is not an Excel table"):
        read_table(path)
