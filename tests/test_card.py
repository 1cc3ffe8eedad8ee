"""The figures of the README are those of the JSON files beside the checkpoint."""

from pathlib import Path

import pytest

from aullm_lite import card
from aullm_lite.checkpoint import DEMO

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_readme_quotes_the_files_beside_the_checkpoint():
    assert card.fill(README, DEMO) == README


@pytest.mark.parametrize(
    "name", ["scores", "losses", "course", "speed", "stages", "peers", "loso", "leaks", "words", "ablation"]
)
def test_a_drifted_figure_would_be_seen(name):
    block = card.blocks(DEMO)[name]
    digit = next(c for c in block if c.isdigit())
    drifted = README.replace(block, block.replace(digit, str((int(digit) + 1) % 10)))
    assert drifted != README == card.fill(drifted, DEMO)


def test_a_page_without_its_marks_is_refused():
    with pytest.raises(ValueError, match="<!-- scores -->"):
        card.fill("no marks", DEMO)
