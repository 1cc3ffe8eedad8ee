"""CASME II: 26 subjects, 200 frames a second (Yan et al., PLoS ONE 2014)."""

from .records import Fixup, apex_missing
from .spec import DataSetSpec, Expected, Stream

_SHARED = {"others": 99, "disgust": 63, "happiness": 32, "repression": 27, "fear": 2}

CASME2 = DataSetSpec(
    name="casme2",
    title="CASME II",
    fps=200,
    aus=(1, 2, 4, 7, 12, 14, 15, 17),
    annotations=("CASME2-coding-*.xlsx",),
    variants={
        "table": {
            "subject": "Subject",
            "clip": "Filename",
            "onset": "OnsetFrame",
            "apex": "ApexFrame",
            "offset": "OffsetFrame",
            "aus": "Action Units",
            "emotion": "Estimated Emotion",
        }
    },
    optional={"objective": "Objective Classes"},
    # The whole recording first: faces are aligned here, and stillness around the event is kept.
    streams=(Stream("CASME2_RAW"), Stream("CASME2_RAW_selected", "folder"), Stream("Cropped", "folder")),
    expected=(
        Expected(
            "2014",
            255,
            {"meb": (26, 21, 129, 2, 13, 38, 13, 17, 34, 27, 16, 25, 371)},
            subjects=26,
            unknown_cells=5,
            emotions=_SHARED | {"surprise": 25, "sadness": 7},
        ),
        Expected(
            "2019",
            255,
            {"meb": (28, 25, 125, 5, 10, 38, 9, 18, 39, 22, 17, 26, 381)},
            subjects=26,
            unknown_cells=0,
            emotions=_SHARED | {"surprise": 28, "sadness": 4},
            objective=(30, 18, 93, 15, 18, 2, 79),
        ),
        Expected("old", 256, {"meb": (26, 22, 130, 2, 13, 39, 13, 16, 34, 27, 16, 25, 373)}, subjects=26),
    ),
    fixups=(Fixup("04", "EP12_01f", apex_missing, "the apex cell is a slash", meb=({"apex": 279},)),),
    without_row=frozenset({("24", "EP02_07")}),  # only the old list has it
)
