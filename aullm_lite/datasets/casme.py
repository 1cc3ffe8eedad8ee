"""CASME: 60 frames a second (Yan et al., FG 2013).  Its apex is a range of frames."""

from .spec import DataSetSpec, Expected, Stream

CASME = DataSetSpec(
    name="casme",
    title="CASME",
    fps=60,
    aus=(1, 4, 9, 14),
    annotations=("CASME-coded-*.xls*", "casme.xlsx"),
    variants={
        "table": {
            "subject": "Subject",
            "clip": "Filename",
            "onset": "OnsetF",
            "apex": "ApexF1",
            "apex_end": "ApexF2",
            "offset": "OffsetF",
            "aus": "AU",
            "emotion": "Emotion",
        }
    },
    optional={},
    streams=(Stream("Cropped", "clip"),),
    expected=(Expected("meb", 189, {"meb": (23, 17, 70, 0, 1, 4, 40, 3, 9, 23, 14, 13, 254)}, soft=True),),
)
