"""Commands on data: synth makes them, inspect checks them."""

from .options import policy, reading, synth_size

LICENSED = ("casme2", "samm", "4dme", "casme", "casme3", "mmew")


def add_to(command) -> None:
    """The commands with their options."""
    _add_synth(command("synth", _synth, "Write SynthME, generated clips with their truth."))
    _add_inspect(command("inspect", _inspect, "Check the annotation table of a licensed data set, and its frames."))


def _add_synth(sub) -> None:
    sub.add_argument("out", metavar="OUT")
    synth_size(sub, subjects=40, clips=25, seed=None)
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


def _synth(args) -> None:
    from ..synth.export import write_dataset

    size = {name: getattr(args, name) for name in ("subjects", "clips", "tier", "seed", "photos", "real_shape")}
    count = write_dataset(args.out, form=args.format, **size)
    print(f"{count} clips written to {args.out}.")


def _add_inspect(sub) -> None:
    sub.add_argument("dataset", choices=LICENSED)
    sub.add_argument("--annotations", metavar="FILE.xlsx", help="needed unless --root holds exactly one table")
    sub.add_argument("--root", metavar="DIR", help="your copy of the data set: frames are checked too")
    reading(sub)
    sub.add_argument("--json", metavar="FILE")


def _inspect(args) -> None:
    from ..datasets import DATA_SETS, load
    from ..datasets.summary import as_text, summary, write_summary

    read = {"annotations": args.annotations, "root": args.root, "fps": args.fps}
    loaded = load(DATA_SETS[args.dataset], policy=policy(args), **read)
    facts = summary(loaded)
    if args.json:
        write_summary(args.json, facts)
    print(as_text(facts))
