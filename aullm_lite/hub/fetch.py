"""Checkpoints from the Hugging Face Hub: the copy that is cached on this machine, else a download of two files.

A name with a commit always means the same files, and with a tag unless its owner moves it.  Without either it means
what is cached, or the Hub's `main` at the first time.
"""

import os
from pathlib import Path

from huggingface_hub import HfApi, constants, snapshot_download
from huggingface_hub.errors import (
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from ..errors import InputError

PATIENCE = 5  # seconds that the Hub may take to answer


class Unreachable(InputError):
    """Nothing is cached and the Hub does not answer: the one case in which a shipped checkpoint may step in."""


def fetch(repo: str, revision: str | None, need: tuple[str, ...]) -> tuple[Path, str]:
    """The folder of a checkpoint with all files in `need`, and where it was: in the `cache` or on the `hub`.

    Raises `Unreachable` where the Hub does not answer, `InputError` where it has no such checkpoint.
    """
    kept = cached(repo, revision, need)
    if kept:
        return kept, "cache"
    if constants.is_offline_mode():
        raise Unreachable(
            f"The checkpoint {_named(repo, revision)} is no folder here and not cached, and HF_HUB_OFFLINE forbids "
            "fetching it: unset it, or give demo or a folder."
        )
    return download(repo, revision, need), "hub"


def cached(repo: str, revision: str | None, need: tuple[str, ...]) -> Path | None:
    """The cached copy, without any request; None unless every file is there."""
    try:
        kept = snapshot_download(repo, revision=revision, allow_patterns=[*need], local_files_only=True)
    except (LocalEntryNotFoundError, HFValidationError):
        return None
    return Path(kept) if all((Path(kept) / name).is_file() for name in need) else None  # a broken download leaves some


def download(repo: str, revision: str | None, need: tuple[str, ...]) -> Path:
    """Fetch the files in `need` and no others into the Hub's cache, and return their folder."""
    wait = float(os.environ.get("HF_HUB_ETAG_TIMEOUT") or PATIENCE)
    try:
        HfApi().model_info(repo, revision=revision, timeout=wait)  # the next line would wait for a silent Hub for ever
        folder = Path(snapshot_download(repo, revision=revision, allow_patterns=[*need], etag_timeout=wait))
    except Exception as error:  # the client raises many kinds, not all of them OSError
        if not _of_the_hub(error):
            raise
        raise _explained(error, repo, revision) from None
    absent = [name for name in need if not (folder / name).is_file()]
    if absent:
        raise InputError(f"{_named(repo, revision)} is no checkpoint of AU-LLM Lite: it lacks {' and '.join(absent)}.")
    return folder


def _named(repo: str, revision: str | None) -> str:
    return f"{repo!r} at revision {revision!r}" if revision else f"{repo!r}"


def _of_the_hub(error: Exception) -> bool:
    """Whether an error comes from the Hub or the network: not from a full disk here, nor from a mistake of ours."""
    if getattr(error, "errno", None):
        return False
    return isinstance(error, (OSError, HFValidationError)) or type(error).__module__.startswith("httpx")


def _explained(error: Exception, repo: str, revision: str | None) -> InputError:
    """One sentence on what went wrong, and what to do."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, RevisionNotFoundError):
        return InputError(f"{repo!r} has no revision {revision!r}: check the tag or the commit.")
    if isinstance(error, RepositoryNotFoundError):
        return InputError(
            f"There is no checkpoint {repo!r}: no folder here, and the Hub has no such repository, or hides it from "
            "you. Check the name, or run `hf auth login`."
        )
    if isinstance(error, HFValidationError):
        return InputError(f"There is no checkpoint {repo!r}: that is no name on the Hub (ORG/NAME).")
    if status in (401, 403):
        return InputError(f"The Hub does not accept the token for {repo!r}: run `hf auth login`, or unset HF_TOKEN.")
    if status and status < 500:
        return InputError(f"The Hub refuses to give {_named(repo, revision)} (status {status}): try again later.")
    reason = f"status {status}" if status else type(error).__name__
    return Unreachable(
        f"The checkpoint {_named(repo, revision)} is no folder here and not cached, and the Hub does not answer "
        f"({reason}): check the network, or set HF_HUB_ETAG_TIMEOUT to more seconds."
    )
