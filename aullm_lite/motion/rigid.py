"""The head as a rigid body: what part of a flow field would a turning, tilting, nearing, sliding head make?

Seen from far away a rigid head moves each of its points by an affine function of x, y and depth z, so with a template
of z the flow of each axis is a sum of four known maps, [1, x, y, z], and fitting it is a small weighted least-squares
problem.  Weights say where the skin is textured and where no AU pulls; a few rounds of re-weighting then let what
still disagrees (an AU, a blink) lose its vote.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..facs import face_grid

# (x, y, rx, ry) of what AUs move least: nose bridge, eye corners, temples, nose sides, cheek sides, upper forehead.
STABLE = (
    (0.0, -0.30, 0.10, 0.12),
    (0.24, -0.30, 0.08, 0.08),
    (0.62, -0.30, 0.14, 0.25),
    (0.10, 0.02, 0.10, 0.12),
    (0.66, 0.15, 0.12, 0.25),
    (0.25, -0.85, 0.30, 0.12),
)


def depth_template(size: int) -> Tensor:
    """Height of an average head above the plane of its eyes: half an ellipsoid and a nose.  S -> [S, S]"""
    x, y = (torch.from_numpy(axis).float() for axis in face_grid(size))
    ellipsoid = (1 - x**2 - ((y - 0.05) / 1.3) ** 2).clamp_min(0.02).sqrt() * 0.8
    nose = 0.2 * torch.exp(-0.5 * (x / 0.13) ** 2 - 0.5 * ((y - 0.08) / 0.17) ** 2)
    return ellipsoid + nose


def stable_map(size: int) -> Tensor:
    """Prior weight of each pixel in the fit: high on the stable parts, a little elsewhere on the face.  S -> [S, S]"""
    x, y = (torch.from_numpy(axis).float() for axis in face_grid(size))
    weight = 0.05 * torch.sigmoid((1 - (x / 0.85) ** 2 - ((y - 0.05) / 1.1) ** 2) * 8)
    for cx, cy, rx, ry in STABLE:
        for sign in (1, -1):
            weight = weight + torch.exp(-0.5 * ((x - sign * cx) / rx) ** 2 - 0.5 * ((y - cy) / ry) ** 2)
    return weight


def rigid_basis(size: int) -> Tensor:
    """The maps whose weighted sums are all rigid flows of one axis: 1, x, y, z.  S -> [4, S*S]"""
    x, y = (torch.from_numpy(axis).float() for axis in face_grid(size))
    return torch.stack([torch.ones_like(x), x, y, depth_template(size)]).flatten(1)


class RigidHead(nn.Module):
    """The rigid part of a flow field, fitted robustly at half the size.  [N, 2, H, W], [N, H, W] -> [N, 2, H, W]"""

    def __init__(self, size: int = 64, *, rounds: int = 5, scale: float = 0.15):
        super().__init__()
        self.register_buffer("basis", rigid_basis(size), persistent=False)  # [4, P], P pixels
        self.register_buffer("coarse", rigid_basis(size // 2), persistent=False)  # [4, Q], Q = P / 4
        self.register_buffer("prior", stable_map(size // 2).flatten(), persistent=False)
        self.rounds, self.scale = rounds, scale

    def forward(self, flow: Tensor, texture: Tensor) -> Tensor:
        target = F.avg_pool2d(flow, 2).flatten(2)  # [N, 2, Q]
        trust = self.prior * F.avg_pool2d(texture, 2).flatten(1)  # [N, Q]
        coefficients = self.fit(target, trust)
        for _ in range(self.rounds):
            distance = (target - coefficients @ self.coarse).square().sum(1)
            coefficients = self.fit(target, trust / (1 + distance / self.scale**2))  # Cauchy's weight
        return (coefficients @ self.basis).view_as(flow)

    def fit(self, target: Tensor, weight: Tensor) -> Tensor:
        """Weighted least squares of both axes on the basis.  [N, 2, Q], [N, Q] -> [N, 2, 4]"""
        weighted = self.coarse * (weight / (weight.sum(1, keepdim=True) + 1e-9))[:, None]  # [N, 4, Q]
        normal = weighted @ self.coarse.mT + 1e-5 * torch.eye(4, dtype=target.dtype, device=target.device)
        return torch.linalg.solve(normal, weighted @ target.mT).mT
