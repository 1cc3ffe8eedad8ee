"""The first cell of each notebook: seeds, device, style of figures, and a line that names the machine."""

import importlib.metadata
import os
import platform
import random
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..style import use_style
from .checks import forget

SIZES = ("quick", "full")
PACKAGES = ("aullm-lite", "torch", "transformers", "peft", "captum", "numpy")


@dataclass(frozen=True)
class Course:
    """What a notebook runs on, and how much it computes."""

    device: torch.device
    size: str

    def pick(self, quick: Any, full: Any) -> Any:
        """The smaller or the larger of two settings: `course.pick(200, 2000)` clips."""
        return full if self.size == "full" else quick


def setup(seed: int = 0, size: str | None = None) -> Course:
    """Seed everything, choose the device, set the style of figures, and print one line to paste into a bug report.

    The score of exercises begins anew.  `size` is "quick" (minutes on two cores) or "full"; without it `AULLM_COURSE`
    decides, and else it is "quick".
    """
    size = size or os.environ.get("AULLM_COURSE") or "quick"
    if size not in SIZES:
        raise ValueError(f"size must be one of {', '.join(SIZES)}, got {size!r}.")
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    use_style()
    forget()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")  # 3-D convolutions on MPS can be wrong
    print(f"{_versions()} · {_machine(device)} · seed {seed} · {size}")
    return Course(device, size)


def _versions() -> str:
    """The packages that matter, with their versions, in one line."""
    found = [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES]
    return " · ".join([*found, f"Python {platform.python_version()}"])


def _machine(device: torch.device) -> str:
    where = "Colab" if "google.colab" in sys.modules else platform.system()
    if device.type == "cuda":
        return f"{where}, {torch.cuda.get_device_name(device)}"
    return f"{where}, CPU, {torch.get_num_threads()} threads"
