"""Read an annotation table: every cell as it is, the header row found by its words, columns selected by name."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from openpyxl import load_workbook

from ..errors import InputError
from ..limits import unpacked
from .cells import plain_text

MOST_CELLS = 1_000_000  # of a sheet, empty ones too: ten thousand rows of a data set have a tenth of that
HEADER_WITHIN = 30  # rows; SAMM writes 13 rows of text above its header
FIRST_HEADERS = {"subject", "subid", "sub"}
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
# Headers that only one data set has: several others share all the rest.
MARKERS = {
    "inducementcode": "SAMM",
    "type": "SAMM Long Videos (for spotting)",
    "remarks": "MMEW",
    "apexf1": "CASME",
    "subid": "4DME",
    "emotionid": "DFME",
}


@dataclass(frozen=True)
class Row:
    """One row of cells by normalised header; `number` is the row that Excel shows."""

    number: int
    cells: dict[str, object]


@dataclass(frozen=True)
class Table:
    """The rows below the header; `headers` as they are written in the file."""

    path: Path
    sha256: str
    headers: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def names(self) -> set[str]:
        return {normal(header) for header in self.headers}


def normal(header: object) -> str:
    """`Onset Frame`, `OnsetFrame` and `onset_frame'` are one header; `Unnamed: 2` and a blank are none."""
    text = re.sub(r"\(ms\)\s*$|^unnamed: *[0-9]+$", "", plain_text(header).casefold())
    return re.sub(r"[\W_]", "", text)


def read_table(path: str | Path, sheet: str | None = None) -> Table:
    """Read the sheet of that name, where there is one, else the first that has a header row.

    Raises `InputError` for a file that is no table, or has no header row within the first 30 rows.
    """
    path = Path(path)
    if not path.is_file():
        what = "a folder: name the table in it" if path.is_dir() else "no annotation file: check the path"
        raise InputError(f"{str(path)!r} is {what}.")
    content = path.read_bytes()
    sheets = _old_sheets(path, content) if content.startswith(OLD_EXCEL) else _sheets(path, content)
    named = [name for name in sheets if sheet and name.strip().casefold() == sheet.casefold()]
    for name in named or sheets:
        if (start := _header_row(sheets[name])) is not None:
            return _table(path, hashlib.sha256(content).hexdigest(), sheets[name], start)
    raise InputError(
        f"{path.name} has no header row that begins with Subject, sub_ID or sub within its first "
        f"{HEADER_WITHIN} rows: give the annotation table of the data set, or put its headers back."
    )


def find_columns(table: Table, variants: dict[str, dict[str, str]], title: str) -> tuple[str, dict[str, str]]:
    """The first variant of which every column is there, as its name and {field: normalised header}.

    `variants` maps names to {field: header}.  Raises `InputError` that lists the headers found.
    """
    missing = {
        name: [header for header in columns.values() if normal(header) not in table.names]
        for name, columns in variants.items()
    }
    best = min(missing, key=lambda name: len(missing[name]) / len(variants[name]))
    if missing[best]:
        found = ", ".join(header for header in table.headers if normal(header))
        raise InputError(
            f"{table.path.name} lacks the column {', '.join(map(repr, missing[best]))} of {title}: it has {found}."
        )
    return best, {field: normal(header) for field, header in variants[best].items()}


def refuse_others(table: Table, title: str) -> None:
    """Raise `InputError` for the table of another data set."""
    for header, other in MARKERS.items():
        if header in table.names and other != title:
            raise InputError(f"{table.path.name} is a table of {other}, not of {title}: give the one of {title}.")


def _header_row(rows: list[tuple]) -> int | None:
    for index, row in enumerate(rows[:HEADER_WITHIN]):
        words = [normal(cell) for cell in row if normal(cell)]
        if len(words) > 1 and words[0] in FIRST_HEADERS:  # a lone "Subject" is a line of text
            return index
    return None


def _table(path: Path, sha256: str, rows: list[tuple], start: int) -> Table:
    headers = tuple(plain_text(cell) for cell in rows[start])
    body = []
    for number, row in enumerate(rows[start + 1 :], start + 2):
        if any(plain_text(cell) for cell in row):
            cells = {normal(header): cell for header, cell in reversed(list(zip(headers, row)))}  # the first one counts
            body.append(Row(number, cells))
    if not body:
        raise InputError(f"{path.name} holds a header and no rows below it: give the whole table.")
    return Table(path, sha256, headers, tuple(body))


def _sheets(path: Path, content: bytes) -> dict[str, list[tuple]]:
    try:
        book = load_workbook(unpacked(content, path.name), read_only=True, data_only=True)
        return {sheet.title: _all_rows(sheet, path) for sheet in book.worksheets}
    except InputError:
        raise
    except Exception:  # openpyxl and zipfile raise many kinds for a damaged file
        raise InputError(f"{path.name} is not an Excel table that can be read: save it again as xlsx.") from None


def _all_rows(sheet, path: Path) -> list[tuple]:
    """The rows of a sheet, as far as there are any: one cell at the far end makes a billion of empty ones."""
    sheet.reset_dimensions()  # what the file says of them may be wrong
    rows, cells = [], 0
    for row in sheet.iter_rows(values_only=True):
        cells += len(row) + 1
        if cells > MOST_CELLS:
            raise InputError(
                f"{path.name} has more than {MOST_CELLS / 1e6:.0f} million cells in a sheet: delete what lies far "
                "below or to the right of the table."
            )
        rows.append(row)
    return rows


def _old_sheets(path: Path, content: bytes) -> dict[str, list[tuple]]:
    try:
        import xlrd
    except ImportError:
        raise InputError(
            f"{path.name} is an old Excel table (xls): run `pip install xlrd`, or save it as xlsx without a password."
        ) from None
    try:
        book = xlrd.open_workbook(file_contents=content)
    except Exception as error:  # xlrd raises many kinds for a damaged or protected file
        raise InputError(
            f"{path.name} cannot be read as an xls table ({str(error).partition(chr(10))[0]}): save it again as xlsx."
        ) from None
    return {sheet.name: [tuple(sheet.row_values(n)) for n in range(sheet.nrows)] for sheet in book.sheets()}
