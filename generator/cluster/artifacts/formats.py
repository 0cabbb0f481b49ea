"""The format of a model's file by its content, and what such a file says: no code of it runs, and no library is needed.

Layouts: pickles by CPython 3.11 (Lib/pickletools.py), skops 0.16 (skops/io), UBJSON and JSON of XGBoost 3.2, text of
LightGBM 4.7, CatBoost 1.2, ONNX 1.23 (onnx.proto), safetensors 0.6 and TorchScript of PyTorch 2.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickletools
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import field
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, Final

from generator.cluster.artifacts.ubjson import Ubjson
from generator.dataclass import dataclass

LIMIT: Final = 64 << 20
"""Bytes of a file that are read; a compressed file may hold as many."""
_SHORT: Final = 256
_FILES: Final = 100
_OPCODES: Final = 5_000_000
"""Opcodes of a pickle that are read in search of its columns: some seconds."""
_VERSION: Final = rb"([0-9]+(?:\.[0-9]+){1,3}(?:\.?(?:rc|a|b|post)[0-9]+)?)"
_GLOBAL: Final = re.compile(rb"\x8c(.)([A-Za-z_][\w.]*)\x94\x8c(.)([A-Za-z_]\w*)\x94\x93", re.DOTALL)
_OLD_MODULE: Final = re.compile(rb"[A-Za-z_][\w.]*")
_OLD_NAME: Final = re.compile(rb"[A-Za-z_]\w*")
_WORD: Final = bytes(range(48, 58)) + bytes(range(65, 91)) + b"_" + bytes(range(97, 123)) + b"."
_SKLEARN: Final = re.compile(rb"_sklearn_version\x94?\x8c.%s\x94" % _VERSION, re.DOTALL)
_WIDTH: Final = re.compile(rb"n_features_in_\x94?(?:K(.)|M(..))", re.DOTALL)
_ENCODERS: Final = re.compile(r"(?:OneHot|Ordinal|Target|Label)Encoder|Vectorizer")


@dataclass(frozen=True, slots=True)
class Column:
    """A column that a model was trained with.

    Args:
        name: its name.
        type: the type in a spec; empty if the file does not say.
        nullable: it may be missing; None if the file does not say.
        values: the categories; empty if there are none, or the file does not say.
        example: a value of it.
    """

    name: str
    type: str = ""
    nullable: bool | None = None
    values: tuple[str | int | float | bool, ...] = ()
    example: Any = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What one file says.

    Args:
        format: a key of `reads` of a framework; empty if it is not known.
        packages: version by package that the file needs; None where the file names the package alone.
        columns: the columns of its rows, in the order of training; empty if it names none.
        texts: some column holds texts, or categories.
    """

    format: str = ""
    packages: Mapping[str, str | None] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    texts: bool = False


PACKAGES: Final[Mapping[str, str]] = {
    "sklearn": "scikit-learn",
    "imblearn": "imbalanced-learn",
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "yaml": "pyyaml",
    "category_encoders": "category-encoders",
    **{
        name: name.replace("_", "-")
        for name in (
            "catboost", "feature_engine", "joblib", "lightgbm", "mapie", "numba", "numpy", "onnxruntime", "pandas",
            "patsy", "polars", "prophet", "pyarrow", "quantile_forest", "river", "scipy", "sentence_transformers",
            "shap", "skops", "skorch", "sktime", "spacy", "statsmodels", "tensorflow", "torch", "transformers",
            "xgboost",
        )
    },
}  # fmt: skip
"""The package of each top-level module that models of tables and texts are pickled from."""

_ROOTS: Final = {
    "sklearn": "sklearn",
    "imblearn": "sklearn",
    "xgboost": "sklearn",
    "lightgbm": "sklearn",
    "catboost": "catboost",
    "statsmodels": "statsmodels",
}
"""The format of a pickle by the module of its object: estimators of other libraries act like those of scikit-learn."""


def contents_of(path: Path) -> dict[str, bytes]:
    """Return the start of a file, or of each file of a folder, by its path in it."""
    paths = [path] if path.is_file() else sorted(item for item in path.rglob("*") if item.is_file())
    found = {}
    for item in paths[:_FILES]:
        with item.open("rb") as stream:
            found[item.name if item == path else item.relative_to(path).as_posix()] = stream.read(LIMIT)
    return found


def facts_of(name: str, content: bytes) -> Facts:
    """Return what the content of a file says; a damaged file says nothing.

    Args:
        name: of the file, where the content has no known start.
        content: its first `LIMIT` bytes.
    """
    reader = next((read for start, read in _STARTS if re.match(start, content[:_SHORT], re.DOTALL)), None)
    if reader is None:
        return Facts("safetensors") if name.endswith(".safetensors") else Facts()
    try:
        return reader(content)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OSError, EOFError, RecursionError):
        return Facts()
    except (zlib.error, lzma.LZMAError, zipfile.BadZipFile):
        return Facts()


def _pickle(content: bytes) -> Facts:
    """Read the names of classes and a few values; arrays between them are skipped."""
    named = [
        (found[2], found[4])
        for found in _GLOBAL.finditer(content)
        if (found[1][0], found[3][0]) == (len(found[2]), len(found[4]))
    ]
    classes = [(module.decode(), name.decode()) for module, name in named or _old_globals(content)]
    # Other classes of one module repeat its name only by number, so modules are found on their own as well.
    modules = {module.partition(".")[0] for module, _ in classes}
    format_ = _object_of(module for module, _ in classes)
    packages: dict[str, str | None] = {PACKAGES[name]: None for name in sorted(modules & PACKAGES.keys())}
    version = _SKLEARN.search(content)
    if version:
        packages["scikit-learn"] = version[1].decode()
    if "numpy" in packages and b"numpy._core" not in content and b"numpy.core" in content:
        packages["numpy"] = "1.26.4"  # the last one whose modules have these names
    names = _names_after(content, b"feature_names_in_") or _names_by_opcodes(content)
    if b"feature_names_in_" in content:
        packages.setdefault("pandas", None)
    texts = (
        any(_ENCODERS.search(name) for _, name in classes) or _ENCODERS.search(_strings(content)) is not None
    )
    return Facts(format_, packages, tuple(Column(name) for name in names), bool(names) and texts)


def _object_of(modules: Iterable[str]) -> str:
    """Return the format by the modules of a pickle's classes and functions; "program" if they are of no library.

    What `__main__` defines is in the program that wrote the pickle, and in no other. cloudpickle brings the code of
    functions along; without an estimator of a library they are the model.
    """
    roots = [module.partition(".")[0] for module in modules]
    known = next((_ROOTS[root] for root in roots if root in _ROOTS), "")
    return "program" if "__main__" in roots or (not known and "cloudpickle" in roots) else known


def _old_globals(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield module and name of the classes in a pickle of an older protocol: `c`, and a line for each of the two."""
    for line, name in pairwise(content.split(b"\n")):
        if _OLD_NAME.fullmatch(name):
            word = line[len(line.rstrip(_WORD)) :]
            module = word[word.find(b"c") + 1 :]
            if b"c" in word and _OLD_MODULE.fullmatch(module):
                yield module, name


def _strings(content: bytes) -> str:
    """Return the short texts of a pickle that look like names of classes."""
    return " ".join(found.decode() for found in re.findall(rb"\x8c.([A-Z]\w{5,60})\x94", content, re.DOTALL))


def _names_after(content: bytes, key: bytes) -> list[str]:
    """Return the texts of the first list after a key of a pickle; none if it is not a list of texts."""
    at = content.find(key)
    start = content.find(b"]\x94", at, at + 1024) if at >= 0 else -1
    if start < 0:
        return []
    position, names = start + 2, []
    many = content[position : position + 1] == b"("
    position += many
    while content[position : position + 1] in {b"\x8c", b"X"}:
        size = 1 if content[position : position + 1] == b"\x8c" else 4
        length = int.from_bytes(content[position + 1 : position + 1 + size], "little")
        text = content[position + 1 + size : position + 1 + size + length]
        names.append(text.decode())
        position += 1 + size + length + 1  # and its number in the memo
    ends = b"e" if many else b"a"
    return names if content[position : position + 1] == ends else []


def _names_by_opcodes(content: bytes) -> list[str]:
    """Return the same from a pickle in which a text that occurred before is only its number in the memo."""
    memo: list[object] = []
    last: object = None
    found: list[str] | None = None
    wanted = False
    with suppress(ValueError):  # an array of joblib ends the opcodes
        for opcode, argument, _ in islice(pickletools.genops(content), _OPCODES):
            if opcode.name == "MEMOIZE":
                memo.append(last)
                continue
            last = argument
            if (
                opcode.name in {"BINGET", "LONG_BINGET"}
                and isinstance(argument, int)
                and argument < len(memo)
            ):
                last = memo[argument]
            if last == "feature_names_in_":
                wanted = True
            elif wanted and opcode.name == "EMPTY_LIST":
                found = []
            elif found is not None and isinstance(last, str):
                found.append(last)
            elif found and opcode.name in {"APPEND", "APPENDS"}:
                return found
    return []


def _zip(content: bytes) -> Facts:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        if "schema.json" in names:
            return _skops(json.loads(_member(archive, "schema.json")))
        if any(name.endswith(("/constants.pkl", "/data.pkl")) for name in names):
            script = any("/code/" in name for name in names)
            return Facts("torchscript" if script else "torch", {"torch": None})
        if any(name.endswith("config.json") for name in names) and "model.weights.h5" in names:
            version = str(json.loads(_member(archive, "metadata.json")).get("keras_version", ""))
            return Facts("keras", {"keras": version or None})
        exported = any(
            name.endswith(("archive_format", "serialized_exported_program.json")) for name in names
        )
        return Facts("pt2", {"torch": None}) if exported else Facts()


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as stream:
        return stream.read(LIMIT)


def _skops(schema: dict[str, Any]) -> Facts:
    """Walk the nodes of a skops file: `__module__` names what is imported, `content` holds the state."""
    packages: dict[str, str | None] = {"skops": str(schema["_skops_version"]), "scikit-learn": None}
    names: list[str] = []
    texts = False
    pending: list[Any] = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(reversed(node))
            continue
        if not isinstance(node, dict):
            continue
        root = str(node.get("__module__", "")).partition(".")[0]
        if root in PACKAGES:
            packages.setdefault(PACKAGES[root], None)
        texts = texts or bool(_ENCODERS.search(str(node.get("__class__", ""))))
        content = node.get("content")
        if isinstance(content, dict):
            version = content.get("_sklearn_version")
            if isinstance(version, dict):
                packages["scikit-learn"] = str(json.loads(version["content"]))
            columns = content.get("feature_names_in_")
            if isinstance(columns, dict):
                packages.setdefault("pandas", None)
                found = columns.get("content", ())
                names = names or [json.loads(item["content"]) for item in found if isinstance(item, dict)]
        pending.extend(reversed([value for value in node.values() if isinstance(value, (dict, list))]))
    return Facts("skops", packages, tuple(Column(str(name)) for name in names), bool(names) and texts)


def _xgboost(content: bytes) -> Facts:
    model = json.loads(content) if content[1:2] != b"L" else Ubjson(content).value()
    learner = model["learner"]
    version = ".".join(map(str, model["version"]))
    names, types = learner.get("feature_names", ()), learner.get("feature_types", ())
    booster = learner["gradient_booster"]
    categories = booster.get("gbtree", booster).get("model", {}).get("cats", {}).get("enc", ())
    columns = []
    for index, name in enumerate(names):
        kind = str(types[index]) if index < len(types) else ""
        values = _categories(categories[index]) if kind == "c" and index < len(categories) else ()
        type_ = {"float": "number", "int": "integer", "i": "boolean", "c": "string"}.get(kind, "number")
        columns.append(Column(str(name), type_, values=values))
    return Facts("xgboost", {"xgboost": version}, tuple(columns), "c" in types)


def _categories(column: Mapping[str, Any]) -> tuple[str, ...]:
    ends = column.get("offsets", ())
    raw = bytes(value % 256 for value in column["values"]) if ends else b""
    return tuple(raw[a:b].decode() for a, b in pairwise(ends))


def _lightgbm(content: bytes) -> Facts:
    head = dict(line.partition("=")[::2] for line in content[: 1 << 20].decode(errors="replace").splitlines())
    names, infos = head["feature_names"].split(" "), head["feature_infos"].split(" ")
    last = content.rpartition(b"\npandas_categorical:")[2]
    categories = iter(json.loads(last.splitlines()[0]) or ()) if last != content else iter(())
    columns = []
    for name, info in zip(names, infos, strict=True):
        grouped = ":" in info and not info.startswith("[")
        values = tuple(next(categories, ())) if grouped else ()
        columns.append(Column(name, _type(values[0]) if values else "number", values=values))
    if names == [f"Column_{index}" for index in range(len(names))]:
        columns = []
    return Facts("lightgbm", {"lightgbm": None}, tuple(columns), any(column.values for column in columns))


def _type(value: object) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return kinds.get(type(value), "")


def _catboost(content: bytes) -> Facts:
    del content
    return Facts("catboost", {"catboost": None})


def _onnx(content: bytes) -> Facts:
    del content
    return Facts("onnx", {"onnxruntime": None})


def _compressed(content: bytes) -> Facts:
    """Unpack what joblib compressed, up to the limit."""
    openers: dict[bytes, Callable[[Any], Any]] = {
        b"\x1f\x8b": gzip.open,
        b"BZ": bz2.open,
        b"\xfd7": lzma.open,
        b"]\0": lzma.open,
    }
    opener = openers.get(content[:2])
    if opener is None:
        return _pickle(zlib.decompressobj().decompress(content, LIMIT))
    with opener(io.BytesIO(content)) as stream:
        return _pickle(stream.read(LIMIT))


_STARTS: Final[tuple[tuple[bytes, Callable[[bytes], Facts]], ...]] = (
    (rb"\x80[\x02-\x05]", _pickle),
    (rb"PK\x03\x04", _zip),
    (rb"\{L.{8}learner|\{\s*\"learner\"", _xgboost),
    (rb"tree\r?\n", _lightgbm),
    (rb"CBM1|\{\s*\"(?:features_info|model_info|oblivious_trees|ctr_data)\"", _catboost),
    (rb"\x08[\x03-\x20][\x12\x1a\x22\x28\x32\x3a]", _onnx),
    (rb"\x1f\x8b|x[\x01\x5e\x9c\xda]|BZh|\xfd7zXZ|\]\x00\x00", _compressed),
)
