"""Options that several commands share."""

import argparse
import re

FIGURES = (".png", ".jpg", ".svg", ".pdf")
PRESETS = ("lite", "paper", "smoke")
LARGEST_SEED = 2**32 - 1  # that scikit-learn takes


def seed_number(text: str) -> int:
    """A seed that every generator of random numbers takes."""
    if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > LARGEST_SEED:
        raise argparse.ArgumentTypeError(f"give a whole number as seed, from 0 to {LARGEST_SEED}, not {text!r}")
    return int(text)


def at_least_one(text: str) -> int:
    """How many: a whole number of at least 1."""
    if not re.fullmatch(r"0*[1-9][0-9]{0,8}", text):
        raise argparse.ArgumentTypeError(f"give a whole number of at least 1, not {text!r}")
    return int(text)


def au_number(text: str) -> int:
    """The number of an Action Unit, as 12 or AU12."""
    if not (match := re.fullmatch(r"(?:au)?\s*([0-9]{1,3})", text, re.IGNORECASE)):
        raise argparse.ArgumentTypeError(f"give the number of an Action Unit, such as 12, not {text!r}")
    return int(match[1])


def synth_size(sub, *, subjects: int, clips: int, seed: int | None) -> None:
    """How many generated clips, of whom, how hard."""
    sub.add_argument("--subjects", type=int, default=subjects)
    sub.add_argument("--clips", type=int, default=clips, help="clips of each subject")
    sub.add_argument("--tier", default="standard", choices=("easy", "standard", "hard", "macro"))
    beyond = "of the first person: 0, for casme2 10000000, for samm 10010000, in the range where nothing is trained"
    sub.add_argument("--seed", type=seed_number, default=seed, help=beyond if seed is None else None)


def reading(sub) -> None:
    """How a licensed table is read."""
    sub.add_argument("--or-policy", default="meb", choices=("meb", "all", "first", "drop"), help="what `7 or 43` means")
    sub.add_argument("--fixups", default="neutral", choices=("neutral", "meb", "none"), help="of known typing errors")
    sub.add_argument("--fps", type=float, help="true frames a second, where they are disputed (4DME)")


def policy(args):
    """The policy that `reading` asked for."""
    from ..datasets import Policy

    return Policy(alternatives=args.or_policy, fixups=args.fixups)
