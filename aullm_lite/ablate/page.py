"""The study as Markdown, from the numbers of ablate.json alone, and what is written to a folder."""

import json
from pathlib import Path

from ..files import drawn, write_together
from .figure import study_figure
from .finding import findings
from .rows import REFERENCE


def write(out: Path, table: dict) -> None:
    """Write ablate.json, ablate.md and ablate.png, all or none."""
    write_together(
        {
            out / "ablate.json": (json.dumps(table, indent=1, allow_nan=False) + "\n").encode(),
            out / "ablate.md": as_markdown(table).encode(),
            out / "ablate.png": drawn(study_figure(table), dpi=110, metadata={"Software": None}),
        }
    )


def as_markdown(table: dict) -> str:
    """What was asked, what follows, the rows by group, and how they were made."""
    groups = dict.fromkeys(row["group"] for row in table["rows"].values())
    parts = ["# What does the language model add?", _head(table), findings(table)]
    for group in groups:
        parts += [f"## {group}", _group(table, group)]
    return "\n\n".join([*parts, "## How", _how(table)]) + "\n"


def _head(table: dict) -> str:
    tested = f"{table['clips']} clips of {table['people']} unseen drawn people, and {_photos(table)}"
    return f"{table['note']} Tested on {tested}. Language model: {table['llm']}. Seeds: {table['seeds']}."


def _photos(table: dict) -> str:
    names = [name.removeprefix("photo-") for name in table["photographs"]]
    return f"animated photographs ({', '.join(names)})"


def _group(table: dict, group: str) -> str:
    lines = [
        "| row | | F1 | 95 % | macro F1 | AP | F1, photographs | less its reference | p (Holm) | | weights | steps |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    against = {c["name"]: c for c in table["comparisons"]}
    for name, row in table["rows"].items():
        if row["group"] == group:
            figures = [f"{row[key]:.3f}" for key in ("f1_macro", "ap", "f1_photographs")]
            low, high = row["interval"]
            cells = [f"`{name}`", row["title"], f"{row['f1']:.3f}", f"{low:.3f} to {high:.3f}", *figures]
            cells += [*_compared(against.get(name)), f"{row['trainable']:,}", str(row["steps"])]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _compared(comparison: dict | None) -> list[str]:
    if comparison is None:
        return ["", "", ""]
    low, high = comparison["interval"]
    difference = f"{comparison['difference']:+.3f} ({low:+.3f} to {high:+.3f})"
    if len(comparison["of_seeds"]) > 1:
        difference += f"; seeds {', '.join(f'{some:+.3f}' for some in comparison['of_seeds'])}"
    if comparison["against"] != REFERENCE.name:
        difference += f", from `{comparison['against']}`"
    return [difference, f"{comparison['p_holm']:.3f}", comparison["verdict"]]


def _how(table: dict) -> str:
    budget, floor = table["budget"], table["floors"]
    steps = (
        f"Budget `{budget['name']}`: {budget['people']} drawn people of {budget['clips']} clips, a tenth of the people "
        f"inner, who alone choose thresholds and calibration. For each seed and front end the convolutions learn "
        f"{budget['eye_epochs']} epochs with a projector and a linear head that are thrown away, and then rest. For "
        f"each projector and loss {budget['token_steps']} steps with a linear head make tokens from what they see. "
        "Each row's head is set by a logistic regression on what its reader makes of these tokens, then "
        f"projector, reader and head learn together for {budget['steps']} steps of {budget['batch']} clips, and the "
        "head is set once more."
    )
    limits = (
        "The convolutions learn with the reference's loss and for a linear head in all rows: they rest because a step "
        "through them costs as much as one through the language model. Rows that share a seed and a front end share "
        "them. LoRA's alpha is twice its rank. The control has a hidden layer with as many weights as LoRA of rank "
        "16, and begins as a plain linear head, so it has nothing to catch up on. Heads are always set by "
        "cross-entropy, so the rows of losses differ only in what their tokens and readers have learnt."
    )
    scores = (
        "F1 is of the positive class, a mean over the AUs; answers of all seeds are pooled. Intervals come from a "
        "bootstrap over people; how much another training differs is not in them, but beside them, as the difference "
        "of each seed. A row is called better or worse only where the interval of the paired difference excludes 0, "
        "Holm's p, over all comparisons, is below 0.05, and all seeds agree. "
        f"Floors, F1 and macro F1: all positive {floor['all_positive']['f1']:.3f} and "
        f"{floor['all_positive']['f1_macro']:.3f}, all negative {floor['all_negative']['f1']:.3f} and "
        f"{floor['all_negative']['f1_macro']:.3f}."
    )
    missing = f"Not run yet: {', '.join(table['missing'])}." if table["missing"] else ""
    return "\n\n".join(part for part in (steps, limits, scores, missing) if part)
