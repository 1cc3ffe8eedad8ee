"""For the notebooks: one line of set-up, checks that name the mistake, and a score.

The package is the answer key: what a reader wrote is compared with the tested function on fresh inputs.  A check never
stops "Run all"; it says that an answer is right, not attempted, or wrong, why, and what to try.
"""

from . import drawing
from .checks import NotRight, check, check_fn, check_shape, score, state_of
from .session import setup
from .showing import play, show

__all__ = [
    "NotRight",
    "check",
    "check_fn",
    "check_shape",
    "drawing",
    "play",
    "score",
    "setup",
    "show",
    "state_of",
]
