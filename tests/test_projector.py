"""The fusion projector: sizes, where-ness, and the size of its first tokens."""

import pytest
import torch

from aullm_lite.backbone import Backbone3D
from aullm_lite.errors import InputError
from aullm_lite.projector import FusionProjector


def features(batch: int = 4):
    return torch.rand(batch, 64, 2, 9, 9), torch.rand(batch, 256)


@pytest.mark.parametrize("width, hidden, millions", [(576, 5600, 62.7), (896, 5760, 66.4)])
def test_paper_size(width, hidden, millions):
    projector = FusionProjector(width, kind="paper")
    assert projector.mlp[0].weight.shape == (hidden, 10624) and projector.mlp[-1].weight.shape == (width, hidden)
    assert sum(p.numel() for p in projector.parameters()) / 1e6 == pytest.approx(millions, abs=0.05)


def test_paper_formula():
    projector, (mid, high) = FusionProjector(64, kind="paper").eval(), features()
    first, last = projector.mlp[0], projector.mlp[-1]
    joined = torch.cat([mid.reshape(4, -1), high], 1)
    expected = torch.relu(joined @ first.weight.T + first.bias) @ last.weight.T + last.bias
    assert torch.allclose(projector(mid, high)[:, 0], expected, atol=1e-5)


def test_lite_is_small():
    assert sum(p.numel() for p in FusionProjector(576).parameters()) < 1.2e6


@pytest.mark.parametrize("kind", ["lite", "paper"])
@pytest.mark.parametrize("token_std", [0.136, 0.02])
def test_first_tokens_are_as_large_as_words(kind, token_std):
    token = FusionProjector(64, kind=kind, token_std=token_std).eval()(*features(64))
    assert token.shape == (64, 1, 64)
    assert token.std().item() == pytest.approx(token_std, rel=0.1)


def test_first_tokens_of_real_features_are_so_too():
    backbone, projector = Backbone3D(2).eval(), FusionProjector(576).eval()
    with torch.no_grad():
        token = projector(*backbone(torch.randn(16, 2, 5, 64, 64)))
    assert 0.5 < token.std() / 0.136 < 2


def test_lite_sees_where_something_moved():
    projector, (mid, high) = FusionProjector(64).eval(), features(1)
    here, there = torch.zeros_like(mid), torch.zeros_like(mid)
    here[..., :3, :3], there[..., 6:, 6:] = 1, 1
    assert (projector(here, high) - projector(there, high)).std() > 0.1 * projector(here, high).std()


def test_bad_input_is_refused_with_the_shapes():
    with pytest.raises(InputError, match=r"got \[4, 64, 2, 8, 9\] and \[4, 256\]"):
        FusionProjector(64)(torch.rand(4, 64, 2, 8, 9), torch.rand(4, 256))
    with pytest.raises(InputError, match="choose lite or paper"):
        FusionProjector(64, kind="large")
