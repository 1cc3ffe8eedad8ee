"""Several processes: they end with the one that started them, whatever ends it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

WORKERS = """
import os, sys, time
from joblib import delayed
from aullm_lite.processes import processes

def name(seconds):
    print(os.getpid(), flush=True)
    time.sleep(seconds)

list(processes(2)(delayed(name)(60) for _ in range(2)))
"""
TRAINING = """
import os, time
from aullm_lite import distributed

distributed.start()
os.write(1, f"{os.getpid()}\\n".encode())  # at once: torchrun's processes print number and end of line apart
time.sleep(60)
"""
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]  # ended, not yet fetched


@pytest.mark.skipif(os.name == "nt", reason="Windows does not tell of a parent that has gone")
def test_a_process_that_begins_after_its_parent_was_killed_ends_at_once():
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    code = f"import time; from aullm_lite.processes import _begin; _begin({gone.pid}); time.sleep(600)"
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1], capture_output=True, timeout=300)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes as Linux shows them")
@pytest.mark.parametrize("how, code", [((), WORKERS), (TORCHRUN, TRAINING)], ids=["workers", "torchrun"])
def test_processes_end_with_the_one_that_was_killed(tmp_path, how, code):
    (tmp_path / "code.py").write_text(code)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *how, tmp_path / "code.py"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as parent:
        numbers = (int(line) for line in parent.stdout if line.strip().isdigit())
        workers = [next(numbers) for _ in range(2)]
        assert all(map(alive, workers))
        parent.kill()
        deadline = time.monotonic() + 20
        while any(map(alive, workers)) and time.monotonic() < deadline:
            time.sleep(0.05)
        left = [pid for pid in workers if alive(pid)]
    for pid in left:
        os.kill(pid, 9)
    assert not left
