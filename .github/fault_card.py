"""What the README says about faults and about large data, in figures, from the JSON files in `.github/faults`."""

import json
from pathlib import Path

FAULTS = Path(__file__).parent / "faults"
NAMES = {"assets": "download of model files", "synth-tree": "`synth --format casme2`"}  # of works that are no command
INPUTS = {"config": "settings", "checkpoint": "weights", "tables": "annotation tables", "videos": "videos, pictures"}


def faults(read) -> str:
    """What was done to the package, how often, and what went wrong."""
    tried = [(what, by, read(f"{by}.json")["works"], cell) for what, by, cell in TRIED]
    names = [NAMES.get(row["what"], f"`{row['what']}`") for row in tried[0][2]]
    lines = ["| | " + " | ".join(names) + " | again by |", "|---" * (len(names) + 2) + "|"]
    lines += [f"| {what} | {' | '.join(map(cell, rows))} | `{by}.py` |" for what, by, rows, cell in tried]
    lines += ["", "| | how often | wrong | again by |", "|---|---|---|---|"]
    lines += [_fuzzed(name, row) for name, row in read("fuzz.json").items()]
    return "\n".join([*lines, _soaked(read("soak.json"))])


TRIED = (
    (
        "`kill -9` at any moment, and of what resumes it: kills; lost, half-written, left over, failed",
        "kill",
        lambda row: f"{row['kills']}; {row['lost']}, {row['half_written']}, {row['left_over']}, {row['failed']}",
    ),
    (
        "disk full, then room again: disks that were too small; wrong",
        "full_disk",
        lambda row: f"{row['full_disks']}; {row['wrong']}",
    ),
    (
        "two processes on one folder: pairs, of them one refused; wrong",
        "two_at_once",
        lambda row: f"{row['pairs']}, {row['refused']}; {row['wrong']}",
    ),
)


def _fuzzed(name: str, row: dict) -> str:
    times = f"{row['executions']:,} files in {row['seconds'] / 60:.0f} minutes"
    return f"| damaged {INPUTS[name]}, guided by coverage | {times} | {row['findings']} | `fuzz.py {name} 270` |"


def _soaked(figures: dict) -> str:
    held, kinds = figures["memory"], len(figures["kinds"])
    times = f"{figures['requests']:,} in {figures['minutes']:.0f} minutes, {figures['asked_again']} asked again"
    memory = f"memory of the app at first {held['start_mib']:,.0f} MiB, after a quarter {held['quarter_mib']:,.0f}"
    wrong = f"{figures['wrong']}; {memory}, at the end {held['end_mib']:,.0f}"
    return f"| requests to the app, good and bad, of {kinds} kinds, three at once | {times} | {wrong} | `soak.py` |"


def stream(read) -> str:
    """Memory and time of writing and streaming SynthME, at several sizes, and a million clips on paper."""
    figures = read("stream.json")
    lines = ["| SynthME in Parquet | clips | files | peak memory, MiB | seconds |", "|---|---|---|---|---|"]
    for what, title in {"write": "drawn and written", "stream": "streamed, shuffled"}.items():
        for row in figures[what]:
            cells = f"{row['clips']:,} | {row['files']} | {row['peak_mib']:.0f} | {row['seconds']:.3g}"
            lines.append(f"| {title} | {cells} |")
    large = figures["a_million_on_paper"]
    said = (
        f"A million clips, on paper: {large['disk_gib']:.0f} GiB in {large['files']:,} files, drawn in "
        f"{large['write_hours']:.1f} hours, passed once in {large['stream_minutes']:.0f} minutes, in the same memory; "
        f"read at once they would take {large['read_at_once_gib']:.0f} GiB."
    )
    return "\n".join([*lines, "", said])


def blocks(folder: Path = FAULTS) -> dict[str, str]:
    """Both blocks by name."""
    read = lambda name: json.loads((folder / name).read_text())  # noqa: E731
    return {"faults": faults(read), "stream": stream(read)}
