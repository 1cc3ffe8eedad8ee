"""In what do two values differ?  In words that name a shape, a place or a size, so that a reader can act on them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn


def difference(got: Any, expected: Any, tolerance: float = 1e-4) -> str:
    """In words, in what two values differ; empty where they agree up to `tolerance`, absolute and relative."""
    if isinstance(expected, (Tensor, np.ndarray)):
        return _unequal_arrays(got, expected, tolerance)
    if isinstance(expected, Mapping):
        return _unequal_mappings(got, expected, tolerance)
    if isinstance(expected, (tuple, list)):
        return _unequal_sequences(got, expected, tolerance)
    if isinstance(expected, (float, np.floating)):
        return _unequal_arrays(got, np.asarray(expected), tolerance)
    try:
        same = bool(got == expected)
    except Exception:
        same = False
    return "" if same else f"got {_short(got)}, expected something else"


def changed(now: Any, before: Any) -> bool:
    """Whether arrays, tensors, weights or plain values, however they are put together, are no longer what they were."""
    if type(now) is not type(before):
        return True
    if isinstance(before, (Tensor, np.ndarray)):
        return _bytes(now) != _bytes(before)
    if isinstance(before, nn.Module):
        return changed(now.state_dict(), before.state_dict())
    if isinstance(before, Mapping):
        return now.keys() != before.keys() or any(changed(now[key], before[key]) for key in before)
    if isinstance(before, (tuple, list)):
        return len(now) != len(before) or any(map(changed, now, before))
    return isinstance(before, (str, int, float)) and repr(now) != repr(before)


def _bytes(array: Tensor | np.ndarray) -> tuple:
    array = array.detach().cpu().double().numpy() if isinstance(array, Tensor) else array
    return array.shape, array.tobytes()


def _unequal_arrays(got: Any, expected: Tensor | np.ndarray, tolerance: float) -> str:
    mine, true = _numbers(got), _numbers(expected)
    if mine is None:
        return f"got {_short(got)}, expected numbers"
    if isinstance(expected, Tensor) and not isinstance(got, Tensor):
        return f"got {type(got).__name__}, expected one torch tensor"
    if mine.shape != true.shape:
        return f"its shape is {list(mine.shape)}, expected {list(true.shape) or 'one number'}"
    if not mine.size or np.allclose(mine, true, rtol=tolerance, atol=tolerance, equal_nan=True):
        return ""
    if not np.array_equal(np.isfinite(mine), np.isfinite(true)):
        return "it holds values that are no numbers (nan or inf), or lacks those that belong there"
    if np.allclose(-mine, true, rtol=tolerance, atol=tolerance):
        return "its sign is turned round"
    if mine.shape == mine.T.shape and np.allclose(mine.T, true, rtol=tolerance, atol=tolerance):
        return "its rows and columns have changed places"
    return _how_far(np.abs(np.nan_to_num(mine) - np.nan_to_num(true)), tolerance * (1 + np.abs(np.nan_to_num(true))))


def _how_far(off: np.ndarray, allowed: np.ndarray) -> str:
    place = f" at {list(map(int, np.unravel_index(off.argmax(), off.shape)))}" if off.ndim else ""
    wrong = f", {np.mean(off > allowed):.0%} of the values are off" if off.size > 1 else ""
    return f"the values differ by up to {off.max():.3g}{place}{wrong}"


def _numbers(value: Any) -> np.ndarray | None:
    """The same in double precision; None for what holds no real numbers."""
    try:
        value = value.detach().cpu().double().numpy() if isinstance(value, Tensor) else np.asarray(value)
    except (TypeError, ValueError, RuntimeError):
        return None
    return value.astype(np.float64) if value.dtype.kind in "biuf" else None


def _unequal_sequences(got: Any, expected: Sequence, tolerance: float) -> str:
    if isinstance(got, (Tensor, np.ndarray)) and got.ndim:
        got = list(got)
    if not isinstance(got, (tuple, list)):
        return f"got {type(got).__name__}, expected {len(expected)} values in a tuple or list"
    if len(got) != len(expected):
        return f"it holds {len(got)} values, expected {len(expected)}"
    problems = (difference(mine, true, tolerance) for mine, true in zip(got, expected))
    return next((f"at [{n}] {problem}" for n, problem in enumerate(problems) if problem), "")


def _unequal_mappings(got: Any, expected: Mapping, tolerance: float) -> str:
    if not isinstance(got, Mapping):
        return f"got {type(got).__name__}, expected a dictionary"
    if set(got) != set(expected):
        return f"its keys are {_short(sorted(map(str, got)))}, expected {_short(sorted(map(str, expected)))}"
    problems = ((key, difference(got[key], expected[key], tolerance)) for key in expected)
    return next((f"{key!r}: {problem}" for key, problem in problems if problem), "")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
