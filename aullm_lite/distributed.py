"""Training in several processes, of one machine or of many, that gives what one process gives.

Every process draws the same batch and takes its share of the clips; what losses and batch statistics read is put
together again, so that every process computes the loss of the whole batch; then the gradients are averaged.  That is
exact for any loss, whether or not it is a mean over clips.  In a single process each function hands back what it gets.
"""

import os
from collections.abc import Iterable

import torch
import torch.distributed as dist
from accelerate import PartialState
from torch import Tensor, nn

from .errors import InputError
from .processes import end_with

PIECE = 4096  # rows that are exchanged at a time


def start() -> int:
    """Join the processes that `torchrun` or `accelerate launch` has started; how many they are."""
    if "TORCHELASTIC_RUN_ID" in os.environ:  # both launchers set it; killed, they would leave us training
        end_with(os.getppid())
    PartialState(cpu=not torch.cuda.is_available())
    alone = world() == 1
    if alone and {"ACCELERATE_USE_CPU", "MASTER_ADDR"} <= os.environ.keys():
        raise InputError(
            "`accelerate launch` was asked for several processes and has started one: without several GPUs it needs "
            "--multi_gpu, which also holds for CPUs."
        )
    if not alone and rank() == 0:
        print(f"{world()} processes, each with its share of every batch.", flush=True)
    return world()


def world() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Which of them this is; 0 is the one that writes and shows progress."""
    return dist.get_rank() if world() > 1 else 0


def share(length: int) -> slice:
    """Which of so many rows are this process's."""
    return slice(rank(), length, world())


class _Total(torch.autograd.Function):
    """A sum over processes, whose gradient is the sum of theirs, because each goes on with it."""

    @staticmethod
    def forward(_, part: Tensor) -> Tensor:
        part = part.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(part)
        return part

    @staticmethod
    def backward(_, gradient: Tensor) -> Tensor:
        return _Total.apply(gradient)


def total(part: Tensor) -> Tensor:
    """The sum over processes, which a gradient passes.  [...] -> [...]"""
    return part if world() == 1 else _Total.apply(part)


def whole(part: Tensor, length: int) -> Tensor:
    """All rows of a batch, from the `share` that each process has; a gradient passes.  [B / world, ...] -> [B, ...]"""
    if world() == 1:
        return part
    rows = part.new_zeros(length, *part.shape[1:])
    rows[share(length)] = part
    return total(rows)


@torch.no_grad()
def gathered(part: Tensor, mine: slice | Tensor, length: int) -> Tensor:
    """All rows of a data set, from those (`mine`) that each process has, in pieces and without a gradient."""
    if world() == 1:
        return part
    rows = part.new_zeros(length, *part.shape[1:])
    rows[mine] = part
    for piece in rows.split(PIECE):
        piece.copy_(total(piece.to(PartialState().device)))
    return rows


@torch.no_grad()
def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Put the mean over processes in the place of every gradient."""
    if world() == 1:
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    mean = total(torch.cat([gradient.flatten() for gradient in gradients])) / world()
    for gradient, part in zip(gradients, mean.split([gradient.numel() for gradient in gradients])):
        gradient.copy_(part.view_as(gradient))


@torch.no_grad()
def copy_from_first(tensors: Iterable[Tensor]) -> None:
    """Put what the first process holds into these tensors of all others."""
    if world() > 1:
        for tensor in tensors:
            dist.broadcast(tensor, 0)


def agree(number: int) -> bool:
    """Whether all processes have the same number, a hash for example."""
    if world() == 1:
        return True
    first = torch.tensor(number, device=PartialState().device)
    copy_from_first([first])
    return int(total((first != number).long())) == 0


class BatchNorm3d(nn.BatchNorm3d):
    """Batch normalisation by the statistics of the whole batch, over all processes.  [B, C, T, H, W] -> same

    PyTorch's own `SyncBatchNorm` needs GPUs.
    """

    def forward(self, x: Tensor) -> Tensor:
        if world() == 1 or not self.training:
            return super().forward(x)
        axes, shape, values = (0, 2, 3, 4), (1, -1, 1, 1, 1), x.float()
        count = total(values.new_tensor(values[:, 0].numel()))
        mean = total(values.sum(axes)) / count
        centred = values - mean.view(shape)
        variance = total(centred.square().sum(axes)) / count
        self.remember(mean.detach(), variance.detach() * count / (count - 1))
        scale = self.weight * (variance + self.eps).rsqrt()
        return (centred * scale.view(shape) + self.bias.view(shape)).to(x.dtype)

    def remember(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics, which `eval` uses, towards those of a batch.  [C], [C]"""
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)
