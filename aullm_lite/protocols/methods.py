"""The rows of a table by name: AU-LLM, the same without language model, and the baselines."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from ..baselines.flow import fit_flow_svm, with_flow
from ..baselines.simple import fit_identity, fit_motion_energy, with_motion
from ..baselines.sssnet import fit_sssnet
from ..clips import ClipSet
from ..config import AULLMConfig
from ..errors import InputError

Scorer = Callable[[ClipSet], np.ndarray]  # clips -> one real number for each AU, larger where it is likelier [N, K]
MODELS = ("aullm", "linear", "led", "flow-svm", "sssnet", "motion", "identity")
WITH_INIT = ("aullm", "linear")
OWN_NAMES = ("demo", "scratch")  # of first weights


@dataclass(frozen=True)
class Method:
    """`fit(train, inner, seed)` gives a scorer; `measure` adds to all clips what it always sees in them.

    `measure` must treat each clip by itself.  `trained_on` are the people its first weights have seen.  `together` is
    `fit` for several folds, (train, inner) each, where that is faster.
    """

    title: str
    fit: Callable[[ClipSet, ClipSet, int], Scorer]
    measure: Callable[[ClipSet], ClipSet] = lambda data: data
    trained_on: tuple[str, ...] = ()
    settings: dict = field(default_factory=dict)
    together: Callable[[Sequence[tuple[ClipSet, ClipSet]], int], list[Scorer]] | None = None


def row_names(models, inits) -> list[tuple[str, str, str | None]]:
    """(row, model, init) for every model, and for those with pre-training every init.

    Raises `InputError` for an unknown model, and for two rows of one name.
    """
    rows = []
    for model in models:
        if model not in MODELS:
            raise InputError(f"There is no model {model!r}: choose among {', '.join(MODELS)}.")
        chosen = inits if model in WITH_INIT else [None]
        rows += [(model if init is None else f"{model}-{_short(init)}", model, init) for init in chosen]
    names = [name for name, *_ in rows]
    if doubled := [name for name in names if names.count(name) > 1]:
        raise InputError(f"This names {doubled[0]} twice: give models once, and checkpoints folders of other names.")
    return rows


def model_of(row: str) -> str | None:
    """The model of a row's name; None for a name that is none of ours."""
    return next((m for m in MODELS if row == m or (m in WITH_INIT and row.startswith(f"{m}-"))), None)


def ordered(rows) -> list[str]:
    """Row names as a table lists them: models in the order of `MODELS`, pre-trained ones before those from scratch."""
    rows = [row for row in rows if model_of(row)]
    return sorted(rows, key=lambda row: (MODELS.index(model_of(row)), row.endswith("-scratch"), row))


def _short(init: str) -> str:
    """A name for a file and a table: the last part of a path or a Hub id."""
    name = init.rstrip("/").split("/")[-1]
    if name in OWN_NAMES and init not in OWN_NAMES:
        raise InputError(f"A checkpoint that is called {name} would pass for --init {name}: rename its folder.")
    return name


def build(model: str, init: str | None, preset: str, aus: tuple[int, ...], seed: int) -> Method:
    """The method of one row.  Loads a language model where there is one."""
    simple = {
        "flow-svm": Method("Optical flow + linear SVM", fit_flow_svm, with_flow),
        "sssnet": Method("SSSNet-style CNN on optical flow", fit_sssnet, with_flow),
        "motion": Method("Motion energy", fit_motion_energy, with_motion),
        "identity": Method("Identity only", fit_identity),
    }
    return simple[model] if model in simple else _network(model, init, preset, aus, seed)


def _network(model: str, init: str | None, preset: str, aus: tuple[int, ...], seed: int) -> Method:
    from .networks import digest, further, scratch

    titles = {"aullm": "AU-LLM", "linear": "Without LLM", "led": "LED + 3D-CNN + linear head"}
    changes = {"aullm": {}, "linear": {"language_model": "none"}}.get(
        model, {"language_model": "none", "motion": "eulerian", "projector": "lite"}
    )
    config = AULLMConfig.from_preset(preset, aus=aus, **changes)
    network = scratch(config, seed) if init in (None, "scratch") else further(init, config, seed)
    title = titles[model] + ("" if init is None else f", from {_short(init)}")
    title += ", new head" if model == "linear" and init != "scratch" else ""
    title += "" if preset == "lite" else f" (preset {preset})"
    settings = {"model": json.loads(network.config.to_json()), "training": asdict(network.training)}
    settings["weights"] = digest(network.first)
    together = None if network.config.language_model == "none" else network.together
    return Method(title, network, network.measure, network.trained_on, settings, together)
