"""Run the rows: each seed and row is kept as it ends, and what rows share is made once."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from time import perf_counter

import numpy as np
import torch

from .. import __version__, metrics
from ..errors import InputError
from ..files import alone
from ..model import AULLM
from ..speech.lessons import truths_of
from .budget import Budget
from .build import build, trainable
from .eye import Eye, open_eye
from .kept import Arrays, Kept
from .page import write
from .parts import front_end
from .people import People, look, make_people
from .reader import answers, calibrated, changed, fine_tune, maker, set_head, tokens, warm_tokens
from .rows import REFERENCE, ROWS, Row, chosen
from .table import build_table

TESTED = ("test", "photos")
SAMPLE = 256  # training clips on which the size of a front end's values is measured


class Study:
    """What rows have in common, each made when the first row needs it: people, motion, eyes, warm tokens."""

    def __init__(self, budget: Budget, llm: str):
        self.budget, self.llm = budget, llm
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._people: People | None = None
        self.seen, self.eyes, self.makers = {}, {}, {}

    @property
    def people(self) -> People:
        if self._people is None:
            self._people = make_people(self.budget)
            train = self._people["train"]
            self.labels, self.truths = torch.from_numpy(train.labels), truths_of(train.scripts, train.aus)
        return self._people

    def eye(self, seed: int, name: str) -> Eye:
        """The eye of a seed with a front end."""
        if (seed, name) not in self.eyes:
            people = self.people
            motion = front_end(name, torch.from_numpy(people["train"].clips[:SAMPLE]).float() / 255)
            if name not in self.seen:
                self.seen[name] = look(motion, people, self.device)
            self.eyes[seed, name] = open_eye(motion, self.seen[name], self.labels, self.budget, seed, self.device)
        return self.eyes[seed, name]

    def model(self, seed: int, row: Row, eye: Eye) -> AULLM:
        """The row's model, its eye open and its projector warm."""
        model = build(row, self.llm, seed, eye.motion)
        model.backbone.load_state_dict(eye.filters, strict=False)
        model.to(self.device)
        key = (seed, row.motion, row.fusion, row.loss)
        if key not in self.makers:
            warm_tokens(model, eye, self.labels, row.loss, self.budget, seed, self.device)
            self.makers[key] = {name: weight.clone() for name, weight in maker(model).state_dict().items()}
        maker(model).load_state_dict(self.makers[key])
        return model

    def run(self, seed: int, row: Row) -> dict[str, tuple[Arrays, dict]]:
        """Train a row and test it; with the reference come the rows that change its token.  -> {row: arrays, facts}"""
        eye, start = self.eye(seed, row.motion), perf_counter()
        model = self.model(seed, row, eye)
        set_head(model, eye, self.labels, self.device)
        fine_tune(model, eye, self.labels, self.truths, row, self.budget, seed)
        set_head(model, eye, self.labels, self.device)
        seconds = round(perf_counter() - start, 1)
        facts = {"trainable": trainable(model), "steps": row.length * self.budget.steps, "seconds": seconds}
        others = [some for some in ROWS if not some.trained] if row == REFERENCE else []
        tested = self.test(model, eye, [row, *others], seed)
        return {name: (found, facts if name == row.name else facts | {"steps": 0}) for name, found in tested.items()}

    def test(self, model: AULLM, eye: Eye, rows: Sequence[Row], seed: int) -> dict[str, Arrays]:
        """Probabilities and thresholds of a trained model, with its tokens as each of the rows wants them."""
        own = {part: tokens(model, eye.mid[part], self.device) for part in ("train", "inner", *TESTED)}
        inner, mean = answers(model, own["inner"]), own["train"].mean(0, keepdim=True)
        found = {}
        for row in rows:
            said = {part: answers(model, changed(own[part], row.token, mean, seed)) for part in TESTED}
            found[row.name] = calibrated(said | {"inner": inner}, self.people["inner"].labels)
        return found

    def forget(self, pending: Sequence[tuple[int, Row]]) -> None:
        """Let go of what no row to come needs: a full study would not fit into memory."""
        eyes = {(seed, row.motion) for seed, row in pending}
        self.eyes = {key: eye for key, eye in self.eyes.items() if key in eyes}
        self.seen = {name: seen for name, seen in self.seen.items() if name in {motion for _, motion in eyes}}
        wanted = {(seed, row.motion, row.fusion, row.loss) for seed, row in pending}
        self.makers = {key: weights for key, weights in self.makers.items() if key in wanted}


def ablate(
    out: Path | str,
    budget: Budget,
    *,
    llm: str = "smollm2-135m-instruct",
    seeds: int = 3,
    rows: Sequence[str] | None = None,
    go_on: bool = False,
    say: Callable[[str], None] = print,
) -> dict:
    """Run the rows that are missing, and write the table of all that are complete; the table.

    Raises `InputError` for an unknown row, for no seed, for a folder of another study or, unless `go_on`, of any, and
    where another process is at work in it.
    """
    wanted, out = chosen(rows), Path(out)
    if seeds < 1:
        raise InputError(f"A study needs at least one seed, got {seeds}.")
    settings = {"budget": asdict(budget), "llm": llm, "version": __version__}
    with alone(out):
        kept = Kept(out, settings, go_on=go_on)
        every = [(seed, row) for row in wanted if row.trained for seed in range(seeds)]
        pending = [(seed, row) for seed, row in every if not _done(kept, seed, row)]
        _run(Study(budget, llm), kept, pending, seeds, say)
        table = build_table(kept, seeds)
        write(out, table)
    return table


def _done(kept: Kept, seed: int, row: Row) -> bool:
    """Whether a row is kept; with the reference, those that only change its token."""
    others = [some for some in ROWS if not some.trained] if row == REFERENCE else []
    return all(kept.has(seed, some.name) for some in [row, *others])


def _run(study: Study, kept: Kept, pending: list[tuple[int, Row]], seeds: int, say: Callable[[str], None]) -> None:
    """Run what is missing; each row is kept as it ends, and the table of what is there after each group."""
    if kept.people() is None:
        kept.add_people(*_tested(study.people))
    while pending:
        (seed, row), *pending = pending
        done = study.run(seed, row)
        kept.add(seed, done)
        study.forget(pending)
        say(_line(seed, row, done[row.name], study.people))
        if not any(other.group == row.group for _, other in pending):
            write(kept.out, build_table(kept, seeds))


def _tested(people: People) -> tuple[Arrays, dict]:
    """Labels of the tested clips, and whose they are."""
    parts = {part: people[part] for part in TESTED}
    facts = {part: some.subjects.tolist() for part, some in parts.items()} | {"aus": list(people["test"].aus)}
    return {part: some.labels for part, some in parts.items()}, facts


def _line(seed: int, row: Row, done: tuple[Arrays, dict], people: People) -> str:
    """How a finished row did, for the log."""
    arrays, facts = done
    f1 = {
        part: np.mean(metrics.f1_positive(people[part].labels, arrays[part] >= arrays["thresholds"])) for part in TESTED
    }
    return f"{row.name}, seed {seed}: F1 {f1['test']:.3f}, photographs {f1['photos']:.3f}, {facts['seconds']:.0f} s"
