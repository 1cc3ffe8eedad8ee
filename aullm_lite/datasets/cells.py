"""Plain cells of an annotation table: text, frame numbers, subjects, clip names and emotions."""

import math
import re
from datetime import date

EMOTIONS = {"other": "others", "happy": "happiness", "sad": "sadness"}  # other spellings of one name
MOST_DIGITS = 9  # of a frame or a subject
ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7}


def plain_text(value: object) -> str:
    """A cell as text without outer spaces; `17.0` is `17`, and an empty cell or NaN is the empty text."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return re.sub(r"^([0-9]+)\.0*$", r"\1", str(value).strip())


def frame_number(value: object) -> int | None:
    """A frame number, or None for an empty cell, a slash, or anything that is no whole number of up to nine digits."""
    text = plain_text(value).strip("'\" ")
    number = _without_zeros(text) if re.fullmatch("[0-9]+", text) else None
    return None if number is None else int(number or "0")


def subject_id(value: object, width: int) -> str | None:
    """`6`, `6.0`, `'06'` and `sub06` are one subject: its last number, filled with zeros.  None where there is none."""
    numbers = re.findall("[0-9]+", plain_text(value))
    number = _without_zeros(numbers[-1]) if numbers else None
    return None if number is None else number.zfill(width)


def _without_zeros(digits: str) -> str | None:
    """A number without the zeros that lead it; None for one of too many digits, which is no frame and no subject."""
    digits = digits.lstrip("0")
    return digits if len(digits) <= MOST_DIGITS else None


def clip_name(value: object) -> str:
    """The name as written; Excel's dates are no names, and the caller warns about the empty text."""
    return "" if isinstance(value, date) else plain_text(value).strip("'\" ")


def emotion_name(value: object) -> str | None:
    """One spelling for each emotion: lower case, `others`, `happiness`, `sadness`."""
    name = plain_text(value).casefold()
    return EMOTIONS.get(name, name) or None


def objective_class(value: object) -> int | None:
    """An objective class, 1 to 7, written as a number or a Roman numeral."""
    return frame_number(value) or ROMAN.get(plain_text(value).casefold())
