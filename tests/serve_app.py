"""The app as the browser tests see it: all real but the model, which is the smallest and untrained, its answer about
clips, which is made up, and the finder, which finds no face.  No weights, no network."""

import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from PIL import Image

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from sample_report import StillFinder, face_crop, sample_report  # noqa: E402

import app  # noqa: E402
from aullm_lite.config import AULLMConfig  # noqa: E402
from aullm_lite.demo import Example  # noqa: E402
from aullm_lite.model import AULLM  # noqa: E402
from aullm_lite.pages import detect, loaded  # noqa: E402
from aullm_lite.speech.questions import understand  # noqa: E402
from aullm_lite.speech.spoken import REPORT, Spoken  # noqa: E402
from aullm_lite.speech.wording import Statement, tell  # noqa: E402
from aullm_lite.video import open_video, write_video  # noqa: E402
from aullm_lite.windows import windows  # noqa: E402


def fake_analyze(model, path, *, fps, longest, progress, **_):
    """The clip is read and its face followed; only what the model says of it is made up."""
    source = open_video(path, fps=fps, longest=longest)
    progress(0.5, "2.0 s of the video seen")
    assert list(windows(source, StillFinder()))
    time.sleep(0.3)
    return sample_report(video=vars(source.info))


def fake_words(model, report, question=None) -> Spoken:
    asked = REPORT if question is None else understand(question, model.config.aus)
    said = tell([Statement(6, "L", "weak", 3), Statement(12, "both", "strong", 4)]) if asked == REPORT else "Yes."
    return Spoken(said, said, {}, asked, times=(0.9, 1.0, 1.1, 1.2, 1.3, 1.4))


def fake_examples(folder=Path(tempfile.mkdtemp())) -> tuple[Example, ...]:
    clip, poster = folder / "example.mp4", folder / "example.png"
    if not clip.exists():
        Image.fromarray(face_crop()).save(poster)
        write_video(clip, np.stack([np.roll(face_crop(), n, 0) for n in range(20)]), 20)
    return tuple(Example(title, str(clip), str(poster)) for title in ("Brows", "Lip corners", "Photograph"))


def pretend(put=setattr) -> None:
    """Set the stand-ins in the places of the real things; `put` may be that of a monkeypatch, which undoes it."""
    model = AULLM(AULLMConfig.from_preset("smoke")).eval()
    model.config = model.config.changed(speaks=True)
    put(loaded, "model", lambda: model)
    put(loaded, "finder", lambda: SimpleNamespace(find=lambda rgb: []))
    put(detect, "analyze", fake_analyze)
    put(detect, "example_clips", fake_examples)
    put(detect, "describe_report", fake_words)


def main() -> None:
    pretend()
    fake_examples()
    app.demo.launch(**app.LAUNCH)


if __name__ == "__main__":
    main()
