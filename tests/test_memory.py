"""Freed memory is kept or shared where the C library lets it be, and nothing breaks where it does not."""

import ctypes
import sys
from types import SimpleNamespace

import pytest

from aullm_lite.memory import keep_freed_memory, share_freed_memory

BOTH = pytest.mark.parametrize("adjust", [keep_freed_memory, share_freed_memory])


@BOTH
def test_other_systems_are_left_alone(monkeypatch, adjust):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: pytest.fail("no library is asked for"))
    assert adjust() is False


@BOTH
def test_a_library_without_the_call_is_left_alone(monkeypatch, adjust):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace())
    assert adjust() is False


@pytest.mark.parametrize(
    "adjust, wanted", [(keep_freed_memory, [(-3, 1 << 30), (-1, 1 << 30)]), (share_freed_memory, [(-8, 2)])]
)
def test_what_is_set(monkeypatch, adjust, wanted):
    monkeypatch.setattr(sys, "platform", "linux")
    asked = []
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace(mallopt=lambda *which: asked.append(which) or 1))
    assert adjust() is True and asked == wanted
