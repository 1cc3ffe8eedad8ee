"""All measurements in one go, each said as it begins."""

import os
import platform
from collections.abc import Callable

import torch

from ..model import AULLM
from .floor import measure_floor
from .folds import folds_together
from .frames import frame_stages
from .single import half_precision, single_clip
from .stages import stage_table, thread_table
from .whole import analysis_speed, attribution_speed, speech_speed, synth_speed, training_step


def run(checkpoint: str = "demo", device: str | None = None, say: Callable[[str], object] = print) -> dict:
    """All measurements, about five minutes on two cores; on a GPU the stages alone, for the rest lives on the CPU."""
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    model = AULLM.from_pretrained(checkpoint).to(device)
    say("the floor of this machine")
    floors = {dtype: measure_floor(model.device, dtype) for dtype in (torch.float32, torch.bfloat16)}
    half = floors[torch.bfloat16].flops > floors[torch.float32].flops  # else the processor has no such instruction
    figures = {"machine": machine(model.device)}
    figures["stages"] = [
        stage_table(model, dtype, floors[dtype], say=say) for dtype in floors if dtype == torch.float32 or half
    ]
    if model.config.language_model != "none":
        say("folds")
        figures["folds"] = folds_together(model, 8 if device == "cpu" else 26)
    return figures if device != "cpu" else figures | on_cpu(model, checkpoint, half, say)


def on_cpu(model: AULLM, checkpoint: str, half: bool, say: Callable[[str], object]) -> dict:
    """What a visitor's machine does: whole videos, explanations, speech, generated clips."""
    work = {
        "threads": lambda: thread_table(model),
        "frames": frame_stages,
        "single_clip": lambda: single_clip(model),
        "half_precision": lambda: half_precision(checkpoint) if half else None,
        "training_step": lambda: training_step(model),
        "analyze": lambda: analysis_speed(model, checkpoint),
        "attribution": lambda: attribution_speed(model, checkpoint),
        "speech": lambda: speech_speed(model),
        "synth": synth_speed,
    }
    figures = {}
    for name, measure in work.items():
        say(name.replace("_", " "))
        figures[name] = measure()
    return figures


def machine(device: torch.device) -> dict:
    """What was measured on."""
    return {
        "machine": platform.machine(),
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "CPU",
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
