"""MediaPipe's FaceMesh in a process of its own; runs in MediaPipe's environment and knows nothing of this package.

Each line that comes in is an order in JSON, each line that goes out its answer: `{"load": FILE.npy}` reads the frames
and warms up, `{"mode": "static"}` or `{"mode": "tracking"}` finds the eye centres in each of them.
"""

import json
import sys

answers, sys.stdout = sys.stdout, sys.stderr  # what the library prints is no answer

import mediapipe  # noqa: E402
import numpy as np  # noqa: E402

EYES = ((33, 133), (362, 263))  # corners of the image-left and the image-right eye
meshes, frames = {}, []


def eyes(mode, frame):
    """Centres of both eyes in pixels, or None where no face is found."""
    found = meshes[mode].process(frame).multi_face_landmarks
    if not found:
        return None
    points, (height, width) = found[0].landmark, frame.shape[:2]
    corners = [[(points[i].x * width, points[i].y * height) for i in eye] for eye in EYES]
    return np.mean(corners, axis=1).tolist()


def answer(order):
    if "mode" in order:
        return {"eyes": [eyes(order["mode"], frame) for frame in frames]}
    with open(order["load"], "rb") as file:
        frames[:] = np.lib.format.read_array(file, allow_pickle=False)
    for mode in ("static", "tracking"):
        meshes[mode] = mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=mode == "static", max_num_faces=1)
        eyes(mode, frames[0])
    return {"version": mediapipe.__version__}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), file=answers, flush=True)
