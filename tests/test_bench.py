"""What `bench` counts and writes; how fast anything is, is nobody's test."""

import json

import pytest
import torch
from torch import nn

from aullm_lite.bench import as_text
from aullm_lite.bench.figure import stage_figure
from aullm_lite.bench.floor import Floor, measure_floor
from aullm_lite.bench.folds import folds_together
from aullm_lite.bench.stages import BATCHES, measure, needed_bytes, stage_table, stages, thread_table
from aullm_lite.bench.text import STAGES
from aullm_lite.bench.whole import speech_speed
from aullm_lite.cli import main

FLOOR = Floor(1e11, 1e10)


def test_speech_is_measured_where_a_model_speaks(smoke):
    assert speech_speed(smoke) is None
    smoke.config = smoke.config.changed(speaks=True)
    figures = speech_speed(smoke, rounds=1)
    assert figures["tokens"] > 0 and figures["report_s"] > 0 and figures["said"]


def test_the_floor_is_the_slower_of_arithmetic_and_memory():
    floor = Floor(flops=100.0, bandwidth=10.0)
    assert floor.seconds(200, 10) == 2.0 and floor.seconds(200, 50) == 5.0
    measured = measure_floor(torch.device("cpu"), torch.float32)
    assert measured.flops > 1e8 and measured.bandwidth > 1e8


def test_operations_and_bytes_are_counted():
    layer, x = nn.Linear(30, 20, bias=False), torch.randn(5, 30)
    row = measure(layer, (x,), Floor(1e9, 1e12))
    assert row["gflop"] == pytest.approx(2 * 5 * 30 * 20 / 1e9) and row["bound_by"] == "arithmetic"
    assert row["mb"] == pytest.approx(4 * (30 * 20 + 5 * 30 + 5 * 20) / 1e6)
    assert measure(layer, (x,), Floor(1e12, 1e6))["bound_by"] == "memory"
    assert row["times_floor"] == pytest.approx(row["ms"] / row["floor_ms"])


def test_a_visual_token_needs_no_row_of_the_vocabulary(smoke):
    language, token = smoke.language, torch.randn(1, 1, smoke.language.width)
    words = language.lm.get_input_embeddings().weight
    all_of_it = 4 * sum(weight.numel() for weight in language.parameters())
    assert needed_bytes(language, (token,), token) == all_of_it - 4 * words.numel() + 2 * 4 * token.numel()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_every_stage_is_measured(smoke, dtype):
    table = stage_table(smoke, dtype, FLOOR, batches=(1, 2))
    expected = [stage for stage in STAGES if dtype == torch.float32 or stage != "motion"]
    assert [row["stage"] for row in table["rows"] if row["batch"] == 2] == expected
    work = {row["stage"]: row["gflop"] for row in table["rows"] if row["batch"] == 1}
    assert work["backbone"] > work["projector"] > work["head"] > 0
    assert next(smoke.parameters()).dtype == torch.float32  # a copy was measured


def test_stages_lead_from_clips_to_logits(smoke):
    module, inputs = stages(smoke.eval(), 3)["head"]
    assert module(*inputs).shape == (3, len(smoke.config.aus))


def test_threads_are_put_back(smoke):
    before = torch.get_num_threads()
    rows = thread_table(smoke, batches=(1,))
    assert {row["threads"] for row in rows} == {1, before} and torch.get_num_threads() == before


def test_folds_are_trained_both_ways(smoke):
    figures = folds_together(smoke, folds=2, clips=33, rounds=1)
    assert figures["ratio"] == figures["apart_s"] / figures["together_s"] and figures["steps"] == 1


def test_text_and_picture_say_what_the_figures_say(smoke):
    machine = {"device": "CPU", "threads": 2}
    figures = {"machine": machine, "stages": [stage_table(smoke, torch.float32, FLOOR, batches=BATCHES[:2])]}
    rows = figures["stages"][0]["rows"]
    line = next(line for line in as_text(figures).splitlines() if line.startswith("| language model"))
    for row in rows:
        if row["stage"] == "language model":
            assert f"{row['ms']:.3g}, {row['times_floor']:.1f}" in line
    texts = [text.get_text().strip() for ax in stage_figure(figures).axes for text in ax.texts]
    assert texts == [f"{row['ms']:.3g}" for row in rows]


def test_the_command_writes_figures_and_refuses_early(monkeypatch, tmp_path, smoke, capsys):
    table = stage_table(smoke, torch.float32, FLOOR, batches=(1,))
    figures = {"machine": {"device": "CPU", "threads": 2}, "stages": [table]}
    monkeypatch.setattr("aullm_lite.bench.run", lambda *args, **how: figures)
    out = tmp_path / "bench.json"
    assert main(["bench", "--json", str(out), "--figure", str(tmp_path / "bench.png")]) in (0, None)
    assert json.loads(out.read_text())["stages"][0]["dtype"] == "float32" and (tmp_path / "bench.png").exists()
    monkeypatch.setattr("aullm_lite.bench.run", lambda *args, **how: pytest.fail("measured in vain"))
    assert main(["bench", "--json", str(tmp_path / "none" / "bench.json")]) == 2
    assert "no folder" in capsys.readouterr().err
