"""The command line: `python -m aullm_lite analyze | synth | inspect | train | evaluate | bench`.

Heavy imports wait until a command needs them, so that `--help` answers at once.
"""

import argparse
import errno
import sys
from pathlib import Path

from .errors import InputError

FIGURES = (".png", ".jpg", ".svg", ".pdf")
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
    from .datasets import DATA_SETS, Policy, load
    from .datasets.summary import as_text, summary, write_summary

    policy = Policy(alternatives=args.or_policy, fixups=args.fixups)
    loaded = load(DATA_SETS[args.dataset], annotations=args.annotations, root=args.root, policy=policy, fps=args.fps)
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
    from .train import Trainer, check_folder

    check_folder(args.out, go_on=args.resume)
    settings = {
        name: getattr(args, name) for name in ("epochs", "warmup", "batch_size", "loss", "seed", "mixed_precision")
    }
    settings = TrainConfig(**{name: value for name, value in settings.items() if value is not None})
    torch.manual_seed(settings.seed)  # of the first weights
    model = AULLM(AULLMConfig.from_preset(args.preset))
    Trainer(model, _training_clips(args), settings, args.out).run(go_on=args.resume)
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
    sub.add_argument("--or-policy", default="meb", choices=("meb", "all", "first", "drop"), help="what `7 or 43` means")
    sub.add_argument("--fixups", default="neutral", choices=("neutral", "meb", "none"), help="of known typing errors")
    sub.add_argument("--fps", type=float, help="true frames a second, where they are disputed (4DME)")
    sub.add_argument("--json", metavar="FILE")

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
