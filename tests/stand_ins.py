"""Stand-ins for licensed data: the headers and names of the real tables, invented rows, pictures of four pixels."""

from pathlib import Path

import cv2
import numpy as np
from openpyxl import Workbook

CASME2 = ["Subject", "Filename", None, "OnsetFrame", "ApexFrame", "OffsetFrame", None, "Action Units"]
CASME2 += ["Estimated Emotion"]
SAMM = ["Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame", "Offset Frame", "Duration", "Micro"]
SAMM += ["Action Units", "Estimated Emotion", "Objective Classes", "Notes"]
FOURDME = ["sub_ID", "fold_name", "Emotion", "Onset", "Apex", "Offset", "AUs", "AU1", "AU2", "AU4", "fold", "eye blink"]
PRE_4DME = ["sub_ID'", "video_number'", "ME_number'", "subME_number'", "first_frame'", "last_frame'"]
PRE_4DME += ["Emotion", "Onset", "Apex", "Offset", "Length", "AUs"]
CASME = ["Subject", "Filename", None, "OnsetF", "ApexF1", "ApexF2", "OffsetF", None, "Onset (ms)", "Total", "AU"]
CASME += ["Emotion"]
CASME3 = ["Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion"]
CASME3_C = ["sub", "count", "onset", "offset", "au"]
MMEW = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units", "Estimated Emotion", "remarks"]

HEADERS = {"casme2": CASME2, "samm": SAMM, "4dme": FOURDME, "casme": CASME, "casme3": CASME3, "mmew": MMEW}


def table(path: Path, rows: list[list], sheet: str = "Sheet1") -> Path:
    """An xlsx of these rows, and its path."""
    book = Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def casme2_row(subject, clip, onset, apex, offset, aus="4", emotion="others") -> list:
    return [subject, clip, None, onset, apex, offset, None, aus, emotion]


def samm_row(clip, onset, apex, offset, aus="4", emotion="Other") -> list:
    return [clip[:3], clip, 1, onset, apex, offset, "=F2-D2+1", "Micro - 1/2", aus, emotion, 7, None]


def frames(folder: Path, pattern: str, numbers) -> Path:
    """Tiny grey pictures named by the pattern, and their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    content = cv2.imencode(Path(pattern).suffix, np.full((2, 2), 128, np.uint8))[1].tobytes()
    for number in numbers:
        (folder / pattern.format(number)).write_bytes(content)
    return folder
