"""The two losses against their formulas."""

import pytest
import torch

from aullm_lite.errors import InputError
from aullm_lite.losses import asl, bce, loss_function


def test_asl_without_focus_and_shift_is_bce():
    logits, labels = torch.randn(8, 5), (torch.rand(8, 5) > 0.5).float()
    assert torch.allclose(asl(logits, labels, focus=0.0, shift=0.0), bce(logits, labels), atol=1e-6)


def test_asl_weights_of_negatives_are_the_published_ones():
    """True ASL over BCE at p = 0.3 and 0.7, from the formula by hand."""
    for p in (0.3, 0.7):
        q = p - 0.05
        logit = torch.logit(torch.tensor([[p]]))
        assert asl(logit, torch.zeros(1, 1)).item() == pytest.approx(
            -(q**4) * torch.log(torch.tensor(1 - q)).item(), rel=1e-4
        )


def test_easy_negatives_have_no_gradient():
    logit = torch.logit(torch.tensor([[0.03]])).requires_grad_(True)
    asl(logit, torch.zeros(1, 1)).backward()
    assert logit.grad.abs().item() == 0


def test_unknown_loss_is_a_sentence():
    with pytest.raises(InputError, match="bce, asl"):
        loss_function("focal")
