#!/usr/bin/env python3
"""Measure the teaching notebooks against the targets of the style guide.

    python notebook_metrics.py notebooks/                 # table, always exits 0
    python notebook_metrics.py notebooks/ --strict        # exits 1 when a target is missed
    python notebook_metrics.py notebooks/ --json          # the same numbers for another program
    python notebook_metrics.py notebooks/ --repo OWNER/NAME --root .
                                                          # also follow links to our own repository

Only what a program can count is measured here. Whether a check rejects a wrong answer, how long a
run really takes and whether a shape note is true need the notebook to be executed. Nothing is
executed, changed or downloaded here, and only the standard library is used.

Conventions the script relies on
  exercise    a code cell tagged "exercise". It is auto-checked when, before the next exercise, a code
              cell tagged "check" calls a check and uses a name that the exercise cell defines.
  check       a call of check, check_fn or check_shape (see --check-names), or an assert, that runs when
              the cell runs: calls inside a function or class body of the cell do not count.
  header      all Markdown before the first code cell; it holds the run time as "run N min".
  Predict     a quote that begins with the bold word Predict:   > **Predict.** ...
  Explain     a fold whose <summary> has the word "explain", or a quote that begins with **Explain.
  code lines  non-blank lines, comments included; lines before the first figure are those of the cells
              above the cell whose output is the first picture.
Exit codes: 0 fine, 1 a target is missed with --strict, 2 nothing to measure.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

CHECK_NAMES = ("check", "check_fn", "check_shape")
LONG = 25  # a code cell above this many lines counts as long
OPAQUE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)  # bodies that do not run with the cell

FENCE = re.compile(r"^[ ]{0,3}(```|~~~).*?^[ ]{0,3}\1[^\n]*$", re.M | re.S)
INLINE_CODE = re.compile(r"(`+)[^`\n]+\1")
TARGET = re.compile(r"\]\(\s*(?:<([^>\n]+)>|((?:[^()\s]|\([^()\s]*\))+))(?:\s+[\"'(][^\n]*?)?\s*\)")
REFERENCE = re.compile(r"^[ ]{0,3}\[[^\]^][^\]]*\]:\s*<?([^\s>]+)", re.M)
HTML_TARGET = re.compile(r"<(?:a|img|source|video)\b[^>]*?\b(?:href|src)\s*=\s*[\"']([^\"']+)[\"']", re.I | re.S)
EMPTY_ALT = re.compile(r"!\[\s*\](?=[(\[])")
IMG_TAG = re.compile(r"<img\b[^>]*>", re.I | re.S)
ALT = re.compile(r"\balt\s*=\s*([\"'])\s*\S.*?\1", re.I | re.S)
PREDICT = re.compile(r"^\s*>\s*\*\*\s*predict\b", re.I | re.M)
EXPLAIN = re.compile(r"^\s*>\s*\*\*\s*explain\b|<summary>[^<]*\bexplain\b", re.I | re.M)
RUN_TIME = re.compile(r"\brun\b\D{0,15}(\d+(?:\.\d+)?)(?:\s*[-–]\s*(\d+(?:\.\d+)?))?\s*min", re.I)
SCHEME = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//)", re.I)
MAGIC = re.compile(r"^(\s*)(?:[\w, ]+=\s*)?(?:[%!].*|[^#'\"]*\w\?\??\s*)$")
OWN_HOSTS = r"https?://(?:github\.com/|colab\.research\.google\.com/github/)%s/(?:blob|tree|raw)/[^/]+/([^?#]*)"
RAW_HOST = r"https?://raw\.githubusercontent\.com/%s/[^/]+/([^?#]*)"


# ---------------------------------------------------------------- reading cells


class NotANotebook(Exception):
    """The file is not a notebook of format 4."""


def load(raw: bytes) -> tuple[list[dict], dict]:
    """-> (non-empty cells, notebook metadata)"""
    try:
        nb = json.loads(raw)
        return [c for c in nb["cells"] if c["cell_type"] and source(c).strip()], nb.get("metadata", {})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotANotebook(f"{type(error).__name__}: {error}") from error


def source(cell: dict) -> str:
    text = cell.get("source", "")
    return text if isinstance(text, str) else "".join(text)


def tags(cell: dict) -> list[str]:
    return cell.get("metadata", {}).get("tags", [])


def n_lines(text: str) -> int:
    return sum(bool(line.strip()) for line in text.splitlines())


def parse(text: str) -> ast.Module:
    """Syntax tree of a code cell; magics and shell lines become `pass`, other languages an empty tree."""
    lines = text.splitlines()
    first = next((line for line in lines if line.strip()), "")
    if first.startswith("%%"):
        if first.split()[0] not in ("%%time", "%%timeit", "%%capture", "%%prun"):
            return ast.Module([], [])
        lines.remove(first)
    for attempt in (lines, [MAGIC.sub(r"\1pass", line) for line in lines]):
        try:
            return ast.parse("\n".join(attempt))
        except SyntaxError:
            continue
    return ast.Module([], [])


def runs_now(node: ast.AST) -> Iterator[ast.AST]:
    """Every node below that is evaluated when the cell runs; function and class bodies are left out."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, OPAQUE):
            yield from runs_now(child)


def has_check(tree: ast.Module, names: tuple[str, ...]) -> bool:
    for node in runs_now(tree):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            f = node.func
            if getattr(f, "id", getattr(f, "attr", None)) in names:
                return True
    return False


def defined(tree: ast.Module) -> set[str]:
    """Names that a cell leaves behind: functions, classes and variables."""
    named = {n.name for n in runs_now(tree) if isinstance(n, OPAQUE[:3])}
    return named | {n.id for n in runs_now(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def used(tree: ast.Module) -> set[str]:
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def output_kinds(cell: dict) -> set[str]:
    """Mime types in the outputs, plus "picture" when one of them shows an image and "error" for a traceback."""
    kinds: set[str] = set()
    for out in cell.get("outputs", []):
        data = out.get("data", {})
        kinds |= set(data) | ({"error"} if out.get("output_type") == "error" else set())
        html = data.get("text/html", "")
        html = html if isinstance(html, str) else "".join(html)
        if any(k.startswith("image/") for k in data) or re.search(r"<(?:img|svg|video)\b", html, re.I):
            kinds.add("picture")
    return kinds


# ---------------------------------------------------------------- reading links


def prose(text: str) -> str:
    """Markdown without code, so that an example of a link is not taken for a link."""
    return INLINE_CODE.sub("code", FENCE.sub("", text))


def link_targets(text: str) -> list[str]:
    return [a or b for a, b in TARGET.findall(text)] + REFERENCE.findall(text) + HTML_TARGET.findall(text)


def images_without_alt(text: str) -> int:
    return len(EMPTY_ALT.findall(text)) + sum(not ALT.search(tag) for tag in IMG_TAG.findall(text))


@dataclass(frozen=True)
class Links:
    """Tells whether a link target is dead. With `repo`, links to our own repository are looked up below `root`."""

    repo: str = ""
    root: Path = Path(".")

    def dead(self, target: str, notebook: Path, cell: dict) -> bool:
        if target.startswith("#"):
            return False
        if target.startswith("attachment:"):
            return unquote(target[11:]) not in cell.get("attachments", {})
        if SCHEME.match(target):
            own = self.own_path(target)
            return own is not None and not (self.root / own).exists()
        path = unquote(re.split(r"[?#]", target)[0])
        return path.startswith("/") or not (notebook.parent / path).exists()

    def own_path(self, url: str) -> str | None:
        for pattern in (OWN_HOSTS, RAW_HOST) if self.repo else ():
            found = re.match(pattern % re.escape(self.repo), url, re.I)
            if found:
                return unquote(found[1])
        return None


# ---------------------------------------------------------------- one notebook


@dataclass
class Row:
    """What was counted in one notebook, or in all of them (see `total`)."""

    name: str
    markdown: int = 0
    lengths: list[int] = field(default_factory=list)  # non-blank lines of each code cell
    checks: int = 0  # code cells holding a check
    exercises: int = 0
    auto: int = 0  # exercises with an automatic check
    order: str = "1..N"  # or "not run", "mixed"
    errors: int = 0
    kb: float = 0.0
    widgets: int = 0  # widget state in metadata + stored widget views
    no_alt: int = 0
    before_figure: int | None = None
    predict: int = 0
    explain: int = 0
    minutes: float | None = None
    dead: list[str] = field(default_factory=list)

    @property
    def cells(self) -> int:
        return self.markdown + len(self.lengths)

    @property
    def lines(self) -> int:
        return sum(self.lengths)

    @property
    def ratio(self) -> float:
        return self.markdown / max(1, len(self.lengths))

    @property
    def median(self) -> float:
        return statistics.median(self.lengths) if self.lengths else 0

    @property
    def longest(self) -> int:
        return max(self.lengths, default=0)

    @property
    def long_share(self) -> float:
        return sum(n > LONG for n in self.lengths) / max(1, len(self.lengths))

    @property
    def check_share(self) -> float:
        return self.checks / max(1, len(self.lengths))


def run_order(counts: list[int | None]) -> str:
    if not any(counts):
        return "not run"
    return "1..N" if counts == list(range(1, len(counts) + 1)) else "mixed"


def auto_checked(code: list[dict], trees: list[ast.Module], names: tuple[str, ...]) -> tuple[int, int]:
    """-> (exercises, exercises followed by a check that looks at what the exercise defines)"""
    starts = [i for i, cell in enumerate(code) if "exercise" in tags(cell)]
    auto = 0
    for start, stop in pairwise([*starts, len(code)]):
        mine = defined(trees[start])
        auto += any(
            "check" in tags(code[i]) and has_check(trees[i], names) and mine & used(trees[i])
            for i in range(start, stop)
        )
    return len(starts), auto


def run_minutes(cells: list[dict]) -> float | None:
    """Minutes in "run N min" of the header; the upper end of a range."""
    head = []
    for cell in cells:
        if cell["cell_type"] == "code":
            break
        head.append(source(cell))
    found = RUN_TIME.search("\n".join(head))
    return float(found[2] or found[1]) if found else None


def measure(path: Path, folder: Path, names: tuple[str, ...] = CHECK_NAMES, links: Links = Links()) -> Row:
    """Count everything in one notebook. Raises NotANotebook when the file is none."""
    raw = path.read_bytes()
    cells, metadata = load(raw)
    code = [c for c in cells if c["cell_type"] == "code"]
    text = [c for c in cells if c["cell_type"] == "markdown"]
    trees, kinds = [parse(source(c)) for c in code], [output_kinds(c) for c in code]

    row = Row(str(path.relative_to(folder)), markdown=len(text), lengths=[n_lines(source(c)) for c in code])
    row.checks = sum(has_check(t, names) for t in trees)
    row.exercises, row.auto = auto_checked(code, trees, names)
    row.order = run_order([c.get("execution_count") for c in code])
    row.errors = sum("error" in k for k in kinds)
    row.kb = len(raw) / 1024
    row.widgets = bool(metadata.get("widgets")) + sum(any("jupyter.widget" in mime for mime in k) for k in kinds)
    first = next((i for i, k in enumerate(kinds) if "picture" in k), None)
    row.before_figure = None if first is None else sum(row.lengths[:first])
    row.minutes = run_minutes(cells)
    for cell in text:
        words = prose(source(cell))
        row.no_alt += images_without_alt(words)
        row.predict += len(PREDICT.findall(words))
        row.explain += len(EXPLAIN.findall(words))
        row.dead += [t for t in link_targets(words) if links.dead(t, path, cell)]
    return row


def total(rows: list[Row]) -> Row:
    """All notebooks as one row: counts and minutes summed, code cells pooled, lines before a figure as the median."""
    summed = ("markdown", "checks", "exercises", "auto", "errors", "kb", "widgets", "no_alt", "predict", "explain")
    both = Row(f"all {len(rows)}", **{name: sum(getattr(r, name) for r in rows) for name in summed})
    both.lengths = [n for r in rows for n in r.lengths]
    both.dead = [target for r in rows for target in r.dead]
    both.order = f"{sum(r.order == '1..N' for r in rows)}/{len(rows)}"
    figures = [r.before_figure for r in rows if r.before_figure is not None]
    both.before_figure = round(statistics.median(figures)) if figures else None
    both.minutes = sum(r.minutes or 0 for r in rows)
    return both


# ---------------------------------------------------------------- targets and table


class Column(NamedTuple):
    head: str  # title in the table
    show: Callable[[Row], str]
    goal: str  # the target, as printed
    met: Callable[[Row], bool]
    meaning: str
    pooled: bool = False  # the target holds for all notebooks together, not for each


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}" if value == int(value) else f"{value:.1f}"


def columns(min_exercises: int = 0) -> list[Column]:
    """The criteria in table order. Change a target here and nowhere else."""
    return [
        Column("cells", lambda r: str(r.cells), "<=45", lambda r: r.cells <= 45, "non-empty cells"),
        Column("lines", lambda r: str(r.lines), "<=150", lambda r: r.lines <= 150, "non-blank code lines"),
        Column(
            "md:code",
            lambda r: f"{r.ratio:.1f}",
            "1.0-1.6",
            lambda r: 1.0 <= round(r.ratio, 1) <= 1.6,
            "Markdown cells per code cell",
        ),
        Column("med", lambda r: number(r.median), "<=8", lambda r: r.median <= 8, "median lines of a code cell"),
        Column("max", lambda r: str(r.longest), "<=30", lambda r: r.longest <= 30, "longest code cell"),
        Column(
            f">{LONG}",
            lambda r: f"{r.long_share:.0%}",
            "<=2%",
            lambda r: r.long_share <= 0.02,
            f"code cells above {LONG} lines",
            pooled=True,
        ),
        Column(
            "check",
            lambda r: f"{r.check_share:.0%}",
            ">=20%",
            lambda r: r.check_share >= 0.20,
            "code cells holding a reader-facing check",
        ),
        Column(
            "ex",
            lambda r: str(r.exercises),
            f">={min_exercises}",
            lambda r: r.exercises >= min_exercises,
            "exercises",
            pooled=True,
        ),
        Column(
            "auto",
            lambda r: f"{r.auto}/{r.exercises}",
            "all",
            lambda r: r.auto == r.exercises,
            "exercises with an automatic check",
        ),
        Column("order", lambda r: r.order, "1..N", lambda r: r.order == "1..N", "execution counts of the code cells"),
        Column("err", lambda r: str(r.errors), "0", lambda r: r.errors == 0, "code cells with an error output"),
        Column("KB", lambda r: f"{r.kb:.0f}", "<=300", lambda r: r.kb <= 300, "file size"),
        Column(
            "widg",
            lambda r: str(r.widgets),
            "0",
            lambda r: r.widgets == 0,
            "widget state in the metadata and stored widget views",
        ),
        Column("noalt", lambda r: str(r.no_alt), "0", lambda r: r.no_alt == 0, "Markdown images without alt text"),
        Column(
            "fig",
            lambda r: number(r.before_figure),
            "<=15",
            lambda r: r.before_figure is not None and r.before_figure <= 15,
            "code lines before the first figure",
        ),
        Column("pred", lambda r: str(r.predict), ">=2", lambda r: r.predict >= 2, "Predict prompts"),
        Column("expl", lambda r: str(r.explain), ">=1", lambda r: r.explain >= 1, "explain prompts"),
        Column(
            "min",
            lambda r: number(r.minutes),
            "<=3",
            lambda r: r.minutes is not None and r.minutes <= 3,
            "run minutes stated in the header",
        ),
        Column("dead", lambda r: str(len(r.dead)), "0", lambda r: not r.dead, "dead relative links"),
    ]


def table(rows: list[Row], cols: list[Column]) -> str:
    """One line per notebook, then the pooled line and the targets; a `*` marks a missed target."""
    both = total(rows)
    lines = [["notebook"] + [c.head for c in cols]]
    lines += [[r.name] + [c.show(r) + ("" if c.pooled or c.met(r) else "*") for c in cols] for r in rows]
    lines += [[both.name] + [c.show(both) + ("*" if c.pooled and not c.met(both) else "") for c in cols]]
    lines += [["target"] + [c.goal for c in cols]]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) for line in lines]
    rule = "-" * len(text[0])
    return "\n".join([text[0], rule, *text[1:-2], rule, *text[-2:]])


def misses(rows: list[Row], cols: list[Column]) -> dict[str, list[str]]:
    """-> the missed targets of each notebook that has any, and of all together; dead links are named"""
    out = {}
    for row, pooled in [(r, False) for r in rows] + [(total(rows), True)]:
        named = {"dead": f": {', '.join(row.dead)}"}
        texts = [
            f"{c.head} {c.show(row)} (target {c.goal}){named.get(c.head, '')}"
            for c in cols
            if c.pooled == pooled and not c.met(row)
        ]
        if texts:
            out[row.name] = texts
    return out


def as_dict(row: Row) -> dict:
    derived = ("cells", "lines", "ratio", "median", "longest", "long_share", "check_share")
    return {**row.__dict__, **{name: getattr(row, name) for name in derived}}


def arguments(argv: list[str] | None) -> argparse.Namespace:
    legend = "columns\n" + "\n".join(f"  {c.head:8} {c.meaning} (target {c.goal})" for c in columns())
    style = argparse.RawDescriptionHelpFormatter
    p = argparse.ArgumentParser(description=__doc__, epilog=legend, formatter_class=style)
    p.add_argument("folder", type=Path, help="folder of .ipynb files (searched below), or one .ipynb file")
    p.add_argument("--strict", action="store_true", help="exit 1 when a target is missed")
    p.add_argument("--json", action="store_true", help="print JSON instead of the table")
    p.add_argument("--check-names", default=",".join(CHECK_NAMES), help="functions that count as a check (%(default)s)")
    p.add_argument("--min-exercises", type=int, default=0, help="target for all notebooks together (%(default)s)")
    p.add_argument("--repo", default="", help="OWNER/NAME: links to it on GitHub or Colab are checked below --root")
    p.add_argument("--root", type=Path, default=Path("."), help="root of that repository (%(default)s)")
    return p.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    args = arguments(argv)
    single = args.folder.is_file()
    folder = args.folder.parent if single else args.folder
    files = (
        [args.folder] if single else sorted(f for f in folder.rglob("*.ipynb") if ".ipynb_checkpoints" not in f.parts)
    )
    rows, missed = [], {}
    for f in files:
        try:
            rows.append(measure(f, folder, tuple(args.check_names.split(",")), Links(args.repo, args.root)))
        except NotANotebook as error:
            missed[str(f.relative_to(folder))] = [f"cannot be read as a notebook ({error})"]
    if not files:
        print(f"no notebooks in {args.folder}", file=sys.stderr)
        return 2
    cols = columns(args.min_exercises)
    missed |= misses(rows, cols) if rows else {}
    if args.json:
        numbers = {"notebooks": [as_dict(r) for r in rows], "all": as_dict(total(rows)), "missed": missed}
        print(json.dumps(numbers, indent=1))
    else:
        if rows:
            print(table(rows, cols))
        print(f"\n{sum(map(len, missed.values()))} targets missed" if missed else "\nall targets met")
        for name, texts in missed.items():
            print(f"  {name}: {'; '.join(texts)}")
    return 1 if args.strict and missed else 0


if __name__ == "__main__":
    sys.exit(main())
