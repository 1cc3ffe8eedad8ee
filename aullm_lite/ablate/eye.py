"""The eye: a front end and the convolutions, trained once for each seed and front end, then at rest.

It learns with a projector and a linear head that are thrown away.  What it sees in every clip is kept in memory, so
that a step of any row costs no convolution.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..backbone import Backbone3D
from ..config import AULLMConfig
from ..losses import asl
from ..model import AULLM
from ..recipe import mirror
from .budget import Budget
from .learn import group, learn

FILTERS = ("stem.", "body.")  # of the 3D-CNN; `semantic`, behind them, learns on with the projector


@dataclass(frozen=True)
class Eye:
    """A front end, the convolutions' weights, and the texture features of all clips, half [N, 64, 2, 9, 9] a part.

    `mid["mirrored"]` are the training clips in the mirror.
    """

    motion: nn.Module
    filters: dict[str, Tensor]
    mid: dict[str, Tensor]

    def batch(self, rows: Tensor, flip: Tensor, device) -> Tensor:
        """Texture features of some training clips, some of them mirrored.  [B], bool [B] -> [B, 64, 2, 9, 9]"""
        mid = torch.where(flip.view(-1, 1, 1, 1, 1), self.mid["mirrored"][rows], self.mid["train"][rows])
        return mid.to(device).float()


def open_eye(motion: nn.Module, seen: dict[str, Tensor], labels: Tensor, budget: Budget, seed: int, device) -> Eye:
    """Train an eye on the training clips.  `seen` is what `people.look` gave; labels [N, K]"""
    torch.manual_seed(seed)
    model = AULLM(AULLMConfig(language_model="none"))
    model.motion, model.backbone = motion, Backbone3D(motion.channels, drop_rate=model.config.drop_rate)
    model, train, labels = model.to(device).train(), seen["train"], labels.to(device)

    def objective(rows: Tensor, flip: Tensor) -> Tensor:
        token = model.visual_token(mirror(_motion(motion, train[rows], device), flip.to(device)))
        return asl(model.au_head(model.hidden(token)), labels[rows.to(device)])

    parts = [*model.backbone.parameters(), *model.projector.parameters(), *model.au_head.parameters()]
    groups = [group(parts, budget.lr)]
    if any(weight.requires_grad for weight in motion.parameters()):
        groups.append(group(motion.parameters(), 10 * budget.lr, decay=0.0))  # three numbers that have far to go
    steps = budget.eye_epochs * max(1, len(train) // budget.eye_batch)
    learn(groups, objective, clips=len(train), steps=steps, batch=budget.eye_batch, seed=seed)
    return _at_rest(model.eval(), seen, device)


@torch.no_grad()
def _at_rest(model: AULLM, seen: dict[str, Tensor], device) -> Eye:
    """What a trained eye sees in all clips."""

    def features(clips: Tensor, flip: bool = False) -> Tensor:
        parts = (_motion(model.motion, some, device) for some in clips.split(64))
        parts = (mirror(some, torch.full((len(some),), flip, device=device)) for some in parts)
        return torch.cat([model.backbone(some)[0].to("cpu", torch.float16) for some in parts])

    mid = {name: features(clips) for name, clips in seen.items()} | {"mirrored": features(seen["train"], flip=True)}
    filters = {name: w.cpu() for name, w in model.backbone.state_dict().items() if name.startswith(FILTERS)}
    return Eye(model.motion, filters, mid)


def _motion(front: nn.Module, seen: Tensor, device) -> Tensor:
    """The motion of a batch, measured now or before.  [B, ...] -> [B, C, T-1, H, W]"""
    seen = seen.to(device).float()
    return seen if seen.ndim == 5 else front(seen / 255)
