"""Scores of spoken reports: of a model that says just what was so, and of one that says something else."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from aullm_lite.cli import main
from aullm_lite.model import AULLM
from aullm_lite.speech import scores
from aullm_lite.speech.questions import Question, answer
from aullm_lite.speech.spoken import Spoken, describe_all
from aullm_lite.speech.wording import SIDES, statements_of, tell
from aullm_lite.synth.dataset import make_clips, tier_recipe


@pytest.fixture(scope="module")
def data():
    return make_clips(4, 10, tier_recipe("easy", none=0.0), seed=700)


def heard(script, aus, change=lambda some: some, question=Question("report")) -> Spoken:
    statements = statements_of(script, aus)
    verdicts = {au: "present" if au in {s.au for s in statements} else "absent" for au in aus}
    said = tell(change(statements))
    return Spoken(said, said, verdicts, question)


def test_the_truth_is_wholly_right(data):
    truths = [statements_of(script, data.aus) for script in data.scripts]
    table = scores.against_truth(list(map(tell, truths)), truths)
    assert table["named"] == sum(map(len, truths)) > 40 and table["one_sided"] > 3
    for name in ("side", "side_of_one_sided", "strength", "frame", "frame_within_one", "whole_text"):
        assert table[name] == 1.0


def test_each_wrong_word_is_counted_once(data):
    truths = [statements_of(script, data.aus) for script in data.scripts]
    swap = dict(zip(SIDES, ("both", "R", "L")))
    turned = [tuple(replace(s, side=swap[s.side], frame=max(2, s.frame - 1)) for s in some) for some in truths]
    table = scores.against_truth(list(map(tell, turned)), truths)
    assert table["side_where_one_is_claimed"] == 0 and table["whole_text"] == 0
    both = np.mean([s.side == "both" for some in truths for s in some])
    assert table["side"] == pytest.approx(both) and table["side_of_one_sided"] == 0 and table["strength"] == 1
    assert table["frame_within_one"] == 1 and table["frame"] < 0.5
    assert scores.against_truth(["She smiles."] * len(truths), truths)["side"] is None


def test_text_and_head_are_compared_on_the_same_clips(data, smoke, monkeypatch):
    labels = torch.from_numpy(data.labels)
    seen = iter(labels.split(scores.BATCH))
    monkeypatch.setattr(AULLM, "probabilities", lambda self, part: next(seen))  # a head that is always right
    lazy = [heard(script, data.aus, lambda some: some[:1]) for script in data.scripts]
    lazy[0] = replace(lazy[0], said="She smiles.", problem="it names AU4, which the head calls absent")
    table = scores.against_head(smoke, data, lazy)
    assert table["f1"]["head"] == 1 and table["f1"]["text"] < 0.9 and table["text_less_head"]["difference"] < 0
    assert table["agree"] == 1 - 1 / len(data) and table["replaced"] == {
        "it names an AU, which the head calls absent": 1
    }
    assert 0 < table["contradictions_after_guard"] < len(data)  # these texts never met the guard


def test_a_sentence_that_contradicts_is_seen_without_the_guard():
    verdicts = {4: "present", 7: "not sure", 12: "absent"}
    texts = {
        "AU4 brow lowerer on both sides, weak, apex at frame 3. The lower face shows no known Action Unit.": False,
        "AU4 brow lowerer; AU7 lid tightener. Not sure about AU7.": False,
        "AU7 lid tightener.": True,
        "AU4 brow lowerer; AU12 lip corner puller.": True,
        "AU4 brow lowerer; AU20 lip stretcher.": True,
        "AU4 brow lowerer. The upper face shows no known Action Unit.": True,
        "No known Action Unit appeared.": True,
    }
    for text, wrong in texts.items():
        assert scores.contradicts(Spoken(text, text, verdicts)) == wrong, text


def test_what_the_guard_lets_pass_contradicts_nothing(data, smoke):
    smoke.config = smoke.config.changed(speaks=True, not_sure=((0.01, 0.6),) * 12)
    clips = torch.from_numpy(data.clips[:6]).float() / 255
    for one in describe_all(smoke, clips):
        assert one.problem and not scores.contradicts(one)  # random weights say nothing that is a report


def test_questions_are_scored_against_the_truth(data, smoke, monkeypatch):
    index = {clip.tobytes(): n for n, clip in enumerate((data.clips / np.float32(255)).astype(np.float32))}

    def honest(model, part, question):
        seen = [np.array(data.aus)[data.labels[index[clip.numpy().tobytes()]] > 0] for clip in part]
        return [Spoken("", answer(question, some.tolist()), {}) for some in seen]

    monkeypatch.setattr(scores, "describe_all", honest)
    table = scores.question_scores(smoke, data)
    assert (table["which_right"], table["is_right"], table["is_right_where_present"]) == (1, 1, 1)
    monkeypatch.setattr(scores, "describe_all", lambda model, part, question: [Spoken("", " No.", {})] * len(part))
    table = scores.question_scores(smoke, data)
    assert table["which_right"] == 0 and table["is_right_where_present"] == 0 and table["is_right"] > 0.5


def test_the_command_scores_a_checkpoint_that_speaks(smoke, tmp_path, capsys):
    smoke.config = smoke.config.changed(speaks=True, trained_on=("somebody",))
    smoke.save_pretrained(tmp_path / "model")
    order = ["evaluate", str(tmp_path / "model"), "--spoken", "--subjects", "2", "--clips", "6"]
    assert main([*order, "--json", str(tmp_path / "spoken.json")]) == 0
    assert "text and head agree in" in capsys.readouterr().out and (tmp_path / "spoken.json").exists()
    assert main([*order, "--full"]) == 2 and "leave out --full" in capsys.readouterr().err


def test_a_silent_checkpoint_says_so_before_the_video_is_read(smoke, tmp_path, capsys):
    smoke.save_pretrained(tmp_path)
    assert main(["describe", "nowhere.mp4", "--model", str(tmp_path)]) == 2
    assert "has not learned to speak" in capsys.readouterr().err


@pytest.mark.parametrize("asked", ["", "Is she happy?", "Is AU20 present?", "ne?"])
def test_other_questions_end_with_one_sentence(smoke, tmp_path, capsys, asked):
    smoke.config = smoke.config.changed(speaks=True)
    smoke.save_pretrained(tmp_path)
    assert main(["describe", "nowhere.mp4", "--model", str(tmp_path), "--ask", asked]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
