"""How fast is it, and how much faster could it be?  `python -m aullm_lite bench` runs all of this.

Pairs are measured in one run, in turns, and given as ratios: machines differ and are noisy.
"""

from .run import run
from .text import as_text
from .timing import in_turns
from .whole import training_step

__all__ = ["as_text", "in_turns", "run", "training_step"]
