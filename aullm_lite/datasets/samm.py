"""SAMM: 29 subjects, 200 grey frames a second (Davison et al., TAFFC 2018)."""

from .records import Fixup, Sample, apex_after_offset, apex_before_onset
from .spec import DataSetSpec, Expected, Stream


def _apex_next_to_onset(sample: Sample) -> bool:
    return None not in (sample.onset, sample.apex) and sample.apex == sample.onset + 1


SAMM = DataSetSpec(
    name="samm",
    title="SAMM",
    fps=200,
    aus=(2, 4, 7, 12),
    annotations=("SAMM_Micro_FACS_Codes*.xlsx", "SAMM_2018*.xlsx"),
    sheet="MICRO_ONLY",
    variants={
        "table": {
            "subject": "Subject",
            "clip": "Filename",
            "inducement": "Inducement Code",
            "onset": "Onset Frame",
            "apex": "Apex Frame",
            "offset": "Offset Frame",
            "aus": "Action Units",
            "emotion": "Estimated Emotion",
        }
    },
    optional={"objective": "Objective Classes"},
    subject_width=3,
    streams=(Stream("SAMM"), Stream("SAMM_CROP")),
    expected=(
        Expected(
            "v2",
            159,
            {
                "meb": (6, 18, 23, 10, 3, 46, 5, 6, 28, 13, 4, 6, 226),
                "all": (6, 18, 23, 10, 5, 46, 5, 6, 30, 13, 4, 7, 232),
            },
            subjects=29,
            emotions={
                "anger": 57,
                "others": 26,
                "happiness": 26,
                "surprise": 15,
                "contempt": 12,
                "disgust": 9,
                "fear": 8,
                "sadness": 6,
            },
            objective=(24, 13, 20, 8, 3, 7, 84),
        ),
    ),
    fixups=(
        Fixup("028", "028_4_1", apex_after_offset, "the apex lies after the offset", meb=({"apex": 1105},)),
        Fixup("032", "032_3_1", apex_before_onset, "the apex lies before the onset", meb=({"apex": 4945},)),
        Fixup("032", "032_3_2", _apex_next_to_onset, "the apex follows the onset at once", meb=({"apex": 5130},)),
    ),
)
