"""A training run in a folder: after every epoch all that is needed to go on is on disk, whole or not at all."""

import hashlib
import json
import tempfile
from dataclasses import asdict
from pathlib import Path

from . import distributed, resume
from .checkpoint import WEIGHTS
from .distributed import rank
from .errors import InputError
from .files import alone, write_together
from .model import AULLM
from .people import pack
from .train import Trainer

METRICS = "metrics.jsonl"


def check_folder(out: Path | str, *, go_on: bool) -> None:
    """Raise before hours are spent: `InputError` where another run or process has the folder, `OSError` if closed."""
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=out).close()
    with alone(out):
        _check_unused(out, go_on)


def _check_unused(out: Path, go_on: bool) -> None:
    if not go_on and any((out / name).exists() for name in (resume.STATE, METRICS, WEIGHTS)):
        raise InputError(f"{out} holds a training run: pass --resume to go on with it, or another --out.")


class TrainingRun:
    """`TrainingRun(trainer, out).run()`, with `go_on=True` and a fresh trainer again after a kill.

    Of several processes the first writes; to go on, all must be able to read what it has written.
    """

    def __init__(self, trainer: Trainer, out: Path | str):
        self.trainer, self.out = trainer, Path(out)
        model, data = trainer.model, trainer.data
        self.facts = {
            "settings": asdict(trainer.config),
            "model": model.config.to_json(),
            "data": data.fingerprint(),
        }

    def run(self, *, go_on: bool = False) -> AULLM:
        """All epochs, then calibration on inner subjects; returns the best model, which lies in the folder too.

        Raises `InputError` where the folder holds another run, or another process is at work in it.
        """
        if rank() > 0:
            return self._run(go_on)
        with alone(self.out):
            _check_unused(self.out, go_on)  # again: another process may have trained meanwhile
            return self._run(go_on)

    def _run(self, go_on: bool) -> AULLM:
        trainer = self.trainer
        trainer.model.config = trainer.model.config.changed(trained_on=pack(trainer.people))  # also of a killed run
        if go_on and (self.out / resume.STATE).exists():
            self.load_state()
        elif rank() == 0:
            (self.out / METRICS).unlink(missing_ok=True)  # of a run that was killed in its first epoch
        self.check_agreement()
        for figures in trainer.epochs():
            if rank() == 0:
                self.keep(figures)
        if rank() == 0:
            trainer.model.load_weights(self.out)
        distributed.copy_from_first(trainer.model.trained_state().values())
        model = trainer.calibrated()
        if rank() == 0:
            model.save_pretrained(self.out)
        return model

    def check_agreement(self) -> None:
        """Raise `InputError` where processes would train on different data, or from different epochs on."""
        facts = json.dumps(self.facts | {"epoch": self.trainer.epoch})
        if not distributed.agree(int.from_bytes(hashlib.sha256(facts.encode()).digest()[:7])):
            raise InputError(
                f"The processes differ in their data, or in what they find in {self.out}: give all of them the same."
            )

    def keep(self, figures: dict) -> None:
        """Write what there is after an epoch."""
        self.log(figures)
        if self.trainer.improved:
            self.trainer.model.save_pretrained(self.out)
        self.save_state()

    def log(self, figures: dict) -> None:
        rounded = {k: round(v, 5) if isinstance(v, float) else v for k, v in figures.items()}
        path = self.out / METRICS
        before = path.read_bytes() if path.exists() else b""
        write_together({path: before + json.dumps(rounded).encode() + b"\n"})
        line = "epoch {epoch} ({stage}): loss {loss:.4f}, inner AP {ap:.4f}, inner F1 {f1:.4f}, {seconds:.0f} s"
        print(line.format(**figures), flush=True)

    def save_state(self) -> None:
        """Write all that resuming needs."""
        facts = self.facts | {"epoch": self.trainer.epoch, "best": self.trainer.best}
        resume.save(self.out / resume.STATE, self.trainer.trained(), self.trainer.optimizer, facts)

    def load_state(self) -> None:
        """Go on where `save_state` left off.  Raises `InputError` for other settings, another model or other data."""
        tensors, facts = resume.load(self.out / resume.STATE)
        other = [name for name, fact in self.facts.items() if facts.get(name) != fact]
        if other:
            raise InputError(f"{self.out} was trained with other {' and '.join(other)}: use the same or another --out.")
        trainer = self.trainer
        trainer.model.load_trained_state(resume.part(tensors, "model."))
        trainer.helpers.load_state_dict(resume.part(tensors, "helpers."))
        resume.restore_moments(trainer.optimizer, tensors)
        trainer.epoch, trainer.best = facts["epoch"], facts["best"]
        if rank() == 0:
            self.cut_metrics()

    def cut_metrics(self) -> None:
        """Keep the rows of the epochs whose state is known: a kill may come between the two."""
        rows = (self.out / METRICS).read_text().splitlines(keepends=True)
        write_together({self.out / METRICS: "".join(rows[: self.trainer.epoch]).encode()})
