"""Kill a command at any moment, go on with it, and compare the end with that of a run that nobody disturbed.

Every run is a fork of a process that has imported all there is to import, so that a kill lands in the work.  It comes
after a share of the undisturbed time, or near the n-th of the file operations, where something could be half-written.
Only for systems that can fork.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from listing import everything

HOUR = 3600
STEPS = 4  # calls and returns after a file operation within which it is killed: a file is empty, then it is written


@dataclass(frozen=True)
class Work:
    """What is tried: `run(folder, go_on)` gives its exit status, the others say what then lies in the folder.

    `broken` are sentences on what is half-written under a name that is read; `kept` is what must be there, unchanged,
    when a resumed run ends; `result` is what must be the same as without a kill.  All answers are plain JSON.
    """

    name: str
    run: Callable[[Path, bool], int]
    broken: Callable[[Path], list[str]]
    kept: Callable[[Path], dict]
    result: Callable[[Path], dict]


@dataclass
class Moment:
    """When to kill: after `seconds`, or so many `steps`, calls and returns, after the file operation `number`."""

    seconds: float | None = None
    number: int | None = None
    steps: int = 0


NEVER = Moment()


@dataclass
class Found:
    """What a series of kills did."""

    kills: int = 0
    lost: list[str] = field(default_factory=list)
    half_written: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Whole:
    """What a run makes that nobody disturbs: its result and files, how long it takes, and how many file operations."""

    result: dict
    names: list[str]
    seconds: float
    operations: int

    def differing(self, work: Work, out: Path) -> list[str]:
        """The first parts of the result in a folder that are not as they should be."""
        try:
            made = asked(work.result, out)
        except RuntimeError as error:
            return [str(error)[-500:]]
        names = sorted(self.result.keys() | made.keys())
        return [name for name in names if self.result.get(name) != made.get(name)][:5]

    def left_over(self, out: Path) -> list[str]:
        return sorted(set(everything(out)) - set(self.names))


def torment(work: Work, place: Path, kills: int, seed: int = 0, say: Callable[[Found], object] = str) -> Found:
    """Kill a work so many times: a run, then what resumes it, each pair in a new folder inside `place`.

    The runs are killed at moments that are spread evenly, what resumes them at random; `say` hears of each pair.
    """
    rng, found = random.Random(seed), Found()
    whole = undisturbed(work, place / "whole")
    while found.kills < kills:
        out = place / f"trial-{found.kills}"
        share = (found.kills + rng.random()) / kills
        first = moment(rng, rng.random() < 0.5, share, whole)
        again = moment(rng, rng.random() < 0.5, (1 - share) * rng.random(), whole)
        _trial(work, out, [first, again][: kills - found.kills], found)
        if different := whole.differing(work, out):
            found.lost.append(f"{out.name} ends otherwise: {different}")
        found.left_over += whole.left_over(out)
        shutil.rmtree(out)
        say(found)
    return found


def _trial(work: Work, out: Path, moments: list[Moment], found: Found) -> None:
    """Run, kill, resume at once, kill, and let the last one end, which comes an hour later."""
    kept, begun = {}, []
    for go_on, when in zip((False, True, True), [*moments, NEVER]):
        if when is NEVER:
            _an_hour_passes(out, begun)
        begun.append(start(work, out, go_on, when))
        status = ended(begun[-1], when)
        if status == -signal.SIGKILL:
            found.kills += 1
            found.half_written += asked(work.broken, out)
            kept = asked(work.kept, out) | kept  # what it was when it was first there
        elif status:
            found.failed.append(f"{work.name} ended with {status}: {log(out).read_text()[-500:]}")
    now = asked(work.kept, out)
    found.lost += [f"{name} was done again" for name, value in kept.items() if now.get(name) != value]


def _an_hour_passes(out: Path, begun: list[int]) -> None:
    """What was started has ended, and halves of files are old: young ones may be those of another machine, and stay."""
    for group in begun:
        _end_of(group)
    for half in out.rglob("*.partial"):
        with suppress(FileNotFoundError):
            os.utime(half, (time.time() - HOUR,) * 2)


def _end_of(group: int) -> None:
    """Wait for all processes of a group, a minute at most."""
    deadline = time.monotonic() + 60
    with suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(group, 0)
            time.sleep(0.05)
        os.killpg(group, signal.SIGKILL)


def moment(rng: random.Random, aimed: bool, share: float, whole: Whole) -> Moment:
    """After a share of the time, or, aimed, at a share of the file operations."""
    if aimed:
        return Moment(number=int(share * whole.operations), steps=rng.randrange(STEPS))
    return Moment(seconds=share * whole.seconds)


def undisturbed(work: Work, out: Path) -> Whole:
    """Run a work to its end."""
    begun = time.perf_counter()
    if status := ended(start(work, out, False)):
        raise RuntimeError(f"{work.name} fails undisturbed, with {status}: {log(out).read_text()[-2000:]}")
    seconds, operations = time.perf_counter() - begun, int(log(out).read_text().split()[-1])
    return Whole(asked(work.result, out), everything(out), seconds, operations)


def start(work: Work, out: Path, go_on: bool, when: Moment = NEVER, words: str = "") -> int:
    """Begin to run in a fork, which an aimed kill will end from inside; its number.  See `log` for `words`."""
    out.mkdir(parents=True, exist_ok=True)
    if not (pid := os.fork()):
        _child(work, out, go_on, when, log(out, words))
    return pid


def ended(pid: int, when: Moment = NEVER) -> int:
    """Wait for a fork, or kill it when its time has come; its exit status, less than zero for a signal.

    Processes that it has started live on for a while, as they do where somebody kills it.
    """
    if when.seconds is not None:
        _wait(pid, when.seconds)
        os.kill(pid, signal.SIGKILL)  # nothing where it has ended meanwhile
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _wait(pid: int, seconds: float) -> None:
    """Sleep, but not beyond the end of the process, which stays to be waited for."""
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline and not os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        time.sleep(min(0.002, max(0.0, deadline - time.perf_counter())))


def _child(work: Work, out: Path, go_on: bool, when: Moment, told: Path) -> None:
    """Do the work in a process group of its own; its words go to a file, the number of file operations last."""
    os.setsid()
    words = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(words, 1), os.dup2(words, 2)
    count, status = _counted(out, when), 70
    try:
        status = work.run(out, go_on)
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush(), sys.stderr.flush()
    os.write(words, f"\n{count[0]}".encode())
    os._exit(status)


def _counted(out: Path, when: Moment) -> list[int]:
    """Count the files that are begun in a folder or put in place, and be killed near one of them."""
    count, inside = [0], str(out)

    def hook(event: str, args: tuple) -> None:
        begins = event == "open" and (args[2] or 0) & os.O_CREAT
        if (begins or event == "os.rename") and str(args[0]).startswith(inside):
            if when.number == count[0]:
                _end_after(when.steps)
            count[0] += 1

    sys.addaudithook(hook)
    return count


def _end_after(steps: int) -> None:
    """Be killed so many calls and returns later, those of functions in C too."""
    left = iter(range(steps))

    def step(*_) -> None:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(step)


def asked(question: Callable[[Path], object], out: Path):
    """The answer to a question about a folder, found in a fork: reading may start threads, which no fork survives."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reading)
        try:
            answer = json.dumps(question(out))
        except BaseException:
            answer = json.dumps({"error": traceback.format_exc()})
        with os.fdopen(writing, "w") as file:
            file.write(answer)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        answer = json.loads(file.read())
    os.waitpid(pid, 0)
    if isinstance(answer, dict) and "error" in answer:
        raise RuntimeError(answer["error"])
    return answer


def log(out: Path, words: str = "") -> Path:
    """Where the words of a run go: beside its folder, in a file of that name."""
    return out.with_suffix(f".{words}.log" if words else ".log")
