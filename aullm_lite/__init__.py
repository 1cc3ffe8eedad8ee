"""AU-LLM Lite: facial Action Units from short clips, read by a language model.

from aullm_lite import AULLM
model = AULLM.from_pretrained("demo")
print(model.analyze("clip.mp4"))
"""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .config import AULLMConfig as AULLMConfig
    from .errors import InputError as InputError
    from .model import AULLM as AULLM
    from .report import AUReport as AUReport

os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(8192 * 8192))  # read once, when cv2 is imported; see limits.py

__version__ = "0.1.0"
__all__ = ["AULLM", "AULLMConfig", "AUReport", "InputError"]
_HOMES = {"AULLM": "model", "AULLMConfig": "config", "AUReport": "report", "InputError": "errors"}


def __getattr__(name: str):
    """Import torch and transformers only when a name needs them."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
