"""What leaks do to a score, shown on generated clips: the same answers, honest and with one fault at a time.

Three learners of one kind look at less and less: at the motion, at the still onset frame (which shows who it is, and no
movement at all), at noise.  SynthME's people have habits, as those of CASME II have: that is what a split that puts one
person on both sides rewards.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import nn
from tqdm.auto import tqdm

from .. import confusion, metrics, pooling
from ..baselines.simple import with_motion
from ..clips import ClipSet
from ..datasets.casme2 import CASME2
from ..files import drawn, write_together
from ..floors import identity_scores, identity_thresholds
from ..losses import bce
from ..synth.dataset import held_out_seed
from ..synth.shape import shaped_clips
from .leaks_page import as_markdown, leaks_figure
from .splits import choose_inner

EPOCHS, EVERY, HIDDEN = 60, 3, 64  # steps on all clips at once, and after how many of them answers are kept
SCORES = {"f1": metrics.f1_positive, "f1_macro": metrics.f1_macro}
FAULTS = {
    "honest": "split by person; epoch and thresholds from inner people; answers pooled",
    "random_split": "the same person on both sides",
    "tuned_thresholds": "for the score itself, per AU, on the pooled test answers",
    "chosen_epoch": "for each fold by the tested person's own F1",
    "all_three": "random split, tuned thresholds and chosen epoch together",
}


@dataclass(frozen=True)
class Answers:
    """Probabilities of all clips after each of M epochs, what inner clips chose (epoch, thresholds), and the folds."""

    by_epoch: np.ndarray  # [M, N, K]
    thresholds: dict[str, np.ndarray]  # for each score [M, N, K]
    epoch: np.ndarray  # [N]
    folds: np.ndarray  # [N]

    def decisions(self, score: str) -> np.ndarray:
        """At every epoch, by the thresholds of inner clips.  -> bool [M, N, K]"""
        return self.by_epoch >= self.thresholds[score]


def generated(seed: int) -> ClipSet:
    """SynthME in the shape of CASME II, with the eight AUs of its protocol and the motion measured."""
    data = shaped_clips("casme2", held_out_seed(seed + 1), "standard")
    columns = [data.aus.index(au) for au in CASME2.aus]
    return with_motion(replace(data, labels=data.labels[:, columns], aus=CASME2.aus, scripts=None))


def views(data: ClipSet, seed: int) -> dict[str, np.ndarray]:
    """What each learner looks at.  -> {name: [N, F]}"""
    n = len(data)
    pool = lambda maps, side: nn.functional.adaptive_avg_pool2d(maps, side).reshape(n, -1).numpy()  # noqa: E731
    return {
        "motion": pool(data.motion.float().flatten(1, 2), 8),
        "still face": pool(torch.from_numpy(data.clips[:, :1]).float(), 16),
        "noise": np.random.default_rng(seed).standard_normal((n, 64)),
    }


def answer(seen: np.ndarray, data: ClipSet, folds: np.ndarray, inner_of, seed: int) -> Answers:
    """Train a small network for each fold, and keep what it says of the fold's clips as it learns."""
    shape, epoch = (EPOCHS // EVERY, *data.labels.shape), np.zeros(len(data), int)
    by_epoch, thresholds = np.zeros(shape), {name: np.zeros(shape) for name in SCORES}
    for fold in np.unique(folds):
        test = folds == fold
        inner = inner_of(test)
        said, truth = _learn(seen, data.labels, ~test & ~inner, seed), data.labels[inner]
        by_epoch[:, test] = said[:, test]
        epoch[test] = np.argmax([np.nanmean(metrics.average_precision(truth, some[inner])) for some in said])
        for name, score in SCORES.items():
            chosen = [metrics.best_thresholds(truth, some[inner], score=score) for some in said]
            thresholds[name][:, test] = np.array(chosen)[:, None]
    return Answers(by_epoch, thresholds, epoch, folds)


def _learn(seen: np.ndarray, labels: np.ndarray, train: np.ndarray, seed: int) -> np.ndarray:
    """A network with one hidden layer, fitted to the clips of a mask; what it says of all.  -> [M, N, K]"""
    torch.manual_seed(seed)
    mean, spread = seen[train].mean(0), seen[train].std(0) + 1e-6  # of training clips alone
    inputs = torch.from_numpy((seen - mean) / spread).float()
    wanted, rows = torch.from_numpy(labels), torch.from_numpy(train)
    first, last = nn.Linear(inputs.shape[1], HIDDEN), nn.Linear(HIDDEN, labels.shape[1])
    model = nn.Sequential(nn.Dropout(0.3), first, nn.ReLU(), nn.Dropout(0.3), last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.1)
    said = []
    for epoch in range(1, EPOCHS + 1):
        optimizer.zero_grad()
        bce(model.train()(inputs[rows]), wanted[rows]).backward()
        optimizer.step()
        if epoch % EVERY == 0:
            with torch.no_grad():
                said.append(torch.sigmoid(model.eval()(inputs)).numpy())
    return np.stack(said)


def by_person(data: ClipSet, seed: int):
    """Folds of one person each, and for each its inner clips: (folds [N], function from test mask to inner mask)."""

    def inner_of(test: np.ndarray) -> np.ndarray:
        people = sorted(set(data.subjects[~test].tolist()))
        return np.isin(data.subjects, sorted(choose_inner(data.select(~test), people, seed)))

    return data.subjects, inner_of


def at_random(data: ClipSet, seed: int):
    """As many folds of clips dealt at random, and a fifth of the other clips as inner ones."""
    rng = np.random.default_rng(seed)
    folds = rng.permutation(np.arange(len(data)) % len(set(data.subjects.tolist())))

    def inner_of(test: np.ndarray) -> np.ndarray:
        return ~test & (np.random.default_rng(seed).random(len(data)) < 0.2)

    return folds, inner_of


def tuned(labels: np.ndarray, probabilities: np.ndarray, score) -> np.ndarray:
    """A LEAK: decisions by thresholds of the honest rule, but from these very labels.  [N, K], [N, K] -> bool [N, K]"""
    return probabilities >= metrics.best_thresholds(labels, probabilities, score=score)


def peeked_epoch(labels: np.ndarray, decisions: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """A LEAK: for every fold the epoch with the best F1 over its test answers.  [N, K], [M, N, K], [N] -> [N]"""
    chosen = np.zeros(len(labels), int)
    for fold in np.unique(folds):
        rows = folds == fold
        counts = np.stack([confusion.counts(labels[rows], some).sum(0) for some in decisions[:, rows]])
        chosen[rows] = len(counts) - 1 - np.argmax(confusion.f1(counts)[::-1])  # the last of the best
    return chosen


def score_faults(labels: np.ndarray, honest: Answers, mixed: Answers) -> dict:
    """Both F1 scores of one learner, honest and with each fault, and the honest answers averaged the wrong way."""
    table = {fault: {} for fault in FAULTS}
    every = np.arange(len(labels))
    for name, score in SCORES.items():
        plain, random = honest.decisions(name), mixed.decisions(name)
        peeked = peeked_epoch(labels, plain, honest.folds)
        worst = peeked_epoch(labels, random, mixed.folds)
        found = {
            "honest": plain[honest.epoch, every],
            "random_split": random[mixed.epoch, every],
            "tuned_thresholds": tuned(labels, honest.by_epoch[honest.epoch, every], score),
            "chosen_epoch": plain[peeked, every],
            "all_three": tuned(labels, mixed.by_epoch[worst, every], score),
        }
        for fault, decisions in found.items():
            table[fault][name] = float(score(labels, decisions).mean())
    decisions = honest.decisions("f1")[honest.epoch, every]
    wrong = (pooling.wrong_mean_of_folds(labels, decisions, honest.folds, z).mean() for z in (0.0, 1.0))
    return table | {"mean_of_folds": dict(zip(("f1_zero", "f1_one"), map(float, wrong)))}


def identity(data: ClipSet) -> dict:
    """No network at all: the AU's rate in the same person's other clips, split by person and at random."""
    folds = {"honest": data.subjects, "random_split": None}
    scores = {fault: identity_scores(data.labels, data.subjects, some) for fault, some in folds.items()}
    thresholds = identity_thresholds(data.labels)
    return {
        fault: {name: float(score(data.labels, some >= thresholds).mean()) for name, score in SCORES.items()}
        for fault, some in scores.items()
    }


def run(out: str | Path, *, seed: int = 0, data: ClipSet | None = None) -> dict:
    """Score three learners with and without each fault; writes leaks.json, leaks.md and leaks.png."""
    data = generated(seed) if data is None else data
    splits = {"honest": by_person(data, seed), "mixed": at_random(data, seed)}
    rows = {}
    for name, seen in tqdm(views(data, seed).items(), desc="leaks", unit="learner"):
        with threadpool_limits(1):  # on matrices this small threads only wait for each other
            said = [answer(seen, data, folds, inner_of, seed) for folds, inner_of in splits.values()]
            rows[name] = score_faults(data.labels, *said)
    report = {
        "data": "SynthME (generated), in the shape of CASME II",
        "clips": len(data),
        "people": len(set(data.subjects.tolist())),
        "aus": list(data.aus),
        "seed": seed,
        "floors": metrics.floors(data.labels),
        "faults": FAULTS,
        "learners": rows,
        "identity": identity(data),
    }
    files = {"leaks.json": (json.dumps(report, indent=1) + "\n").encode(), "leaks.md": as_markdown(report).encode()}
    files["leaks.png"] = drawn(leaks_figure(report), dpi=110, metadata={"Software": None})
    write_together({Path(out) / name: content for name, content in files.items()})
    return report
