"""Send a folder to the Hub: one commit that holds all of it or none of it, and a tag.

What has arrived before a connection broke is not sent twice, so the same command again completes it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, constants, get_session, get_token
from huggingface_hub.errors import HFValidationError, RevisionNotFoundError
from huggingface_hub.utils import logging, validate_repo_id

from .. import __version__
from ..errors import InputError

KINDS = {"checkpoint": "model", "dataset": "dataset", "space": "space"}  # as we and as the Hub call them
KEPT, OURS = ".gitattributes", "SHA256SUMS"  # the Hub's own file; the one by which we know what `push` has sent
PATIENCE = 120.0  # seconds of silence; the client by itself would wait for ever


def check_name(repo: str) -> None:
    """Raise `InputError` unless a repository of the Hub can have this name."""
    try:
        validate_repo_id(repo)
        fits = repo.count("/") == 1
    except HFValidationError:
        fits = False
    if not fits:
        raise InputError(f"{repo!r} is no name on the Hub: give ORG/NAME, of letters, digits, '-', '_' and '.'.")


def check_tag(tag: str | None) -> None:
    """Raise `InputError` unless a tag can be called so."""
    if tag is not None and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", tag):
        raise InputError(f"{tag!r} is no name of a tag: give letters, digits, '-', '_' and '.', such as v1.")


def check_ready(repo: str) -> None:
    """Raise `InputError` before any work where nothing could be sent."""
    check_name(repo)
    if constants.is_offline_mode():
        raise InputError("HF_HUB_OFFLINE is set, so nothing can be sent: unset it, or use --dry-run.")
    if not get_token():
        raise InputError("There is no token for the Hub: run `hf auth login`, or set HF_TOKEN to one that may write.")


def send(folder: Path, repo: str, kind: str, *, private: bool = True, tag: str | None = None) -> str:
    """Make a repository hold what the folder holds and nothing else, tag that, and return its commit.

    Raises `InputError` where the Hub refuses or is lost, where a repository of this name is not as public as was asked,
    and where it holds what was never sent from here.
    """
    check_ready(repo)
    try:
        with _bounded():
            return _send(HfApi(), folder, {"repo_id": repo, "repo_type": KINDS[kind]}, private, tag)
    except InputError:
        raise
    except Exception as error:  # the client raises many kinds, not all of them OSError
        if getattr(error, "errno", None):  # a file here that cannot be read, not the Hub
            raise
        raise InputError(_reason(error, repo)) from None


def _send(api: HfApi, folder: Path, where: dict, private: bool, tag: str | None) -> str:
    sdk = {"space_sdk": "gradio"} if where["repo_type"] == "space" else {}
    api.create_repo(**where, private=private, exist_ok=True, **sdk)
    info = api.repo_info(**where, timeout=PATIENCE)
    there = {file.rfilename for file in info.siblings or ()} - {KEPT}
    _check_visibility(where["repo_id"], info.private, private)
    sums = _sums(api, where, info.sha) if OURS in there else ""
    _check_files(where, there, sums)
    if tag:
        _check_tag(api, where, tag, info.sha if sums == (folder / OURS).read_text(encoding="utf-8") else None)
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    changes = [CommitOperationAdd(name, folder / name) for name in files]
    changes += [CommitOperationDelete(name, is_folder=False) for name in sorted(there - {*files})]
    about = dict(commit_message=f"AU-LLM Lite {__version__}", parent_commit=info.sha)  # whoever else sends has to wait
    commit = api.create_commit(**where, operations=changes, **about).oid
    if tag:
        api.create_tag(**where, tag=tag, revision=commit, exist_ok=True)
    return commit


def _check_visibility(repo: str, is_private: bool, private: bool) -> None:
    """Raise `InputError` before a repository that exists would show too much."""
    if is_private != private:
        now, other = ("private", "public") if is_private else ("public", "private")
        raise InputError(f"{repo} is {now} on the Hub: pass --{now}, or make it {other} in its settings.")


def _sums(api: HfApi, where: dict, revision: str) -> str:
    """The list of what an earlier `push` has sent."""
    return Path(api.hf_hub_download(**where, filename=OURS, revision=revision)).read_text("utf-8", errors="replace")


def _check_files(where: dict, there: set[str], sums: str) -> None:
    """Raise `InputError` before a repository would lose what somebody else has put there."""
    if where["repo_type"] == "space" and there == {"README.md"}:
        return  # the Hub itself writes it into a new Space
    sent = {OURS, *re.findall(r"^[0-9a-f]{64}  (.+)$", sums, re.MULTILINE)}
    if others := sorted(there - sent):
        raise InputError(
            f"{where['repo_id']} holds files that were not sent by `push`, such as {others[0]}: choose another name, "
            "or take them away there."
        )


def _check_tag(api: HfApi, where: dict, tag: str, same: str | None) -> None:
    """Raise `InputError` where a tag is taken, but by the commit that holds the `same` files: tags do not move."""
    try:
        named = api.repo_info(**where, revision=tag, timeout=PATIENCE).sha
    except RevisionNotFoundError:
        return
    if named != same:
        raise InputError(f"{where['repo_id']} has a tag {tag!r} already, for an older commit: pass another --tag.")


@contextmanager
def _bounded() -> Iterator[None]:
    """Requests end after `PATIENCE` seconds of silence, and the client does not print a line for every retry."""
    session, verbosity = get_session(), logging.get_verbosity()
    before = session.timeout
    session.timeout = PATIENCE
    logging.set_verbosity_error()
    try:
        yield
    finally:
        session.timeout = before
        logging.set_verbosity(verbosity)


def _reason(error: Exception, repo: str) -> str:
    """One sentence on what went wrong, and what to do."""
    error = error.__cause__ if isinstance(error, RuntimeError) and error.__cause__ else error  # in one of the uploads
    status = getattr(getattr(error, "response", None), "status_code", None)
    said = (getattr(error, "server_message", None) or "").strip().split("\n")[0].rstrip(".")
    if status == 401:
        return "The Hub does not accept the token: run `hf auth login`, or set HF_TOKEN to one that may write."
    if status in (402, 403):
        return f"The Hub does not let this token write to {repo} ({said or status}): use one that may, or another name."
    if status and status < 500:
        return f"The Hub refuses what was to be sent to {repo} (status {status}{said and ': '}{said})."
    if isinstance(error, ValueError):  # such as metadata of README.md
        return f"The Hub refuses what was to be sent to {repo}: {' '.join(str(error).split())}"
    lost = f"status {status}" if status else type(error).__name__
    return f"The connection to the Hub broke or got no answer ({lost}): run the same command again to complete it."
