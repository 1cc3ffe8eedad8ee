"""The command that publishes: push."""

from pathlib import Path


def add_to(command) -> None:
    """The command with its options."""
    sub = command("push", _push, "Publish a checkpoint, a data set or the app on the Hugging Face Hub.")
    sub.add_argument("kind", choices=("checkpoint", "dataset", "space"))
    sub.add_argument("--repo", required=True, metavar="ORG/NAME", help="what it is to be called on the Hub")
    usual = "checkpoint (demo), what `synth --format hf` wrote, or a copy of this repository (the one that runs)"
    sub.add_argument("--from", dest="source", metavar="FOLDER", help=usual)
    who = sub.add_mutually_exclusive_group()
    who.add_argument("--private", action="store_true", help="a new repository only you can see (default)")
    who.add_argument("--public", action="store_true", help="a new repository everybody can see")
    sub.add_argument("--tag", metavar="NAME", help="a name for this state that stays, such as v1")
    sub.add_argument("--dry-run", metavar="OUT", help="write to a new folder what would be sent, and send nothing")


def _push(args) -> None:
    from ..hub.publish import publish
    from ..hub.upload import check_tag

    check_tag(args.tag)
    if args.dry_run is not None:
        return _show(args)
    commit = publish(args.kind, args.source, args.repo, private=not args.public, tag=args.tag)
    print(f"{args.repo} on the Hub holds it, as commit {commit}{f' and tag {args.tag}' if args.tag else ''}.")


def _show(args) -> None:
    from ..files import appearing, new_folder
    from ..hub.publish import build

    out = new_folder(args.dry_run)
    with appearing(out) as whole:
        build(args.kind, args.source, whole, args.repo)
    for path in sorted(Path(out).rglob("*")):
        if path.is_file():
            print(f"{path.stat().st_size:>12,}  {path.relative_to(out).as_posix()}")
    print(f"Nothing was sent. {out} holds what {args.repo} would hold.")
