"""Lucas-Kanade flow in plain torch: where did the skin of the onset frame go?

Lucas and Kanade (1981) assume that a small patch keeps its brightness while it moves by d.  Linearised around the
patch this is one equation a pixel, gx*dx + gy*dy = onset - later; summed over the patch with Gaussian weights < > it is

    [ <gx gx>  <gx gy> ] [dx]   [ <gx e> ]
    [ <gx gy>  <gy gy> ] [dy] = [ <gy e> ],     e = onset - later(x + d)

The gradients are those of the onset frame (Baker and Matthews 2004, inverse form), so the matrix is built once a clip.
Coarse-to-fine handles movements longer than the patch.  At the end the part of the flow that a rigid head would make is
fitted on the stable parts of the face and taken away, because a nod is no Action Unit.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..facs import face_grid
from .rigid import RigidHead


def gaussian_matrix(size: int, sigma: float) -> Tensor:
    """Gaussian blur of a line of pixels as a matrix; rows sum to one, also at the border.  S -> [S, S]"""
    position = torch.arange(size, dtype=torch.float32)
    weight = torch.exp(-0.5 * ((position[:, None] - position[None]) / sigma) ** 2)
    return weight / weight.sum(1, keepdim=True)


def blur(image: Tensor, matrix: Tensor) -> Tensor:
    """Separable blur as two matrix products, rows and columns.  [..., H, W], [S, S] -> [..., H, W]"""
    return matrix @ image @ matrix.mT


def gradient(image: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences along x and y, per pixel.  [..., H, W] -> [..., H, W], [..., H, W]"""
    padded = F.pad(image, (1, 1, 1, 1), mode="replicate")
    return (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2, (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2


def warp(image: Tensor, flow: Tensor) -> Tensor:
    """Look up each pixel where the flow says it went.  [N, C, H, W], [N, 2, H, W] -> [N, C, H, W]"""
    size = image.shape[-1]
    x, y = face_grid(size)
    rest = torch.stack([torch.from_numpy(x), torch.from_numpy(y)], -1).to(flow)
    grid = rest + flow.permute(0, 2, 3, 1) * (2 / size)
    return F.grid_sample(image, grid, padding_mode="border", align_corners=False)


class LucasKanadeMotion(nn.Module):
    """Flow from onset to every later frame, in pixels, head movement removed.  [B, T, H, W] -> [B, 2, T-1, H, W]

    `window` is the Gaussian patch (pixels), `ridge` steadies the 2x2 system where the skin shows no texture, `levels`
    are the image sizes from coarse to fine, `steps` how often the flow is refined on each, and `reach` the longest
    displacement that is believed (pixels, each axis).
    """

    channels = 2

    def __init__(
        self,
        size: int = 64,
        *,
        window: float = 2.0,
        ridge: float = 0.03,
        levels: int = 3,
        steps=(3, 2, 1),
        reach: float = 8.0,
    ):
        super().__init__()
        self.sizes = [size // 2**level for level in reversed(range(levels))]
        self.steps, self.ridge, self.reach = steps, ridge, reach
        for s in self.sizes:
            self.register_buffer(f"window_{s}", gaussian_matrix(s, window), persistent=False)
            self.register_buffer(f"local_{s}", gaussian_matrix(s, 4.0), persistent=False)
        self.register_buffer("smooth", gaussian_matrix(size, 0.6), persistent=False)
        self.rigid = RigidHead(size)

    def forward(self, clips: Tensor) -> Tensor:
        flow, texture = self.flow(clips)
        b, steps = flow.shape[:2]
        residual = flow - self.rigid(flow.flatten(0, 1), texture.repeat_interleave(steps, 0)).view_as(flow)
        return residual.clamp(-self.reach, self.reach).transpose(1, 2)

    def flow(self, clips: Tensor) -> tuple[Tensor, Tensor]:
        """Raw flow, and the texture that supports it.  [B, T, H, W] -> [B, T-1, 2, H, W], [B, H, W]"""
        b, t = clips.shape[:2]
        frames = blur(clips, self.smooth)
        flow = None
        for size, steps in zip(self.sizes, self.steps):
            level = self.normalise(F.adaptive_avg_pool2d(frames, size), size)
            flow, texture = self.refine(level, flow, size, steps)
        return flow.view(b, t - 1, 2, size, size), texture

    def normalise(self, frames: Tensor, size: int) -> Tensor:
        """Local contrast normalisation: light and exposure may change, texture stays.  [B, T, H, W] -> [B, T, H, W]"""
        local = getattr(self, f"local_{size}")
        centred = frames - blur(frames, local)
        return centred / (blur(centred.square(), local) + 0.03**2).sqrt()

    def refine(self, frames: Tensor, flow: Tensor | None, size: int, steps: int) -> tuple[Tensor, Tensor]:
        """Sharpen the flow on one level of the pyramid.  [B, T, H, W], [N, 2, h, w] -> [N, 2, H, W], [B, H, W]"""
        b, t = frames.shape[:2]
        window = getattr(self, f"window_{size}")
        onset, later = frames[:, :1], frames[:, 1:]
        gx, gy = gradient(onset)
        xx, xy, yy = (blur(product, window) for product in (gx * gx, gx * gy, gy * gy))
        xx, yy = xx + self.ridge, yy + self.ridge
        determinant = xx * yy - xy * xy
        flow = (
            later.new_zeros(b * (t - 1), 2, size, size)
            if flow is None
            else 2 * F.interpolate(flow, size=size, mode="bilinear")
        )
        for _ in range(steps):
            error = onset - warp(later.reshape(-1, 1, size, size), flow).view_as(later)
            ex, ey = blur(gx * error, window), blur(gy * error, window)
            step = torch.stack([(yy * ex - xy * ey) / determinant, (xx * ey - xy * ex) / determinant], 2)
            flow = flow + step.flatten(0, 1).clamp(-1.5, 1.5)
        return flow, (determinant / (xx + yy))[:, 0]
