"""What somebody waits for: a training step, a whole video, an explanation, a spoken report, generated clips."""

import tempfile
from pathlib import Path
from statistics import median

import numpy as np
import torch

from ..explain import METHODS, explain
from ..model import AULLM
from ..synth.dataset import HELD_OUT, make_clips, training_recipe
from ..synth.drawn import draw_identity
from ..synth.render import Actor, render
from ..synth.script import Camera, Movement, Script
from ..video import write_video
from .timing import in_turns, peak_memory, seconds

FRAME = (360, 640)
ANALYZE = """
import sys
from aullm_lite import AULLM
AULLM.from_pretrained(sys.argv[1]).analyze(sys.argv[2])
"""
EXPLAIN = """
import sys
from aullm_lite import AULLM
from aullm_lite.bench.whole import explain_all
explain_all(AULLM.from_pretrained(sys.argv[1]))
"""


def training_step(model: AULLM, batch: int = 64, rounds: int = 3) -> dict:
    """One LoRA step, forward and backward through the language model: prompt shared against prompt in every row."""
    tokens = torch.randn(batch, 1, model.language.width) * model.language.token_std

    def step(naive: bool):
        model.language(tokens, naive=naive).square().mean().backward()
        model.zero_grad()

    model.train()
    step(False)
    shared, naive = in_turns(lambda: step(False), lambda: step(True), rounds)
    model.eval()
    return {
        "batch": batch,
        "prompt_tokens": model.language.prompt_ids.shape[1],
        "shared_s": shared,
        "naive_s": naive,
        "ratio": naive / shared,
    }


def film(path: Path, length: float, fps: int = 30) -> None:
    """A drawn person in a 640 x 360 frame who smiles now and then; written as it is drawn, to keep memory low."""
    rng = np.random.default_rng(0)
    starts = np.arange(1.0, length - 1, 2.5)
    smiles = tuple(Movement(12, "both", rng.uniform(1, 3), s, s + 0.3, s + 0.8) for s in starts)
    times = np.arange(round(length * fps)) / fps
    actor = Actor(draw_identity(HELD_OUT + 1), 1)

    def pictures():
        for some in np.array_split(times, max(1, len(times) // 60)):
            script = Script(some, smiles, camera=Camera(noise=0.004))
            half = render(actor, script, FRAME[0] // 2, colour=True, extent=1.5)
            square = half.repeat(2, 1).repeat(2, 2)
            wide = np.pad(square, ((0, 0), (0, 0), ((FRAME[1] - FRAME[0]) // 2,) * 2, (0, 0)), mode="edge")
            yield from (wide * 255).astype(np.uint8)

    write_video(path, pictures(), fps)


def analysis_speed(model: AULLM, checkpoint: str) -> dict:
    """Seconds of video analysed in a second, and the peak memory for a short and a long video."""
    with tempfile.TemporaryDirectory() as folder:
        short, long = Path(folder) / "10s.mp4", Path(folder) / "60s.mp4"
        film(short, 10), film(long, 60)
        model.analyze(short)
        spent = median(seconds(lambda: model.analyze(short)) for _ in range(3))
        small, large = (peak_memory(ANALYZE, checkpoint, str(video)) for video in (short, long))
    return {
        "video": "10 s, 640x360, 30 fps",
        "seconds": spent,
        "times_real_time": 10 / spent,
        "peak_mb_10s": small,
        "peak_mb_60s": large,
        "extra_mb_60s": large - small if large and small else None,
    }


def smile() -> torch.Tensor:
    """Half a second in which a drawn person smiles.  -> [T, H, W]"""
    script = Script(np.linspace(0, 0.5, 6), (Movement(12, "both", 1.0, 0.1, 0.25, 0.4),), camera=Camera(noise=0.004))
    return torch.from_numpy(render(Actor(draw_identity(HELD_OUT + 1), 1), script))


def explain_all(model: AULLM) -> None:
    """Every method once, for one AU, on the motion field."""
    for method in METHODS:
        explain(model, smile(), 12, method)


def attribution_speed(model: AULLM, checkpoint: str) -> dict:
    """Seconds of Integrated Gradients at 32 steps and of all methods, for one AU, and the peak memory of all."""
    clip = smile()
    gradients = lambda: explain(model, clip, 12, "ig", steps=32, most=32)  # noqa: E731
    gradients()
    spent = median(seconds(gradients) for _ in range(5))
    return {
        "ig_32_steps_s": spent,
        "methods": len(METHODS),
        "all_methods_s": seconds(lambda: explain_all(model)),
        "peak_mb": peak_memory(EXPLAIN, checkpoint),
    }


def speech_speed(model: AULLM, rounds: int = 5) -> dict | None:
    """Seconds to the first word of a report of one smile, and to its end; None where a model cannot speak."""
    if not model.config.speaks:
        return None
    clip, language = smile()[None], model.language

    @torch.no_grad()
    def first_word():
        next(language.words(*language.begin(model.visual_token(model.motion(clip)))))

    said = model.describe(clip[0]).said
    first, whole = in_turns(first_word, lambda: model.describe(clip[0]), rounds)
    return {"first_word_s": first, "report_s": whole, "tokens": len(language.tokenizer.encode(said)), "said": said}


def synth_speed(subjects: int = 24, clips: int = 25) -> dict:
    """Training clips of six frames drawn in a second, people included, once the processes are there."""
    make_clips(8, clips, training_recipe, seed=2)
    spent = seconds(lambda: make_clips(subjects, clips, training_recipe, seed=1))
    return {"clips": subjects * clips, "seconds": spent, "clips_a_second": subjects * clips / spent}
