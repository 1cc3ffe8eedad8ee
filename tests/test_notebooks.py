"""The course runs as the reader gets it, solved and wrong; its files come from its sources and keep the targets."""

import json
import subprocess
import sys

import pytest

pytest.importorskip("jupytext", reason='the notebooks need pip install -e ".[notebooks]"')

from course import ROOT, SOURCES, exercises, mistakes, solved, wrong
from scripts import script

pytestmark = pytest.mark.notebook
EVERY = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)


@pytest.fixture(scope="module")
def make():
    """The script that runs and writes the notebooks."""
    return script("make_notebooks")


def output(notebook) -> str:
    """All that the cells printed."""
    outputs = (out for cell in notebook.cells if cell.cell_type == "code" for out in cell.outputs)
    return "".join(out.get("text", "") for out in outputs)


@EVERY
def test_as_the_reader_gets_it(make, source):
    printed = output(make.run(make.from_source(source)))
    assert "❌" not in printed and f"0 of {len(exercises(make.from_source(source)))} exercises done" in printed


@EVERY
def test_solved(make, source):
    notebook = solved(make.from_source(source))
    count = len(exercises(make.from_source(source)))
    assert f"{count} of {count} exercises done" in output(make.run(notebook, AULLM_STRICT="1"))


@EVERY
def test_wrong_answers_are_rejected(make, source):
    printed = output(make.run(wrong(make.from_source(source), source.stem)))
    assert "NameError" not in printed  # each is rejected for what it gives, not because it cannot run


@EVERY
def test_the_file_comes_from_its_source(make, source):
    kept = json.loads((ROOT / "notebooks" / f"{source.stem}.ipynb").read_text(encoding="utf-8"))
    cells = [(cell["cell_type"], "".join(cell["source"]), cell["metadata"]) for cell in kept["cells"]]
    assert cells == [(cell.cell_type, cell.source, cell.metadata) for cell in make.from_source(source).cells]


@EVERY
def test_numbers_and_mistakes_belong_to_the_notebook(make, source):
    numbers = [exercise["number"] for exercise in exercises(make.from_source(source))]
    assert numbers == [f"{int(source.stem[:2])}.{n}" for n in range(1, len(numbers) + 1)]
    assert sorted(mistakes(source.stem)) == sorted(numbers)


def test_the_map_is_made_from_the_headers(make):
    for page in make.PAGES:
        assert make.with_map(page, SOURCES) == page.read_text(encoding="utf-8")


def test_the_targets_are_kept():
    command = [sys.executable, ROOT / ".github" / "notebook_metrics.py", ROOT / "notebooks", "--strict"]
    done = subprocess.run([*command, "--min-exercises", "30"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
