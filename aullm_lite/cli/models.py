"""Commands that use a model: analyze, describe, explain, grade."""

from pathlib import Path

from ..errors import InputError
from ..files import alone, drawn, write_together
from .options import FIGURES, au_number, seed_number

# The methods of `explain`, whose import would take seconds.
MAPS, PARTS = ("ig", "saliency", "inputxgradient", "gradshap", "gradcam", "occlusion", "shapley"), ("fusion", "words")


def add_to(command) -> None:
    """The commands with their options."""
    _add_analyze(command("analyze", _analyze, "Find the Action Units in a video file or a folder of frames."))
    _add_describe(command("describe", _describe, "Put what moved into words, or answer a question about it."))
    _add_explain(command("explain", _explain, "Show what a decision on one Action Unit rests on."))
    _add_grade(command("grade", _grade, "Grade explanations against the truth of generated clips."))


def _add_analyze(sub) -> None:
    sub.add_argument("video", metavar="VIDEO_OR_FRAMES")
    sub.add_argument("--json", metavar="FILE", help="write the whole report as data")
    sub.add_argument("--figure", metavar="FILE.png", help="write the report as a picture; it shows the face")
    sub.add_argument("--fps", type=float, help="true frames a second, of a folder (200 by default) or slow motion")
    sub.add_argument("--model", default="demo", metavar="CHECKPOINT", help="demo, a folder, or a Hub id")


def _analyze(args) -> None:
    from ..model import AULLM

    if args.figure and Path(args.figure).suffix.lower() not in FIGURES:
        raise InputError(f"A figure can be {', '.join(FIGURES)}, not {args.figure!r}: give another name.")
    report = AULLM.from_pretrained(args.model).analyze(args.video, fps=args.fps)
    print(report)  # first: nothing is lost where the files cannot be written
    print("\n" + report.text())
    if args.json:
        report.to_json(args.json)
    if args.figure:
        from ..plots import report_figure

        figure = Path(args.figure)
        write_together({figure: drawn(report_figure(report), figure.suffix[1:].lower())})


def _add_describe(sub) -> None:
    sub.add_argument("video", metavar="VIDEO_OR_FRAMES")
    sub.add_argument("--ask", metavar="QUESTION", help="such as: Which Action Units do you see?  Is AU12 present?")
    sub.add_argument("--json", metavar="FILE", help="write the whole report as data, with the words")
    sub.add_argument("--fps", type=float, help="true frames a second, of a folder (200 by default) or slow motion")
    sub.add_argument("--model", default="demo", metavar="CHECKPOINT", help="demo, a folder, or a Hub id")


def _describe(args) -> None:
    from ..model import AULLM
    from ..speech.questions import understand
    from ..speech.spoken import check_speaks, describe_report

    model = AULLM.from_pretrained(args.model)
    check_speaks(model)
    if args.ask is not None:
        understand(args.ask, model.config.aus)  # before the video is read
    report = model.analyze(args.video, fps=args.fps)
    heard = describe_report(model, report, args.ask)
    start, end = heard.times[0], heard.times[-1]
    print(f"From {start:.2f} to {end:.2f} s, where the model is surest of an Action Unit:", heard.text, sep="\n")
    if heard.problem:
        print(f"(The head's decision in plain words, because the language model's text was left out: {heard.problem}.)")
    if args.json:
        report.with_words(heard).to_json(args.json)


def _add_explain(sub) -> None:
    sub.add_argument("video", metavar="VIDEO_OR_FRAMES")
    sub.add_argument("--au", type=au_number, required=True, metavar="N", help="the Action Unit, such as 12")
    sub.add_argument("--method", default="ig", help=f"one of {', '.join(MAPS)}, or {' or '.join(PARTS)} (no map)")
    sub.add_argument("--on", default="motion", choices=("motion", "pixels"), help="what a map is made on")
    sub.add_argument("--out", required=True, metavar="DIR", help="gets a picture, which shows the face, JSON and npz")
    sub.add_argument("--fps", type=float, help="true frames a second, of a folder (200 by default) or slow motion")
    sub.add_argument("--model", default="demo", metavar="CHECKPOINT", help="demo, a folder, or a Hub id")


def _explain(args) -> None:
    from ..explain import check
    from ..explain.figures import why_figure
    from ..explain.grades import sentence, shipped
    from ..model import AULLM

    _check_folder(args.out)
    model = AULLM.from_pretrained(args.model)
    check(model, args.au, args.method)  # before the video is read
    report = model.analyze(args.video, fps=args.fps)
    window, found = report.windows[args.au], report[args.au]
    made = model.explain(window.clip, args.au, args.method, args.on)
    grade = sentence(shipped(model), made.method, made.on)
    about = dict(face=window.onset_crop, times=window.times, grade=grade, verdict=found.verdict)
    picture = drawn(why_figure(made, window.clip, **about))
    stem = Path(args.out) / f"au{args.au}-{args.method}-{made.on}"
    files = made.files(stem) | {Path(f"{stem}.png"): picture}
    write_together(files)
    print(f"{found.label}: {found.verdict}, probability {found.probability:.2f}.", made.text(), grade, sep="\n")
    print(f"In {args.out}: {', '.join(path.name for path in files)}.")


def _check_folder(out: str) -> None:
    if Path(out).exists() and not Path(out).is_dir():
        raise InputError(f"--out must name a folder, and {out} is a file: choose another.")


def _add_grade(sub) -> None:
    names = f"{', '.join(MAPS)}, or all (default); those of gradients are graded on pixels too"
    sub.add_argument("--methods", nargs="+", default=["all"], metavar="NAME", help=names)
    sub.add_argument("--clips", type=int, default=200, help="how many (200), half of them with two AUs apart")
    sub.add_argument("--tier", default="standard", choices=("easy", "standard", "hard", "macro"))
    sub.add_argument("--seed", type=seed_number, default=7)
    sub.add_argument("--model", default="demo", metavar="CHECKPOINT", help="demo, a folder, or a Hub id")
    sub.add_argument("--json", required=True, metavar="FILE", help="rows are kept beside it until it is written")


def _grade(args) -> None:
    import torch

    from ..checkpoint import weights_hash
    from ..evaluate import write_json
    from ..explain import grades, study
    from ..model import AULLM

    if Path(args.json).is_dir():
        raise InputError(f"--json must name a file, and {args.json} is a folder: choose another.")
    methods = MAPS if args.methods == ["all"] else tuple(args.methods)
    model = AULLM.from_pretrained(args.model).to("cuda" if torch.cuda.is_available() else "cpu")
    rows = Path(f"{args.json}.rows.jsonl")
    with alone(rows.parent, rows.name):
        made = study.grade(model, methods=methods, clips=args.clips, tier=args.tier, seed=args.seed, rows=rows)
        about = {"tier": args.tier, "seed": args.seed, "model": weights_hash(model)}
        table = grades.grade_table(made, about)
        write_json(args.json, table)
        rows.unlink()
    print(grades.as_text(table))
