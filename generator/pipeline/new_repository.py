"""The files of `sluice init`, and what becomes of those that a folder has already: nothing is overwritten."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import field
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generator import __version__
from generator.dataclass import dataclass
from generator.pipeline.ci_files import paths_on, workflow_files
from generator.pipeline.repository_files import bootstrap, code_owners, example_lock
from generator.plan.model_files import CODEOWNERS, PLATFORM, SPECS, folder_above, folder_in_git
from generator.source.errors import CliError
from generator.source.files import text_of
from generator.source.line import visible
from generator.spec.types import RELATIVE

if TYPE_CHECKING:
    from generator.render.environment import Templates
    from generator.spec.platform import PlatformSpec

_REPO: Final = "https://git.example.com/acme/models.git"
_BRANCH: Final = "main"
_REGISTRY: Final = "registry.example.com/models"
_MODELS: Final = {
    "shop/recommender": ("canary", "mlflow:recommender@champion"),
    "support/ticket-classifier": ("blue-green", "bentoml:ticket_classifier:7"),
}
_FILES: Final = {
    "specs/platform.yaml": "platform.yaml",
    ".pre-commit-config.yaml": "pre-commit-config.yaml",
    ".gitattributes": "gitattributes.txt",
    ".gitignore": "gitignore.txt",
    "README.md": "README.md",
}
_BY_LINE: Final = frozenset({".gitattributes", ".gitignore"})
"""Files in which our lines may follow those of others."""
_BESIDE: Final = {"README.md": "SLUICE.md"}
"""Files that can have another name."""
_HOSTS: Final = {"github": "GitHub", "gitlab": "GitLab"}
_ADVICE: Final = {
    ".pre-commit-config.yaml": "add the hooks `sluice validate` and `sluice render --check` to it",
    "CODEOWNERS": "name the owners in specs/platform.yaml, then `sluice codeowners` adds its lines",
}


@dataclass
class NewRepository:
    """What `init` does in a folder; paths are below the top of the git repository.

    Args:
        top: the top of the git repository, or the folder itself.
        files: text of each file to write.
        kept: files that stay as they are: what to do about each.
        changed: unified diffs of files that get more lines.
    """

    top: Path
    files: dict[str, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)

    def add(self, path: str, text: str) -> None:
        """Add a file, or decide what becomes of the one that is there."""
        name = path.rpartition("/")[2]
        before = text_of(self.top / path)
        if not os.path.lexists(self.top / path):
            self.files[path] = text
        elif before == text:
            return
        elif name in _BY_LINE and before is not None:
            self._append(path, before, text)
        elif name in _BESIDE and not os.path.lexists(self.top / path.replace(name, _BESIDE[name])):
            self.files[path.replace(name, _BESIDE[name])] = text
            self.kept[path] = f"what it would say is in {_BESIDE[name]}"
        else:
            self.kept[path] = _ADVICE.get(
                name, "compare it with that of a new repository: `sluice init` elsewhere"
            )

    def _append(self, path: str, before: str, text: str) -> None:
        missing = [line for line in text.splitlines() if line not in before.splitlines()]
        if missing:
            head = before if before.endswith("\n") or not before else f"{before}\n"
            after = head + "".join(f"{line}\n" for line in missing)
            self.files[path] = after
            self.changed += unified_diff(
                before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{path}", f"b/{path}"
            )


def new_repository(templates: Templates, schemas: Mapping[str, str], root: str = "") -> dict[str, str]:
    """Return the text of every file of a new repository, by path below the top of the git repository.

    Args:
        templates: the templates.
        schemas: text of the JSON schemas, by file name.
        root: the folder below that top.
    """
    context = {"version": __version__, "repo": _REPO, "branch": _BRANCH, "registry": _REGISTRY, "root": root}
    files = {path: templates.render(f"init/{name}.j2", context) for path, name in _FILES.items()}
    platform = _platform_of(files[f"{SPECS}/{PLATFORM}"])
    for environment in platform.environments:
        files[f"bootstrap/{environment}.yaml"] = bootstrap(templates, environment, platform)
    for model, (strategy, ref) in _MODELS.items():
        files[f"specs/{model}.yaml"] = templates.render(f"init/{strategy}.yaml.j2", {"ref": ref})
        files[f"specs/{model}.lock.yaml"] = example_lock(templates, model, ref)
    files |= {f"docs/schema/{name}": text for name, text in schemas.items()}
    files = {platform.git.from_top(path): text for path, text in files.items()}
    files["CODEOWNERS"] = code_owners("", platform)
    for host in _HOSTS if not root else ("github",):  # GitLab has one pipeline for a whole project
        files |= workflow_files(host, templates, _BRANCH, _REGISTRY, root=root)
    return dict(sorted(files.items()))


def planned_repository(
    templates: Templates, schemas: Mapping[str, str], folder: Path, only: Collection[str]
) -> NewRepository:
    """Plan what `init` does in a folder, which may be missing.

    Args:
        templates: the templates.
        schemas: text of the JSON schemas, by file name.
        folder: the folder.
        only: files and folders below it, to write nothing else; empty for all.

    Raises:
        CliError: it is a repository of Sluice already, a file is in the way of a folder, or `only` names nothing.
    """
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 - does not resolve links
    root = folder_in_git(folder) or ""
    if root and not re.fullmatch(RELATIVE, root):
        message = f"nothing was written: Argo CD and CI can't read a folder with such a name: {root}"
        raise CliError(
            visible(message), "use letters, digits, dots, hyphens and underscores, as in ml/models"
        )
    top = folder_above(folder, root)
    if os.path.lexists(folder / SPECS / PLATFORM):
        hint = "this is a repository of Sluice already: `sluice new TEAM/MODEL` adds a model"
        raise CliError(f"nothing was written, because {SPECS}/{PLATFORM} exists", hint)
    files = dict(_only(new_repository(templates, schemas, root), only, f"{root}/" if root else ""))
    in_the_way = sorted({path for name in files for path in _files_above(top, name)})
    if in_the_way:
        raise CliError(f"nothing was written, because these are not folders: {', '.join(in_the_way)}")
    found = NewRepository(top)
    _leave_out(found, files, root)
    for path, text in files.items():
        found.add(path, text)
    return found


def _only(files: Mapping[str, str], names: Collection[str], below: str) -> Iterator[tuple[str, str]]:
    """Yield the files at or below some names."""
    wanted = [name.strip("/") for name in names]
    relative = {path: path.removeprefix(below) for path in files}
    for name in wanted:
        if not any(f"{path}/".startswith(f"{name}/") for path in relative.values()):
            known = sorted({path.partition("/")[0] for path in relative.values()})
            raise CliError(f"`init` writes nothing called {name}", f"it writes: {', '.join(known)}")
    for path, text in files.items():
        if not wanted or any(f"{relative[path]}/".startswith(f"{name}/") for name in wanted):
            yield path, text


def _files_above(top: Path, name: str) -> Iterator[str]:
    for folder in list(Path(name).parents)[:-1]:
        if os.path.lexists(top / folder) and not (top / folder).is_dir():
            yield folder.as_posix()


def _leave_out(found: NewRepository, files: dict[str, str], root: str) -> None:
    """Take out what must be written whole or not at all, or is read elsewhere."""
    owners = next((place for place in CODEOWNERS if os.path.lexists(found.top / place)), None)
    if owners is not None and files.pop("CODEOWNERS", ""):
        found.kept[owners] = _ADVICE["CODEOWNERS"]
    if root and files.pop(f"{root}/.pre-commit-config.yaml", ""):
        found.kept[".pre-commit-config.yaml"] = _ADVICE[".pre-commit-config.yaml"]
    # Workflows run the scripts: ours must not run the scripts of others that have the same names.
    written = {host: paths_on(host, root) & files.keys() for host in _HOSTS}
    for host, paths in written.items():
        for path in sorted(path for path in paths if _differs(found.top / path, files[path])):
            found.kept[path] = (
                f"so CI for {_HOSTS[host]} was not written: move it, then run `sluice ci {host}`"
            )
    complete = [paths for paths in written.values() if not paths & found.kept.keys()]
    for path in set().union(*written.values()).difference(*complete):
        del files[path]


def _differs(path: Path, text: str) -> bool:
    return os.path.lexists(path) and text_of(path) != text


def _platform_of(text: str) -> PlatformSpec:
    import ryaml

    from generator.spec.platform import PlatformFile

    return PlatformFile.model_validate(ryaml.loads(text)).spec
