"""The floor of a machine: how fast it multiplies large matrices, and how fast it reads memory.

Nothing that needs so many operations and has to read so many bytes can be faster than the slower of the two (the
"roofline", Williams, Waterman and Patterson 2009).
"""

from dataclasses import dataclass

import torch

from .timing import steady

SIDE, LARGE = 2048, 64 << 20  # of the matrices; numbers in the memory that is read, far more than any cache holds


@dataclass(frozen=True)
class Floor:
    """Floating point operations and bytes in a second, measured."""

    flops: float
    bandwidth: float

    def seconds(self, flops: float, size: float) -> float:
        """The least time for so many operations and so many bytes of memory."""
        return max(flops / self.flops, size / self.bandwidth)


@torch.no_grad()
def measure_floor(device: torch.device, dtype: torch.dtype) -> Floor:
    """What a product of two matrices and the sum of a large vector reach here."""
    square = torch.randn(SIDE, SIDE, device=device).to(dtype)
    large = torch.zeros(LARGE, device=device)
    product, read = steady(lambda: square @ square), steady(large.sum)
    return Floor(2 * SIDE**3 / product, large.numel() * large.element_size() / read)
