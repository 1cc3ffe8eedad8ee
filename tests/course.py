"""Variants of a notebook for its tests: solved, and with every wrong answer that its checks have to reject.

An exercise is a code cell tagged `exercise`, with the check cells (tagged `check`) and the Markdown cell with its
solution (tagged `solution`, the code in its first fence) that follow it before the next exercise.
"""

import ast
import re
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "notebooks" / "src").glob("[0-9]*.py"))
KINDS = {  # wrong answers that any exercise must reject, of a function and of a value
    True: ("raises", "constant", "plus one", "its input", "in place"),
    False: ("constant", "plus one"),
}
CHECKS = ("check", "check_fn", "check_shape")

# What makes a right answer wrong; run in the notebook's kernel.
SPOIL = """
import copy as _copy
import numpy as _np
import torch as _torch
from aullm_lite.teach import state_of as _state_of

def _spoiled(value, kind):
    if isinstance(value, (tuple, list)):
        return type(value)(_spoiled(one, kind) for one in value)
    if isinstance(value, dict):
        return {key: _spoiled(one, kind) for key, one in value.items()}
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return "" if kind == "constant" else value + "?"
    if isinstance(value, (_torch.Tensor, _np.ndarray)) and value.dtype in (bool, _torch.bool):
        return ~value
    return value * 0 if kind == "constant" else value + 1

def _spoil(right, kind):
    if not callable(right):
        return _spoiled(right, kind)
    def wrong(*args, **kwargs):
        if kind == "raises":
            raise RuntimeError("a mistake")
        if kind == "its input" and args:
            return args[0]
        result = _copy.deepcopy(right(*args, **kwargs))
        arrays = [one for one in args if isinstance(one, (_torch.Tensor, _np.ndarray))]
        if kind == "in place" and arrays:
            arrays[0][...] = ~arrays[0] if arrays[0].dtype in (bool, _torch.bool) else arrays[0] + 1
            return result
        return _spoiled(result, kind)
    return wrong
"""


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def exercises(notebook) -> list[dict]:
    """Every exercise: where it stands, its number, names it defines, its checks, its solution."""
    starts = [i for i, cell in enumerate(notebook.cells) if "exercise" in tags(cell)]
    found = []
    for start, stop in zip(starts, [*starts[1:], len(notebook.cells)]):
        cells = notebook.cells[start + 1 : stop]
        checks = [cell for cell in cells if "check" in tags(cell)]
        solution = next((cell for cell in cells if "solution" in tags(cell)), None)
        assert checks and solution, f"the exercise in cell {start} needs a check and a solution"
        found.append(
            {
                "at": start,
                "last_check": max(i for i in range(start, stop) if "check" in tags(notebook.cells[i])),
                "number": number_of(checks),
                "names": names_in(notebook.cells[start].source),
                "function": "def " in notebook.cells[start].source,
                "checks": [cell.source for cell in checks],
                "solution": re.search(r"```python\n(.*?)```", solution.source, re.S)[1],
            }
        )
    return found


def number_of(checks) -> str:
    """The number that the checks of one exercise give it."""
    calls = [node for cell in checks for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call)]
    numbers = {call.args[0].value for call in calls if getattr(call.func, "id", "") in CHECKS}
    assert len(numbers) == 1, f"one number for each exercise, got {sorted(numbers)}"
    return numbers.pop()


def names_in(code: str) -> list[str]:
    """Functions and values that a cell defines at its top level."""
    names = []
    for node in ast.parse(code).body:
        if isinstance(node, ast.FunctionDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign):
            names += [name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)]
    return names


def solved(notebook) -> nbformat.NotebookNode:
    """Every exercise cell holds the solution that the reader finds in its fold."""
    for exercise in exercises(notebook):
        notebook.cells[exercise["at"]].source = exercise["solution"]
    return notebook


def mistakes(name: str) -> dict[str, list[str]]:
    """Plausible wrong answers by exercise, from tests/mistakes: cells that begin with `# %% NUMBER what is wrong`."""
    path = ROOT / "tests" / "mistakes" / f"{name}.py"
    found: dict[str, list[str]] = {}
    for cell in re.split(r"^# %% ", path.read_text(encoding="utf-8"), flags=re.M)[1:]:
        head, code = cell.split("\n", 1)
        found.setdefault(head.split()[0], []).append(code)
    return found


def wrong(notebook, name: str) -> nbformat.NotebookNode:
    """After every exercise each wrong answer stands in turn, its check runs again, and has to reject it."""
    cells, plausible = list(notebook.cells), mistakes(name)
    for exercise in reversed(exercises(notebook)):
        answers = [spoiled(exercise, kind) for kind in KINDS[exercise["function"]]] + plausible[exercise["number"]]
        extra = [new_code_cell(one) for answer in answers for one in (answer, *exercise["checks"], rejected(exercise))]
        at = exercise["last_check"] + 1
        cells[at:at] = extra
    cells.insert(0, new_code_cell(SPOIL))
    notebook.cells = cells
    return notebook


def spoiled(exercise: dict, kind: str) -> str:
    lines = [exercise["solution"], *(f"{name} = _spoil({name}, {kind!r})" for name in exercise["names"])]
    return "\n".join(lines)


def rejected(exercise: dict) -> str:
    number = exercise["number"]
    return f"assert _state_of({number!r}) == '❌', 'a wrong answer passed the check of {number}'"
