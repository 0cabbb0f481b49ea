"""What a model was trained with, from the files around it: MLflow's, BentoML's, and the model's own content.

Layouts: MLflow 3.17 (MLmodel, requirements.txt, python_env.yaml, input_example.json), BentoML 1.4 (model.yaml).
"""

from __future__ import annotations

import io
import json
import lzma
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import field
from pathlib import PurePosixPath
from typing import Any, Final

from generator.cluster.artifacts.formats import Column, Facts, facts_of
from generator.dataclass import dataclass
from generator.plan.packages import package_name
from generator.plan.serving import requirements
from generator.source.reader import parse
from generator.spec.frameworks import FRAMEWORKS
from generator.spec.service import Service

_LINE: Final = re.compile(r"([A-Za-z0-9][\w.-]*)(?:\[[\w,-]+\])?==([A-Za-z0-9.!+]+)\s*(?:;\s*(.*))?")
_PIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9.!+]+")
_MARKER: Final = re.compile(
    r"python(?:_full)?_version\s*(<=|>=|==|<|>)\s*['\"](\d{1,4})\.(\d{1,4})[\d.]*['\"]"
)
_INT32: Final = 2**31
_TYPES: Final[Mapping[str, str]] = {
    "boolean": "boolean",
    "integer": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "string": "string",
}
_EXAMPLE_LENGTH: Final = 200
_OF_MLFLOW: Final = frozenset({"mlflow", "mlflow-skinny", "mlflow-tracing"})
_DEFAULTS: Final[Mapping[str, str]] = {
    package_name(line): line.partition("==")[2]
    for line in (
        "pandas==3.1.1",
        "pyarrow==25.0.1",
        *(line for framework in FRAMEWORKS.values() for line in framework.requirements),
    )
}
"""The version of a package that the project's tests serve, for a model that needs it and does not say which."""

_OF_BENTOS: Final = ("bento.yaml", "env/python/requirements.lock.txt", "env/python/requirements.txt")
_LONGEST_LIST: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Trained:
    """What a model was trained with.

    Args:
        frameworks: those that can load it; empty if the files do not show it.
        python: Python, such as "3.11"; empty if the files do not show it.
        listed: versions by package that a list next to the model has.
        needed: versions by package that the model's own file imports; None where it only names the package.
        columns: of its rows, in the order of training; empty if the files do not show them.
        texts: some column holds texts.
    """

    frameworks: tuple[str, ...] = ()
    python: str = ""
    listed: Mapping[str, str] = field(default_factory=dict)
    needed: Mapping[str, str | None] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    texts: bool = False

    def packages(self, framework: str) -> list[str]:
        """Return the pinned packages of a service: the model's versions, else those that this release tests."""
        ours = requirements(framework, Service.model_construct())
        versions = {package_name(line): line.partition("==")[2] for line in ours}
        whole = framework == "mlflow"
        given = {name: version for name, version in self.listed.items() if _is_pin(name, version)}
        for name, version in self.needed.items():
            own = version if version and _is_pin(name, version) else None
            known = given.get(name) or own or _DEFAULTS.get(name)
            if known:
                versions[name] = known
        listed = {name: version for name, version in given.items() if whole or name in versions}
        versions.update({name: listed[name] for name in listed if whole or name not in _OF_MLFLOW})
        if "xgboost" in versions:
            versions.pop("xgboost-cpu", None)
        return [f"{name}=={version}" for name, version in sorted(versions.items())]

    def lock(self) -> dict[str, Any]:
        """Return the section `trained` of a lock; empty if nothing is known."""
        out: dict[str, Any] = {}
        if self.frameworks:
            out["frameworks"] = list(self.frameworks)
        if self.python:
            out["python"] = self.python
        if self.columns and all(column.name.isprintable() for column in self.columns):
            out["inputs"] = {column.name: _input(column) for column in self.columns}
        if self.texts:
            out["texts"] = True
        return out


def _is_pin(name: str, version: str) -> bool:
    """Return whether a model's files name a version that a list of packages can hold: others choose their text."""
    return _PIN.fullmatch(f"{name}=={version}") is not None


def _input(column: Column) -> dict[str, Any]:
    """Return a column as `inputs` of a lock has it."""
    out: dict[str, Any] = {"type": column.type} if column.type else {}
    if column.nullable is not None:
        out["nullable"] = column.nullable
    if column.values:
        out["values"] = list(column.values)
    if column.example is not None:
        out["example"] = column.example
    return out


def trained_with(files: Mapping[str, bytes]) -> Trained:
    """Return what the files of a model show.

    Args:
        files: the start of each file, by its path.
    """
    mlmodel = min((name for name in files if _base(name) == "MLmodel"), key=len, default=None)
    if mlmodel is not None:
        return _mlflow(mlmodel[: -len("MLmodel")], files)
    bento = _exported_bento(files)
    if bento is not None:
        return bento
    facts = [
        facts_of(name, content) for name, content in files.items() if _base(name) != "custom_objects.pkl"
    ]
    known = list(_layouts(files)) or [found for found in facts if found.format]
    found = known[0] if len({item.format for item in known}) == 1 else Facts()
    python, listed = _bentoml(files.get("model.yaml"))
    return Trained(_frameworks(found.format), python, listed, found.packages, found.columns, found.texts)


def _exported_bento(files: Mapping[str, bytes]) -> Trained | None:
    """Return what an exported bento says, as an archive or unpacked; None for other files."""
    found = dict(files)
    if len(files) == 1:
        content, damaged = (
            next(iter(files.values())),
            (tarfile.TarError, EOFError, OSError, ValueError, OverflowError, lzma.LZMAError, zlib.error),
        )
        with suppress(*damaged), tarfile.open(fileobj=io.BytesIO(content)) as archive:
            for member in archive:
                name = member.name.removeprefix("./")
                stream = archive.extractfile(member) if name in _OF_BENTOS and member.isreg() else None
                found |= {name: stream.read(_LONGEST_LIST)} if stream else {}
    if not _mapping(found.get("bento.yaml")).get("service"):
        return None
    python = str(_mapping(found["bento.yaml"], "image").get("python_version") or "")
    lines = found.get(_OF_BENTOS[1]) or found.get(_OF_BENTOS[2]) or b""
    return Trained(_frameworks("bento"), _minor(python), {}, dict(_listed(lines, _minor(python))))


def _layouts(files: Mapping[str, bytes]) -> Iterator[Facts]:
    """Yield what the names of the files around a model show: folders of spaCy and of Transformers."""
    paths = {_base(name): name for name in files}
    if {"config.cfg", "meta.json"} <= paths.keys():
        yield Facts("spacy", {"spacy": None})
    config = _json(files.get(paths.get("config.json", ""), b""))
    if "architectures" in config or "transformers_version" in config:
        named = config.get("architectures")
        names = named if isinstance(named, list) else ()
        classifier = any(str(name).endswith("ForSequenceClassification") for name in names)
        version = str(config.get("transformers_version") or "") or None
        format_ = "transformers" if classifier else "transformers-other"
        yield Facts(format_, {"transformers": version, "torch": None})


def _json(content: bytes) -> dict[str, Any]:
    """Return the object in a file; empty if it is not one."""
    try:
        found = json.loads(content) if content else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _base(name: str) -> str:
    return PurePosixPath(name).name


def _frameworks(*formats: str) -> tuple[str, ...]:
    """Return the frameworks that read one of the formats; the most particular one comes first."""
    found = [name for name, framework in FRAMEWORKS.items() if framework.reads.intersection(formats)]
    return tuple(sorted(found, key=lambda name: (name == "mlflow", len(FRAMEWORKS[name].reads), name)))


def _mapping(content: bytes | None, *path: str) -> dict[str, Any]:
    """Return a mapping in a YAML file; empty if there is none."""
    value = parse(content, "model").data if content else None
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _mlflow(root: str, files: Mapping[str, bytes]) -> Trained:
    content = files[f"{root}MLmodel"]
    pyfunc = _mapping(content, "flavors", "python_function")
    named = [flavor.get(key) for flavor in _mapping(content, "flavors").values() if isinstance(flavor, dict)
             for key in ("pickled_model", "model_path", "data", "model_data")]  # fmt: skip
    inside = [
        facts_of(name, files[name])
        for name in dict.fromkeys(f"{root}{path}" for path in named)
        if name in files
    ]
    found = next((facts for facts in inside if facts.format), Facts())
    python = str(
        pyfunc.get("python_version") or _mapping(files.get(f"{root}python_env.yaml")).get("python") or ""
    )
    minor = _minor(python)
    listed = dict(_listed(files.get(f"{root}requirements.txt", b""), minor))
    columns = _signature(_mapping(content, "signature").get("inputs"))
    example = _mapping(content, "saved_input_example_info").get("artifact_path", "input_example.json")
    columns = _with_examples(columns or found.columns, files.get(f"{root}{example}"))
    loader = str(pyfunc.get("loader_module", ""))
    formats = (found.format, "mlflow") if pyfunc else (found.format,)
    needed = {} if loader.startswith("mlflow.pyfunc") else found.packages
    texts = found.texts or any(column.type == "string" for column in columns)
    return Trained(_frameworks(*formats), minor, listed, needed, columns, texts)


def _minor(python: str) -> str:
    found = re.match(r"3\.\d{1,2}\b", python)
    return found[0] if found else ""


def _listed(content: bytes, python: str) -> Iterator[tuple[str, str]]:
    """Yield the packages of a list that apply to a Python; lines with options and ranges are left out."""
    for line in content.decode(errors="replace").splitlines():
        found = _LINE.match(line.partition(" #")[0].strip())
        if found and _applies(found[3] or "", python):
            yield package_name(found[1]), found[2]


def _applies(marker: str, python: str) -> bool:
    """Return whether the comparisons with a Python in an environment marker hold; others are taken to."""
    if not python:
        return True
    mine = tuple(map(int, python.split(".")))
    for sign, major, minor in _MARKER.findall(marker):
        other = (int(major), int(minor))
        holds = {
            "<": mine < other,
            ">": mine > other,
            "<=": mine <= other,
            ">=": mine >= other,
            "==": mine == other,
        }
        if not holds[sign]:
            return False
    return True


def _signature(text: object) -> tuple[Column, ...]:
    """Return the columns of MLflow's signature; none if it is a tensor, or holds a column that a row can't."""
    try:
        items = json.loads(text) if isinstance(text, str) else []
    except (ValueError, RecursionError):
        return ()
    columns = []
    for item in items if isinstance(items, list) else ():
        if not isinstance(item, dict) or item.get("type") == "tensor" or "name" not in item:
            return ()
        type_ = _TYPES.get(item["type"], "") if isinstance(item["type"], str) else ""
        columns.append(Column(str(item["name"]), type_, nullable=not item.get("required", True)))
    return tuple(columns)


def _with_examples(columns: tuple[Column, ...], content: bytes | None) -> tuple[Column, ...]:
    """Return the columns with the values of the first row of MLflow's example; a missing value is not one."""
    try:
        example = json.loads(content) if content else {}
        row = dict(zip(example["columns"], example["data"][0], strict=True))
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return columns
    return tuple(_with_example(column, row.get(column.name)) for column in columns)


def _with_example(column: Column, value: object) -> Column:
    kinds = {str: "string", bool: "boolean", int: "integer", float: "number"}
    type_ = kinds.get(type(value), "")
    if not type_ or value != value or (isinstance(value, str) and len(value) > _EXAMPLE_LENGTH):
        return column
    wanted = column.type or ("number" if type_ == "integer" else type_)
    if wanted != type_ and not (wanted == "number" and type_ == "integer"):
        return column
    return Column(column.name, wanted, column.nullable, column.values, value)


def _bentoml(content: bytes | None) -> tuple[str, dict[str, str]]:
    """Return Python and versions in the context that BentoML stored with a model."""
    context = _mapping(content, "context")
    versions = context.get("framework_versions")
    listed = (
        {package_name(str(name)): str(version) for name, version in versions.items()}
        if isinstance(versions, dict)
        else {}
    )
    return _minor(str(context.get("python_version") or "")), listed
