"""MMEW: 30 subjects, 90 frames a second, crops of the face (Ben et al., TPAMI 2021)."""

import re

from .cells import clip_name
from .spec import DataSetSpec, Expected, Stream
from .tables import Row

_EMOTIONS = ("happiness", "surprise", "disgust", "others", "fear", "sadness", "anger")  # codes 01 to 07


def _tidy(fields: dict, row: Row, warnings: list[str]) -> dict:
    """The second number of a clip's name, `S03-01-002`, is the emotion."""
    code = re.fullmatch(r"S[0-9]+-0([1-7])-[0-9]+", clip_name(fields["clip"]), re.IGNORECASE)
    return fields | {"emotion_code": _EMOTIONS[int(code[1]) - 1] if code else None}


MMEW = DataSetSpec(
    name="mmew",
    title="MMEW",
    fps=90,
    aus=(1, 2, 4, 5, 7, 10, 12, 14),
    annotations=("MMEW_Micro_Exp*.xlsx",),
    variants={
        "table": {
            "subject": "Subject",
            "clip": "Filename",
            "onset": "OnsetFrame",
            "apex": "ApexFrame",
            "offset": "OffsetFrame",
            "aus": "Action Units",
            "emotion": "Estimated Emotion",
            "remarks": "remarks",
        }
    },
    optional={},
    streams=(Stream("MMEW_Final/Micro_Expression", "folder"), Stream("Micro_Expression", "folder")),
    expected=(
        Expected(
            "v1",
            300,
            {"meb": (50, 41, 109, 70, 10, 47, 8, 38, 37, 17, 6, 11, 500)},
            subjects=30,
            emotions=dict(zip(_EMOTIONS, (36, 89, 72, 66, 16, 13, 8))),
        ),
    ),
    tidy=_tidy,
)
