"""How events run: which of them wait for each other, and how bad input is shown.

All that takes long goes through one queue, a visitor at a time; the studio has its own, so that a slider is answered
while somebody else's clip is read.  Both may ask the model at once, because asking changes nothing in it; attributions,
which freeze its weights for a moment, all wait in the first.  What comes late is shown only where it still belongs.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps

import gradio as gr

from ..errors import InputError

PLAIN = dict(apply_default_css=False)  # our own style sheet, in place of that for prose
PRIVATE = dict(api_visibility="private")
QUICK = dict(queue=False, **PRIVATE)
TURN = dict(concurrency_limit=1, concurrency_id="model")  # one visitor at a time
MODEL = dict(**TURN, **PRIVATE)
STUDIO = dict(concurrency_limit=1, concurrency_id="studio", **PRIVATE)
FILES = dict(concurrency_limit=1, concurrency_id="files", **PRIVATE)
KEPT = 3600  # seconds for which a result can still be asked about, and after which files go; looked at as often
DELETED = "deleted when you leave this page, at the latest within two hours"  # that is, twice `KEPT`
MOST_WAITING = 32  # events in the queue: eight visitors, each with a few


@contextmanager
def friendly() -> Iterator[None]:
    """Show bad input as its one sentence, without a traceback."""
    try:
        yield
    except InputError as error:
        raise gr.Error(str(error), print_exception=False) from None


def with_its_inputs(function: Callable) -> Callable:
    """The function, but it also returns what it was asked with: see `if_current`."""

    @wraps(function)
    def asked(*inputs):
        plain = [one for one in inputs if not isinstance(one, (gr.Progress, gr.Request))]
        return plain, function(*inputs)

    return asked


def if_current(made: tuple[list, object] | None, *now):
    """What was made, if it was made from what still stands on the page; else the page stays as it is."""
    if made is None:
        return gr.skip()
    inputs, result = made
    return result if all(_same(one, other) for one, other in zip(inputs, now, strict=True)) else gr.skip()


def _same(one, other) -> bool:
    """The same object, or an equal choice: reports and clips hold arrays, which have no plain `==`."""
    return one is other or (isinstance(one, (str, int, float, tuple)) and one == other)


def need(result, sentence: str) -> None:
    """Ask for what has to come first, where it is missing."""
    if result is None:
        raise gr.Error(sentence, print_exception=False)
