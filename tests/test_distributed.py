"""Two processes train what one process trains: weights, moments, statistics, figures; and only the first one writes.

Compared in double precision and without dropout: in single precision a ReLU may turn by a rounding error, of which Adam
makes a full step.  This file is also what torchrun starts.
"""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from aullm_lite import distributed, resume
from aullm_lite.cli import main
from aullm_lite.config import AULLMConfig
from aullm_lite.errors import InputError
from aullm_lite.model import AULLM
from aullm_lite.recipe import TrainConfig
from aullm_lite.run import METRICS, TrainingRun
from aullm_lite.synth.dataset import make_clips, training_recipe
from aullm_lite.train import Trainer

ROOT = Path(__file__).parents[1]
LAUNCH = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
WORDS = TrainConfig(epochs=1, warmup=1, batch_size=7, inner_share=0.25, spoken=3)  # 7 and 3: shares of unequal size
CASES = {
    "words": ({}, WORDS),
    "learned": ({"motion": "eulerian"}, replace(WORDS, warmup=0, spoken=0, loss="bce")),
}


def people():
    return make_clips(4, 6, training_recipe, seed=500)


@contextmanager
def double():
    """Double precision wherever the code asks for single."""
    single, torch.Tensor.float = torch.Tensor.float, torch.Tensor.double
    try:
        yield
    finally:
        torch.Tensor.float = single


def start(case: str, data, out: Path) -> TrainingRun:
    changes, config = CASES[case]
    torch.manual_seed(0)
    model = AULLM(AULLMConfig.from_preset("smoke", drop_rate=0, lora_dropout=0, **changes)).double()
    trainer = Trainer(model, data, config, bars=False)
    trainer.helpers.double()
    return TrainingRun(trainer, out / case)


def one_of_two(out: Path) -> None:
    """What each of two processes does: all that is compared, and a file of its own on what it has seen."""
    seen = {"world": distributed.start(), "refused": main(["bench"])}
    data = people()
    seen |= {"ids": data.ids.tolist(), "pixels": data.clips.sum((1, 2, 3), dtype=np.int64).tolist()}
    with double():
        for case in CASES:
            start(case, data, out).run()
        start("words", data, out / "part").run(go_on=True)
    seen["noise"] = torch.rand(()).item()
    order = ["--preset", "smoke", "--subjects", "4", "--clips", "4", "--batch-size", "6", "--epochs", "1"]
    seen["trained"] = main(["train", *order, "--warmup", "0", "--spoken", "2", "--out", str(out / "command")])
    seen["too_few"] = main(["train", *order, "--spoken", "1", "--out", str(out / "few")])
    with pytest.raises(InputError, match="The processes differ in their data"):
        other = replace(data, labels=np.roll(data.labels, distributed.rank(), axis=1))
        start("learned", other, out / "other").run()
    (out / f"process{distributed.rank()}.json").write_text(json.dumps(seen))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Folders of one process, `one`, and of two, `two`; `two/part` was begun by one.  What the two printed and saw."""
    folder, data = tmp_path_factory.mktemp("trained"), people()
    with double():
        for case in CASES:
            start(case, data, folder / "one").run()
        begun = start("words", data, folder / "two" / "part")
        begun.out.mkdir(parents=True)
        begun.keep(next(begun.trainer.epochs()))
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*LAUNCH, __file__, folder / "two"], env=environment, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder, done, [json.loads((folder / "two" / f"process{n}.json").read_text()) for n in range(2)]


def end_of(folder: Path) -> dict:
    return resume.load(folder / resume.STATE)[0]


@pytest.mark.parametrize("case", CASES)
def test_two_processes_end_where_one_does(trained, case):
    one, two = (end_of(trained[0] / name / case) for name in ("one", "two"))
    assert one.keys() == two.keys() and any("running_var" in name for name in one)
    for name, value in one.items():
        assert torch.allclose(value, two[name], rtol=0, atol=1e-6), name
    configs = [AULLM.from_pretrained(trained[0] / name / case).config for name in ("one", "two")]
    assert np.allclose(configs[0].calibration, configs[1].calibration, atol=1e-3)
    assert configs[0].trained_on == configs[1].trained_on


def test_one_process_begins_and_two_go_on(trained):
    one, part = end_of(trained[0] / "one" / "words"), end_of(trained[0] / "two" / "part" / "words")
    for name, value in one.items():
        assert torch.allclose(value, part[name], rtol=0, atol=1e-6), name
    rows = [json.loads(row) for row in (trained[0] / "two" / "part" / "words" / METRICS).read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2]


def test_there_were_two_and_each_knew_all_clips(trained):
    (_, done, seen), data = trained, people()
    assert [one["world"] for one in seen] == [2, 2] and done.stdout.count("2 processes, each") == 3
    for one in seen:
        assert one["ids"] == data.ids.tolist() and one["pixels"] == data.clips.sum((1, 2, 3), dtype=np.int64).tolist()


def test_each_process_drops_out_others(trained):
    assert trained[2][0]["noise"] != trained[2][1]["noise"]


def test_the_command_is_run_by_both_and_written_by_one(trained):
    folder, done, seen = trained
    assert [one["trained"] for one in seen] == [0, 0] and done.stdout.count("The checkpoint lies in") == 1
    assert len((folder / "two" / "command" / METRICS).read_text().splitlines()) == 1
    assert AULLM.from_pretrained(folder / "two" / "command").config.speaks


def test_what_several_processes_cannot_do_is_refused(trained):
    _, done, seen = trained
    assert [one["refused"] for one in seen] == [one["too_few"] for one in seen] == [2, 2]
    assert "bench: Only train runs as several processes" in done.stderr
    assert "train: 2 processes need at least as many clips in a batch" in done.stderr


def test_a_launcher_that_starts_one_of_several_is_noticed(monkeypatch):
    assert distributed.start() == 1
    monkeypatch.setenv("ACCELERATE_USE_CPU", "False")
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    with pytest.raises(InputError, match="has started one: without several GPUs it needs --multi_gpu"):
        distributed.start()


if __name__ == "__main__":
    one_of_two(Path(sys.argv[1]))
