"""How does this package compare with what people would use instead?  `python .github/peers.py --peers DIR --json FILE`

Each peer does the same work on the same input, in pairs and in turns in one run, on the same number of cores; a ratio
above 1 says how many times longer the peer takes.  The parts are `llm` (transformers and peft), `faces` (MediaPipe),
`flow` (OpenCV and scikit-image) and, when asked for, `py-feat`, whose environment takes gigabytes; environments are
made below DIR.  A peer that cannot be had is left out with one sentence.  Takes some minutes on a quiet machine.
"""

import argparse
import os
import platform
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import cv2
import torch

sys.path.insert(0, str(Path(__file__).with_suffix("")))  # its own parts
import faces
import flow
import llm
from apart import Missing

from aullm_lite.evaluate import write_json
from aullm_lite.model import AULLM

PARTS = ("llm", "faces", "flow", "py-feat")
OURS = ("torch", "transformers", "peft", "opencv-python-headless", "scikit-image", "numpy")
TIMES = {"ours ms": ("ours_ms", ".1f"), "peer ms": ("peer_ms", ".1f"), "ratio": ("ratio", ".2f")}
READ = {"work": ("work", ""), "peer": ("peer", ""), **TIMES, "difference": ("difference", ".1e")}
SPEAK = {"work": ("work", ""), "peer": ("peer", ""), **TIMES, "tokens": ("tokens", "d")}
FACES = {
    "film and way": ("work", ""),
    **TIMES,
    "found": ("found", ".0%"),
    "by peer": ("peer_found", ".0%"),
    "apart %": ("apart_percent", ".2f"),
    "shake": ("shake", ".3f"),
    "of peer": ("peer_shake", ".3f"),
}
FLOW = {
    "film": ("film", ""),
    "method": ("method", ""),
    "error, all": ("all", ".3f"),
    "less median": ("au_median", ".3f"),
    "less rigid": ("au_rigid", ".3f"),
    **TIMES,
}


def use_cores(count: int) -> None:
    """Let this process, and those that it starts, compute with so many threads, where possible on so many cores."""
    torch.set_num_threads(count)
    cv2.setNumThreads(count)
    os.environ["OMP_NUM_THREADS"] = str(count)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def machine(threads: int) -> dict:
    """What the figures depend on."""
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "threads": threads,
        "pinned": hasattr(os, "sched_setaffinity"),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in OURS},
    }


def table(rows: list[dict], columns: dict[str, tuple[str, str]]) -> str:
    """Rows as text; a column is a heading with the key and the format of its values."""
    cells = [list(columns)] + [
        ["" if row.get(key) is None else format(row[key], how) for key, how in columns.values()] for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*cells)]
    left = [how == "" for _, how in columns.values()]
    return "\n".join(
        "  ".join(cell.ljust(w) if text else cell.rjust(w) for cell, w, text in zip(row, widths, left)).rstrip()
        for row in cells
    )


def run_llm(folder: Path | None) -> dict:
    model = AULLM.from_pretrained("demo")
    peer = llm.plain(model)
    read = llm.inference(model, peer) + llm.training(model, peer)
    print(f"{table(read, READ)}\n{llm.READ_NOTE}\n", flush=True)
    said = llm.words(model, peer)
    print(f"{table(said, SPEAK)}\n{llm.SPEAK_NOTE}")
    return {"prompt_tokens": model.language.prompt_ids.shape[1], "read": read, "speak": said}


def run_faces(folder: Path | None) -> dict:
    found = faces.mediapipe(folder)
    print(f"{table(found['rows'], FACES)}\n{faces.NOTE}")
    return found


def run_py_feat(folder: Path | None) -> dict:
    found = faces.py_feat(folder)
    print(f"{table(found['rows'], FACES)}\n{faces.PY_FEAT_NOTE}")
    return found


def run_flow(folder: Path | None) -> dict:
    rows = flow.compare()
    print(f"{table(rows, FLOW)}\n{flow.NOTE}")
    return {"rows": rows}


RUN: dict[str, Callable[[Path | None], dict]] = dict(zip(PARTS, (run_llm, run_faces, run_flow, run_py_feat)))


def attempt(part: str, folder: Path | None) -> dict:
    """One part's figures, or the sentence that says why there are none."""
    print(f"\n== {part}", flush=True)
    try:
        return RUN[part](folder)
    except Missing as reason:
        print(f"Left out: {reason}")
        return {"missing": str(reason)}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS[:-1], metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--peers", type=Path, metavar="DIR", help="where environments of peers may be made")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    use_cores(options.threads)
    figures = {"machine": machine(options.threads)}
    print(figures["machine"])
    for part in options.only:
        figures[part] = attempt(part, options.peers)
    if options.json:
        write_json(options.json, figures)


if __name__ == "__main__":
    main()
