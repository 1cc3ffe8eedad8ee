"""What the README says in figures, made from the JSON files beside a checkpoint and from nothing else.

A page marks each place with `<!-- NAME -->` and `<!-- /NAME -->`; `fill` writes the block of that name between them.
"""

import json
import re
from pathlib import Path

from .ablate.finding import findings
from .explain.grades import counted
from .explain.grades import losses as losses_of_grades
from .protocols.leaks_page import NAMES
from .protocols.page import SHOWN_FLOORS
from .speed_card import peers, speed, stages


def scores(report: dict) -> str:
    """Headline scores of eval.json: tiers, photographs, moving heads."""
    lines = [
        "| unseen clips (SynthME, generated) | F1, positive class | macro F1 | AP | all-positive floor F1 |",
        "|---|---|---|---|---|",
    ]
    named = {f"drawn people, `{tier}`": s for tier, s in report["tiers"].items()}
    named |= {
        f"animated photograph, {name.removeprefix('photo-')}, `standard`": s
        for name, s in report["photographs"].items()
    }
    for name, s in named.items():
        figures = (*(s["mean"][score] for score in ("f1", "f1_macro", "ap")), s["floors"]["all_positive"]["f1"])
        lines.append(f"| {name} | {' | '.join(f'{figure:.3f}' for figure in figures)} |")
    lines += [
        "",
        "| `standard`, disturbed | F1, heads move up to 4 px | heads move, no AU: clips with any `present` | "
        "F1, mouths open |",
        "|---|---|---|---|",
    ]
    for who, s in report["head_motion"].items():
        mouths = report["open_mouths"][who]["f1"]
        lines.append(f"| {who} | {s['f1']:.3f} | {s['any_present_without_au']:.1%} | {mouths:.3f} |")
    people, clips = report["subjects"], report["clips_a_subject"]
    lines += ["", f"Each row: {people} drawn people of {clips} clips, or a photograph of {10 * clips}."]
    return "\n".join(lines)


def losses(comparison: dict) -> str:
    """Which loss, from losses.json."""
    people = round(comparison["subjects"] * comparison["budget"]["inner_share"])
    lines = [f"| loss, {comparison['seeds']} seeds | AP on {people} inner subjects | F1 at their tuned thresholds |"]
    lines += ["|---|---|---|"]
    for name in ("bce", "asl"):
        ap, f1 = (", ".join(f"{score:.3f}" for score in comparison[name][key]) for key in ("ap", "f1"))
        lines.append(f"| `{name}` | {ap} | {f1} |")
    return "\n".join(lines)


def course(rows: list[dict]) -> str:
    """The steps of training and how long they took, from metrics.jsonl."""
    lines = ["| step | epochs, visual part alone | epochs, everything | minutes, drawing aside | AP, inner subjects |"]
    lines += ["|---|---|---|---|---|"]
    for step in sorted({row["step"] for row in rows}):
        epochs = [row for row in rows if row["step"] == step]
        alone, minutes = sum(row["stage"] == "visual" for row in epochs), sum(row["seconds"] for row in epochs) / 60
        lines.append(f"| {step} | {alone} | {len(epochs) - alone} | {minutes:.0f} | {epochs[-1]['ap']:.3f} |")
    return "\n".join(lines)


def loso(table: dict) -> str:
    """Methods on the same folds, from loso.json: scores with intervals, and what each is less the first row."""
    less = {c["name"]: c for c in table["comparisons"] if c["against"] == table["against"]}
    lines = ["| method | F1, positive class (95 %) | macro F1 (95 %) | AP | F1 less that of the first row |"]
    lines += ["|---|---|---|---|---|"]
    for name, row in table["rows"].items():
        f1, macro = (_with_interval(row, score) for score in ("f1", "f1_macro"))
        lines.append(f"| {row['title']} | {f1} | {macro} | {row['mean']['ap']:.3f} | {_difference(less.get(name))} |")
    for name, words in SHOWN_FLOORS.items():
        floor = table["floors"][name]
        lines.append(f"| floor: {words} | {floor['f1']:.3f} | {floor['f1_macro']:.3f} | | |")
    return "\n".join(lines)


def _with_interval(row: dict, score: str) -> str:
    low, high = row["interval"]["mean"][score]
    return f"{row['mean'][score]:.3f} ({low:.3f} to {high:.3f})"


def _difference(comparison: dict | None) -> str:
    if comparison is None:
        return ""
    low, high = comparison["interval"]
    return f"{comparison['difference']:+.3f} ({low:+.3f} to {high:+.3f}), {comparison['verdict']}"


def leaks(report: dict) -> str:
    """One fault at a time, from leaks.json."""
    lines = [f"| positive-class F1 / macro F1 of what sees | {' | '.join(NAMES.values())} |", "|---" * 6 + "|"]
    for learner, scores in report["learners"].items():
        cells = (f"{scores[fault]['f1']:.2f} / {scores[fault]['f1_macro']:.2f}" for fault in NAMES)
        lines.append(f"| {learner} | {' | '.join(cells)} |")
    rates = (f"{report['identity'][f]['f1']:.2f} / {report['identity'][f]['f1_macro']:.2f}" for f in list(NAMES)[:2])
    return "\n".join([*lines, f"| no network: the AU's rate in the person's other clips | {' | '.join(rates)} | | | |"])


def words(table: dict) -> str:
    """What is said, against truth and head, from spoken.json."""
    less, asked, named = table["text_less_head"], table["questions"], table["named"]
    low, high = less["interval"]
    stands, left = table["agree"], table["contradictions_after_guard"]
    both = _share((named - table["one_sided"]) / named)
    rows = {
        "F1 of the text; of the head": f"{table['f1']['text']:.3f}; {table['f1']['head']:.3f}",
        "F1 of the text less that of the head, 95 %": f"{less['difference']:+.3f} ({low:+.3f} to {high:+.3f})",
        "texts that the guard let stand; contradictions it left": f"{_share(stands)}; {left}",
        f"side right, of {named} AUs that are there and named; always “both”": f"{_share(table['side'])}; {both}",
        f"side right, of the {table['one_sided']} of them that move on one side": _share(table["side_of_one_sided"]),
        "strength right, of three words": _share(table["strength"]),
        "apex frame right; within one frame": f"{_share(table['frame'])}; {_share(table['frame_within_one'])}",
        "“Which Action Units do you see?” all right": f"{_share(asked['which_right'])} of {asked['which_asked']}",
        f"yes or no right, of {asked['is_asked']} clips asked about one AU; always “no”": (
            f"{_share(asked['is_right'])}; {_share(asked['is_right_by_always_no'])}"
        ),
        "yes or no right where the AU is there": _share(asked["is_right_where_present"]),
    }
    head = f"| {table['clips']} generated clips of {table['subjects']} unseen drawn people, `{table['tier']}` | |"
    return "\n".join([head, "|---|---|", *(f"| {name} | {figure} |" for name, figure in rows.items())])


def _share(share: float | None) -> str:
    return "n/a" if share is None else f"{share:.1%}"


def ablation(table: dict) -> str:
    """What each part adds, from ablate.json: rows by group, then what follows."""
    against = {c["name"]: c for c in table["comparisons"]}
    lines = [
        "| row | F1, positive class (95 %) | F1, animated photographs | compared with | F1 less that | Holm's p |",
        "|---|---|---|---|---|---|",
    ]
    group = None
    for name, row in table["rows"].items():
        lines += [f"| **{row['group']}** | | | | | |"] if row["group"] != group else []
        group, (low, high) = row["group"], row["interval"]
        f1 = f"{row['f1']:.3f} ({low:.3f} to {high:.3f})"
        compared = " | ".join(_against(against.get(name)))
        lines.append(f"| `{name}`: {row['title']} | {f1} | {row['f1_photographs']:.3f} | {compared} |")
    missing = f" Not run: {', '.join(table['missing'])}." if table["missing"] else ""
    budget = (
        f"{table['seeds']} seeds, budget `{table['budget']['name']}`; {table['clips']} clips of {table['people']} "
        f"unseen drawn people, and animated photographs: all generated (SynthME).{missing}"
    )
    return "\n".join([*lines, "", budget, "", findings(table)])


def _against(comparison: dict | None) -> tuple[str, str, str]:
    """The row that it is compared with, the difference and its verdict, Holm's p."""
    if comparison is None:
        return "", "", ""
    return f"`{comparison['against']}`", _difference(comparison), f"{comparison['p_holm']:.3f}"


def grades(table: dict) -> str:
    """How well each map tells the truth, from grade.json: methods, then controls, then who stays behind what."""
    chance = next(iter(table["methods"].values()))
    by_chance = f"chance: energy {chance['chance']:.2f}, time {chance['temporal_chance']:.2f}"
    lines = [
        f"| map ({by_chance}) | energy in the moved skin | times chance | pointing game | time inside the event "
        "| AU-specificity | deletion, insertion | infidelity |",
        "|---" * 8 + "|",
    ]
    for kind in ("methods", "controls"):
        for name, row in table[kind].items():
            name = f"`{name}`" if kind == "methods" else f"control: {name}"
            cells = [_grade(row["energy_in_mask"]), f"{row['ratio']:.1f}"]
            cells += [_grade(row[key]) for key in ("pointing", "temporal", "specificity")]
            cells += [", ".join(_grade(row[f"{way}_still"], short=True) for way in ("deletion", "insertion"))]
            cells += [_grade(row["infidelity"], short=True)]
            lines.append(f"| {name} | {' | '.join(cells)} |")
    behind = [f"- {loss}" for loss in losses_of_grades(table)]
    methods = table["methods"].items()
    left = ", ".join(f"`{name}` {_grade(row['rank_correlation'], short=True)}" for name, row in methods)
    remains = f"Rank correlation with the map of the same network before training (0: nothing is left): {left}."
    return "\n".join([*lines, "", counted(table), "", remains, *(["", *behind] if behind else [])])


def _grade(grade: list | None, short: bool = False) -> str:
    if grade is None:
        return "n/a"
    mean, low, high = grade
    return f"{mean:.2f}" if short or low is None else f"{mean:.2f} ({low:.2f} to {high:.2f})"


def blocks(checkpoint: Path) -> dict[str, str]:
    """Every block by name, from the files of a checkpoint folder."""
    read = lambda name: json.loads((checkpoint / name).read_text())  # noqa: E731
    rows = [json.loads(line) for line in (checkpoint / "metrics.jsonl").read_text().splitlines()]
    return {
        "scores": scores(read("eval.json")),
        "losses": losses(read("losses.json")),
        "course": course(rows),
        "speed": speed(read("bench.json")),
        "stages": stages(read("bench.json")),
        "peers": peers(read("peers.json")),
        "loso": loso(read("loso.json")),
        "leaks": leaks(read("leaks.json")),
        "grades": grades(read("grade.json")),
        "words": words(read("spoken.json")),
        "ablation": ablation(read("ablate.json")),
    }


def fill(page: str, made: dict[str, str]) -> str:
    """The page with these blocks, by name, in their places.  Raises `ValueError` for one without its marks."""
    for name, block in made.items():
        page, count = re.subn(
            rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", lambda m, b=block: f"{m[1]}{b}\n{m[2]}", page, flags=re.S
        )
        if count != 1:
            raise ValueError(f"The page must hold <!-- {name} --> ... <!-- /{name} --> once, found {count}.")
    return page
