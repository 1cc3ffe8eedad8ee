"""One experiment in one folder: rows of methods over the folds of a protocol, resumed and shared out at will."""

import io
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd

from .. import __version__
from ..checkpoint import find_checkpoint, read_config
from ..clips import ClipSet, join
from ..errors import InputError
from ..files import alone, drawn, sweep_halves, write_together
from .folds import Folds, digest, shard
from .methods import Method, build, ordered, row_names
from .page import as_markdown, table_figure
from .splits import SubjectSplit, data_sets, hidden, leave_one_set_out, leave_one_subject_out
from .table import build_table


@dataclass(frozen=True)
class Experiment:
    """A protocol on its data: the folds, what was read (`notes`, sentences; `facts`, for the JSON), and the seed."""

    protocol: str
    data: ClipSet
    splits: Sequence[SubjectSplit]
    seed: int = 0
    notes: tuple[str, ...] = ()
    facts: dict | None = None

    def settings(self) -> dict:
        """What all folds in one folder must share."""
        return {
            "protocol": self.protocol,
            "seed": self.seed,
            "aus": list(self.data.aus),
            "data": digest(self.data),
            "folds": len(self.splits),
            "version": __version__,
        }

    @property
    def tested(self) -> ClipSet:
        """The clips of everybody who is tested in some fold."""
        people = set().union(*(split.test for split in self.splits))
        return self.data.select(np.isin(self.data.subjects, sorted(people)))

    def run(
        self, out: Path | str, models, inits, *, preset="lite", folds: str | None = None, together=1, go_on=False
    ) -> dict:
        """Run the folds that are missing; the table of all rows that are complete, which is written too.

        `folds` is a share i/n of them, of which AU-LLM fits `together` at once; `models` and `inits` name the rows.
        Raises `InputError` for a folder that already holds such folds (unless `go_on`) or those of another run, and
        `LeakError` before the first fold.
        """
        out, mine, rows = Path(out), shard(self.splits, folds), row_names(models, inits)
        self.check({init for *_, init in rows if init})
        out.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=out).close()  # a closed folder is noticed before hours are spent
        self.kept(out)  # and so are rows of another run
        chosen = [Folds(out, name, self.settings() | {"row": [model, init, preset]}) for name, model, init in rows]
        started = perf_counter()
        with ExitStack() as held:
            for kept in chosen:
                held.enter_context(kept.share(folds, mine))
            if not go_on and (begun := [kept.name for kept in chosen if len(kept.missing(mine)) < len(mine)]):
                raise InputError(f"{out} holds folds of {', '.join(begun)}: pass --resume to go on, or another --out.")
            self._fill(chosen, rows, mine, preset, together)
        return self.write(out) | {"seconds": round(perf_counter() - started)}

    def _fill(self, chosen: Sequence[Folds], rows, mine: Sequence[SubjectSplit], preset: str, together: int) -> None:
        """Run the folds that each row misses of a share."""
        data = self.data
        for kept, (_, model, init) in zip(chosen, rows):
            if kept.missing(mine):
                method = build(model, init, preset, self.data.aus, self.seed)
                measured = _measured(method, data)
                kept.run(method, measured, mine, self.seed, together)
                motion = data.motion if measured.motion is None else measured.motion
                data = replace(measured, motion=motion)  # what was measured once serves the next rows

    def check(self, inits: Iterable[str] = ()) -> None:
        """Raise before hours are spent: `InputError` where no table could be made, `LeakError` for any fold's leak."""
        ids, tested = self.data.ids, self.tested
        if ids is None:
            raise InputError("A protocol needs the id of each clip, such as casme2/90/EP01_1: set `ClipSet.ids`.")
        if doubled := [name for name, n in Counter(ids.tolist()).items() if n > 1]:
            raise InputError(f"{doubled[0]} stands for more than one clip: give each clip an id of its own.")
        if len(set(tested.subjects.tolist())) < 2:
            raise InputError("Intervals need tested clips of at least two people: add subjects.")
        if not tested.labels.any():
            raise InputError(f"No tested clip shows any of the AUs {' '.join(map(str, tested.aus))}: add clips.")
        known = [trained_on(init) for init in sorted(inits) if init != "scratch"]
        for split in self.splits:
            split.parts(self.data)
            for people in known:
                split.check_weights(people)

    def kept(self, out: Path) -> dict[str, Folds]:
        """The folds of each row in a folder, in the order of a table.  Raises `InputError` for those of another run."""
        names = ordered(path.parent.name for path in (out / "folds").glob("*/settings.json"))
        return {name: Folds(out, name, self.settings()) for name in names}

    def write(self, out: Path) -> dict:
        """Write predictions.parquet, table.json, table.md and table.png from all complete rows; the table.

        Without a complete row nothing is written, and the answer says how many folds are missing.  Processes that share
        the folds come here one after another, so that the last one finds all of them.
        """
        with alone(out, "table", wait=True):
            return self._write(out)

    def _write(self, out: Path) -> dict:
        rows = self.kept(out)
        missing = {name: len(kept.missing(self.splits)) for name, kept in rows.items()}
        order = [name for name in rows if not missing[name]]
        if not order:
            return {"missing": missing}
        answers = {name: rows[name].read(self.splits) for name in order}
        kept = {name: rows[name].facts() for name in order}
        facts = {"protocol": self.protocol, "seed": self.seed, "data_notes": list(self.notes), "data": self.facts or {}}
        table = build_table(answers, kept, self.tested, facts)
        seconds = {name: some.attrs["seconds"] for name, some in answers.items()}
        files = _files(out, table, pd.concat(answers.values(), ignore_index=True), seconds)
        sweep_halves(*files)
        write_together(files)
        return {"missing": missing, "table": table, "fold_seconds": seconds}


def loso(data: ClipSet, seed: int = 0, **about) -> Experiment:
    """Leave one subject out: each person is tested by what was learnt from all others."""
    return Experiment("Leave one subject out (LOSO)", data, leave_one_subject_out(data, seed), seed, **about)


def cross(train: ClipSet, test: ClipSet, seed: int = 0, **about) -> Experiment:
    """Cross-domain: train on all of one data set, test on all of another, on the AUs of both.

    Raises `InputError` where both are the same.
    """
    both = join(train, test)
    home, name = str(data_sets(train)[0]), str(data_sets(test)[0])
    if home == name:
        raise InputError(f"For a cross-domain test both are {name}: give two different data sets.")
    return Experiment(f"Cross-domain, {home} to {name}", both, leave_one_set_out(both, seed, [name]), seed, **about)


def cd6me(data: ClipSet, seed: int = 0, **about) -> Experiment:
    """CD6ME: each data set is tested by what was learnt from all others.  Raises `InputError` for a single one."""
    names = sorted(set(data_sets(data).tolist()))
    if len(names) < 2:
        raise InputError(f"CD6ME leaves one data set out of several, got {' '.join(names)} alone: name more.")
    return Experiment(
        f"Leave one data set out of {' '.join(names)}", data, leave_one_set_out(data, seed), seed, **about
    )


def trained_on(checkpoint: str) -> tuple[str, ...]:
    """The people whom a checkpoint has seen, packed, by its config alone."""
    folder = find_checkpoint(checkpoint)
    return read_config(folder).trained_on


def _measured(method: Method, data: ClipSet) -> ClipSet:
    """The clips with what the method always sees in them, measured without a look at their labels."""
    seen = method.measure(hidden(data))
    return replace(data, motion=seen.motion, flow=seen.flow)


def _files(out: Path, table: dict, answers: pd.DataFrame, seconds: dict) -> dict[Path, bytes]:
    parquet = io.BytesIO()
    answers.attrs = {}
    answers.to_parquet(parquet, index=False)
    return {
        out / "predictions.parquet": parquet.getvalue(),
        out / "table.json": (json.dumps(table, indent=1, allow_nan=False) + "\n").encode(),
        out / "table.md": as_markdown(table).encode(),
        out / "table.png": drawn(table_figure(table), dpi=110, metadata={"Software": None}),
        out / "seconds.json": (json.dumps(seconds, indent=1) + "\n").encode(),
    }
