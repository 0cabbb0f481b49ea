"""Files under DVC: git has the commit, its pointer file has the MD5, and the cache or a local remote has the bytes.

A reference is `dvc:PATH[@REVISION]` in this repository, or `dvc:REPOSITORY//PATH[@REVISION]` in another one, such as
`dvc:https://git.example.com/acme/data.git//train.parquet@v3`. Neither DVC nor its remotes' libraries are needed.
"""

from __future__ import annotations

import configparser
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path, PurePosixPath
from typing import Any, Final

import yaml

from generator.cluster.pins.errors import (
    MALFORMED,
    MISMATCH,
    NO_CONTENT,
    UNCOMMITTED,
    UNKNOWN,
    CredentialError,
    PinError,
)
from generator.cluster.pins.files import below
from generator.cluster.pins.reference import SHORT, Content, PinContext, Reference, Resolution
from generator.dataclass import dataclass
from generator.history.git import Git, fetched
from generator.source.content import HEAD, check_names, check_start, listing_digest

_FORM = re.compile(r"dvc:(?:(?P<repository>.+)//)?(?P<path>[^@]+)(?:@(?P<revision>[^@]+))?")
_REPOSITORY: Final = re.compile(r"(?:https?|ssh|git|file)://[^-].*|[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:.+")
_PASSWORD: Final = re.compile(r"//[^/]*:[^/]*@|https?://[^/]*@")
_CHUNK: Final = 1 << 18
_SLOWER: Final = 10  # a fetch may take this many times the time-out of one response
_MD5: Final = re.compile(r"[0-9a-f]{32}(?:\.dir)?")


def resolve(reference: Reference, context: PinContext) -> Resolution:
    """Find the MD5 of a path in a commit.

    Raises:
        PinError: there is no such revision or path.
        GitError: the repository can't be read.
    """
    form = _FORM.fullmatch(reference.text)
    if form is None or (form["repository"] and not _REPOSITORY.fullmatch(form["repository"])):
        message = f"{reference.shown} is not a path under DVC"
        hint = "for example dvc:data/train.parquet@v3 or dvc:https://git.example.com/data.git//train.parquet"
        raise PinError(MALFORMED, message, hint)
    repository, path, revision = form["repository"], form["path"], form["revision"]
    below(context.root, path, reference.shown)
    if repository and _PASSWORD.search(repository):
        message = "the address of the repository contains a credential, which would end up in the lock"
        raise CredentialError(message, "keep it in git's credential helper")
    with _opened(context, repository, revision) as (git, commit):
        pointed = _Pointers(git, commit, reference.shown, in_tree=not repository and revision is None)
        md5 = pointed.md5(path)
        store = Store.of(git, commit, context.root, path, None if repository is None else _local(repository))
        start = f"{repository}//{path}" if repository else path
        resolved = f"dvc:{start}@{commit}#md5={md5}"

    def measure() -> Content:
        return Content(store.digest(md5, reference.shown), "git and the DVC store")

    return Resolution(resolved, md5[:SHORT], measure)


def _opened(
    context: PinContext, repository: str | None, revision: str | None
) -> AbstractContextManager[tuple[Git, str]]:
    """Open a commit of another repository, or of this one."""
    timeout_s = context.http.timeout_s * _SLOWER
    if repository:
        return fetched(repository, revision or "HEAD", timeout_s)
    git = Git.at(context.root, timeout_s)
    commit = git.commit(revision or "HEAD")
    if commit is None:
        message = f"this repository has no revision `{revision or 'HEAD'}`"
        raise PinError(
            UNKNOWN, message, "check the name; a shallow clone lacks tags and history: `git fetch`"
        )
    return nullcontext((git, commit))


def _local(repository: str) -> Path | None:
    """Return the work tree of a repository on this machine, whose cache may have the bytes."""
    return Path(repository.removeprefix("file://")) if repository.startswith("file:///") else None


@dataclass(frozen=True, slots=True)
class _Pointers:
    """The files of a commit that identify the bytes of a path.

    Args:
        git: the repository.
        commit: hex.
        shown: how messages call the reference.
        in_tree: the reference names no revision, so the work tree must agree.
    """

    git: Git
    commit: str
    shown: str
    in_tree: bool

    def md5(self, path: str) -> str:
        """Return the MD5 of a path, with the suffix `.dir` for a folder."""
        for pointer, name in _pointers(path):
            raw = self.git.read([(self.commit, pointer)]).get((self.commit, pointer))
            if self.in_tree:
                self._check_committed(pointer, raw)
            found = None if raw is None else _output(raw, name)
            if found is not None:
                return self._checked(found)
        message = f"commit {self.commit[:SHORT]} has no .dvc file and no dvc.lock that names {self.shown}"
        raise PinError(
            UNKNOWN, message, "check the path and the revision; run `dvc add` and commit new files"
        )

    def _check_committed(self, pointer: str, raw: bytes | None) -> None:
        """Refuse an uncommitted pointer: `dvc:PATH` means the last commit, so it would be silently ignored."""
        file = self.git.root / pointer
        if file.is_file() and _lines(file.read_bytes()) != _lines(raw or b""):
            message = f"{pointer}, which identifies {self.shown}, has uncommitted changes"
            raise PinError(UNCOMMITTED, message, f"commit {pointer}, or name a revision")

    def _checked(self, output: dict[str, Any]) -> str:
        md5 = output.get("md5")
        if output.get("hash") != "md5" or not isinstance(md5, str) or not _MD5.fullmatch(md5):
            message = f"the pointer of {self.shown} has no MD5 in the format of DVC 3"
            raise PinError(NO_CONTENT, message, "write it again with DVC 3: `dvc commit`")
        return md5


def _pointers(path: str) -> Iterator[tuple[str, str]]:
    """Yield files that may point at a path, and its name there: `.dvc`, then `dvc.lock` here and above."""
    whole = PurePosixPath(path)
    yield f"{path}.dvc", whole.name
    for folder in whole.parents:
        yield (folder / "dvc.lock").as_posix(), whole.relative_to(folder).as_posix()


def _lines(raw: bytes) -> bytes:
    return raw.replace(b"\r\n", b"\n")


def _output(raw: bytes, name: str) -> dict[str, Any] | None:
    """Return the output with this name in a `.dvc` file or a `dvc.lock`; every scalar is text."""
    try:
        data = yaml.load(raw, Loader=yaml.CBaseLoader)  # noqa: S506 - it builds only strings, lists and mappings
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    stages = data.get("stages")
    holders = [data, *(stages.values() if isinstance(stages, dict) else ())]
    lists = [holder.get("outs") for holder in holders if isinstance(holder, dict)]
    outputs = [output for found in lists if isinstance(found, list) for output in found]
    return next((out for out in outputs if isinstance(out, dict) and out.get("path") == name), None)


# The bytes


@dataclass(frozen=True, slots=True)
class Store:
    """The places that may have the bytes of one output: a cache, a remote that is a folder, the work tree.

    Layout of DVC 3: `files/md5/<2 hex>/<30 hex>`; a folder is a JSON list of its files, under its MD5 and `.dir`.

    Args:
        folders: caches and remotes, in the order they are searched.
        tree: the output in the work tree; None when there is none.
    """

    folders: tuple[Path, ...]
    tree: Path | None

    @staticmethod
    def of(git: Git, commit: str, root: Path, path: str, other: Path | None) -> Store:
        """Return the store of a path.

        Args:
            git: the repository that points at it.
            commit: the commit whose `.dvc/config` names remotes.
            root: the GitOps repository.
            path: the output, below the work tree.
            other: the other repository's work tree, if the path belongs to another one on this machine.
        """
        homes = [home for start in (other, root) if start for home in _homes(start)]
        folders = [folder for home in homes for folder in _configured(home)]
        if git.root == root:
            return Store(tuple(dict.fromkeys(folders)), root / path)
        # The commit of a repository on this machine is read too. One from a server can't choose a folder here.
        key = (commit, ".dvc/config")
        text = git.read([key]).get(key, b"").decode("utf-8", "replace")
        folders += _folders(text, other / ".dvc") if other else []
        return Store(tuple(dict.fromkeys(folders)), None)

    def digest(self, md5: str, shown: str) -> str:
        """Find an output by its MD5, check that, and return its digest (`sha256:` and hex).

        Raises:
            PinError: the bytes are not here, or are not those of the MD5.
        """
        if not md5.endswith(".dir"):
            return "sha256:" + self._sha256(md5, self.tree, shown, whole=True)
        listed = self._files(md5, shown)
        check_names((path for path, _ in listed), shown)
        return listing_digest(
            [(path, self._sha256(part, self.tree and self.tree / path, shown)) for path, part in listed],
            shown,
        )

    def _files(self, md5: str, shown: str) -> list[tuple[str, str]]:
        """Return path and MD5 (hex) of every file of a folder, as DVC lists them."""
        try:
            listed = json.loads(self._listing(md5, shown))
            files = [(str(item["relpath"]), str(item["md5"])) for item in listed]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            message = f"the listing of {shown} can't be read"
            raise PinError(MISMATCH, message, "run `dvc pull` again") from error
        if not all(_MD5.fullmatch(part) and not part.endswith(".dir") for _, part in files):
            raise _corrupt(shown)
        return files

    def _listing(self, md5: str, shown: str) -> bytes:
        content = self._path(md5, shown).read_bytes()
        if hashlib.md5(content, usedforsecurity=False).hexdigest() != md5.removesuffix(".dir"):
            raise _corrupt(shown)
        return content

    def _sha256(self, md5: str, tree: Path | None, shown: str, *, whole: bool = False) -> str:
        """Return the SHA-256 (hex) of a file with this MD5; `whole`: the file is the whole output."""
        path = tree
        if path is None or self._stored(md5) or not path.is_file() or _both(path)[0] != md5:
            path = self._path(md5, shown)
        found, sha256 = _both(path)
        if found != md5:
            raise _corrupt(shown)
        if whole:
            with path.open("rb") as stream:
                check_start(stream.read(HEAD), shown)
        return sha256

    def _path(self, md5: str, shown: str) -> Path:
        path = self._stored(md5)
        if path is None:
            message = f"the bytes of {shown} (MD5 {md5}) are neither in a DVC cache nor in a local remote"
            raise PinError(NO_CONTENT, message, "run `dvc pull` (or `dvc fetch`) first, then pin")
        return path

    def _stored(self, md5: str) -> Path | None:
        paths = (folder / "files" / "md5" / md5[:2] / md5[2:] for folder in self.folders)
        return next((path for path in paths if path.is_file()), None)


def _corrupt(shown: str) -> PinError:
    message = f"the bytes of {shown} in the DVC store do not have its MD5"
    return PinError(MISMATCH, message, "remove them and run `dvc pull` again")


def _both(path: Path) -> tuple[str, str]:
    """Return MD5 and SHA-256 (hex) of a file, read once."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            md5.update(chunk)
            sha256.update(chunk)
    return md5.hexdigest(), sha256.hexdigest()


def _homes(folder: Path) -> list[Path]:
    """Return the `.dvc` folder of a work tree: here, or in a folder above."""
    found = next((above / ".dvc" for above in (folder, *folder.parents) if (above / ".dvc").is_dir()), None)
    return [found] if found else []


def _configured(home: Path) -> list[Path]:
    texts = []
    for name in ("config", "config.local"):
        file = home / name
        if file.is_file():
            texts.append(file.read_text("utf-8", "replace"))
    return [home / "cache", *(folder for text in texts for folder in _folders(text, home))]


def _folders(text: str, home: Path) -> list[Path]:
    """Return caches and remotes of a configuration that are folders; relative ones count from the file's folder."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return []
    values = [
        section.get("dir" if name == "cache" else "url", "").strip("'\"").removeprefix("file://")
        for name, section in parser.items()
        if name == "cache" or name.strip("'").startswith("remote ")
    ]
    return [home / value for value in values if value and "://" not in value]
