"""Files around the bundles that follow from the platform: bootstrap, CI and code owners.

`render` keeps those up to date that the repository has: the folder `bootstrap/`, the files of each CI whose workflow
Sluice wrote, and Sluice's lines in CODEOWNERS. `render --check` compares them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generator.dataclass import dataclass
from generator.output.ledger import KEY_LENGTH
from generator.plan.model_files import CODEOWNERS, PLATFORM, SPECS, folder_above, folder_in_git
from generator.source.files import has_link, raw, text_of

if TYPE_CHECKING:
    from generator.pipeline.session import Session

_BOOTSTRAP: Final = "bootstrap"
_OWN: Final = "# Applied once by hand; everything else in "
"""How every file of `bootstrap/` begins that Sluice wrote."""
_FOLDERS: Final = (_BOOTSTRAP, "ci", "ci/pins", "ci/try")


@dataclass(frozen=True, slots=True)
class RepositoryState:
    """The files that are not what the platform gives; paths are below the top of the git repository.

    Args:
        outdated: text of the files to write.
        removed: bootstrap files of environments that are gone.
        edited: files of CI that were edited, which `render` leaves as they are.
    """

    outdated: Mapping[str, str]
    removed: tuple[str, ...]
    edited: tuple[str, ...]

    @property
    def differing(self) -> tuple[str, ...]:
        """All of them, sorted."""
        return tuple(sorted({*self.outdated, *self.removed, *self.edited}))


def state_key(session: Session) -> bytes:
    """Return the digest of these files and of the platform, which the stamp of the rendered files remembers."""
    total = sha256(b"repository\0" + (raw(session.root / SPECS / PLATFORM) or b""))
    for path in sorted(_present(session.root)):
        content = raw(path)
        total.update(os.fsencode(path) + b"\0" + (b"-" if content is None else sha256(content).digest()))
    return total.digest()[:KEY_LENGTH]


def _present(root: Path) -> Iterator[Path]:
    """Yield the files that may be among these, here and at the top of the git repository."""
    top = folder_above(root, folder_in_git(root))
    for folder in _FOLDERS:
        yield from _files(root / folder)
    yield root / ".gitlab-ci.yml"
    yield from (top / place for place in CODEOWNERS)
    yield from _files(top / ".github" / "workflows")


def _files(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            yield from (Path(entry.path) for entry in entries if not entry.is_dir())
    except OSError:
        return


def repository_state(session: Session) -> RepositoryState:
    """Compare these files with what the platform gives.

    Raises:
        CliError: the folder is not where `git.root` says, or CODEOWNERS has only one of the comments around our lines.
    """
    outdated, edited = dict(_codeowners(session)), []
    for path, text in _ci(session):
        found = session.top / path
        if text_of(found) == text:
            continue
        if _may_replace(session.top, found):
            outdated[path] = text
        else:
            edited.append(path)
    wanted = dict(_bootstrap(session))
    outdated |= {path: text for path, text in wanted.items() if text_of(session.top / path) != text}
    removed = tuple(path for path in _written_bootstrap(session) if path not in wanted)
    return RepositoryState(outdated, removed, tuple(edited))


def update(session: Session, state: RepositoryState) -> None:
    """Write and remove what is out of date.

    Raises:
        CliError: the file system refuses it.
    """
    from generator.pipeline.atomic_write import write_files

    write_files(session.top, {path: text.encode() for path, text in state.outdated.items()})
    for path in state.removed:
        (session.top / path).unlink(missing_ok=True)


def changes(session: Session, state: RepositoryState) -> Iterator[str]:
    """Yield unified diffs of what `update` would write or remove, line by line."""
    from difflib import unified_diff

    for path in sorted({*state.outdated, *state.removed}):
        before = (text_of(session.top / path) or "").splitlines(keepends=True)
        after = state.outdated.get(path, "").splitlines(keepends=True)
        yield from unified_diff(before, after, f"a/{path}", f"b/{path}")


def _bootstrap(session: Session) -> Iterator[tuple[str, str]]:
    from generator.pipeline.repository_files import bootstrap

    platform = session.platform
    if (session.root / _BOOTSTRAP).is_dir() and not has_link(session.root, session.root / _BOOTSTRAP):
        for name in platform.environments:
            path = platform.git.from_top(f"{_BOOTSTRAP}/{name}.yaml")
            yield path, bootstrap(session.templates, name, platform)


def _written_bootstrap(session: Session) -> Iterator[str]:
    """Yield the files of `bootstrap/` that Sluice wrote."""
    for file in sorted(_files(session.root / _BOOTSTRAP)):
        if file.suffix == ".yaml" and (text_of(file) or "").startswith(_OWN):
            yield session.platform.git.from_top(f"{_BOOTSTRAP}/{file.name}")


def _ci(session: Session) -> Iterator[tuple[str, str]]:
    """Yield the files of each CI whose first workflow is there as Sluice wrote it."""
    from generator.pipeline.ci_files import CI_FILES, files_on, is_unedited

    for host, files in CI_FILES.items():
        first = session.top / next(iter(files)) if host == "github" else session.root / next(iter(files))
        if is_unedited(text_of(first) or ""):
            yield from files_on(host, session).items()


def _may_replace(top: Path, path: Path) -> bool:
    from generator.pipeline.ci_files import is_unedited

    return not os.path.lexists(path) or (not has_link(top, path) and is_unedited(text_of(path) or ""))


def _codeowners(session: Session) -> Iterator[tuple[str, str]]:
    """Yield the CODEOWNERS file if Sluice's lines in it are out of date."""
    from generator.pipeline.owner_rows import BEGIN
    from generator.pipeline.repository_files import code_owners

    for place in CODEOWNERS:
        path = session.top / place
        before = text_of(path) or ""
        if BEGIN in before and not has_link(session.top, path):
            after = code_owners(before, session.platform)
            if after != before:
                yield place, after
