"""Run a method over folds: fit on train, choose on inner, answer for test; every fold is kept as soon as it ends.

A method is shown test clips without labels.  Its answers are calibrated and cut by inner people alone, and carry the id
of their clip, so that pooling needs no order.
"""

import hashlib
import io
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from .. import metrics
from ..clips import ClipSet
from ..errors import InputError
from ..files import alone, sweep_halves, write_together
from .methods import Method, Scorer
from .splits import SubjectSplit

SETTINGS = "settings.json"
OTHERS = {  # what a setting is called where it differs
    "protocol": "another protocol",
    "seed": "another seed",
    "aus": "other Action Units",
    "data": "other data",
    "folds": "another number of folds",
    "version": "another version of this package",
    "row": "another preset or other first weights",
    "method": "other first weights or training",
    "together": "another --together",
}


class Folds:
    """The folds of one row of a table, in a folder of their own.

    `settings` are what must be the same in all of them.  They stand beside the folds, and in each of them too, because
    folders of several machines may be copied together.  Raises `InputError` where the folder holds folds of others.
    """

    def __init__(self, out: Path | str, name: str, settings: dict):
        self.name, self.folder, self.settings = name, Path(out) / "folds" / name, settings
        if (found := self.facts()) and (said := _differences(found, settings)):
            raise InputError(f"{self.folder} holds folds made with {said}: choose another --out.")
        self.check_folds(found | settings)

    def check_folds(self, facts: dict) -> None:
        """Raise `InputError` where a fold that is there was made in another way."""
        for path in sorted(self.folder.glob("*.parquet")):
            made = _answers(path, columns=[]).attrs.get("made")
            if made is None:
                raise InputError(f"{path} does not say how it was made: delete it, run with --resume.")
            if said := _differences(made, {key: facts[key] for key in facts if key != "title"}):
                raise InputError(f"{path} was made with {said}: take it away, or choose another --out.")

    def facts(self) -> dict:
        """What is written beside the folds: their settings, the row's title and its method's own settings."""
        kept = self.folder / SETTINGS
        try:
            return json.loads(kept.read_text()) if kept.exists() else {}
        except ValueError as error:
            raise InputError(f"{kept} cannot be read ({error}): choose another --out.") from None

    def file(self, split: SubjectSplit) -> Path:
        """Where a fold is kept: its name in plain characters, and a hash where that makes names alike."""
        plain = re.sub(r"[^A-Za-z0-9._-]", "-", split.name)
        mark = "" if plain == split.name else f"-{hashlib.sha256(split.name.encode()).hexdigest()[:8]}"
        return self.folder / f"{plain}{mark}.parquet"

    def missing(self, splits: Sequence[SubjectSplit]) -> list[SubjectSplit]:
        return [split for split in splits if not self.file(split).exists()]

    @contextmanager
    def share(self, which: str | None, splits: Sequence[SubjectSplit]) -> Iterator[None]:
        """Hold a share `i/n` of the folds, by default all.

        Raises `InputError` where another process may have some of them.
        """
        i, n = parts_of(which)
        advice = "give each process its own share with --folds i/n, all of the same n"
        with ExitStack() as held:
            with alone(self.folder, "shares", wait=True):  # who looks at a lock holds it for a moment
                held.enter_context(alone(self.folder, f"share-{i}-of-{n}", advice=advice))
                for lock in self.folder.glob(".share-*-of-*.lock"):
                    if not lock.stem.endswith(f"-of-{n}"):  # shares of another number overlap
                        with alone(self.folder, lock.stem[1:], advice=advice):
                            pass
            sweep_halves(*map(self.file, splits))
            yield

    def run(self, method: Method, data: ClipSet, splits: Sequence[SubjectSplit], seed: int, together: int = 1) -> None:
        """Run those of these folds that are not there yet, on data that the method has measured.

        Where the method can, it fits `together` folds at once; they are kept as the last of them ends.  Raises
        `LeakError` before the first fold where the method's first weights have seen somebody of any fold.
        """
        for split in splits:
            split.check_weights(method.trained_on)
        size = together if method.together else 1
        made = self.settings | {"method": method.settings, "together": size}
        if (found := self.facts()) and (said := _differences(found, made)):
            raise InputError(f"{self.folder} holds folds made with {said}: choose another --out.")
        self.check_folds(made)
        facts = made | {"title": method.title}
        write_together({self.folder / SETTINGS: (json.dumps(facts, indent=1) + "\n").encode()})
        with tqdm(desc=self.name, unit="fold", total=len(splits)) as bar:
            for n in range(0, len(splits), size):  # what is there of a group stays as it is
                if missing := self.missing(splits[n : n + size]):
                    self.run_group(method, data, missing, seed, made)
                bar.update(len(splits[n : n + size]))

    def run_group(self, method: Method, data: ClipSet, group: Sequence[SubjectSplit], seed: int, made: dict) -> None:
        start, contents = perf_counter(), {}
        for split, answers in zip(group, run_folds(method, data, group, seed)):
            answers.attrs = {"seconds": round((perf_counter() - start) / len(group), 1), "made": made}
            content = io.BytesIO()
            answers.to_parquet(content, index=False, write_page_checksum=True)
            contents[self.file(split)] = content.getvalue()
        write_together(contents)

    def read(self, splits: Sequence[SubjectSplit]) -> pd.DataFrame:
        """The answers of all these folds, in their order.  Raises `InputError` for a damaged file."""
        parts = [_answers(self.file(split)) for split in splits]
        seconds = sum(part.attrs.get("seconds", 0.0) for part in parts)
        for part in parts:
            part.attrs = {}  # which pandas would compare
        pooled = pd.concat(parts, ignore_index=True).assign(model=self.name)
        pooled.attrs["seconds"] = seconds
        return pooled


def _differences(found: dict, wanted: dict) -> str:
    """In what two settings differ, in words."""
    return ", ".join(OTHERS.get(key, f"another {key}") for key in wanted if found.get(key) != wanted[key])


def _answers(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """The answers of a fold, with how it was made in `attrs`.  Raises `InputError` for a damaged file."""
    try:
        return pd.read_parquet(path, columns=columns, page_checksum_verification=True)
    except (OSError, ValueError) as error:
        why = " ".join(str(error).split())
        raise InputError(f"{path} cannot be read ({why}): delete it, run with --resume.") from None


def run_folds(method: Method, data: ClipSet, group: Sequence[SubjectSplit], seed: int) -> list[pd.DataFrame]:
    """Fit and answer these folds, several at once where the method can; see `answers_of`.

    Raises `LeakError` where anything about the test people would be known before.
    """
    parts = [split.parts(data) for split in group]
    for split in group:
        split.check_weights(method.trained_on)
    known = [(train, inner) for train, inner, _ in parts]
    fitted = [method.fit(*known[0], seed)] if len(group) == 1 else method.together(known, seed)
    return [answers_of(method, data, *rest) for rest in zip(group, parts, fitted)]


def answers_of(method: Method, data: ClipSet, split: SubjectSplit, parts: tuple, score: Scorer) -> pd.DataFrame:
    """One row for each test clip and AU: id, subject, au, label, probability, threshold, fold."""
    _, inner, test = parts
    decide = decisions_by(split, inner, _finite(score(inner), method))
    probabilities, thresholds = decide(_finite(score(test), method))
    truth = data.select(np.isin(data.subjects, sorted(split.test)))
    n, k = truth.labels.shape
    return pd.DataFrame(
        {
            "id": np.repeat(truth.ids, k),
            "subject": np.repeat(truth.subjects, k),
            "au": np.tile(data.aus, n),
            "label": truth.labels.astype(np.int8).ravel(),
            "probability": probabilities.ravel().astype(np.float32),
            "threshold": np.tile(thresholds, n).astype(np.float32),
            "fold": split.name,
        }
    )


def decisions_by(split: SubjectSplit, inner: ClipSet, logits: np.ndarray):
    """Calibration and thresholds from inner clips: a function from test logits to (probabilities, thresholds).

    Raises `LeakError` for clips of anybody else.
    """
    split.check_chooser(inner)
    chosen = metrics.calibrate(inner.labels, logits)
    scale, bias = np.array(chosen["calibration"]).T
    thresholds = np.array(chosen["thresholds"])
    return lambda test: (1 / (1 + np.exp(-np.clip(test * scale + bias, -50, 50))), thresholds)


def _finite(scores: np.ndarray, method: Method) -> np.ndarray:
    if not np.isfinite(scores).all():
        raise InputError(f"{method.title} gave an answer that is not a number: lower its learning rate.")
    return scores


def digest(data: ClipSet) -> str:
    """SHA-256 over ids, people, labels and pictures: what tells the data of one run from those of another."""
    sha = hashlib.sha256()
    for part in (np.asarray(data.ids, "U"), data.subjects.astype("U"), data.labels, data.clips, data.pairs):
        sha.update(b"" if part is None else np.ascontiguousarray(part).tobytes())
    return sha.hexdigest()


def shard(splits: Sequence[SubjectSplit], which: str | None) -> list[SubjectSplit]:
    """Every n-th fold from the i-th on, for `i/n`; see `parts_of`."""
    i, n = parts_of(which)
    return list(splits[i::n])


def parts_of(which: str | None) -> tuple[int, int]:
    """i and n of a share `i/n`, with i from 0; by default all is one share.  Raises `InputError` for anything else."""
    match = re.fullmatch(r"(\d+)/(\d+)", which or "0/1")
    if not match or not int(match[1]) < int(match[2]):
        raise InputError(f"--folds must be i/n with i from 0 to n-1, such as 0/4, got {which!r}.")
    return int(match[1]), int(match[2])
