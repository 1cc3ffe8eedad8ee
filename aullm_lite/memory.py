"""What the C library does with freed memory; every function holds for all that this process does.

Each returns False, and nothing changed, where the C library is not glibc.
"""

import ctypes
import sys
from collections.abc import Callable

TRIM, MMAP, ARENAS = -1, -3, -8  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD and M_ARENA_MAX of glibc's malloc.h
NEVER, OLD_MOST = 1 << 30, 32 << 20  # bytes; older glibc takes no larger MMAP than the second


def keep_freed_memory() -> bool:
    """Keep it in the process: a third of a training step on CPUs goes into fetching the same pages again.

    Else large blocks go back to the system as soon as a tensor is gone, and the next step asks for them anew; the
    system then clears every page of them.  Kept, they wait for the next tensor of that size.
    """
    adjust = _mallopt()
    return bool((adjust(MMAP, NEVER) or adjust(MMAP, OLD_MOST)) and adjust(TRIM, NEVER))


def share_freed_memory() -> bool:
    """Let all threads share two stores of it: else each of a server's many threads keeps the most it ever needed."""
    return bool(_mallopt()(ARENAS, 2))


def _mallopt() -> Callable[[int, int], int]:
    if not sys.platform.startswith("linux"):
        return lambda *_: 0
    return getattr(ctypes.CDLL(None), "mallopt", lambda *_: 0)
