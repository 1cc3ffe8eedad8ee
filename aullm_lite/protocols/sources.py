"""Licensed data sets as clips for a protocol, with sentences that say what exactly was read."""

from dataclasses import asdict, dataclass
from pathlib import Path

from ..clips import ClipSet
from ..datasets import DATA_SETS, Policy, load, prepare, to_clips
from ..datasets.summary import summary
from ..errors import InputError


@dataclass(frozen=True)
class Source:
    """One data set: its clips, and what was read as a sentence and as facts."""

    clips: ClipSet
    note: str
    facts: dict


def read(
    name: str,
    root: str | Path,
    *,
    aus=None,
    annotations: str | Path | None = None,
    policy: Policy = Policy(),
    fps: float | None = None,
    cache: Path | None = None,
    incomplete: bool = False,
    say=print,
) -> Source:
    """Load, prepare and label one data set; `aus` are by default those of its published protocol.

    Raises `InputError` for data that are not whole, unless `incomplete`.
    """
    spec = _spec(name)
    loaded = load(spec, annotations=annotations, root=root, policy=policy, fps=fps)
    for sentence in loaded.warnings:
        say(f"{spec.title}: {sentence}")
    clips = to_clips(prepare(loaded, cache=cache, incomplete=incomplete), aus or spec.aus)
    facts = {key: value for key, value in summary(loaded).items() if key not in ("warnings", "repairs", "sided")}
    facts |= {"policy": asdict(policy), "clips": len(clips)}
    return Source(clips, _note(loaded, facts), facts)


def _spec(name: str):
    if name not in DATA_SETS:
        raise InputError(f"There is no data set {name!r}: choose among {', '.join(DATA_SETS)}.")
    return DATA_SETS[name]


def _note(loaded, facts: dict) -> str:
    what = f"{loaded.spec.title}, version {loaded.version}"
    if any(sample.name for sample in loaded.samples):
        what = f"Generated clips (SynthME) in the layout of {loaded.spec.title}: no score here is of a real face"
    policy = facts["policy"]
    held = "left out" if policy["drop_static"] else "counted"
    unknown = "counted as none" if policy["unknown_cell"] == "zero" else "left out"
    return (
        f"{what}. Table {facts['annotations']} (SHA-256 {facts['annotations_sha256'][:16]}), {facts['clips']} of "
        f"{facts['rows']} rows; `or` read as {policy['alternatives']}, held AUs {held}, unknown cells {unknown}, "
        f"fix-ups {policy['fixups']}; repairs: {len(loaded.repairs)}."
    )


def place(text: str, form: str = "a data set as NAME:DIR, such as casme2:/data/CASME2") -> tuple[str, str]:
    """`NAME:DIR` as (name, folder).  Raises `InputError`, which tells the form, for anything else."""
    name, colon, root = text.partition(":")
    if not (name and colon and root):
        raise InputError(f"Give {form}, got {text!r}.")
    _spec(name)
    return name, root


def tables(texts: list[str], names: list[str]) -> dict[str, str]:
    """`NAME:FILE` for some of these data sets as files by name.

    Raises `InputError` for another data set, for one named twice, and for a file that is not there.
    """
    files = {}
    for text in texts:
        name, file = place(text, "a table as NAME:FILE, such as casme2:/data/CASME2.xlsx")
        if name not in names:
            raise InputError(
                f"--annotations names {name}, but the data sets are {', '.join(names)}: name one of those."
            )
        if name in files:
            raise InputError(f"--annotations names {name} twice: give one table for each data set.")
        if not Path(file).is_file():
            raise InputError(f"There is no annotation file {file!r}: check the path.")
        files[name] = file
    return files


def shared_aus(names: list[str]) -> tuple[int, ...]:
    """The AUs that the published protocols of all these data sets have in common."""
    shared = [au for au in DATA_SETS[names[0]].aus if all(au in DATA_SETS[name].aus for name in names)]
    if not shared:
        raise InputError(f"{' and '.join(names)} have no AU in common.")
    return tuple(shared)
