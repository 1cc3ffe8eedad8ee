"""A GPU for the seconds of one answer, where the app is a Space on ZeroGPU; anywhere else, nothing."""

from collections.abc import Callable

try:
    import spaces  # only there; it has to be imported before torch
except ImportError:
    spaces = None


SHORT = 15  # seconds: all but whole clips


def for_a_moment(seconds: int) -> Callable:
    """Lend a GPU to each call of a function, where there is one to lend, for at most so many seconds."""
    return spaces.GPU(duration=seconds) if spaces else lambda function: function
