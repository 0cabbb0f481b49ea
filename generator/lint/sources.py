"""Folders whose files are not objects as they are: Helm charts, and what a kustomization lists.

Argo CD takes a folder with Chart.yaml as a chart and one with a kustomization as that (Argo CD 3.6,
util/app/discovery/discovery.go). Files of a chart are templates. Of a kustomization, `resources` are objects; patches
and the inputs of generators are not, and files that it does not list are never applied.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path as FilePath
from posixpath import dirname, join, normpath
from typing import Any, Final

from generator.dataclass import dataclass
from generator.lint.objects import Body, Object, as_list, as_map, as_text
from generator.promql.regexps import matches
from generator.source.document import Path

CHART: Final = "Chart.yaml"
KUSTOMIZATIONS: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")

_LISTED: Final = ("resources", "bases", "components")
_NOT_OBJECTS: Final = (
    "crds",
    "configurations",
    "generators",
    "transformers",
    "validators",
    "patchesStrategicMerge",
)
_WITH_PATH: Final = ("patches", "patchesJson6902", "replacements")
_GENERATORS: Final[Mapping[str, str]] = {"configMapGenerator": "ConfigMap", "secretGenerator": "Secret"}


@dataclass(frozen=True)
class Kustomization:
    """One kustomization of a tree.

    Args:
        file: its file.
        body: its content.
        patches: the content of the patches that it lists, each with the target that it names.
    """

    file: str
    body: Body
    patches: tuple[tuple[Body, Any], ...] = ()

    @property
    def folder(self) -> str:
        """Its folder, empty at the root."""
        return dirname(self.file)

    @property
    def listed(self) -> set[str]:
        """The files and folders whose objects it brings."""
        return {self._below(name) for key in _LISTED for name in as_list(self.body.get(key))}

    @property
    def others(self) -> set[str]:
        """The files that it reads and that are not objects: patches, settings, inputs of generators, values."""
        names: list[Any] = [name for key in _NOT_OBJECTS for name in as_list(self.body.get(key))]
        names += [as_map(entry).get("path") for key in _WITH_PATH for entry in as_list(self.body.get(key))]
        names.append(as_map(self.body.get("openapi")).get("path"))
        for key in _GENERATORS:
            for entry in as_list(self.body.get(key)):
                names += [as_text(name).rpartition("=")[2] for name in as_list(as_map(entry).get("files"))]
        for chart in as_list(self.body.get("helmCharts")):
            names += [as_map(chart).get("valuesFile"), *as_list(as_map(chart).get("additionalValuesFiles"))]
        return {self._below(name) for name in names if as_text(name)}

    @property
    def made(self) -> Iterator[tuple[str, str]]:
        """Kind and name of what its generators make; the hash behind the name comes with the build."""
        for key, kind in _GENERATORS.items():
            for entry in as_list(self.body.get(key)):
                if name := as_text(as_map(entry).get("name")):
                    yield kind, name

    def changes(self, item: Object, path: Path) -> bool:
        """Return whether a patch or a transformer writes a value of an object, or something around or below it."""
        if path == ("metadata", "namespace") and self.body.get("namespace"):
            return True
        if path[-1:] == ("image",) and self.body.get("images"):
            return True
        if path == ("spec", "replicas") and self.body.get("replicas"):
            return True
        return any(
            _targets(target, patch, item) and any(_overlap(path, written) for written in _written(patch))
            for target, patch in self.patches
        )

    def _below(self, name: object) -> str:
        return normpath(join(self.folder, as_text(name))) if as_text(name) and "://" not in str(name) else ""


def _targets(target: Body, patch: Any, item: Object) -> bool:
    """Return whether a patch is for an object, by its target or its own kind and name."""
    own = as_map(patch)
    kind = as_text(target.get("kind")) or as_text(own.get("kind"))
    name = as_text(target.get("name")) or ("" if target else as_text(as_map(own.get("metadata")).get("name")))
    if kind and kind != item.kind:
        return False
    return not name or name == item.name or bool(matches(name, item.name))


def _written(patch: Any) -> Iterator[Path]:
    """Yield the paths that a patch writes: JSON pointers, or the leaves of a merge up to the first list."""
    if isinstance(patch, list):
        for step in patch:
            pointer = as_text(as_map(step).get("path")).strip("/")
            yield tuple(int(word) if word.isdigit() else word for word in pointer.split("/") if word != "-")
        return
    if as_map(patch).get("$patch") == "delete":
        yield ()
    for key in ("spec", "data", "stringData"):
        yield from _leaves(as_map(patch).get(key), (key,))


def _leaves(value: Any, path: Path) -> Iterator[Path]:
    if isinstance(value, Mapping) and value:
        for key, below in value.items():
            yield from _leaves(below, (*path, str(key)))
    elif value is not None:
        yield path


def _overlap(one: Path, other: Path) -> bool:
    return all(left == right for left, right in zip(one, other, strict=False))


class Sources:
    """The charts and kustomizations of a tree.

    Args:
        root: the folder.
        files: all files that may hold objects, as paths below the root.
    """

    def __init__(self, root: FilePath | None = None, files: Iterable[str] = ()) -> None:
        names = sorted(files)
        self.charts = {dirname(name) for name in names if name.rpartition("/")[2] == CHART}
        self.kustomizations = [
            found
            for name in names
            if name.rpartition("/")[2] in KUSTOMIZATIONS and not self.in_chart(name)
            if root is not None and (found := _kustomization(root, name)) is not None
        ]
        self._by_folder = {found.folder: found for found in self.kustomizations}
        self._files = {found.file for found in self.kustomizations}
        self._listed = set[str]().union(*(found.listed for found in self.kustomizations))
        self._picked = {dirname(name) for name in self._listed if name.endswith((".yaml", ".yml", ".json"))}
        self._others = set[str]().union(*(found.others for found in self.kustomizations))

    def in_chart(self, name: str) -> bool:
        """Return whether a file belongs to a chart; the definitions below its `crds` are plain objects."""
        folder = dirname(name)
        while True:
            if folder in self.charts:
                return not name.startswith(f"{folder}/crds/".lstrip("/"))
            if not folder:
                return False
            folder = dirname(folder)

    def is_source(self, name: str) -> bool:
        """Return whether a file is read by a build, and holds no object that is applied as it is."""
        if self.in_chart(name) or name in self._files:
            return True
        if name in self._listed:
            return False
        return name in self._others or dirname(name) in self._picked | self._by_folder.keys()

    def brought(self, folder: str) -> set[str]:
        """Return the files and folders that a kustomization brings, with those that it lists in turn."""
        found: set[str] = set()
        waiting = [folder]
        while waiting:
            kustomization = self._by_folder.get(waiting.pop())
            if kustomization is not None:
                waiting += [name for name in kustomization.listed if name and name not in found]
                found |= kustomization.listed - {""}
        return found

    def change(self, item: Object, path: Path) -> bool:
        """Return whether a kustomization that brings an object still writes a value of it."""
        return any(
            found.changes(item, path) for found, brought in self._bringing if item.file.name in brought
        )

    @cached_property
    def _bringing(self) -> list[tuple[Kustomization, set[str]]]:
        return [(found, self.brought(found.folder)) for found in self.kustomizations]

    @cached_property
    def built_folders(self) -> set[str]:
        """The folders of kustomizations, and those of the files that they list."""
        names = {name for _, brought in self._bringing for name in brought}
        return set(self._by_folder) | names | {dirname(name) for name in names}

    def units(self, files: Iterable[str]) -> Mapping[str, set[str]]:
        """Return the files that each kustomization brings together, by its folder."""
        names = sorted(files)
        units = {}
        for folder in self._by_folder:
            brought = self.brought(folder)
            units[folder] = {name for name in names if name in brought}
        return units

    def sentences(self) -> Iterator[str]:
        """Yield what was not read because it has to be built first, in sentences."""
        for folder in sorted(self.charts):
            if not folder or not self.in_chart(folder):
                where = folder or "the folder"
                yield f"{where} is a Helm chart: verify what `helm template` prints, or use --build"
        if self.kustomizations:
            names = [found.folder or "." for found in self.kustomizations]
            shown = ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")
            yield (
                f"what the kustomization{'s' * (len(names) > 1)} in {shown} change{'s' * (len(names) == 1)}, "
                "and files that they do not list: verify what `kustomize build` prints, or use --build"
            )


def _kustomization(root: FilePath, name: str) -> Kustomization | None:
    """Return a kustomization, None for a file that is not one, such as an object of Flux."""
    body = as_map(_first(_text(root / name)))
    if as_text(body.get("kind")) not in ("", "Kustomization", "Component"):
        return None
    if not as_text(body.get("apiVersion")).startswith("kustomize.config.k8s.io/") and "spec" in body:
        return None
    return Kustomization(name, body, tuple(_patches(root, dirname(name), body)))


def _patches(root: FilePath, folder: str, body: Body) -> Iterator[tuple[Body, Any]]:
    for entry in as_list(body.get("patchesStrategicMerge")):
        yield from (({}, patch) for patch in _content(root, folder, as_text(entry), as_text(entry)))
    for key in ("patches", "patchesJson6902"):
        for entry in as_list(body.get(key)):
            one = as_map(entry)
            for patch in _content(root, folder, as_text(one.get("path")), as_text(one.get("patch"))):
                yield as_map(one.get("target")), patch


def _content(root: FilePath, folder: str, name: str, text: str) -> list[Any]:
    """Return the documents of a patch, which is a file or written in place."""
    if name and "\n" not in name and not normpath(join(folder, name)).startswith(".."):
        text = _text(root / normpath(join(folder, name)))
    return _documents(text)


def _documents(text: str) -> list[Any]:
    import ryaml

    try:
        return list(ryaml.load_all(io.StringIO(text)) or [])
    except (ValueError, RecursionError, TypeError):
        return []


def _first(text: str) -> Any:
    return next(iter(_documents(text)), None)


def _text(path: FilePath) -> str:
    try:
        return path.read_text(encoding="utf-8-sig") if path.is_file() and not path.is_symlink() else ""
    except (OSError, UnicodeDecodeError):
        return ""
