"""Freed memory stays in the process where the C library lets it, and nothing breaks where it does not."""

import ctypes
import sys
from types import SimpleNamespace

import pytest

from aullm_lite.memory import keep_freed_memory


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: pytest.fail("no library is asked for"))
    assert keep_freed_memory() is False


def test_a_library_without_the_call_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace())
    assert keep_freed_memory() is False


def test_both_limits_are_set(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    asked = []
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace(mallopt=lambda *which: asked.append(which) or 1))
    assert keep_freed_memory() is True
    assert asked == [(-3, 1 << 30), (-1, 1 << 30)]
