"""Commands that compare methods on licensed data: loso, cross, cd6me; and on generated clips: leaks and ablate."""

import tempfile
from pathlib import Path

from .data import LICENSED
from .options import PRESETS, at_least_one, policy, reading, seed_number

ROWS = ("aullm", "linear", "led", "flow-svm", "sssnet", "motion", "identity")


def add_to(command) -> None:
    """The commands with their options."""
    sub = command("loso", _loso, "Leave one subject out: a table of methods on your copy of a data set.")
    sub.add_argument("--data", required=True, choices=LICENSED)
    sub.add_argument("--root", required=True, metavar="DIR", help="your copy of the data set")
    sub.add_argument("--annotations", metavar="FILE.xlsx", help="needed unless --root holds exactly one table")
    _add_protocol(sub)
    sub = command("cross", _cross, "Train on one data set, test on another.")
    sub.add_argument("--train", required=True, metavar="NAME:DIR", help="such as casme2:/data/CASME2")
    sub.add_argument("--test", required=True, metavar="NAME:DIR")
    _add_tables(sub)
    _add_protocol(sub)
    sub = command("cd6me", _cd6me, "Leave one data set out of several, on the twelve AUs of CD6ME.")
    sub.add_argument("--data", required=True, nargs="+", metavar="NAME:DIR")
    _add_tables(sub)
    _add_protocol(sub)
    sub = command("leaks", _leaks, "Show on generated clips what leaks do to a score.")
    sub.add_argument("--out", required=True, metavar="DIR")
    sub.add_argument("--seed", type=seed_number, default=0)
    _add_ablate(command("ablate", _ablate, "Show on generated clips what the language model and other parts add."))


def _add_tables(sub) -> None:
    needed = "tables of data sets whose folder does not hold exactly one"
    sub.add_argument("--annotations", nargs="+", default=[], metavar="NAME:FILE.xlsx", help=needed)


def _add_protocol(sub) -> None:
    """What is run, and how: the options that all protocols share."""
    reading(sub)
    sub.add_argument("--incomplete", action="store_true", help="leave out clips that are missing or damaged, and go on")
    sub.add_argument("--cache", type=Path, metavar="DIR", help="where prepared clips are kept")
    rows = "rows of the table: " + ", ".join(ROWS) + " (all)"
    sub.add_argument("--model", nargs="+", default=ROWS, choices=ROWS, metavar="MODEL", help=rows)
    sub.add_argument(
        "--init", nargs="+", default=["demo", "scratch"], metavar="scratch|demo|CHECKPOINT", help="first weights (both)"
    )
    sub.add_argument("--preset", default="lite", choices=PRESETS)
    sub.add_argument("--folds", metavar="I/N", help="every N-th fold from the I-th on, counted from 0: a share")
    sub.add_argument(
        "--together", type=at_least_one, default=1, metavar="N", help="folds that AU-LLM learns at once (1)"
    )
    sub.add_argument("--resume", action="store_true", help="go on with the folds that are missing in --out")
    sub.add_argument("--seed", type=seed_number, default=0)
    sub.add_argument("--out", required=True, metavar="DIR")


def _loso(args) -> None:
    from ..protocols import loso

    _check(args)
    source = _read(args, args.data, args.root, annotations=args.annotations)
    _experiment(args, loso(source.clips, args.seed, notes=(source.note,), facts={args.data: source.facts}))


def _cross(args) -> None:
    from ..protocols import cross
    from ..protocols.sources import shared_aus

    _check(args)
    places = _places(args, [args.train, args.test])
    aus = shared_aus([name for name, *_ in places])
    train, test = (_read(args, *where, aus=aus) for where in places)
    about = {"notes": (train.note, test.note), "facts": {"train": train.facts, "test": test.facts}}
    _experiment(args, cross(train.clips, test.clips, args.seed, **about))


def _cd6me(args) -> None:
    from functools import reduce

    from ..clips import join
    from ..facs import CD6ME_AUS
    from ..protocols import cd6me

    _check(args)
    sources = [_read(args, *where, aus=CD6ME_AUS) for where in _places(args, args.data)]
    data = reduce(join, (source.clips for source in sources))
    about = {"notes": tuple(s.note for s in sources), "facts": {s.facts["dataset"]: s.facts for s in sources}}
    _experiment(args, cd6me(data, args.seed, **about))


def _check(args) -> None:
    """What needs no data is refused at once: to read all frames takes long."""
    from ..protocols.experiment import trained_on
    from ..protocols.folds import shard
    from ..protocols.methods import row_names

    shard((), args.folds)
    for *_, init in row_names(args.model, args.init):
        if init not in (None, "scratch"):
            trained_on(init)
    out = Path(args.out).absolute()
    place = next(folder for folder in (out, *out.parents) if folder.exists())
    try:
        tempfile.TemporaryFile(dir=place).close()
    except OSError as error:
        error.filename = str(place)  # not the file that was tried
        raise


def _places(args, texts: list[str]) -> list[tuple[str, str, str | None]]:
    """The name, the folder and, where one is named, the table of each data set."""
    from ..protocols.sources import place, tables

    places = [place(text) for text in texts]
    files = tables(args.annotations, [name for name, _ in places])
    return [(name, root, files.get(name)) for name, root in places]


def _read(args, name: str, root: str, annotations: str | None, aus=None):
    """One data set for a protocol, by the options that `loso`, `cross` and `cd6me` share."""
    from ..protocols.sources import read

    fps = args.fps if name == "4dme" or args.command == "loso" else None  # among several sets only 4DME's is disputed
    options = {"policy": policy(args), "fps": fps, "cache": args.cache, "incomplete": args.incomplete}
    return read(name, root, aus=aus, annotations=annotations, **options)


def _experiment(args, experiment) -> None:
    options = {"preset": args.preset, "folds": args.folds, "together": args.together, "go_on": args.resume}
    done = experiment.run(args.out, args.model, args.init, **options)
    for row, count in done["missing"].items():
        if count:
            print(f"{row}: {count} of {len(experiment.splits)} folds are still to be run; the table leaves it out.")
    if "table" not in done:
        print("No table yet: it comes with the last fold.")
    else:
        print((Path(args.out) / "table.md").read_text())
        print(f"Written to {args.out}: predictions.parquet, table.json, table.md, table.png.")


def _leaks(args) -> None:
    from ..protocols.leaks import run
    from ..protocols.leaks_page import as_markdown

    print(as_markdown(run(args.out, seed=args.seed)))


def _add_ablate(sub) -> None:
    sub.add_argument("--out", required=True, metavar="DIR", help="gets ablate.json, ablate.md, ablate.png and all rows")
    sub.add_argument("--seeds", type=seed_number, default=3, metavar="N", help="how often each row is trained (3)")
    sub.add_argument("--budget", default="small", choices=("small", "full"), help="full is for a GPU")
    sub.add_argument("--rows", nargs="+", metavar="NAME", help="some rows, with those they are compared with (all)")
    sub.add_argument("--resume", action="store_true", help="go on with the rows that are missing in --out")
    sub.add_argument(
        "--llm", default="smollm2-135m-instruct", metavar="ID", help="any causal language model of the Hub"
    )


def _ablate(args) -> None:
    from ..ablate.budget import BUDGETS
    from ..ablate.study import ablate

    options = {"llm": args.llm, "seeds": args.seeds, "rows": args.rows, "go_on": args.resume}
    ablate(args.out, BUDGETS[args.budget], **options, say=lambda line: print(line, flush=True))
    print((Path(args.out) / "ablate.md").read_text())
    print(f"Written to {args.out}: ablate.json, ablate.md, ablate.png.")
