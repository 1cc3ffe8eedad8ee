"""The command line, `python -m aullm_lite COMMAND`: look at clips, make and check data, train, score, compare, publish.

Heavy imports wait until a command needs them, so that `--help` answers at once.
"""

import argparse
import errno
import os
import sys
import warnings

from ..errors import InputError
from . import data, models, protocols, publishing, training
from .data import LICENSED
from .protocols import ROWS

__all__ = ["LICENSED", "ROWS", "main"]

# What another place would mend: it is full, closed, or has room for small files only.
PLACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EROFS, errno.EPERM)


def main(argv: list[str] | None = None) -> int:
    """Run one command; 0 when all went well, 2 with one sentence when the input cannot be used."""
    args = _parser().parse_args(argv)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            _refuse_several(args.command)
            args.run(args)
    except InputError as error:
        print(f"{args.command}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{args.command}: {error.strerror or error}{_advice(error, args)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{args.command}: stopped.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m aullm_lite", description="Facial Action Units from short clips, with a language model."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name, run, text):
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    for group in (models, data, training, protocols, publishing):
        group.add_to(command)
    return parser


def _refuse_several(command: str) -> None:
    """Raise `InputError` where a launcher has started several times what does not share its work."""
    if command != "train" and "LOCAL_RANK" in os.environ and os.environ.get("WORLD_SIZE", "1") != "1":
        raise InputError(
            "Only train runs as several processes of torchrun or accelerate: start this command by itself; "
            "loso, cross and cd6me share their folds by --folds."
        )


def _show_warning(message, category, filename, lineno, file=None, line=None) -> None:
    """Our own warnings are sentences for the reader; where in the code they arose says nothing to them."""
    plain = category is UserWarning
    text = f"{message}\n" if plain else warnings.formatwarning(message, category, filename, lineno, line)
    (file or sys.stderr).write(text)


def _advice(error: OSError, args: argparse.Namespace) -> str:
    """Which file, and what to do where the place is the matter."""
    where = f" ({error.filename})" if error.filename else ""
    if error.errno not in PLACE:
        return f"{where}."
    again = " with --resume" if getattr(args, "resume", None) is False else ""
    return f"{where}: free some space or choose another place, then run the same command again{again}."
