"""The 3D-CNN: the paper's sizes and order of steps."""

import pytest
import torch
import torch.nn.functional as F

from aullm_lite.backbone import Backbone3D, SqueezeExcite
from aullm_lite.errors import InputError


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_sizes_of_the_features(channels):
    mid, high = Backbone3D(channels)(torch.randn(3, channels, 5, 64, 64))
    assert mid.shape == (3, 64, 2, 9, 9) and high.shape == (3, 256)


def test_number_of_weights():
    sizes = {name: p.numel() for name, p in Backbone3D(1).named_parameters() if p.ndim > 1}
    assert sorted(sizes.values()) == sorted([32 * 25, 64 * 32 * 2 * 3 * 3, 64 * 4, 4 * 64, 10368 * 256])


def test_same_as_the_steps_of_the_paper_one_by_one():
    backbone, motion = Backbone3D(2).eval(), torch.randn(2, 2, 5, 64, 64)
    with torch.no_grad():
        for module in backbone.modules():
            if isinstance(module, torch.nn.BatchNorm3d):  # statistics that leave a trace
                module.running_mean.uniform_(-1, 1), module.running_var.uniform_(0.5, 2), module.bias.uniform_(-1, 1)
        x = backbone.stem[3](F.max_pool3d(F.relu(backbone.stem[0](motion)), (1, 3, 3)))
        x = backbone.body[2](F.relu(backbone.body[0](x)))
        slices = [x[:, :, t] * gates_by_hand(backbone.body[3], x[:, :, t])[..., None, None] for t in range(4)]
        expected = F.max_pool3d(torch.stack(slices, 2), 2)
        mid, high = backbone(motion)
    assert torch.allclose(mid, expected, atol=1e-5)
    assert torch.allclose(high, F.relu(backbone.semantic[1](expected.flatten(1))), atol=1e-5)


def gates_by_hand(excite: SqueezeExcite, frame: torch.Tensor) -> torch.Tensor:
    """Gates of one time slice.  [B, C, H, W] -> [B, C]"""
    down, up = excite.gate[0].weight, excite.gate[2].weight
    return torch.sigmoid(F.relu(F.adaptive_avg_pool2d(frame, 1).flatten(1) @ down.T) @ up.T)


def test_pool_before_relu_has_the_same_gradient():
    x = torch.randn(2, 3, 4, 9, 9)
    gradients = []
    for chain in (lambda v: F.relu(F.max_pool3d(v, (1, 3, 3))), lambda v: F.max_pool3d(F.relu(v), (1, 3, 3))):
        leaf = x.clone().requires_grad_()
        chain(leaf).square().sum().backward()
        gradients.append(leaf.grad)
    assert torch.equal(*gradients) and gradients[0].count_nonzero() > 0


def test_wrong_motion_is_refused_with_both_shapes():
    with pytest.raises(InputError, match=r"\[B, 2, 5, 64, 64\], got \[3, 1, 5, 64, 64\]"):
        Backbone3D(2)(torch.randn(3, 1, 5, 64, 64))
