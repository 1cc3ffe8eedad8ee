"""A fake Hub and its clients, each in a process of its own: the client reads the Hub's address when it is imported.

Clients are forked from a process that has imported torch already, which by itself takes longer than all else they do.
"""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["torch"])

ROOT = Path(__file__).parents[1]
COMMAND = """
import sys, time
time.sleep = lambda seconds: None  # the client waits 23 s in all before it gives up
from aullm_lite.hub import upload
upload.PATIENCE = 1.0
from aullm_lite.cli import main
sys.exit(main(sys.argv[1:]))
"""
FIND = """
import json, sys
from aullm_lite.checkpoint import find_source
from aullm_lite.errors import InputError
try:
    print(json.dumps(find_source(sys.argv[1], *sys.argv[2:]).facts()))
except InputError as error:
    print(error, file=sys.stderr)
    sys.exit(2)
"""


@contextmanager
def hub(folder: Path, fault: str = "") -> Iterator[str]:
    """The address of a fake Hub that keeps its state in a folder; killed at the end."""
    command = [sys.executable, str(ROOT / "tests" / "fake_hub.py"), str(folder), fault]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            yield server.stdout.readline().strip()
        finally:
            server.kill()


def client(code: str, *arguments: str, url: str, home: Path, **environment: str) -> subprocess.CompletedProcess:
    """Run Python code whose Hub is at this address, with a cache of its own."""
    settings = {
        "HF_ENDPOINT": url,
        "HF_HOME": str(home),
        "HF_TOKEN": "hf_test",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_ETAG_TIMEOUT": "2",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "PYTHONPATH": str(ROOT),
    }
    foreign = ("HF_", "HUGGING", "TRANSFORMERS_")  # settings of whoever runs the tests
    ours = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    with TemporaryDirectory() as folder:
        said = [Path(folder) / name for name in ("stdout", "stderr")]
        child = FORKS.Process(target=_run, args=(code, [*map(str, arguments)], ours | settings | environment, said))
        child.start()
        child.join(300)
        if child.is_alive():
            child.kill()
            raise TimeoutError(f"still running: {code} {arguments}")
        return subprocess.CompletedProcess(code, child.exitcode, *(path.read_text() for path in said))


def _run(code: str, arguments: list[str], environment: dict[str, str], said: list[Path]) -> None:
    """In the child: what `python -c CODE ARGUMENTS` does."""
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["-c", *arguments]
    for number, path in enumerate(said, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    exec(code, {"__name__": "__main__"})


def push(kind: str, *arguments: str, url: str, home: Path, **environment: str) -> subprocess.CompletedProcess:
    """`python -m aullm_lite push`, impatient."""
    return client(COMMAND, "push", kind, *arguments, url=url, home=home, **environment)


def one_sentence(done: subprocess.CompletedProcess, status: int = 2) -> str:
    """What a command that was refused printed: one line, and nothing else."""
    assert done.returncode == status, done.stderr
    assert done.stderr.count("\n") == 1 and not done.stdout, done.stderr + done.stdout
    return done.stderr.strip()


def requests(folder: Path, method: str) -> list[str]:
    """The paths that were asked for by one method."""
    lines = (folder / "requests.log").read_text().splitlines()
    return [line.partition(" ")[2] for line in lines if line.startswith(f"{method} ")]
