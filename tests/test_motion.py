"""Lucas-Kanade flow against movements that are known, and the rigid head against heads that are known."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from aullm_lite.facs import face_grid
from aullm_lite.motion.lucas_kanade import LucasKanadeMotion, blur, gaussian_matrix, gradient, warp
from aullm_lite.motion.rigid import RigidHead, depth_template
from aullm_lite.synth.fields import au_field
from aullm_lite.synth.render import head_field


def texture(seed: int = 0, size: int = 64) -> torch.Tensor:
    """Smooth random texture around mid grey.  -> [H, W]"""
    noise = torch.rand(1, 1, size, size, generator=torch.Generator().manual_seed(seed))
    smooth = blur(noise, gaussian_matrix(size, 1.5))
    return (0.5 + 0.1 * (smooth - smooth.mean()) / smooth.std())[0, 0]


def moved(image: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    """The image after its pixels went along the flow (fine for smooth flow).  [H, W], [2, H, W] -> [H, W]"""
    return warp(image[None, None], -flow[None])[0, 0]


def clip_of(image: torch.Tensor, flows) -> torch.Tensor:
    return torch.stack([image, *(moved(image, torch.as_tensor(flow)) for flow in flows)])[None]


@pytest.mark.parametrize("shift", [(0.3, 0.0), (0.0, -0.8), (1.5, 1.0), (-3.0, 2.0)])
def test_raw_flow_finds_a_shift(shift):
    flow = torch.tensor(shift).view(2, 1, 1).expand(2, 64, 64)
    found, _ = LucasKanadeMotion().flow(clip_of(texture(), [flow]))
    middle = found[0, 0, :, 12:-12, 12:-12].mean((1, 2))
    assert torch.allclose(middle, torch.tensor(shift), atol=0.08)


def test_local_movement_stays_and_has_its_direction():
    field = torch.from_numpy(au_field(12)).float()
    motion = LucasKanadeMotion()(clip_of(texture(), [field, 2 * field]))
    inside = field.norm(dim=0) > 0.6
    for step, strength in enumerate((1, 2)):
        error = (motion[0, :, step] - strength * field).norm(dim=0)
        assert error[inside].mean() < 0.35 * strength
        assert error[~inside].mean() < 0.15 * strength


def test_still_clip_has_no_motion():
    assert LucasKanadeMotion()(texture().expand(2, 6, 64, 64)).abs().max() < 1e-5


def test_light_changes_are_no_motion():
    image = texture()
    slope = torch.linspace(-0.1, 0.1, 64)
    clip = torch.stack([image, image * 1.2, image + 0.1, image + slope])[None]
    assert LucasKanadeMotion()(clip).abs().mean() < 0.03


@pytest.mark.parametrize(
    "pose", [(3, 0, 0, 0, 0, 0), (0, 3, 0, 0, 0, 0), (0, 0, 3, 0, 0, 0), (0, 0, 0, 3, 0, 0), (1, -1, 1, 1, 1, 1)]
)
def test_head_movement_is_taken_away(pose):
    x, y = face_grid(64)
    flow = torch.from_numpy(head_field(pose, x, y) * 32)
    face = torch.from_numpy(np.hypot(x / 0.8, y / 0.95) < 1)
    raw, _ = LucasKanadeMotion().flow(clip_of(texture(), [flow]))
    left = LucasKanadeMotion()(clip_of(texture(), [flow]))[0, :, 0]
    assert left.norm(dim=0)[face].mean() < 0.15 * raw[0, 0].norm(dim=0)[face].mean()


def test_rigid_fit_ignores_an_action_unit():
    basis = torch.stack([torch.ones(64, 64), *(torch.from_numpy(a).float() for a in face_grid(64)), depth_template(64)])
    rigid = torch.einsum("ak,khw->ahw", torch.tensor([[1.0, 0.3, -0.2, 1.0], [-0.5, 0.2, 0.3, 0.5]]), basis)
    flow = rigid + 2 * torch.from_numpy(au_field(12)).float()
    fitted = RigidHead()(flow[None], torch.ones(1, 64, 64))[0]
    assert (fitted - rigid).abs().mean() < 0.05


def test_gradients_reach_the_pixels():
    clip = texture().repeat(1, 3, 1, 1) + 0.01 * torch.rand(1, 3, 64, 64)
    clip.requires_grad_(True)
    LucasKanadeMotion()(clip).square().sum().backward()
    assert torch.isfinite(clip.grad).all() and clip.grad.abs().sum() > 0


def test_clips_do_not_influence_each_other():
    motion = LucasKanadeMotion()
    clips = torch.stack([clip_of(texture(s), [torch.full((2, 64, 64), 0.5)])[0] for s in range(3)])
    assert torch.allclose(motion(clips)[1:2], motion(clips[1:2]), atol=1e-4)


def test_blur_and_gradient_against_torch():
    image = texture()[None, None]
    gx, gy = gradient(image)
    sobel = F.conv2d(image, torch.tensor([[[[-0.5, 0, 0.5]]]]))
    assert torch.allclose(gx[..., 1:-1], sobel, atol=1e-6) and gy.shape == image.shape
    assert torch.allclose(blur(torch.ones(1, 64, 64), gaussian_matrix(64, 2.0)), torch.ones(1, 64, 64), atol=1e-5)
