"""Checks of exercises: right, not attempted, or wrong with the reason and a hint.

With `AULLM_STRICT=1` everything but a right answer raises `NotRight`.
"""

import copy
import inspect
import os
import re
from collections.abc import Callable, Sequence
from typing import Any

from torch import nn

from .compare import changed, difference

RIGHT, OPEN, WRONG = "✅", "✏️", "❌"
_states: dict[str, str] = {}  # of each exercise that was checked in this kernel


class NotRight(AssertionError):
    """An exercise is not right, and `AULLM_STRICT=1` asks to hear of it."""


def check(number: str, answer: Any, expected: Any, hint: str = "", tolerance: float = 1e-4) -> None:
    """Compare a value with the expected one, or test it: a function gets a copy of it and returns True, or a reason."""
    if _is_open(answer):
        return _tell(number, OPEN, "not attempted yet", hint)
    try:
        if callable(expected) and not isinstance(expected, nn.Module):
            said = expected(copy.deepcopy(answer))
            problem = "" if said is True else said if isinstance(said, str) else "not so"
        else:
            problem = difference(answer, expected, tolerance)
    except Exception as error:
        problem = f"looking at it raised {type(error).__name__}: {error}"
    _tell(number, WRONG if problem else RIGHT, problem, hint)


def check_fn(
    number: str, answer: Callable, reference: Callable, *inputs: Any, hint: str = "", tolerance: float = 1e-4
) -> None:
    """Compare a reader's function with the reference, both on their own copy of the same inputs.

    Exceptions become feedback, and inputs that were changed in place are reported.
    """
    if _is_open(answer):
        return _tell(number, OPEN, "not attempted yet", hint)
    mine, theirs, kept = (copy.deepcopy(inputs) for _ in range(3))
    expected = reference(*theirs)
    try:
        got = answer(*mine)
    except Exception as error:
        return _tell(number, WRONG, f"it raised {_named(error)}", hint)
    if _is_open(got):
        return _tell(number, OPEN, "not attempted yet, or `return` is missing", hint)
    problem = difference(got, expected, tolerance)
    if not problem and changed(mine, kept):
        return _tell(number, WRONG, "the result is right, but an input was changed in place: work on a copy", "")
    _tell(number, WRONG if problem else RIGHT, problem, hint)


def check_shape(number: str, answer: Any, shape: Sequence[int], hint: str = "") -> None:
    """Compare the shape of a tensor or array with the expected one."""
    if _is_open(answer):
        return _tell(number, OPEN, "not attempted yet", hint)
    got = tuple(getattr(answer, "shape", ()))
    problem = "" if got == tuple(shape) else f"its shape is {list(got)}, expected {list(shape)}"
    _tell(number, WRONG if problem else RIGHT, problem, hint)


def score(total: int) -> None:
    """Print how each exercise of this notebook stands, and how many of all are done."""
    done = sum(state == RIGHT for state in _states.values())
    print("   ".join(f"{state} {number}" for number, state in _states.items()))
    print(f"{done} of {total} exercises done.")


def state_of(number: str) -> str | None:
    """How an exercise stands: right, not attempted or wrong as its sign, None where it was not checked."""
    return _states.get(number)


def forget() -> None:
    """Start anew, as in a fresh kernel."""
    _states.clear()


def _is_open(answer: Any) -> bool:
    return answer is None or answer is ...


def _tell(number: str, state: str, problem: str, hint: str) -> None:
    _states[number] = state
    if state == RIGHT:
        print(f"{state} {number}")
        return
    said = f"{state} {number}: {problem}." + (f" Hint: {hint}." if hint and state == WRONG else "")
    if os.environ.get("AULLM_STRICT") == "1":
        raise NotRight(said)
    print(said)


def _named(error: Exception) -> str:
    """The exception, and the line of the reader's own function where it arose."""
    frames = inspect.getinnerframes(error.__traceback__) if error.__traceback__ else []
    own = [frame.lineno for frame in frames if re.search("ipykernel_|ipython-input", frame.filename)]
    return f"{type(error).__name__}: {error}" + (f" (line {own[-1]} of its cell)" if own else "")
