"""Commands that make a model and measure it: train, evaluate, bench."""

from pathlib import Path

from ..errors import InputError
from ..files import drawn, write_together
from .options import FIGURES, PRESETS, seed_number, synth_size


def add_to(command) -> None:
    """The commands with their options."""
    _add_train(command("train", _train, "Train a checkpoint."))
    _add_evaluate(command("evaluate", _evaluate, "Score a checkpoint on people it has never seen."))
    sub = command("bench", _bench, "Measure speed: stages against the floor of this machine, and pairs.")
    sub.add_argument("--model", default="demo", metavar="CHECKPOINT")
    sub.add_argument("--device", choices=("cpu", "cuda"), help="where to measure (a GPU where there is one)")
    sub.add_argument("--json", metavar="FILE")
    sub.add_argument("--figure", metavar="FILE", help="a picture of the stages and their floors")


def _add_train(sub) -> None:
    sub.add_argument("--data", default="synth", metavar="synth|DIR")
    first = sub.add_mutually_exclusive_group()
    first.add_argument("--preset", default="lite", choices=PRESETS)
    first.add_argument("--init", metavar="CHECKPOINT", help="go on from its weights; needs people it has not seen")
    sub.add_argument("--llm", metavar="ID", help="any causal LM of the Hub or a folder, in place of the preset's")
    sub.add_argument("--out", required=True, metavar="DIR")
    sub.add_argument("--epochs", type=int, help="epochs with the language model (4)")
    sub.add_argument("--warmup", type=int, help="epochs of the visual part alone, before those (4)")
    sub.add_argument("--batch-size", type=int)
    sub.add_argument("--lr", type=float, help="peak rate of the visual part and the heads (0.002)")
    sub.add_argument("--lr-lora", type=float, help="peak rate of LoRA (0.0005)")
    sub.add_argument("--drop-rate", type=float, help="dropout of the visual part, in place of the preset's")
    sub.add_argument("--spoken", type=int, default=16, help="clips of a batch to learn words from (16; 0: no words)")
    sub.add_argument("--loss", choices=("bce", "asl"))
    sub.add_argument("--mixed-precision", choices=("no", "bf16"))
    sub.add_argument("--resume", action="store_true", help="go on after the last finished epoch in --out")
    sub.add_argument("--subjects", type=int, default=800)
    sub.add_argument("--clips", type=int, default=25)
    sub.add_argument("--seed", type=seed_number, default=0)


def _train(args) -> None:
    import numpy as np
    import torch

    from .. import distributed
    from ..plots import training_figure
    from ..recipe import TrainConfig, split_inner
    from ..run import METRICS, TrainingRun, check_folder
    from ..synth.drawn import drawn_name
    from ..train import Trainer, refuse_known

    distributed.start()
    out = Path(args.out)
    if distributed.rank() == 0:  # who writes there
        check_folder(out, go_on=args.resume)
    names = ("epochs", "warmup", "batch_size", "lr", "lr_lora", "spoken", "loss", "seed", "mixed_precision")
    settings = {name: value for name in names if (value := getattr(args, name)) is not None}
    settings = TrainConfig(**settings)
    torch.manual_seed(settings.seed)  # of the first weights
    model = _first_model(args)
    if args.data == "synth":  # before minutes are spent on drawing them
        names = np.array([drawn_name(args.seed + n) for n in range(args.subjects)])
        refuse_known(model, names[split_inner(names, settings.inner_share, settings.seed)])
    TrainingRun(Trainer(model, _training_clips(args), settings), out).run(go_on=args.resume)
    if distributed.rank() > 0:
        return
    write_together({out / "metrics.png": drawn(training_figure(out / METRICS))})
    print(f"The checkpoint lies in {args.out}.")


def _first_model(args):
    """A new model of the preset, or that of a checkpoint, with what the options change."""
    from ..checkpoint import find_checkpoint, read_config
    from ..config import AULLMConfig
    from ..model import AULLM

    changes = {"language_model": args.llm, "drop_rate": args.drop_rate}
    changes = {name: value for name, value in changes.items() if value is not None}
    if not args.init:
        return AULLM(AULLMConfig.from_preset(args.preset, **changes))
    if args.llm:
        raise InputError("The weights of a checkpoint belong to its own language model: leave out --llm or --init.")
    folder = find_checkpoint(args.init)
    undecided = dict(calibration=(), thresholds=(), not_sure=(), speaks=False)  # until this training has ended
    config = read_config(folder)
    model = AULLM(config.changed(**undecided, **changes))
    model.load_weights(folder)
    return model


def _training_clips(args):
    """Freshly made clips, or those of a folder written by `synth --format hf`."""
    if args.data != "synth":
        from ..synth.export import read_dataset

        return read_dataset(args.data)
    from ..distributed import world
    from ..synth.dataset import HELD_OUT, make_clips, training_recipe

    if args.seed + args.subjects > HELD_OUT:
        raise InputError(f"Subject seeds from {HELD_OUT:,} on are kept for evaluation: pass a smaller --seed.")
    if args.subjects < world():
        raise InputError(f"{world()} processes draw at least as many subjects: pass more than {args.subjects}.")
    return make_clips(args.subjects, args.clips, training_recipe, seed=args.seed)


def _add_evaluate(sub) -> None:
    sub.add_argument("checkpoint", metavar="CHECKPOINT_DIR|demo")
    sub.add_argument("--data", default="synth", metavar="synth|DIR")
    synth_size(sub, subjects=30, clips=50, seed=7)
    sub.add_argument(
        "--full", action="store_true", help="the README's figures: all tiers, photographs and moving heads"
    )
    sub.add_argument("--spoken", action="store_true", help="score what the language model says, not the head")
    sub.add_argument("--json", metavar="FILE")


def _evaluate(args) -> None:
    from .. import evaluate
    from ..model import AULLM

    if args.spoken and (args.full or args.data != "synth"):
        raise InputError("--spoken is measured on fresh generated clips: leave out --full and --data.")
    model = AULLM.from_pretrained(args.checkpoint)
    if args.spoken:
        return _evaluate_spoken(model, args)
    if args.full:
        from ..synth.photo import builtin_photos

        scores = evaluate.full_report(model, builtin_photos(), subjects=args.subjects, clips=args.clips, seed=args.seed)
    elif args.data == "synth":
        scores = evaluate.synth_table(model, subjects=args.subjects, clips=args.clips, tier=args.tier, seed=args.seed)
    else:
        from ..synth.export import read_dataset

        scores = evaluate.evaluate(model, read_dataset(args.data))
    print(evaluate.as_text(scores))  # first: nothing is lost where the file cannot be written
    if args.json:
        evaluate.write_json(args.json, scores)


def _evaluate_spoken(model, args) -> None:
    import torch

    from ..evaluate import write_json
    from ..speech.scores import as_text, spoken_table

    model = model.to("cuda" if torch.cuda.is_available() else "cpu")
    table = spoken_table(model, subjects=args.subjects, clips=args.clips, tier=args.tier, seed=args.seed)
    print(as_text(table))
    if args.json:
        write_json(args.json, table)


def _bench(args) -> None:
    import torch

    from .. import bench
    from ..bench.figure import stage_figure
    from ..evaluate import write_json

    if args.device == "cuda" and not torch.cuda.is_available():
        raise InputError("No GPU is to be seen here: leave out --device, or install the CUDA build of torch.")
    if args.figure and Path(args.figure).suffix.lower() not in FIGURES:
        raise InputError(f"A figure can be {', '.join(FIGURES)}, not {args.figure!r}: give another name.")
    for path in filter(None, (args.json, args.figure)):  # before minutes are spent
        if not Path(path).absolute().parent.is_dir():
            raise InputError(f"There is no folder for {path}: make it first.")
    figures = bench.run(args.model, args.device, say=lambda line: print(line, "...", flush=True))
    print(bench.as_text(figures))
    if args.json:
        write_json(args.json, figures)
    if args.figure:
        write_together({Path(args.figure): drawn(stage_figure(figures), Path(args.figure).suffix[1:], dpi=110)})
