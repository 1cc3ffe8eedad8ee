"""The figures of the README are those of the JSON files beside the checkpoint, and in `.github/faults`."""

import pytest
from scripts import ROOT, script

from aullm_lite import card
from aullm_lite.checkpoint import DEMO

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_readme_quotes_the_files_beside_the_checkpoint():
    assert card.fill(README, card.blocks(DEMO)) == README


def test_readme_quotes_what_the_fault_tests_found():
    assert card.fill(README, script("fault_card").blocks()) == README


@pytest.mark.parametrize(
    "name", ["scores", "losses", "course", "speed", "stages", "peers", "loso", "leaks", "words", "ablation"]
)
def test_a_drifted_figure_would_be_seen(name):
    block = card.blocks(DEMO)[name]
    digit = next(c for c in block if c.isdigit())
    drifted = README.replace(block, block.replace(digit, str((int(digit) + 1) % 10)))
    assert drifted != README == card.fill(drifted, card.blocks(DEMO))


def test_a_page_without_its_marks_is_refused():
    with pytest.raises(ValueError, match="<!-- scores -->"):
        card.fill("no marks", card.blocks(DEMO))
