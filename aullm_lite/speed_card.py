"""What the README says about speed, in figures: our own, the floor of the machine, and what other libraries take."""

from .bench.floor import SIDE
from .bench.text import stage_table


def speed(figures: dict) -> str:
    """What `python -m aullm_lite bench` measured, from bench.json."""
    step, film, clip = figures["training_step"], figures["analyze"], figures["single_clip"]
    why, folds = figures["attribution"], figures["folds"]
    return "\n".join(
        [
            f"| measured on {figures['machine']['cores']} CPU cores | |",
            "|---|---|",
            f"| training step at B={step['batch']}: prompt shared by the batch, against prompt in every row | "
            f"{step['ratio']:.1f} times faster |",
            f"| `analyze`, {film['video']} | {film['times_real_time']:.1f} times real time |",
            f"| peak memory for 60 s of video, and what of it a 10 s video does not need | "
            f"{film['peak_mb_60s']:.0f} MiB, {film['extra_mb_60s']:.0f} |",
            f"| six frames to probabilities, one clip alone | {clip['one_clip_ms']:.0f} ms |",
            *_half_precision(figures["half_precision"]),
            f"| {folds['folds']} folds trained at once (`--together {folds['folds']}`), against one after another | "
            f"{folds['ratio']:.1f} times faster |",
            f"| one AU explained by Integrated Gradients, 32 steps | {why['ig_32_steps_s']:.1f} s |",
            f"| the same by all {why['methods']} methods; peak memory of that | "
            f"{why['all_methods_s']:.0f} s; {why['peak_mb']:.0f} MiB |",
            f"| a spoken report of one clip: first word; whole | {figures['speech']['first_word_s']:.2f} s; "
            f"{figures['speech']['report_s']:.1f} s |",
            f"| SynthME | {figures['synth']['clips_a_second']:.0f} training clips a second |",
        ]
    )


def _half_precision(figures: dict | None) -> list[str]:
    """What bfloat16 gains and loses, where the processor can multiply it."""
    if not figures:
        return []
    said = (
        f"| the same with the language model in bfloat16 (`from_pretrained(..., dtype=torch.bfloat16)`); F1 lost by it "
        f"on {figures['clips']} generated clips | {figures['batch_1']['ratio']:.1f} times faster; "
        f"{figures['f1_lost']:.4f} |"
    )
    return [said]


def stages(figures: dict) -> str:
    """Each stage against the floor of the machine, from bench.json."""
    table = figures["stages"][0]
    floor = (
        f"Matrices of {SIDE} x {SIDE} multiply here at {table['gflop_a_second']:.0f} GFLOP/s, memory is read at "
        f"{table['gb_a_second']:.0f} GB/s. Before the model, for one clip: "
    )
    before = (f"{row['stage']} ({row['of']}) {row['ms']:.3g} ms" for row in figures["frames"])
    return "\n".join([stage_table(table), "", floor + ", ".join(before) + "."])


def peers(figures: dict) -> str:
    """The same work by other libraries, from peers.json, which `.github/peers.py` writes."""
    threads, llm, faces = figures["machine"]["threads"], figures["llm"], figures["faces"]
    lines = [f"| the same work, {threads} thread{'s' * (threads > 1)} | by | ours, ms | theirs, ms | theirs / ours |"]
    lines += ["|---|---|---|---|---|"]
    lines += [_pair(row, f"transformers, {row['peer']}") for row in llm["read"] + llm["speak"]]
    lines += [_pair(row, f"MediaPipe {faces['version']}", "find a face: ") for row in faces["rows"]]
    lines += ["", "| flow on drawn, moving heads: error, pixels of 64 | less the median | less the rigid head | time |"]
    lines += ["|---|---|---|---|"]
    for row in figures["flow"]["rows"]:
        if row["film"] == "drawn, heads move":
            times = f"{row['ratio']:.1f} times ours" if "ratio" in row else ""
            lines.append(f"| {row['method']} | {row['au_median']:.3f} | {row['au_rigid']:.3f} | {times} |")
    return "\n".join(lines)


def _pair(row: dict, by: str, what: str = "") -> str:
    times = (f"{ms:,.0f}" if ms >= 100 else f"{ms:.3g}" for ms in (row["ours_ms"], row["peer_ms"]))
    return f"| {what}{row['work']} | {by} | {' | '.join(times)} | {row['ratio']:.2f} |"
