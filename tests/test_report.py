import json

import numpy as np
import pytest
from sample_report import sample_report

from aullm_lite.facs import ACTION_UNITS, CD6ME_AUS
from aullm_lite.report import AUFinding, verdict_of

FEELINGS = ("happ", "joy", "smil", "sad", "anger", "angry", "fear", "disgust", "surprise", "contempt", "emotion")


def test_dictionary_has_the_promised_form():
    data = json.loads(sample_report().to_json())
    assert [row["au"] for row in data["aus"]] == list(CD6ME_AUS)
    promised = ["au", "name", "probability", "verdict", "onset_s", "apex_s", "offset_s"]
    assert all(list(row)[:7] == promised for row in data["aus"])
    assert list(data["timeline"]) == ["t", *(f"au{au}" for au in CD6ME_AUS)]
    assert len({len(series) for series in data["timeline"].values()}) == 1
    assert data["video"] == {"fps": 30.0, "frames": 120, "seconds": 4.0}
    assert data["model"]["aus"] == list(CD6ME_AUS) and data["warnings"]
    smile = data["aus"][CD6ME_AUS.index(12)]
    assert (smile["verdict"], smile["onset_s"], smile["apex_s"], smile["offset_s"]) == ("present", 0.95, 1.15, 1.42)


def test_json_has_no_nan_and_knows_numpy():
    report = sample_report(
        video={"fps": float("nan"), "frames": np.int64(3), "seconds": np.float32(0.5)},
        latency_ms={"total": float("inf")},
    )
    data = json.loads(report.to_json(), parse_constant=pytest.fail)
    assert data["video"] == {"fps": None, "frames": 3, "seconds": 0.5} and data["latency_ms"]["total"] is None


def test_json_file_is_the_text(tmp_path):
    path = tmp_path / "Bericht für Ä.json"
    assert sample_report().to_json(path) == path.read_text(encoding="utf-8")


def test_crop_stays_in_memory():
    assert "crop" not in sample_report().to_json() and sample_report() == sample_report(crop=None)


@pytest.mark.parametrize(
    "p, verdict", [(0.0, "absent"), (0.39, "absent"), (0.4, "not sure"), (0.59, "not sure"), (0.6, "present")]
)
def test_three_way_verdict(p, verdict):
    assert verdict_of(p, 0.4, 0.6) == verdict


def test_text_names_what_the_data_holds_and_nothing_else():
    text = sample_report().text()
    assert "AU12 Lip corner puller (lip corners, cheeks; zygomaticus major) moved from 0.95 s to 1.42 s" in text
    assert text.index("AU12") < text.index("AU6") < text.index("Not sure about AU1 Inner brow raiser")
    absent = [au for au in ACTION_UNITS if au not in (1, 6, 12)]
    assert not any(ACTION_UNITS[au].name in text for au in absent)
    assert not any(word in text.lower() for word in FEELINGS)
    assert "movement only" in text


def test_text_of_a_still_face():
    report = sample_report(findings=tuple(AUFinding(au, 0.01, 0.5, "absent") for au in CD6ME_AUS), events=())
    assert report.text().startswith("No Action Unit was found") and "AU1" not in report.text()


def test_several_doubts_read_as_a_list():
    report = sample_report(findings=tuple(AUFinding(au, 0.5, 0.5, "not sure") for au in (1, 2, 4)))
    assert "AU1 Inner brow raiser, AU2 Outer brow raiser and AU4 Brow lowerer." in report.text()


def test_top_is_ordered_and_limited():
    assert [f.au for f in sample_report().top(3)] == [12, 6, 1] and len(sample_report().top()) == 12


def test_look_up_by_number():
    assert sample_report()[12].name == "Lip corner puller"
    with pytest.raises(KeyError, match="AU3 is not among"):
        sample_report()[3]


def test_table_lines_up():
    lines = str(sample_report()).splitlines()
    assert len(lines) == 2 + 12 + 1 and lines[-1].startswith("! The video has 30 frames")
    present = next(line for line in lines if line.startswith("AU12"))
    assert present.split() == ["AU12", "Lip", "corner", "puller", "0.94", "0.50", "present", "0.95", "1.15", "1.42"]
    assert len(present) == len(lines[0]) == len(lines[1])
