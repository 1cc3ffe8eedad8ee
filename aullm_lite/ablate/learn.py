"""One loop for all stages, and the head in closed form."""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import InputError
from ..recipe import one_cycle

Objective = Callable[[Tensor, Tensor], Tensor]  # numbers of the clips [B], which of them to mirror [B] -> loss []


def learn(groups: list[dict], objective: Objective, *, clips: int, steps: int, batch: int, seed: int) -> None:
    """Minimise an objective over `steps` random batches.  Groups are (params, peak rate, weight_decay).

    Raises `InputError` where the loss is no number any more.
    """
    torch.manual_seed(seed)  # of dropout
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98))
    weights = [weight for group in groups for weight in group["params"]]
    for step, (rows, flip) in enumerate(batches(clips, steps, batch, seed)):
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * one_cycle(step / steps)
        loss = objective(rows, flip)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
    if steps and not torch.isfinite(loss):
        raise InputError("Training went astray, its loss is no number: lower the rates of the budget.")


def batches(clips: int, steps: int, batch: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Numbers of clips, each once an epoch, and whether to mirror them.  -> [B], bool [B]"""
    generator = torch.Generator().manual_seed(seed)
    epochs = -(-steps * batch // clips)
    order = torch.cat([torch.randperm(clips, generator=generator) for _ in range(epochs)] or [torch.zeros(0)])
    for step in range(steps):
        yield order[step * batch : (step + 1) * batch], torch.rand(batch, generator=generator) < 0.5


def group(params, peak: float, *, decay: float = 0.01) -> dict:
    """A group of weights for the optimizer, those of them that may learn."""
    return {"params": [weight for weight in params if weight.requires_grad], "peak": peak, "weight_decay": decay}


@torch.enable_grad()
def fit_head(hidden: Tensor, labels: Tensor, *, ridge: float = 1e-3, steps: int = 100) -> tuple[Tensor, Tensor]:
    """Logistic regression of each AU on hidden states, by L-BFGS.  [N, E], [N, K] -> [K, E], [K]

    What a linear reader gets out of the states as they are, the same fair way for every row.
    """
    centre, spread = hidden.mean(0), hidden.std(0).clamp_min(1e-6)
    states = (hidden - centre) / spread
    weight = torch.zeros(labels.shape[1], hidden.shape[1], device=hidden.device, requires_grad=True)
    bias = torch.full((labels.shape[1],), -2.0, device=hidden.device, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=steps, history_size=20, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(F.linear(states, weight, bias), labels)
        loss = loss + ridge / 2 * weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    weight = weight.detach() / spread
    return weight, bias.detach() - weight @ centre
