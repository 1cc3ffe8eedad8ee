"""The report on leaks as Markdown and as a figure, from its numbers alone."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..style import ABSENT, FAINT, INK, LINE, PRESENT, UNSURE

NAMES = {
    "honest": "honest",
    "random_split": "clips split at random",
    "tuned_thresholds": "thresholds tuned on the test",
    "chosen_epoch": "epoch chosen on the test",
    "all_three": "all three faults",
}


def as_markdown(report: dict) -> str:
    """A table of each F1 score, learners by faults, with what each fault is."""
    about = (
        f"{report['data']}: {report['clips']} clips of {report['people']} people, AUs "
        f"{' '.join(map(str, report['aus']))}. No score here is of a real face; a fault shows by how far it lifts one."
    )
    parts = ["# What leaks do to a score", about]
    for score, title in (("f1", "F1, positive class"), ("f1_macro", "Macro F1")):
        parts.append(_scores(report, score, title))
    parts.append(_folds(report))
    parts.append("\n".join(f"- **{NAMES[name]}**: {what}." for name, what in report["faults"].items()))
    return "\n\n".join(parts) + "\n"


def _scores(report: dict, score: str, title: str) -> str:
    by = report["identity"]
    lines = [f"| {title}: a small network that sees | {' | '.join(NAMES.values())} |", "|---" * (len(NAMES) + 1) + "|"]
    for learner, faults in report["learners"].items():
        lines.append(f"| {learner} | {' | '.join(f'{faults[name][score]:.3f}' for name in NAMES)} |")
    rates = f"{by['honest'][score]:.3f} | {by['random_split'][score]:.3f}"
    lines.append(f"| no network: the AU's rate in the person's other clips | {rates} | | | |")
    floors = {"all negative": "all_negative", "all positive": "all_positive", "random": "random"}
    lines += [f"| floor: {words} | {report['floors'][name][score]:.3f} | | | | |" for words, name in floors.items()]
    return "\n".join(lines)


def _folds(report: dict) -> str:
    lines = ["| the honest answers, F1, positive class | pooled | mean of folds, 0/0 = 0 | mean of folds, 0/0 = 1 |"]
    lines += ["|---|---|---|---|"]
    for learner, faults in report["learners"].items():
        wrong = faults["mean_of_folds"]
        lines.append(f"| {learner} | {faults['honest']['f1']:.3f} | {wrong['f1_zero']:.3f} | {wrong['f1_one']:.3f} |")
    return "\n".join(lines)


def leaks_figure(report: dict) -> Figure:
    """Bars of both F1 scores for each learner, honest and with each fault, beside the floor of each score."""
    figure = Figure(figsize=(10, 4.2), layout="constrained", facecolor="white")
    axes = figure.subplots(1, 2, sharey=True)
    for ax, score, title in zip(axes, ("f1", "f1_macro"), ("F1, positive class", "Macro F1")):
        _bars(ax, report, score)
        ax.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=9, labelcolor=INK)
    words = "The same small network with one fault at a time (generated clips, no real face)"
    figure.suptitle(words, x=0.01, ha="left", fontsize=12, fontweight="bold", color=INK)
    return figure


def _bars(ax: Axes, report: dict, score: str) -> None:
    looks = [(PRESENT, ""), (ABSENT, ""), (UNSURE, ""), (UNSURE, "////"), (INK, "")]
    for column, (fault, (colour, hatch)) in enumerate(zip(NAMES, looks)):
        for row, faults in enumerate(report["learners"].values()):
            at, value = row + (column - 2) * 0.16, faults[fault][score]
            name = NAMES[fault] if row == 0 else None
            ax.bar(at, value, 0.15, color=colour, hatch=hatch, edgecolor="white", lw=0, label=name)
            ax.text(at, value + 0.01, f"{value:.2f}"[1:], ha="center", fontsize=7.5, color=FAINT)
    floor = report["floors"]["all_negative" if score == "f1_macro" else "all_positive"][score]
    ax.axhline(floor, color=FAINT, lw=0.9, ls=(0, (3, 3)), zorder=0)
    words, end = "all negative" if score == "f1_macro" else "all positive", len(report["learners"])
    ax.text(end - 0.48, floor, words.replace(" ", "\n"), fontsize=8, color=FAINT, va="bottom")
    ax.set_xticks(range(len(report["learners"])), [f"sees {name}" for name in report["learners"]])
    ax.set(xlim=(-0.5, end), ylim=(0, 1))
    ax.tick_params(length=0, labelsize=9.5, labelcolor=INK)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.spines["bottom"].set_color(LINE)
