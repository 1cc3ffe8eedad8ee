"""What is loaded once and shared by all visitors: the checkpoint and the finder of faces."""

from functools import cache
from threading import Lock

LOCK = Lock()


@cache
def _model():
    import torch

    from ..model import AULLM

    return AULLM.from_pretrained("demo").to("cuda" if torch.cuda.is_available() else "cpu")


@cache
def _finder():
    from ..faces import FaceFinder

    return FaceFinder()


def model():
    """The shipped checkpoint, loaded once however many visitors ask for it."""
    with LOCK:
        return _model()


def finder():
    """The finder of faces, safe to share between threads."""
    with LOCK:
        return _finder()
