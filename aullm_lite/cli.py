"""The command line, `python -m aullm_lite COMMAND`: look at clips, make and check data, train, score, compare.

Heavy imports wait until a command needs them, so that `--help` answers at once.
"""

import argparse
import errno
import sys
from pathlib import Path

from .errors import InputError

FIGURES = (".png", ".jpg", ".svg", ".pdf")
ROWS = ("aullm", "linear", "led", "flow-svm", "sssnet", "motion", "identity")
LICENSED = ("casme2", "samm", "4dme", "casme", "casme3", "mmew")


def _analyze(args) -> None:
    from .model import AULLM

    if args.figure and Path(args.figure).suffix.lower() not in FIGURES:
        raise InputError(f"A figure can be {', '.join(FIGURES)}, not {args.figure!r}: give another name.")
    report = AULLM.from_pretrained(args.model).analyze(args.video, fps=args.fps)
    if args.json:
        report.to_json(args.json)
    if args.figure:
        from .plots import report_figure

        Path(args.figure).parent.mkdir(parents=True, exist_ok=True)
        report_figure(report).savefig(args.figure)
    print(report)
    print("\n" + report.text())


def _synth(args) -> None:
    from .synth.export import write_dataset

    count = write_dataset(
        args.out,
        subjects=args.subjects,
        clips=args.clips,
        tier=args.tier,
        seed=args.seed,
        form=args.format,
        photos=args.photos,
        real_shape=args.real_shape,
    )
    print(f"{count} clips written to {args.out}.")


def _inspect(args) -> None:
    from .datasets import DATA_SETS, load
    from .datasets.summary import as_text, summary, write_summary

    read = {"annotations": args.annotations, "root": args.root, "fps": args.fps}
    loaded = load(DATA_SETS[args.dataset], policy=_policy(args), **read)
    facts = summary(loaded)
    if args.json:
        write_summary(args.json, facts)
    print(as_text(facts))


def _training_clips(args):
    """Freshly made clips, or those of a folder written by `synth --format hf`."""
    if args.data != "synth":
        from .synth.export import read_dataset

        return read_dataset(args.data)
    from .synth.dataset import HELD_OUT, make_clips, training_recipe

    if args.seed + args.subjects > HELD_OUT:
        raise InputError(f"Subject seeds from {HELD_OUT:,} on are kept for evaluation: pass a smaller --seed.")
    return make_clips(args.subjects, args.clips, training_recipe, seed=args.seed)


def _train(args) -> None:
    import torch

    from .config import AULLMConfig
    from .model import AULLM
    from .plots import training_figure
    from .recipe import TrainConfig
    from .run import TrainingRun, check_folder
    from .train import Trainer

    check_folder(args.out, go_on=args.resume)
    settings = {
        name: getattr(args, name) for name in ("epochs", "warmup", "batch_size", "loss", "seed", "mixed_precision")
    }
    settings = TrainConfig(**{name: value for name, value in settings.items() if value is not None})
    torch.manual_seed(settings.seed)  # of the first weights
    model = AULLM(AULLMConfig.from_preset(args.preset))
    TrainingRun(Trainer(model, _training_clips(args), settings), args.out).run(go_on=args.resume)
    training_figure(Path(args.out) / "metrics.jsonl").savefig(Path(args.out) / "metrics.png")
    print(f"The checkpoint lies in {args.out}.")


def _evaluate(args) -> None:
    from . import evaluate
    from .model import AULLM

    model = AULLM.from_pretrained(args.checkpoint)
    if args.full:
        from .synth.photo import builtin_photos

        scores = evaluate.full_report(model, builtin_photos(), subjects=args.subjects, clips=args.clips, seed=args.seed)
    elif args.data == "synth":
        scores = evaluate.synth_table(model, subjects=args.subjects, clips=args.clips, tier=args.tier, seed=args.seed)
    else:
        from .synth.export import read_dataset

        scores = evaluate.evaluate(model, read_dataset(args.data))
    if args.json:
        evaluate.write_json(args.json, scores)
    print(evaluate.as_text(scores))


def _policy(args):
    from .datasets import Policy

    return Policy(alternatives=args.or_policy, fixups=args.fixups)


def _read(args, name: str, root: str, aus=None, annotations=None):
    """One data set for a protocol, by the options that `loso`, `cross` and `cd6me` share."""
    from .protocols.sources import read

    fps = args.fps if name == "4dme" or args.command == "loso" else None  # among several sets only 4DME's is disputed
    options = {"policy": _policy(args), "fps": fps, "cache": args.cache, "incomplete": args.incomplete}
    return read(name, root, aus=aus, annotations=annotations, **options)


def _loso(args) -> None:
    from .protocols import loso

    source = _read(args, args.data, args.root, annotations=args.annotations)
    _experiment(args, loso(source.clips, args.seed, notes=(source.note,), facts={args.data: source.facts}))


def _cross(args) -> None:
    from .protocols import cross
    from .protocols.sources import place, shared_aus

    places = [place(args.train), place(args.test)]
    aus = shared_aus([name for name, _ in places])
    train, test = (_read(args, *where, aus=aus) for where in places)
    about = {"notes": (train.note, test.note), "facts": {"train": train.facts, "test": test.facts}}
    _experiment(args, cross(train.clips, test.clips, args.seed, **about))


def _cd6me(args) -> None:
    from functools import reduce

    from .clips import join
    from .facs import CD6ME_AUS
    from .protocols import cd6me
    from .protocols.sources import place

    sources = [_read(args, *place(text), aus=CD6ME_AUS) for text in args.data]
    data = reduce(join, (source.clips for source in sources))
    about = {"notes": tuple(s.note for s in sources), "facts": {s.facts["dataset"]: s.facts for s in sources}}
    _experiment(args, cd6me(data, args.seed, **about))


def _experiment(args, experiment) -> None:
    from .protocols.methods import MODELS

    options = {"preset": args.preset, "folds": args.folds, "go_on": args.resume}
    done = experiment.run(args.out, args.model or MODELS, args.init, **options)
    for row, count in done["missing"].items():
        if count:
            print(f"{row}: {count} of {len(experiment.splits)} folds are still to be run; the table leaves it out.")
    if "table" in done:
        print((Path(args.out) / "table.md").read_text())
        print(f"Written to {args.out}: predictions.parquet, table.json, table.md, table.png.")


def _leaks(args) -> None:
    from .protocols.leaks import run
    from .protocols.leaks_page import as_markdown

    print(as_markdown(run(args.out, seed=args.seed)))


def _bench(args) -> None:
    from . import bench
    from .evaluate import write_json

    figures = bench.run(args.model)
    if args.json:
        write_json(args.json, figures)
    print(bench.as_text(figures))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m aullm_lite", description="Facial Action Units from short clips, with a language model."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name, run, text):
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    sub = command("analyze", _analyze, "Find the Action Units in a video file or a folder of frames.")
    sub.add_argument("video", metavar="VIDEO_OR_FRAMES")
    sub.add_argument("--json", metavar="FILE", help="write the whole report as data")
    sub.add_argument("--figure", metavar="FILE.png", help="write the report as a picture; it shows the face")
    sub.add_argument(
        "--fps",
        type=float,
        help="true frames a second, of a folder (200 by default) or slow motion",
    )
    sub.add_argument("--model", default="demo", metavar="CHECKPOINT", help="demo, a folder, or a Hub id")

    sub = command("synth", _synth, "Write SynthME, generated clips with their truth.")
    sub.add_argument("out", metavar="OUT")
    _synth_size(sub, subjects=40, clips=25, seed=None)
    sub.add_argument(
        "--format",
        default="hf",
        choices=("hf", "frames", "casme2", "samm"),
        help="hf: six small frames a clip; the others: hundreds of large ones, at some 5 s a clip",
    )
    sub.add_argument(
        "--real-shape",
        action="store_true",
        help="casme2 and samm: as many subjects, clips and AUs as the real set has, not --subjects times --clips",
    )
    sub.add_argument("--photos", metavar="DIR", help="animate the photographs of this folder instead of drawn people")

    sub = command("inspect", _inspect, "Check the annotation table of a licensed data set, and its frames.")
    sub.add_argument("dataset", choices=LICENSED)
    sub.add_argument("--annotations", metavar="FILE.xlsx", help="needed unless --root holds exactly one table")
    sub.add_argument("--root", metavar="DIR", help="your copy of the data set: frames are checked too")
    _reading(sub)
    sub.add_argument("--json", metavar="FILE")

    sub = command("loso", _loso, "Leave one subject out: a table of methods on your copy of a data set.")
    sub.add_argument("--data", required=True, choices=LICENSED)
    sub.add_argument("--root", required=True, metavar="DIR", help="your copy of the data set")
    sub.add_argument("--annotations", metavar="FILE.xlsx", help="needed unless --root holds exactly one table")
    _protocol(sub)

    sub = command("cross", _cross, "Train on one data set, test on another.")
    sub.add_argument("--train", required=True, metavar="NAME:DIR", help="such as casme2:/data/CASME2")
    sub.add_argument("--test", required=True, metavar="NAME:DIR")
    _protocol(sub)

    sub = command("cd6me", _cd6me, "Leave one data set out of several, on the twelve AUs of CD6ME.")
    sub.add_argument("--data", required=True, nargs="+", metavar="NAME:DIR")
    _protocol(sub)

    sub = command("leaks", _leaks, "Show on generated clips what leaks do to a score.")
    sub.add_argument("--out", required=True, metavar="DIR")
    sub.add_argument("--seed", type=int, default=0)

    sub = command("train", _train, "Train a checkpoint.")
    sub.add_argument("--data", default="synth", metavar="synth|DIR")
    sub.add_argument("--preset", default="lite", choices=("lite", "paper", "smoke"))
    sub.add_argument("--out", required=True, metavar="DIR")
    sub.add_argument("--epochs", type=int, help="epochs with the language model (4)")
    sub.add_argument("--warmup", type=int, help="epochs of the visual part alone, before those (4)")
    sub.add_argument("--batch-size", type=int)
    sub.add_argument("--loss", choices=("bce", "asl"))
    sub.add_argument("--mixed-precision", choices=("no", "bf16"))
    sub.add_argument("--resume", action="store_true", help="go on after the last finished epoch in --out")
    sub.add_argument("--subjects", type=int, default=800)
    sub.add_argument("--clips", type=int, default=25)
    sub.add_argument("--seed", type=int, default=0)

    sub = command("evaluate", _evaluate, "Score a checkpoint on people it has never seen.")
    sub.add_argument("checkpoint", metavar="CHECKPOINT_DIR|demo")
    sub.add_argument("--data", default="synth", metavar="synth|DIR")
    _synth_size(sub, subjects=30, clips=50, seed=7)
    sub.add_argument(
        "--full", action="store_true", help="the README's figures: all tiers, photographs and moving heads"
    )
    sub.add_argument("--json", metavar="FILE")

    sub = command("bench", _bench, "Measure speed in pairs and print ratios.")
    sub.add_argument("--model", default="demo", metavar="CHECKPOINT")
    sub.add_argument("--json", metavar="FILE")
    return parser


def _reading(sub) -> None:
    """How a licensed table is read."""
    sub.add_argument("--or-policy", default="meb", choices=("meb", "all", "first", "drop"), help="what `7 or 43` means")
    sub.add_argument("--fixups", default="neutral", choices=("neutral", "meb", "none"), help="of known typing errors")
    sub.add_argument("--fps", type=float, help="true frames a second, where they are disputed (4DME)")


def _protocol(sub) -> None:
    """What is run, and how: the options that all protocols share."""
    _reading(sub)
    sub.add_argument("--incomplete", action="store_true", help="leave out clips that are missing or damaged, and go on")
    sub.add_argument("--cache", type=Path, metavar="DIR", help="where prepared clips are kept")
    sub.add_argument("--model", nargs="+", metavar="MODEL", help="rows of the table: " + ", ".join(ROWS) + " (all)")
    sub.add_argument(
        "--init", nargs="+", default=["demo", "scratch"], metavar="scratch|demo|CHECKPOINT", help="first weights (both)"
    )
    sub.add_argument("--preset", default="lite", choices=("lite", "paper", "smoke"))
    sub.add_argument("--folds", metavar="I/N", help="every N-th fold from the I-th on, to share the work out")
    sub.add_argument("--resume", action="store_true", help="go on with the folds that are missing in --out")
    sub.add_argument("--seed", type=int, default=0)
    sub.add_argument("--out", required=True, metavar="DIR")


def _synth_size(sub, *, subjects: int, clips: int, seed: int | None) -> None:
    sub.add_argument("--subjects", type=int, default=subjects)
    sub.add_argument("--clips", type=int, default=clips, help="clips of each subject")
    sub.add_argument("--tier", default="standard", choices=("easy", "standard", "hard", "macro"))
    beyond = "of the first person: 0, or for casme2 and samm 10000000, from where on nothing is trained"
    sub.add_argument("--seed", type=int, default=seed, help=beyond if seed is None else None)


def main(argv: list[str] | None = None) -> int:
    """Run one command; 0 when all went well, 2 with one sentence when the input cannot be used."""
    args = _parser().parse_args(argv)
    try:
        args.run(args)
    except InputError as error:
        print(f"{args.command}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{args.command}: {error.strerror or error}{_advice(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{args.command}: stopped.", file=sys.stderr)
        return 130
    return 0


def _advice(error: OSError) -> str:
    """Which file, and what to do where the place is the matter."""
    where = f" ({error.filename})" if error.filename else ""
    place = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EPERM)
    return where + (": free some space or choose another place, then run the same command again." if place else ".")
