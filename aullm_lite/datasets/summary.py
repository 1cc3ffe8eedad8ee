"""What `inspect` tells of a loaded data set: aggregates, warnings and the repair log, as JSON and as text."""

import json
from dataclasses import asdict
from pathlib import Path

from ..files import write_together
from .loading import Loaded
from .policy import chosen
from .records import why_lost
from .versions import au_counts

SHOWN = 20  # lines of warnings in the text; the JSON holds all


def summary(loaded: Loaded) -> dict:
    """Counts over all rows of the table.  `sided` is the number of labels with a side L or R; `clips` those usable."""
    usable = [s for s in loaded.samples if not why_lost(s, frames=loaded.frames_from is not None)]
    return {
        "dataset": loaded.spec.name,
        "version": loaded.version,
        "rows": len(loaded.rows),
        "clips": len(usable),
        "subjects": len({row.subject for row in loaded.rows}),
        "au_counts": {str(au): count for au, count in au_counts(loaded.rows, loaded.policy).items()},
        "sided": sum(au.side in ("L", "R") for row in loaded.rows for au in chosen(row.aus, loaded.policy)),
        "warnings": list(loaded.warnings),
        "repairs": list(loaded.repairs),
        "annotations": loaded.table.path.name,
        "annotations_sha256": loaded.table.sha256,
        "policy": asdict(loaded.policy),
        "frames_from": loaded.frames_from and loaded.frames_from.name,
    }


def write_summary(path: str | Path, facts: dict) -> None:
    """Write what `summary` gives as JSON."""
    write_together({Path(path): (json.dumps(facts, indent=1, ensure_ascii=False) + "\n").encode()})


def as_text(facts: dict) -> str:
    """The same for people, with the first warnings."""
    counts = "  ".join(f"AU{au} {count}" for au, count in facts["au_counts"].items() if count)
    lines = [
        f"{facts['dataset']}, version {facts['version']}: {facts['rows']} rows of {facts['subjects']} subjects, "
        f"{facts['clips']} clips that can be used, {len(facts['repairs'])} repairs.",
        counts or "No AU in any row.",
        *facts["warnings"][:SHOWN],
    ]
    hidden = len(facts["warnings"]) - SHOWN
    return "\n".join(lines + [f"{hidden} more warnings: write them with --json."] * (hidden > 0))
