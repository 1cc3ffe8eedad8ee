"""Keep freed memory in the process: a third of a training step on CPUs goes into fetching the same pages again.

The C library gives large blocks back to the system as soon as a tensor is gone, and the next step asks for them anew;
the system then clears every page of them.  Kept, they wait for the next tensor of that size.
"""

import ctypes
import sys

TRIM, MMAP = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of glibc's malloc.h
NEVER, OLD_MOST = 1 << 30, 32 << 20  # bytes; older glibc takes no larger MMAP than the second


def keep_freed_memory() -> bool:
    """Holds for all that this process does; False, and nothing changed, where the C library is not glibc."""
    if not sys.platform.startswith("linux"):
        return False
    adjust = getattr(ctypes.CDLL(None), "mallopt", lambda *_: 0)
    return bool((adjust(MMAP, NEVER) or adjust(MMAP, OLD_MOST)) and adjust(TRIM, NEVER))
