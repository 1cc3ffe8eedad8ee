"""The paper's motion filter: its numbers at the start values, and the properties that follow from the formula."""

import pytest
import torch

from aullm_lite.errors import InputError
from aullm_lite.motion.eulerian import EulerianMotion


@pytest.fixture
def clips():
    return torch.rand(2, 6, 7, 9, generator=torch.Generator().manual_seed(0))


def test_weights_at_the_start_values():
    weights = EulerianMotion().weights()
    later = torch.tensor([3.5, 1.925, 0.9887, 0.4353, 0.1111])
    onset = torch.tensor([3.5, -3.5, -5.425, -6.4137, -6.8491, -6.9602])
    assert torch.allclose(weights[0], onset, atol=1e-4)
    for i in range(1, 6):
        assert torch.allclose(weights[i, i:], later[: 6 - i], atol=1e-4)
    assert weights.shape == (6, 6) and weights.tril(-1).count_nonzero() == 0


@pytest.mark.parametrize("rates", [(0.4, 0.05), (0.9, 0.3), (0.1, 0.6)])
def test_static_clip_shows_no_motion(rates, clips):
    motion = EulerianMotion(r1=rates[0], r2=rates[1])
    assert motion.weights()[:, 1:].sum(0).abs().max() < 1e-5
    assert motion(clips[:, :1].expand(-1, 6, -1, -1)).abs().max() < 1e-6


def test_shape_range_and_formula(clips):
    motion = EulerianMotion()
    out, weights = motion(clips), motion.weights()
    assert out.shape == (2, 1, 5, 7, 9) and motion.channels == 1
    assert 0.05 < out.abs().max() <= 1
    b, j, y, x = 1, 3, 2, 5
    terms = [clips[b, i, y, x] * weights[i, j] for i in range(6)]
    assert torch.allclose(out[b, 0, j - 1, y, x], sum(terms) / (sum(abs(t) for t in terms) + 1e-8))


def test_values_below_zero_stay_in_range(clips):
    assert EulerianMotion()(clips - 0.5).abs().max() <= 1


def test_brighter_is_the_same_but_lighter_is_not(clips):
    motion = EulerianMotion()
    assert torch.allclose(motion(3 * clips), motion(clips), atol=1e-6)
    assert (motion(clips + 0.5) - motion(clips)).abs().max() > 0.05


def test_alpha_cancels(clips):
    assert torch.allclose(EulerianMotion(alpha=100.0)(clips), EulerianMotion()(clips), atol=1e-6)
    motion = EulerianMotion()
    motion(clips).square().sum().backward()
    assert motion.logit_rates.grad.abs().min() > 1e3 * motion.log_alpha.grad.abs()


def test_swapped_rates_flip_the_sign_and_equal_rates_see_nothing(clips):
    flipped = EulerianMotion(r1=0.05, r2=0.4)(clips)
    assert torch.allclose(flipped, -EulerianMotion()(clips), atol=1e-6)
    assert EulerianMotion(r1=0.3, r2=0.3)(clips).count_nonzero() == 0


def test_rates_stay_rates_wherever_training_takes_them(clips):
    motion = EulerianMotion()
    with torch.no_grad():
        motion.logit_rates.copy_(torch.tensor([30.0, -30.0]))
    assert torch.isfinite(motion(clips)).all() and motion(clips).abs().max() <= 1


def test_another_number_of_frames_is_refused(clips):
    with pytest.raises(InputError, match="6 frames, got 5"):
        EulerianMotion()(clips[:, :5])
