"""Files under DVC: git says which commit, the pointer file says which MD5, the cache or a local remote holds the bytes.

A reference is `dvc:PATH[@REVISION]` in this repository, or `dvc:REPOSITORY//PATH[@REVISION]` in another one, such as
`dvc:https://git.example.com/acme/data.git//train.parquet@v3`. Neither DVC nor its remotes' libraries are needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path, PurePosixPath
from typing import Any, Final

import yaml

from generator.cluster.pins import git
from generator.cluster.pins.dvc_store import Store
from generator.cluster.pins.failure import (
    MALFORMED,
    NO_CONTENT,
    UNCOMMITTED,
    UNKNOWN,
    CredentialError,
    PinError,
)
from generator.cluster.pins.file import below
from generator.cluster.pins.git import Git
from generator.cluster.pins.reference import SHORT, Content, Found, Reference, Surroundings

_FORM = re.compile(r"dvc:(?:(?P<repository>.+)//)?(?P<path>[^@]+)(?:@(?P<revision>[^@]+))?")
_REPOSITORY: Final = re.compile(r"(?:https?|ssh|git|file)://[^-].*|[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:.+")
_PASSWORD: Final = re.compile(r"//[^/]*:[^/]*@|https?://[^/]*@")
_MD5: Final = re.compile(r"[0-9a-f]{32}(?:\.dir)?")


def find(reference: Reference, around: Surroundings) -> Found:
    """Find the MD5 of a path in a commit.

    Raises:
        PinError: repository, revision or path are not known.
    """
    form = _FORM.fullmatch(reference.text)
    if form is None or (form["repository"] and not _REPOSITORY.fullmatch(form["repository"])):
        message = f"{reference.what} names no path under DVC"
        hint = (
            "write it like dvc:data/train.parquet@v3 or dvc:https://git.example.com/data.git//train.parquet"
        )
        raise PinError(MALFORMED, message, hint)
    repository, path, revision = form["repository"], form["path"], form["revision"]
    below(around.root, path, reference.what)
    if repository and _PASSWORD.search(repository):
        message = "the address of the repository carries a credential, which a lock would repeat"
        raise CredentialError(message, "let git's credential helper hold it")
    with _commit(around, repository, revision, reference.what) as commit:
        md5 = _md5(commit, path, reference.what, check_tree=not repository and revision is None)
        store = Store.of(commit, None if repository is None else _local(repository), path)
        start = f"{repository}//{path}" if repository else path
        resolved = f"dvc:{start}@{commit.commit}#md5={md5}"

    def measure() -> Content:
        return Content(store.digest(md5, reference.what), "git and the DVC store")

    return Found(resolved, md5[:SHORT], measure)


def _commit(
    around: Surroundings, repository: str | None, revision: str | None, what: str
) -> AbstractContextManager[Git]:
    if repository:
        return git.fetched(around, repository, revision or "HEAD", what)
    return nullcontext(git.at(around, revision or "HEAD", what))


def _local(repository: str) -> Path | None:
    """Work tree of a repository on this machine, whose cache may hold the bytes."""
    return Path(repository.removeprefix("file://")) if repository.startswith("file:///") else None


def _md5(commit: Git, path: str, what: str, *, check_tree: bool) -> str:
    for pointer, name in _pointers(path):
        raw = commit.show(pointer)
        if check_tree:
            _refuse_uncommitted(commit, pointer, raw, what)
        found = None if raw is None else _out(raw, name)
        if found is not None:
            return _checked(found, what)
    message = f"commit {commit.commit[:SHORT]} has no .dvc file and no dvc.lock that names {what}"
    raise PinError(UNKNOWN, message, "check the path and the revision; `dvc add` and commit what is new")


def _pointers(path: str) -> Iterator[tuple[str, str]]:
    """Files that may point at a path, and how they name it: its own `.dvc`, then `dvc.lock` here and above."""
    whole = PurePosixPath(path)
    yield f"{path}.dvc", whole.name
    for folder in whole.parents:
        yield (folder / "dvc.lock").as_posix(), whole.relative_to(folder).as_posix()


def _refuse_uncommitted(commit: Git, pointer: str, raw: bytes | None, what: str) -> None:
    """The last commit is what `dvc:PATH` means: a newer pointer in the work tree would be passed over in silence."""
    file = commit.folder / pointer
    if file.is_file() and file.read_bytes().replace(b"\r\n", b"\n") != (raw or b"").replace(b"\r\n", b"\n"):
        message = f"{pointer}, which says what {what} is, has changes that are not committed"
        raise PinError(UNCOMMITTED, message, f"commit {pointer}, or name a revision")


def _out(raw: bytes, name: str) -> dict[str, Any] | None:
    """The output of that name in a `.dvc` file or a `dvc.lock`; every scalar is text."""
    try:
        data = yaml.load(raw, Loader=yaml.CBaseLoader)  # noqa: S506 - it builds texts, lists and mappings only
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    stages = data.get("stages")
    holders = [data, *(stages.values() if isinstance(stages, dict) else ())]
    outs = [holder.get("outs") for holder in holders if isinstance(holder, dict)]
    flat = [out for found in outs if isinstance(found, list) for out in found if isinstance(out, dict)]
    return next((out for out in flat if out.get("path") == name), None)


def _checked(out: dict[str, Any], what: str) -> str:
    md5 = out.get("md5")
    if out.get("hash") != "md5" or not isinstance(md5, str) or not _MD5.fullmatch(md5):
        message = f"the pointer of {what} holds no MD5 as DVC 3 writes it"
        raise PinError(NO_CONTENT, message, "write it again with DVC 3: `dvc commit`")
    return md5
