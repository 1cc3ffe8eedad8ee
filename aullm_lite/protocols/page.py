"""The table of a protocol as Markdown and as a figure, both made from the numbers of table.json alone."""

import textwrap

from matplotlib.figure import Figure

from ..style import FAINT, INK, LINE, PRESENT

FLOORS = {
    "all_negative": "Floor: all negative",
    "all_positive": "Floor: all positive",
    "random": "Floor: random",
    "random_swept": "Floor: random, tuned on the test for macro F1 (a leak)",
}

SHOWN_FLOORS = {
    "all_positive": "all positive",
    "all_negative": "all negative",
    "random_swept": "random, tuned on the test for macro F1",
}


def as_markdown(table: dict) -> str:
    """Everything that a reader needs to trust or to doubt the scores."""
    parts = [_head(table), _scores(table), _per_au(table), _data_sets(table), _comparisons(table), _notes(table)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(table: dict) -> str:
    about = f"{table['clips']} clips of {table['subjects']} people, AUs {' '.join(map(str, table['aus']))}."
    lines = [f"# {table['protocol']}", *table["data_notes"], about]
    return "\n\n".join(lines)


def _scores(table: dict) -> str:
    lines = [
        "| method | F1, positive class | 95 % | macro F1 | 95 % | F1 at 0.5 | AP | AUROC | ECE | Brier |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in table["rows"].values():
        mean, between = row["mean"], row["interval"]["mean"]
        rest = (_number(mean[name]) for name in ("f1_at_half", "ap", "auroc", "ece", "brier"))
        f1, macro = (f"{_number(mean[name])} | {_interval(between[name])}" for name in ("f1", "f1_macro"))
        lines.append(f"| {row['title']} | {f1} | {macro} | {' | '.join(rest)} |")
    for name, title in FLOORS.items():
        floor = table["floors"][name]
        lines.append(f"| {title} | {_number(floor['f1'])} | | {_number(floor['f1_macro'])} | | | | | | |")
    return "\n".join(lines)


def _per_au(table: dict) -> str:
    lines = [f"| F1, positive class | {' | '.join(f'AU{au}' for au in table['aus'])} |"]
    lines += ["|---" * (len(table["aus"]) + 1) + "|"]
    lines += [f"| positives | {' | '.join(str(n) for n in table['n_pos'].values())} |"]
    for row in table["rows"].values():
        lines.append(f"| {row['title']} | {' | '.join(_number(s['f1']) for s in row['per_au'].values())} |")
    return "\n".join(lines)


def _data_sets(table: dict) -> str:
    """CD6ME's two scores and those of each tested set, where there are several."""
    rows = [row for row in table["rows"].values() if "cd6me" in row]
    if not rows:
        return ""
    sets = list(rows[0]["cd6me"]["per_set"])
    lines = [f"| F1, positive class | score 1, pooled | score 2, mean of sets | {' | '.join(sets)} |"]
    lines += ["|---" * (len(sets) + 3) + "|"]
    for row in rows:
        scores = row["cd6me"]
        figures = (scores["score_1"], scores["score_2"], *scores["per_set"].values())
        lines.append(f"| {row['title']} | {' | '.join(_number(figure) for figure in figures)} |")
    published = "Published scores of CD6ME cut logits at 0; here thresholds come from inner people."
    return "\n".join(lines) + f"\n\n{published}"


def _comparisons(table: dict) -> str:
    title = {name: row["title"] for name, row in table["rows"].items()}
    lines = ["| F1 of | less F1 of | difference | 95 % | p (Holm) | |", "|---|---|---|---|---|---|"]
    for c in table["comparisons"]:
        figures = f"{c['difference']:+.3f} | {_interval(c['interval'])} | {c['p_holm']:.3f}"
        lines.append(f"| {title[c['name']]} | {title[c['against']]} | {figures} | {c['verdict']} |")
    return "\n".join(lines) if table["comparisons"] else "Only one method: nothing to compare."


def _notes(table: dict) -> str:
    left_out = [name for name in ("motion", "identity") if name not in table["rows"]]
    notes = [
        "Means run over the AUs that have positives; n/a where there are none. Scores are of the answers of all folds "
        "together. In each fold thresholds, calibration and epoch were chosen on inner people, who neither train nor "
        "test in it. Intervals come from a bootstrap over people and do not cover the chance of the training seed; a "
        "difference is called better or worse only where its interval excludes 0 and Holm's p, over all pairs of this "
        "table, is below 0.05. Each fold has a model of its own, so that pooled AP and AUROC of a method that knows "
        "nothing may lie below chance. Positive-class and macro F1 must not be compared with each other, nor with "
        "scores from other data, AUs or protocols.",
        *_budgets(table),
    ]
    if left_out:
        notes.append(f"Floor rows left out: {', '.join(left_out)}; add them with --model and --resume.")
    return "\n\n".join(notes)


def _budgets(table: dict) -> list[str]:
    """How long each network was trained, for they are not all alike."""
    words = []
    for row in table["rows"].values():
        if training := row.get("method", {}).get("training"):
            epochs = f"{training['warmup']} + {training['epochs']}" if training["warmup"] else training["epochs"]
            words.append(f"{row['title']}: {epochs} at {training['lr']:g}")
    return [f"Epochs (without and with LLM) and peak learning rate: {'; '.join(words)}."] if words else []


def _number(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.3f}"


def _interval(between: list | None) -> str:
    return "n/a" if between is None else f"{between[0]:.3f} to {between[1]:.3f}"


def table_figure(table: dict) -> Figure:
    """Mean F1 of each method with its interval, both kinds, and the floors as dashed lines."""
    rows = list(table["rows"].values())
    figure = Figure(figsize=(10, 2 + 0.42 * len(rows)), layout="constrained", facecolor="white")
    axes = figure.subplots(1, 2, sharey=True)
    for ax, score, name in zip(axes, ("f1", "f1_macro"), ("F1, positive class", "Macro F1")):
        _floors(ax, table["floors"], score)
        for y, row in enumerate(rows):
            value, between = row["mean"][score], row["interval"]["mean"][score]
            if value is not None:
                ax.plot(between, [y, y], color=PRESENT, lw=2.4, solid_capstyle="butt")
                ax.plot(value, y, "o", color=PRESENT, ms=7)
                ax.annotate(f"{value:.2f}", (value, y), (0, 7), textcoords="offset points", ha="center", fontsize=8.5)
        ax.set_title(name, loc="left", fontsize=11, fontweight="bold", color=INK)
        ax.set(xlim=(0, 1), ylim=(len(rows) - 0.4, -0.8))
        ax.tick_params(length=0, labelsize=9.5, labelcolor=INK)
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.spines["bottom"].set_color(LINE)
    axes[0].set_yticks(range(len(rows)), [row["title"] for row in rows])
    figure.suptitle(table["protocol"], x=0.01, ha="left", fontsize=12, fontweight="bold", color=INK)
    names = dict(loc="outside upper right", ncols=3, frameon=False, fontsize=9, labelcolor=FAINT)
    figure.legend(*axes[0].get_legend_handles_labels(), **names)
    notes = " ".join(table["data_notes"]).replace("`", "")  # which only Markdown takes for a mark
    figure.supxlabel(textwrap.fill(notes, 150), fontsize=8.5, color=FAINT)
    return figure


def _floors(ax, floors: dict, score: str) -> None:
    """Vertical lines at what is to be had without a look at the face."""
    for (name, words), style in zip(SHOWN_FLOORS.items(), ((0, (1, 2)), (0, (4, 3)), (0, (6, 2, 1, 2)))):
        ax.axvline(floors[name][score], color=FAINT, lw=1.1, ls=style, zorder=0, label=f"floor: {words}")
