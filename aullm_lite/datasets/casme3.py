"""CAS(ME)^3, parts A and C: 30 frames a second (Li et al., TPAMI 2022).

One clip holds several events, so that the onset belongs to the key of a row.
"""

from ..facs import CD6ME_AUS
from .cells import plain_text
from .records import DROP, Fixup, Sample, apex_before_onset
from .spec import DataSetSpec, Expected, Stream
from .tables import Row

THOUSANDS = 1000  # frames; no event lasts that long


def _onset_after_apex(sample: Sample) -> bool:
    return None not in (sample.onset, sample.apex) and sample.onset > sample.apex


def _starts_at_zero(sample: Sample) -> bool:
    return sample.onset == sample.apex == 0


def _ends_far_away(sample: Sample) -> bool:
    return None not in (sample.onset, sample.offset) and (
        sample.onset == sample.apex and sample.offset - sample.onset > THOUSANDS
    )


def _ends_at_zero(sample: Sample) -> bool:
    return sample.offset == 0


def _tidy(fields: dict, row: Row, warnings: list[str]) -> dict | None:
    """One table mixes macro-expressions in."""
    kind = plain_text(fields.get("kind")).casefold()
    if "macro" in kind or kind == "mae":
        warnings.append(f"{kind!r} is no micro-expression; it was left out.")
        return None
    return fields


def _folder_names(sample: Sample) -> tuple[str, ...]:
    return sample.clip, f"spno.{int(sample.subject)}_{sample.clip}_{sample.event}"


CASME3 = DataSetSpec(
    name="casme3",
    title="CAS(ME)^3",
    fps=30,
    aus=CD6ME_AUS,  # no subset of its own is published
    annotations=("cas(me)3_part_*.xls*",),
    sheet="label",
    variants={
        "table": {
            "subject": "Subject",
            "clip": "Filename",
            "onset": "Onset",
            "apex": "Apex",
            "offset": "Offset",
            "aus": "AU",
            "objective": "Objective class",
            "emotion": "emotion",
        },
        "C": {"subject": "sub", "clip": "count", "onset": "onset", "offset": "offset", "aus": "au"},
    },
    optional={"kind": "Expression type"},
    streams=(Stream("Part_A_ME_clip/frame"), Stream("part_A")),
    expected=(
        Expected(
            "A",
            860,
            {"meb": (153, 128, 274, 44, 8, 27, 50, 10, 15, 193, 6, 20, 1077)},
            subjects=94,
            emotions={
                "disgust": 250,
                "surprise": 187,
                "others": 161,
                "fear": 86,
                "anger": 64,
                "sadness": 57,
                "happiness": 55,
            },
        ),
    ),
    fixups=(
        Fixup("149", "d", apex_before_onset, "the apex lies before the onset", meb=({"apex": 123},)),
        Fixup("216", "d", _onset_after_apex, "a digit of the onset is wrong", meb=({"onset": 2647},), neutral=DROP),
        Fixup("216", "e", _starts_at_zero, "there is no frame 0", neutral={"onset": 1, "apex": 1}),
        Fixup("214", "c", _ends_far_away, "the offset is thousands of frames away", ({"offset": 34},), DROP),
        Fixup("40", "e", _ends_at_zero, "the offset is 0", ({"offset": 1845}, {"offset": 2403}), DROP),
    ),
    longest=100,
    many_rows_a_clip=True,
    tidy=_tidy,
    folder_names=_folder_names,
)
