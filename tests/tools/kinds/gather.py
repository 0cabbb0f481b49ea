"""Published definitions of kinds, out of the Go modules of their projects."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import ryaml

from tests.tools.kinds.convert import Definitions, Node, convert
from tests.tools.kinds.sources import KUBERNETES, NATIVE_KINDS, Project

TOOLCHAIN: Final = "go1.27.3"  # go refuses a module that asks for a newer Go than the one that runs
_CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sluice" / "kinds"
_META: Final = {"$ref": "/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}


class GoError(Exception):
    """The go command is missing, or it failed."""


class Found(NamedTuple):
    """A kind in one version of its project, as Sluice keeps it."""

    api_version: str
    kind: str
    cluster: bool
    root: Node


def go(*arguments: str, folder: Path = Path(os.sep), text: str = "") -> str:
    """Run the go command and return what it prints.

    Raises:
        GoError: it is missing, or it failed.
    """
    program = shutil.which("go")
    if program is None:
        raise GoError("the go command is missing: install it, for instance with `apt-get install golang`")
    done = subprocess.run(
        [program, *arguments],
        capture_output=True,
        text=True,
        input=text,
        cwd=folder,
        env=os.environ | {"GOTOOLCHAIN": TOOLCHAIN},
    )
    if done.returncode:
        raise GoError(f"go {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout


@cache
def module(name: str, version: str) -> Path:
    """Return the folder of a Go module in the module cache, fetched when it is not there."""
    name = name.replace("{major}", version.partition(".")[0].removeprefix("v"))
    return Path(json.loads(go("mod", "download", "-json", f"{name}@{version}"))["Dir"])


@cache
def kubernetes(version: str) -> Definitions:
    """Return the types of one published version of Kubernetes."""
    root = module(KUBERNETES.module, version)
    schemas: dict[str, Any] = {}
    for file in sorted((root / "api" / "openapi-spec" / "v3").glob("*_openapi.json")):
        document = json.loads(file.read_text(encoding="utf-8"))
        schemas |= document.get("components", {}).get("schemas", {})
    generated = root / "pkg" / "generated" / "openapi" / "zz_generated.openapi.go"
    return Definitions(schemas, dict(_enums(generated.read_text(encoding="utf-8"))))


def _enums(code: str) -> Iterator[tuple[tuple[str, str], list[str]]]:
    """Yield the words of each enumeration in Kubernetes' generated Go code; the OpenAPI documents leave them out."""
    kind = field = ""
    for line in code.split("\n"):
        if found := re.match(r"func schema_k8sio_(\w+)\(ref", line):
            kind = f"io.k8s.{found[1].replace('_', '.')}"
        elif found := re.match(r'\t{5}"([\w$-]+)": \{', line):
            field = found[1]
        elif found := re.search(r"Enum:\s+\[\]interface\{\}\{(.*)\}", line):
            yield (kind, field), json.loads(f"[{found[1]}]")


def kinds_of(project: Project, minor: str) -> Iterator[Found]:
    """Yield the kinds of a project in one version."""
    yield from _native(minor) if project is KUBERNETES else _custom(project, minor)


def _native(minor: str) -> Iterator[Found]:
    types = kubernetes(KUBERNETES.versions[minor])
    schemas = {
        (f"{row['group']}/{row['version']}".removeprefix("/"), row["kind"]): schema
        for schema in types.schemas.values()
        for row in schema.get("x-kubernetes-group-version-kind", ())
    }
    for line in NATIVE_KINDS.strip().split("\n"):
        api_version, kind, *scope = line.split()
        if (api_version, kind) not in schemas:  # a release before the first of this kind
            continue
        node = convert(schemas[api_version, kind], types)
        yield Found(api_version, kind, bool(scope), _root(api_version, kind, node))


def _custom(project: Project, minor: str) -> Iterator[Found]:
    types = kubernetes(next(iter(KUBERNETES.versions.values())))
    for definition in definitions(project, minor):
        spec = definition["spec"]
        kind = spec["names"]["kind"]
        for row in spec["versions"]:
            if spec["group"] == project.group and row["name"] in project.kinds.get(kind, ()):
                api_version = f"{spec['group']}/{row['name']}"
                node = convert(row["schema"]["openAPIV3Schema"], types)
                for field, (other, *path) in project.recursive.items():
                    _refer(node, field, [api_version, other, minor, *path])
                yield Found(api_version, kind, spec["scope"] == "Cluster", _root(api_version, kind, node))


def definitions(project: Project, minor: str) -> Iterator[dict[str, Any]]:
    """Yield the custom resource definitions that a version of a project publishes."""
    version = project.versions[minor]
    made = not project.where
    where = _controller_gen(project, version) if made else module(project.module, version) / project.where
    for file in [where] if where.is_file() else sorted(where.glob("*.yaml")):
        for text in re.split(r"^---$", file.read_text(encoding="utf-8"), flags=re.MULTILINE):
            document = ryaml.loads(text) if text.strip() else None
            if isinstance(document, dict) and document.get("kind") == "CustomResourceDefinition":
                yield document


def _controller_gen(project: Project, version: str) -> Path:
    """Return the folder of definitions that a project's own tool makes of its Go types, made once per version."""
    folder = Path(__file__).with_name("controllergen")
    made = _CACHE / f"{project.name}-{version}"
    if not made.exists():
        if f"{project.module} {version}" not in (folder / "go.mod").read_text(encoding="utf-8"):
            raise GoError(f"{folder / 'go.mod'} does not require {project.module} {version}")
        draft = made.with_name(f"{made.name}.{os.getpid()}")
        tool = "sigs.k8s.io/controller-tools/cmd/controller-gen"
        go("run", tool, "crd", f"paths={project.module}/v1", f"output:crd:dir={draft}", folder=folder)
        draft.replace(made)
    return made


def _refer(node: Node, field: str, place: list[str]) -> None:
    """Let each open field of a name have the type that is at a place."""
    fields = node.get("properties", {})
    if fields.get(field) == {}:
        fields[field] = {"same": place}
    for below in (*fields.values(), *(node[key] for key in ("items", "values") if key in node)):
        _refer(below, field, place)


@cache
def _metadata() -> Node:
    return convert(_META, kubernetes(next(iter(KUBERNETES.versions.values()))))


def _root(api_version: str, kind: str, node: Node) -> Node:
    """Return a whole object: its type, its metadata, its own fields; its status is the controller's."""
    head = {
        "apiVersion": {"type": "string", "enum": [api_version]},
        "kind": {"type": "string", "enum": [kind]},
        "metadata": _metadata(),
    }
    fields = node["properties"] | head
    if "status" in fields:
        fields["status"] = {}
    return {"properties": fields, "required": sorted({*head, *node.get("required", ())})}
