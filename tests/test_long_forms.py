"""The long forms of tests of two processes and of full disks, in their smallest size.

That of kills is run by `test_kill.py`; soak and fuzz take what their short forms are made of.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


def can_mount(folder: Path) -> bool:
    mount = ["mount", "-t", "tmpfs", "tmpfs", folder]
    return sys.platform.startswith("linux") and not (subprocess.call(mount) or subprocess.call(["umount", folder]))


@pytest.mark.parametrize("name, option", [("two_at_once", "--pairs"), ("full_disk", "--sizes")])
def test_it_runs(tmp_path, name, option):
    if name == "full_disk" and not can_mount(tmp_path):
        pytest.skip("Only root can mount a small disk.")
    command = [sys.executable, f".github/{name}.py", "assets", option, "1", "--json", tmp_path / "figures.json"]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
    (row,) = json.loads((tmp_path / "figures.json").read_text())["works"]
    assert row["what"] == "assets" and row["wrong"] == 0
