"""Train an AU-LLM: warm up the eye, then teach the language model to read its token.

The language model starts far behind a plain linear head, because its token passes thirty layers that have never seen
one.  So the first epochs train the visual part alone, with an auxiliary linear head on the visual token; the later ones
train everything, the auxiliary head kept as a helper that is not saved.  A motion front end without weights is computed
once.  `Trainer` works in memory; `run.TrainingRun` writes what it does to disk, and goes on after a kill.
"""

from collections.abc import Iterator
from time import perf_counter

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.utils.data import TensorDataset
from tqdm.auto import tqdm

from . import distributed, metrics
from .clips import ClipSet
from .distributed import share, whole
from .errors import InputError
from .losses import loss_function
from .memory import keep_freed_memory
from .model import AULLM
from .motion import measure_motion
from .people import pack, unpack
from .recipe import TrainConfig, mirror, one_cycle, split_inner
from .speech.lessons import Details, Teacher, mirrored, truths_of, word_loss

DETAIL_RATE = 0.1  # weight of the helper for sides, strengths and times; a decision then counts as one of the main loss


def checked_inner(model: AULLM, data: ClipSet, inner: np.ndarray) -> np.ndarray:
    """Labels of the inner clips.  Raises `InputError` where they cannot judge this model."""
    if tuple(data.aus) != model.config.aus:
        raise InputError(f"The data hold AUs {data.aus}, the model {model.config.aus}: they must be the same.")
    refuse_known(model, data.subjects[inner])
    if not data.labels[inner].any():
        raise InputError("The inner subjects show no Action Unit at all: give more subjects or more clips.")
    return data.labels[inner]


def refuse_known(model: AULLM, people: np.ndarray) -> None:
    """Raise `InputError` where the weights have seen any of these people, who are to judge them."""
    if known := unpack(model.config.trained_on) & set(people.tolist()):
        raise InputError(f"The first weights know {len(known)} of the inner people: pass another --seed, for new ones.")


def check_shares(outer: np.ndarray, inner: np.ndarray, config: TrainConfig) -> None:
    """Raise `InputError` where some process would have no clip to train on, to judge, or to put into words."""
    fewest = min(outer.sum(), inner.sum(), config.batch_size, config.spoken or config.batch_size)
    if fewest < distributed.world():
        raise InputError(
            f"{distributed.world()} processes need at least as many clips in a batch, among its clips with words "
            f"(--spoken) and of inner people, got {fewest}: start fewer processes."
        )


class Trainer:
    """Trains a model on the clips outside `inner`, watched on those inside; `Trainer(model, data, config).fit()`.

    `inner` is a mask of the clips that choose epoch, thresholds and calibration; by default those of a share of the
    subjects.  Raises `InputError` where the labels do not fit the model, or the inner clips show no AU.
    """

    def __init__(
        self, model: AULLM, data: ClipSet, config: TrainConfig, inner: np.ndarray | None = None, *, bars: bool = True
    ):
        torch.manual_seed(config.seed)
        self.config = config
        # CUDA or the CPU: 3-D convolutions on Apple's MPS have given wrong results silently (pytorch issue 117949)
        self.accelerator = Accelerator(cpu=not torch.cuda.is_available(), mixed_precision=config.mixed_precision)
        self.bars = bars and distributed.rank() == 0
        self.loss = loss_function(config.loss)
        self.fixed_motion = not any(True for _ in model.motion.parameters())
        self.device = self.accelerator.device
        if self.device.type == "cuda":
            torch.set_float32_matmul_precision("high")  # TF32, for speed; holds for all that this process does
        else:
            keep_freed_memory()
        self.model, self.data = model.to(self.device), data
        inner = split_inner(data.subjects, config.inner_share, config.seed) if inner is None else inner
        self.inner_labels = checked_inner(model, data, inner)
        check_shares(~inner, inner, config)
        self.train_set, self.inner_set = self.dataset(data.select(~inner)), self.dataset(data.select(inner))
        self.speaks = bool(config.spoken and data.scripts and model.config.language_model != "none")
        self.teacher = Teacher(model.language, data.aus) if self.speaks else None
        self.helpers = self.first_helpers()
        self.epoch, self.best, self.word_losses = 0, -1.0, []
        self.optimizer = torch.optim.AdamW(self.parameter_groups(), betas=(0.9, 0.98))
        self.optimizer = self.accelerator.prepare(self.optimizer)

    def first_helpers(self) -> nn.ModuleDict:
        """Heads on the visual token that only training needs."""
        head = self.model.au_head
        helpers = nn.ModuleDict({"aus": nn.Linear(head.in_features, head.out_features)})
        if self.speaks:
            helpers["details"] = Details(head.in_features, head.out_features)
        return helpers.to(self.device)

    def dataset(self, data: ClipSet) -> TensorDataset:
        """What the loop reads: the motion itself where nothing in the front end is trained, else the clips."""
        seen = torch.from_numpy(data.clips)
        if self.fixed_motion:
            seen = self.measured(data.clips) if data.motion is None else data.motion
        truths = truths_of(data.scripts, data.aus) if data.scripts else torch.full((*data.labels.shape, 3), -1)
        return TensorDataset(seen, torch.from_numpy(data.labels), truths)

    def measured(self, clips: np.ndarray) -> Tensor:
        """The motion of all clips, each measured by one process.  uint8 [N, T, H, W] -> [N, C, T-1, H, W]"""
        mine = share(len(clips))
        return distributed.gathered(measure_motion(self.model.motion, clips[mine], self.device), mine, len(clips))

    def parameter_groups(self) -> list[dict]:
        """LoRA learns slower than what starts from nothing."""
        lora = [p for name, p in self.model.named_parameters() if p.requires_grad and "lora_" in name]
        rest = [p for name, p in self.model.named_parameters() if p.requires_grad and "lora_" not in name]
        c = self.config
        return [
            {"params": rest + list(self.helpers.parameters()), "peak": c.lr, "weight_decay": c.weight_decay},
            {"params": lora, "peak": c.lr_lora, "weight_decay": 0.0},
        ]

    def motion(self, batch: Tensor) -> Tensor:
        """What the 3D-CNN reads, computed now or before.  [B, ...] of the data set -> [B, C, T-1, H, W]"""
        batch = batch.to(self.device)
        return batch.float() if self.fixed_motion else self.model.motion(batch.float() / 255)

    def epochs(self) -> Iterator[dict]:
        """Train epoch by epoch, each with its figures; `improved` says whether none was better on inner subjects."""
        distributed.copy_from_first(self.trained().values())
        while not self.done:
            start, self.word_losses = perf_counter(), []
            figures = self.judge_epoch(self.train_epoch())
            yield figures | {"seconds": perf_counter() - start}

    def judge_epoch(self, loss: float) -> dict:
        """The figures of the epoch that was just trained, which counts from now on."""
        stage = "visual" if self.warming else "all"
        figures = {"epoch": self.epoch + 1, "stage": stage, "loss": loss, **self.validate()}
        figures |= {"words": float(np.mean(self.word_losses))} if self.word_losses else {}
        self.epoch += 1
        self.improved = not self.last_warm and figures["ap"] > self.best
        self.best = figures["ap"] if self.improved else self.best
        return figures

    def fit(self) -> AULLM:
        """All epochs in memory; the model of the best one, calibrated."""
        for _ in self.epochs():
            self.keep_best()
        return self.best_model()

    def keep_best(self) -> None:
        if self.improved:
            self.kept = {name: value.clone() for name, value in self.model.trained_state().items()}

    def best_model(self) -> AULLM:
        self.model.load_trained_state(self.kept)
        return self.calibrated()

    @property
    def done(self) -> bool:
        return self.epoch >= self.config.warmup + self.config.epochs

    @property
    def warming(self) -> bool:
        return self.epoch < self.config.warmup

    @property
    def last_warm(self) -> bool:
        """Whether the epoch just counted was still one of the warm-up: its language model has learnt nothing yet."""
        return self.epoch <= self.config.warmup

    def train_epoch(self) -> float:
        """One pass over the training clips; the mean loss."""
        return float(np.mean([self.step(*batch) for batch in self.batches()]))

    def batches(self) -> Iterator[tuple[Tensor, Tensor, Tensor, np.random.Generator]]:
        """What `step` takes, for each batch of an epoch; the rate is set on the way."""
        self.model.train()
        seed = self.config.seed * 1000 + self.epoch  # order, mirroring and dropout: a resumed epoch is the same
        torch.manual_seed(seed + (distributed.rank() << 20))  # each process drops out others; 32 bits count
        generator = torch.Generator().manual_seed(seed)
        order, size = torch.randperm(len(self.train_set), generator=generator), self.config.batch_size
        batches = order[: len(order) // size * size or None].split(size)  # a smaller one only where there is no other
        stage = "visual part" if self.warming else "all parts"
        bar = tqdm(batches, desc=f"epoch {self.epoch + 1} ({stage})", leave=False, disable=not self.bars)
        rng = np.random.default_rng(seed)
        for step, rows in enumerate(bar):
            self.set_rate(step / len(batches))
            yield *self.batch(rows, generator, rng), rng
            bar.set_postfix(loss=f"{self.last_loss:.4f}")

    def batch(self, rows: Tensor, generator: torch.Generator, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """The motion of this process's share of a batch, and the labels and truths of all of it; some are mirrored.

        Clips to be put into words come first.  [B] -> [B / processes, C, T-1, H, W], [B, K], [B, K, 3]
        """
        seen, labels, truths = self.train_set.tensors
        turned = 0.5 if self.model.motion.channels == 2 else 0.0
        flip = torch.rand(len(rows), generator=generator) < turned
        if self.speaks and not self.warming:
            order = self.teacher.order(truths[rows], rng)
            rows, flip = rows[order], flip[order]
        mine = share(len(rows))
        motion = mirror(self.motion(seen[rows[mine]]), flip[mine].to(self.device))
        return motion, labels[rows].to(self.device), mirrored(truths[rows], flip)

    def set_rate(self, share_of_epoch: float) -> None:
        """The learning rate is a function of the position alone, so that a resumed run needs no scheduler state."""
        done, length = (
            (self.epoch, self.config.warmup) if self.warming else (self.epoch - self.config.warmup, self.config.epochs)
        )
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * one_cycle((done + share_of_epoch) / length)

    def step(self, motion: Tensor, labels: Tensor, truths: Tensor, rng: np.random.Generator) -> float:
        """One update; in the warm-up only the helpers count and the language model rests.

        [B / processes, C, T-1, H, W], [B, K], [B, K, 3] -> the loss
        """
        with self.accelerator.autocast():
            token, loss = self.look(motion, labels, truths)
            if not self.warming:
                loss = self.language_loss(token, labels, truths, rng) + self.config.auxiliary * loss
        self.accelerator.backward(loss)
        return self.update(loss)

    def look(self, motion: Tensor, labels: Tensor, truths: Tensor) -> tuple[Tensor, Tensor]:
        """This process's visual tokens, and what the helpers make of those of all.  -> [B / processes, 1, E], loss"""
        token = self.model.visual_token(motion)
        tokens = whole(token, len(labels))
        loss = self.loss(self.helpers["aus"](tokens.flatten(1)).float(), labels)
        if self.speaks:
            loss = loss + DETAIL_RATE * self.helpers["details"](tokens, truths.to(self.device))
        return token, loss

    def update(self, loss: Tensor) -> float:
        """Move the weights along the gradients, which begin anew; the loss as a number."""
        learnt = [p for g in self.optimizer.param_groups for p in g["params"]]
        distributed.average_gradients(learnt)
        self.accelerator.clip_grad_norm_(learnt, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.last_loss = loss.item()
        return self.last_loss

    def language_loss(self, token: Tensor, labels: Tensor, truths: Tensor, rng: np.random.Generator) -> Tensor:
        """The loss behind the language model: of its decisions, and of the words of some clips."""
        if not self.speaks:
            return self.decision_loss(self.model.hidden(token), labels)
        texts, weights = self.teacher.lesson(truths[: self.config.spoken], rng)
        mine = share(len(texts))
        texts = [text.to(self.device) for text in texts[mine]]
        hidden, states = self.model.language.read_and_speak(token, texts)
        words = word_loss(self.model.language, states, texts, weights[mine])
        self.word_losses.append(words.item())
        return self.decision_loss(hidden, labels) + self.config.word_rate * words

    def decision_loss(self, hidden: Tensor, labels: Tensor) -> Tensor:
        """The loss of the whole batch's decisions.  [B / processes, E], [B, K] -> []"""
        return self.loss(self.model.au_head(whole(hidden, len(labels))).float(), labels)

    @torch.no_grad()
    def inner_logits(self) -> np.ndarray:
        """Logits of the inner clips, by the helper while the language model still rests.  -> [N, K]

        Raises `InputError` where they are no numbers.
        """
        self.model.eval()
        answers = []
        mine = share(len(self.inner_set))
        for batch in self.inner_set.tensors[0][mine].split(256):
            token = self.model.visual_token(self.motion(batch))
            warm = (
                self.helpers["aus"](token.flatten(1)) if self.warming else self.model.au_head(self.model.hidden(token))
            )
            answers.append(warm.float().cpu())
        answers = distributed.gathered(torch.cat(answers), mine, len(self.inner_set)).numpy()
        if not np.isfinite(answers).all():
            raise InputError("Training went astray, its answers are no numbers: lower `TrainConfig.lr`.")
        return answers

    def validate(self) -> dict:
        """Figures on inner subjects: mean average precision, and mean F1 at a plain 0.5."""
        logits, present = self.inner_logits(), self.inner_labels.any(0)
        return {
            "ap": float(metrics.average_precision(self.inner_labels, logits)[present].mean()),
            "f1": float(metrics.f1_positive(self.inner_labels, logits > 0)[present].mean()),
        }

    def trained(self) -> dict[str, Tensor]:
        """Every tensor that training changes: weights, batch statistics, the helper's."""
        tensors = {f"model.{k}": v for k, v in self.model.trained_state().items()}
        return tensors | {f"helpers.{k}": v for k, v in self.helpers.state_dict().items()}

    @property
    def people(self) -> set[str]:
        """Everyone whose clips the weights have seen, or will have."""
        return unpack(self.model.config.trained_on) | set(self.data.subjects.tolist())

    def calibrated(self) -> AULLM:
        """The model with calibration, thresholds and the not-sure band fitted on inner subjects."""
        self.epoch = self.config.warmup + self.config.epochs
        fitted = metrics.calibrate(self.inner_labels, self.inner_logits())
        self.model.config = self.model.config.changed(**fitted, trained_on=pack(self.people), speaks=self.speaks)
        return self.model.eval()
