"""What the README says about faults and about large data, in figures, from the JSON files in `.github/faults`."""

import json
from pathlib import Path

FAULTS = Path(__file__).parent / "faults"
NAMES = {"assets": "download of model files", "synth-tree": "`synth --format casme2`"}  # of works that are no command


def faults(read) -> str:
    """What was done to the package, how often, and what went wrong."""
    return "\n".join(
        [
            "| what was done | how often | what went wrong | again by |",
            "|---|---|---|---|",
            *(_killed(row) for row in read("kill.json")["works"]),
            *(_full(row) for row in read("full_disk.json")["works"]),
            *(_twice(row) for row in read("two_at_once.json")["works"]),
            *(_fuzzed(name, row) for name, row in read("fuzz.json").items()),
            _soaked(read("soak.json")),
        ]
    )


def _name(work: str) -> str:
    return NAMES.get(work, f"`{work}`")


def _killed(row: dict) -> str:
    harm = f"{row['lost']} lost, {row['half_written']} half-written, {row['left_over']} left over"
    times = f"{row['kills']} kills, {row['failed']} runs failed"
    return f"| `kill -9` at any moment, and of what resumes it: {_name(row['what'])} | {times} | {harm} | `kill.py` |"


def _full(row: dict) -> str:
    times = f"{row['full_disks']} disks too small"
    return f"| disk full, then room again: {_name(row['what'])} | {times} | {row['wrong']} | `full_disk.py` |"


def _twice(row: dict) -> str:
    times = f"{row['pairs']} pairs, {row['refused']} refused"
    return f"| two processes, one folder: {_name(row['what'])} | {times} | {row['wrong']} | `two_at_once.py` |"


def _fuzzed(name: str, row: dict) -> str:
    minutes = f"{row['executions']:,} files in {row['seconds'] / 60:.0f} minutes"
    return f"| damaged files, guided by coverage: {name} | {minutes} | {row['findings']} | `fuzz.py all 600` |"


def _soaked(figures: dict) -> str:
    held = figures["memory"]
    memory = f"memory after a quarter {held['quarter_mib']:,.0f} MiB, at the end {held['end_mib']:,.0f}"
    times = f"{figures['requests']:,} requests in {figures['minutes']:.0f} minutes, {len(figures['kinds'])} kinds, "
    times += f"{figures['asked_again']} asked again"
    return f"| the app: good and bad requests, three at once | {times} | {figures['wrong']}; {memory} | `soak.py` |"


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
