"""Files and folders: whole or not at all, swept after a kill, and held by one process at a time."""

import errno
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from listing import names

from aullm_lite.errors import InputError
from aullm_lite.files import alone, appearing, write_together

HOLD = "import sys, time; from pathlib import Path; from aullm_lite.files import {name}\n"
HOLD += "with {name}(Path(sys.argv[1])) as place:\n"
HOLD += "    if place: (place / 'half').write_text('half')\n"
HOLD += "    print('held', flush=True); time.sleep(60)\n"


@contextmanager
def held_elsewhere(name: str, place: Path):
    """Another process inside `with name(place)`; leaving the block kills it."""
    command = [sys.executable, "-c", HOLD.format(name=name), str(place)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1]) as process:
        try:
            assert process.stdout.readline() == b"held\n"
            yield process
        finally:
            process.kill()  # SIGKILL


def make(out: Path, content: str = "whole") -> None:
    with appearing(out) as whole:
        (whole / "file").write_text(content)


# One process at a time


def test_a_folder_that_another_process_holds_is_refused_until_it_is_killed(tmp_path):
    with held_elsewhere("alone", tmp_path):
        with pytest.raises(InputError, match="Another process is writing to .*: wait"):
            alone(tmp_path).__enter__()
    with alone(tmp_path):
        with pytest.raises(InputError), alone(tmp_path):
            pass


def test_parts_of_a_folder_may_be_held_by_several(tmp_path):
    with alone(tmp_path, "0-of-2"), alone(tmp_path, "1-of-2"):
        with pytest.raises(InputError):
            alone(tmp_path, "1-of-2").__enter__()


def test_who_waits_comes_after(tmp_path):
    def taken() -> bool:
        with alone(tmp_path, wait=True):
            return True

    with held_elsewhere("alone", tmp_path) as process, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(taken)
        with pytest.raises(TimeoutError):
            waiting.result(0.2)
        process.kill()
        assert waiting.result(30)


# What a kill leaves


def test_what_a_kill_left_of_a_folder_goes_and_the_next_run_makes_it_whole(tmp_path):
    out = tmp_path / "set"
    with held_elsewhere("appearing", out):
        assert not out.exists()
        with pytest.raises(InputError, match="Another process"):
            make(out)
    assert not out.exists() and names(tmp_path)  # the hidden half of the killed process
    make(out)
    assert names(tmp_path) == ["set"] and (out / "file").read_text() == "whole"


def test_folders_of_others_with_a_name_alike_stay(tmp_path):
    others = [".set", ".set-mine", ".set1.partial-mine"]
    for name in others:
        (tmp_path / name).mkdir()
    make(tmp_path / "set")
    make(tmp_path / "set[1]")
    assert names(tmp_path) == [*others, "set", "set[1]"]


def test_a_folder_that_was_made_meanwhile_is_not_touched(tmp_path):
    out = tmp_path / "set"
    make(out, "first")
    with pytest.raises(InputError, match="exists already"):
        make(out, "second")
    assert (out / "file").read_text() == "first"


def test_a_holder_of_the_whole_folder_sweeps_what_kills_left(tmp_path):
    for name in ("state.safetensors.0123abcd.partial", "state.safetensors", "notes.partial"):
        (tmp_path / name).touch()
    with alone(tmp_path, "0-of-2"):
        assert "state.safetensors.0123abcd.partial" in names(tmp_path)  # another part may be writing it now
    with alone(tmp_path):
        pass
    assert names(tmp_path) == ["notes.partial", "state.safetensors"]


def test_old_halves_are_swept_when_something_is_written_beside_them(tmp_path):
    old, new, other = (tmp_path / name for name in ("a.11111111.partial", "a.2222222f.partial", "b.33333333.partial"))
    for path in (old, new, other):
        path.touch()
    long_ago = time.time() - 3600
    for path in (old, other):
        os.utime(path, (long_ago, long_ago))
    write_together({tmp_path / "a": b"1"})
    assert names(tmp_path) == ["a", "a.2222222f.partial"]


# A full disk


def test_a_full_disk_keeps_the_old_files_and_is_told_by_name(tmp_path, monkeypatch):
    write_together({tmp_path / name: b"old" for name in "ab"})
    written = []

    def full(file):
        written.append(1)
        if len(written) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("aullm_lite.files.os.fsync", full)
    with pytest.raises(OSError, match="No space left") as error:
        write_together({tmp_path / name: b"new" for name in "ab"})
    assert error.value.filename == str(tmp_path / "b") and names(tmp_path) == ["a", "b"]
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == b"old"
