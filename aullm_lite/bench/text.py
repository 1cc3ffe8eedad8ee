"""Figures of `bench` as lines to read, and the stages as a table for a page."""

STAGES = ("motion", "backbone", "projector", "language model", "head")


def as_text(figures: dict) -> str:
    """Everything that was measured, a line each."""
    lines = [line for table in figures["stages"] for line in (_floor(table), stage_table(table), "")]
    for name, line in LINES.items():
        if figures.get(name):
            lines.append(line(figures[name]))
    return "\n".join(lines)


def stage_table(table: dict) -> str:
    """Milliseconds of each stage, and how often the machine's floor that is, by batch size."""
    batches = sorted({row["batch"] for row in table["rows"]})
    cell = {(row["stage"], row["batch"]): row for row in table["rows"]}
    lines = ["| stage | " + " | ".join(f"B={b}: ms, times the floor" for b in batches) + " | floor set by, B=1 |"]
    lines += ["|---" * (len(batches) + 2) + "|"]
    for stage in [stage for stage in STAGES if (stage, batches[0]) in cell]:
        cells = [f"{cell[stage, b]['ms']:.3g}, {cell[stage, b]['times_floor']:.1f}" for b in batches]
        lines.append(f"| {stage} | " + " | ".join(cells) + f" | {cell[stage, batches[0]]['bound_by']} |")
    spent = [sum(cell[s, b]["ms"] for s in STAGES if (s, b) in cell) for b in batches]
    least = [sum(cell[s, b]["floor_ms"] for s in STAGES if (s, b) in cell) for b in batches]
    cells = [f"{ms:.3g}, {ms / floor:.1f}" for ms, floor in zip(spent, least)]
    return "\n".join([*lines, "| all | " + " | ".join(cells) + " | |"])


def _floor(table: dict) -> str:
    return (
        f"{table['dtype']}: matrices multiply at {table['gflop_a_second']:.0f} GFLOP/s, "
        f"memory is read at {table['gb_a_second']:.0f} GB/s"
    )


def _folds(some: dict) -> str:
    return (
        f"{some['folds']} folds, {some['steps']} steps each: {some['apart_s']:.1f} s one after another, "
        f"{some['together_s']:.1f} s at once, ratio {some['ratio']:.1f}x"
    )


def _threads(rows: list) -> str:
    said = (f"B={r['batch']}, {r['threads']} thread(s): {r['clips_a_second']:.0f} clips/s" for r in rows)
    return "frames to probabilities: " + "; ".join(said)


def _frames(rows: list) -> str:
    return "before the model: " + ", ".join(f"{row['stage']} ({row['of']}) {row['ms']:.1f} ms" for row in rows)


def _clip(some: dict) -> str:
    return f"one clip: {some['one_clip_ms']:.0f} ms alone, {some['in_16_ms_a_clip']:.0f} ms in a batch of 16"


def _half(some: dict) -> str:
    return (
        f"language model in bfloat16: one clip {some['batch_1']['ratio']:.1f}x faster, 16 clips "
        f"{some['batch_16']['ratio']:.1f}x, F1 lost {some['f1_lost']:+.4f} on {some['clips']} generated clips"
    )


def _step(some: dict) -> str:
    return (
        f"training step, B={some['batch']}: shared prefix {some['shared_s']:.2f} s, naive {some['naive_s']:.2f} s, "
        f"ratio {some['ratio']:.1f}x"
    )


def _analyze(some: dict) -> str:
    memory = "peak memory: not known on this system"
    if some["extra_mb_60s"] is not None:
        memory = f"peak memory: {some['peak_mb_10s']:.0f} MiB for 10 s, {some['peak_mb_60s']:.0f} MiB for 60 s"
    return f"analyze, {some['video']}: {some['seconds']:.1f} s, {some['times_real_time']:.1f}x real time\n{memory}"


def _why(some: dict) -> str:
    return (
        f"attribution, one AU: Integrated Gradients {some['ig_32_steps_s']:.1f} s, all {some['methods']} methods "
        f"{some['all_methods_s']:.0f} s"
    )


def _speech(some: dict) -> str:
    return (
        f"spoken report: first word {some['first_word_s']:.2f} s, all {some['tokens']} tokens {some['report_s']:.1f} s"
    )


LINES = {
    "folds": _folds,
    "threads": _threads,
    "frames": _frames,
    "single_clip": _clip,
    "half_precision": _half,
    "training_step": _step,
    "analyze": _analyze,
    "attribution": _why,
    "speech": _speech,
    "synth": lambda some: f"SynthME: {some['clips_a_second']:.0f} clips a second",
}
