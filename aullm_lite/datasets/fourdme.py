"""4DME, the grey micro-expression clips (Li et al., TAFFC 2022).

The rate is disputed (60 or 30 frames a second): pass `fps` where you know better.
"""

import re

from .cells import plain_text
from .codes import parse_cell
from .policy import Policy, positives
from .records import Sample
from .spec import DataSetSpec, Expected, Stream
from .tables import Row

SWAPPED = (144, 145)  # rows from 0 whose labels stand in each other's place, in the table of 267
ROWS = 267


def _tidy(fields: dict, row: Row, warnings: list[str]) -> dict:
    """The string of AUs decides; 0/1 columns that say something else are reported."""
    if "video" in fields:  # the pre-release has no folder name but its pieces
        pieces = [plain_text(fields[name]) for name in ("subject", "video", "clip", "sub_clip")]
        fields = fields | {"clip": "_".join(pieces) if all(pieces) else ""}
    columns = {int(name[2:]): value for name, value in row.cells.items() if re.fullmatch("au[0-9]{1,2}", name)}
    ones = {au for au, value in columns.items() if plain_text(value) == "1"}
    present = set(positives(parse_cell(fields["aus"]).aus, Policy()))
    different = sorted((ones ^ present) & set(columns))
    if different:
        names = ", ".join(f"AU{au}" for au in different)
        warnings.append(f"its 0/1 columns and {plain_text(fields['aus'])!r} disagree on {names}: the text was taken.")
    return fields


def _adjust(samples: list[Sample]) -> list[Sample]:
    if len(samples) != ROWS:
        return samples
    return [s.flagged("fourdme_swap") if i in SWAPPED else s for i, s in enumerate(samples)]


_FRAMES = {"emotion": "Emotion", "onset": "Onset", "apex": "Apex", "offset": "Offset", "aus": "AUs"}

FOURDME = DataSetSpec(
    name="4dme",
    title="4DME",
    fps=60,
    aus=(1, 2, 4, 6, 7, 12, 17, 45),
    annotations=("4DME_Labelling_Micro*.xlsx",),
    variants={
        "table": {"subject": "sub_ID", "clip": "fold_name", **_FRAMES},
        "pre-release": {
            "subject": "sub_ID",
            "video": "video_number",
            "clip": "ME_number",
            "sub_clip": "subME_number",
            **_FRAMES,
        },
    },
    optional={},
    streams=(Stream("4DMicro/gray_micro"), Stream("4DMicro/gray_micro_crop"), Stream("gray_micro")),
    expected=(Expected("v1", ROWS, {"meb": (46, 54, 102, 8, 25, 89, 1, 2, 53, 4, 6, 11, 454)}, soft=True),),
    tidy=_tidy,
    adjust=_adjust,
)
