"""The comparison with other tools: both sides do the same work, and what is missing is said in one sentence."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from scripts import script

from aullm_lite.motion.lucas_kanade import warp
from aullm_lite.synth.drawn import draw_identity
from aullm_lite.synth.render import Actor, render
from aullm_lite.synth.script import Movement, Script


@pytest.fixture(scope="module")
def peers():
    """The script and, as its attributes, its parts."""
    path = list(sys.path)
    yield script("peers")
    sys.path[:] = path


@pytest.fixture
def pair(peers, smoke):
    """The smoke model with LoRA weights that matter, and its language model in plain transformers and peft."""
    torch.manual_seed(0)
    for name, weight in smoke.language.lm.named_parameters():
        if "lora_B" in name:
            weight.data.normal_(std=0.3)
    return smoke, peers.llm.plain(smoke)


def test_both_ways_read_and_learn_the_same(peers, pair):
    rows = peers.llm.inference(*pair, batches=(1, 3), rounds=1) + peers.llm.training(*pair, batches=(3,), rounds=1)
    assert [row["work"] for row in rows] == 3 * ["read, B=1"] + 3 * ["read, B=3"] + 2 * ["train, B=3"]
    assert max(row["difference"] for row in rows) < 1e-5
    assert all(row["ratio"] == pytest.approx(row["peer_ms"] / row["ours_ms"]) for row in rows)


def test_another_model_is_not_compared(peers, pair):
    model, peer = pair
    next(weight for name, weight in peer.named_parameters() if "lora_B" in name).data.add_(0.1)
    with pytest.raises(AssertionError, match="not the same"):
        peers.llm.inference(model, peer, batches=(2,), rounds=1)


def test_both_ways_say_the_same_words(peers, pair):
    (row,) = peers.llm.words(*pair, batches=(2,), rounds=1, most=6)
    assert 1 <= row["tokens"] <= 6


def test_a_peer_without_a_place_is_left_out(peers, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(peers, "use_cores", lambda count: None)  # the other tests want theirs
    peers.main(["--only", "faces", "--json", str(tmp_path / "figures.json")])
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["faces"]["missing"] in capsys.readouterr().out and "--peers DIR" in figures["faces"]["missing"]
    assert figures["machine"]["versions"]["torch"] == torch.__version__


def test_what_cannot_be_installed_is_said(peers, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    with pytest.raises(peers.Missing, match="nothing.whl cannot be installed here: "):
        peers.faces.environment(tmp_path, str(tmp_path / "nothing.whl"))


def working(peers, folder: Path, code: str):
    (folder / "tool.py").write_text(code)
    return peers.faces.worker(sys.executable, folder / "tool.py", folder / "tool.log")


def test_a_worker_answers_line_by_line(peers, tmp_path):
    echo = "import json, sys\nfor line in sys.stdin: print(json.dumps({'got': json.loads(line)['a']}), flush=True)"
    with working(peers, tmp_path, echo) as ask:
        assert [ask(a=number) for number in (1, 2)] == [{"got": 1}, {"got": 2}]


@pytest.mark.parametrize("script", ["raise RuntimeError('no weights')", 'print(\'{"missing": "no weights"}\')'])
def test_a_worker_that_fails_is_left_out(peers, tmp_path, script):
    with pytest.raises(peers.Missing, match="tool cannot be run here: .*no weights"):
        with working(peers, tmp_path, script) as ask:
            ask(load="frames.npy")


def test_shake_is_what_the_path_does_not_explain(peers):
    path = np.array([[0, 0], [3, 4], [-3, -4]])
    eyes = [np.array([[100, 100], [144.8, 100]]) + at for at in path]  # twice as far apart as in the crop
    assert peers.faces.shake([*eyes[:2], None], path) == pytest.approx(0)
    assert peers.faces.shake([eyes[0]] * 3, path) == pytest.approx(np.sqrt(50 / 3) / 2)
    assert peers.faces.apart(eyes, [eyes[0] + [4.48, 0], None, None]) == pytest.approx(10)


def test_true_flow_pulls_every_frame_back(peers):
    """With an exact camera, frames pulled back along the flow are the first one; the part of the head is not enough."""
    actor = Actor(draw_identity(12), 12)
    smile = Movement(12, "both", 2.0, onset=0.0, apex=0.3, offset=0.7)
    script = Script(np.linspace(0, 0.5, 6), (smile,), head=(1.5, 0.0, 0.0, 0.0, 1.0, -0.5))
    frames, (whole, au) = torch.from_numpy(render(actor, script)), peers.flow.true_flow(actor, script)
    moved = np.linalg.norm(au, axis=1) > peers.flow.MOVES

    def wrong(flow: np.ndarray) -> float:
        back = warp(frames[1:, None], torch.from_numpy(flow))[:, 0]
        return (back - frames[0]).abs().numpy()[moved].mean()

    assert wrong(whole) < 0.35 * wrong(0 * whole) and wrong(whole) < 0.7 * wrong(whole - au)


def test_every_peer_gives_x_and_y_of_where_the_skin_went(peers):
    rng = np.random.default_rng(0)
    texture = torch.nn.functional.interpolate(torch.from_numpy(rng.random((1, 1, 24, 24))), size=96, mode="bicubic")
    texture = (texture[0, 0].clamp(0, 1) * 255).byte().numpy()
    onset, later = texture[16:80, 16:80].copy(), texture[17:81, 14:78].copy()  # two pixels to the right, one up
    for name, flow in peers.flow.PEERS.items():
        middle = np.median(flow(onset, later)[:, 16:48, 16:48], axis=(1, 2))
        assert middle == pytest.approx([2, -1], abs=0.25), name
