"""The long forms of the fault tests run, each in its smallest size, and find nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


@pytest.mark.parametrize("name, option", [("two_at_once", "--pairs"), ("full_disk", "--sizes")])
def test_it_runs(tmp_path, name, option):
    command = [sys.executable, f".github/{name}.py", "assets", option, "1", "--json", tmp_path / "figures.json"]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, timeout=900)
    if done.stderr.startswith("Only root") or "mount" in done.stderr:
        pytest.skip("Only root can mount a small disk.")
    assert done.returncode == 0, done.stderr[-2000:]
    (row,) = json.loads((tmp_path / "figures.json").read_text())["works"]
    assert row["what"] == "assets" and row["wrong"] == 0
