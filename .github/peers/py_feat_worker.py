"""Py-Feat's detector in a process of its own; runs in Py-Feat's environment and knows nothing of this package.

Orders and answers are those of `mediapipe_worker.py`.  Py-Feat also estimates Action Units in each frame, but from the
frame alone; emotions, identity and gaze are switched off.
"""

import json
import sys

answers, sys.stdout = sys.stdout, sys.stderr  # what the library prints is no answer

import feat  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

EYES = ((36, 39), (42, 45))  # corners of the image-left and the image-right eye
state = {}


def eyes(found):
    """Centres of both eyes in pixels, or None where no face is found."""
    corners = [[(found[f"x_{i}"], found[f"y_{i}"]) for i in eye] for eye in EYES]
    centres = np.mean(corners, axis=1)
    return centres.tolist() if np.isfinite(centres).all() else None


def detect(frames):
    found = state["detector"].detect(frames, data_type="tensor", batch_size=1, progress_bar=False)
    return [eyes(rows.iloc[0]) for _, rows in found.groupby("frame")]


def answer(order):
    if "mode" in order:
        return {"eyes": detect(state["frames"])}
    try:
        state["detector"] = feat.Detectorv1(emotion_model=None, identity_model=None, gaze_model=None, device="cpu")
    except OSError as error:
        return {"missing": f"its weights cannot be fetched ({type(error).__name__})."}
    with open(order["load"], "rb") as file:
        frames = np.lib.format.read_array(file, allow_pickle=False)
    state["frames"] = torch.from_numpy(frames).permute(0, 3, 1, 2)
    detect(state["frames"][:1])
    return {"version": feat.__version__}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), file=answers, flush=True)
