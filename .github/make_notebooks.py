"""Run the course and write it anew: `make_notebooks.py [03 07 ...]`, sources in notebooks/src, results beside them.

Each notebook is run as the reader gets it, in a fresh kernel, offline; a cell that raises stops it.  The map in
notebooks/README.md and in the README is made from their headers.
"""

import os
import re
import sys
from pathlib import Path
from time import perf_counter

import jupytext
import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
PAGES = NOTEBOOKS / "README.md", NOTEBOOKS.parent / "README.md"
BAR = "application/vnd.jupyter.widget-view+json"
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "AULLM_NO_WIDGETS": "1",
    "PYTHONHASHSEED": "0",
    "AULLM_STRICT": "",
    "AULLM_COURSE": "",
}


def from_source(source: Path) -> nbformat.NotebookNode:
    """The notebook of a percent script, without outputs; its cells keep their ids from build to build."""
    notebook = jupytext.read(source)
    for n, cell in enumerate(notebook.cells):
        cell.id = f"{source.stem[:2]}-{n:02d}"
        cell.metadata = {"tags": cell.metadata["tags"]} if cell.metadata.get("tags") else {}
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return notebook


def run(notebook: nbformat.NotebookNode, **also: str) -> nbformat.NotebookNode:
    """Run all cells in a fresh kernel, in the folder of the notebooks, with environment variables `also`.

    Raises what a cell raises, and `TimeoutError` after three minutes in one cell.
    """
    where = {"metadata": {"path": str(NOTEBOOKS)}}
    how = dict(kernel_name="python3", timeout=180, record_timing=False, coalesce_streams=True)
    client = NotebookClient(notebook, resources=where, **how)
    return client.execute(env=os.environ | OFFLINE | also)


def without_bars(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook without progress bars, of widgets or of text, which are stale in a file.  Raises at a warning."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            if any("Warning" in out.text for out in cell.outputs if out.get("name") == "stderr"):
                raise ValueError(f"A cell warns, which readers should not see:\n{cell.source}")
            kept = (out for out in cell.outputs if out.get("name") != "stderr")
            cell.outputs = [out for out in kept if BAR not in out.get("data", {})]
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    return notebook


def write(source: Path) -> None:
    """Run one source and write its notebook beside the others."""
    start = perf_counter()
    notebook = without_bars(run(from_source(source)))
    path = NOTEBOOKS / f"{source.stem}.ipynb"
    nbformat.write(notebook, path)
    print(f"{path.name}: {perf_counter() - start:.0f} s, {path.stat().st_size / 1024:.0f} KB", flush=True)


def course_map(sources: list[Path], folder: str) -> str:
    """A table of the notebooks with their times, from the headers; links begin with `folder`."""
    lines = ["| notebook | read | run, 2 cores | exercises |", "|---|---|---|---|"]
    for source in sources:
        notebook = from_source(source)
        head = notebook.cells[0].source
        title = re.search(r"^# (.*)", head, re.M)[1]
        read, quick, full = re.search(r"read (.*?) · run (.*?) \(full: (.*?)\)", head).groups()
        count = sum("exercise" in cell.metadata.get("tags", []) for cell in notebook.cells)
        lines.append(f"| [{title}]({folder}{source.stem}.ipynb) | {read} | {quick}; full: {full} | {count} |")
    return "\n".join(lines)


def with_map(page: Path, sources: list[Path]) -> str:
    """The text of a page with the map of the course made anew."""
    folder = "" if page.parent == NOTEBOOKS else "notebooks/"
    made = f"<!-- map -->\n{course_map(sources, folder)}\n<!-- /map -->"
    text, found = re.subn(
        r"<!-- map -->\n.*?<!-- /map -->", lambda _: made, page.read_text(encoding="utf-8"), flags=re.S
    )
    if found != 1:
        raise ValueError(f"{page} has {found} places for the map, not one.")
    return text


if __name__ == "__main__":
    wanted = sys.argv[1:]
    sources = sorted((NOTEBOOKS / "src").glob("*.py"))
    for source in sources:
        if not wanted or source.stem[:2] in wanted:
            write(source)
    for page in PAGES:
        page.write_text(with_map(page, sources), encoding="utf-8")
