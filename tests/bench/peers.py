"""The same objects by two peers: `python -m tests.bench.peers write ROOT FOLDER` makes their programs.

The objects that Sluice rendered for one model become a function of the model's name in Jsonnet and in KCL, with nothing
to decide and nothing to check: only strings that hold the name are put together. So a peer does less than Sluice, which
reads a spec for each model, judges it, and verifies what it rendered. `run` evaluates a program for so many models, in
batches that keep its memory small, and writes one file of YAML a batch; it prints how many lines that are.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

MODEL, TEAM = "recommender-00000", "team-000"
BATCH = 100
PROGRAMS = {"jsonnet": "peer.jsonnet", "kcl": "peer.k"}


def write(root: Path, folder: Path) -> None:
    """Write the programs of both peers, from what Sluice rendered for the first model."""
    import ryaml

    files = sorted(
        path
        for path in (root / "rendered").rglob("*.yaml")
        if MODEL in path.parts and "bentos" not in path.parts
    )
    objects = [ryaml.loads(path.read_text()) for path in files]
    folder.mkdir(parents=True, exist_ok=True)
    jsonnet = f"function(p) [\n{_list(map(_jsonnet, objects))}\n]\n"
    (folder / PROGRAMS["jsonnet"]).write_text(jsonnet)
    schemas = Schemas()
    kcl = _list([schemas.instance(item) for item in objects])
    (folder / PROGRAMS["kcl"]).write_text(f"{schemas.text}\nunit = lambda p {{\n[\n{kcl}\n]\n}}\n")


def _list(items: Iterable[str]) -> str:
    return ",\n".join(items)


def _parts(text: str) -> list[str]:
    """Literal text and, between two of these, the name of a parameter."""
    parts = [text]
    for name, value in (("model", MODEL), ("team", TEAM)):
        split: list[str] = []
        for index, part in enumerate(parts):
            pieces = part.split(value) if index % 2 == 0 else [part]
            for number, piece in enumerate(pieces):
                split += [name, piece] if number else [piece]
        parts = split
    return parts


def _jsonnet(value: Any) -> str:
    if isinstance(value, str):
        parts = [f"p.{part}" if index % 2 else json.dumps(part) for index, part in enumerate(_parts(value))]
        return " + ".join(part for part in parts if part != '""') or '""'
    if isinstance(value, dict):
        return "{" + ", ".join(f"[{_jsonnet(key)}]: {_jsonnet(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_jsonnet, value)) + "]"
    return json.dumps(value)


class Schemas:
    """KCL types for the mappings of some objects, one for each set of keys, as packages of KCL have them for Kubernetes.

    KCL checks every value against them: keys, types of values, and what is missing. Mappings with keys that are data
    (labels, annotations, files) stay plain ones.
    """

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    @property
    def text(self) -> str:
        """The definitions."""
        return "".join(f"schema {name}:\n{body}" for body, name in self._names.items())

    def instance(self, value: Any) -> str:
        """A value, with its type where it has one."""
        if isinstance(value, dict):
            inner = ", ".join(f"{_kcl_key(key)} = {self.instance(item)}" for key, item in value.items())
            return f"{self._type(value)} {{{inner}}}" if _is_record(value) else f"{{{inner}}}"
        if isinstance(value, list):
            return "[" + ", ".join(map(self.instance, value)) + "]"
        return _kcl_scalar(value)

    def _type(self, value: Any) -> str:
        if isinstance(value, dict):
            if not _is_record(value):
                return "{str:}"
            rows = "".join(f"    {_attribute(key)}: {self._type(item)}\n" for key, item in value.items())
            return self._names.setdefault(rows, f"Type{len(self._names)}")
        if isinstance(value, list):
            kinds = {self._type(item) for item in value}
            return f"[{kinds.pop()}]" if len(kinds) == 1 else "[]"
        return {str: "str", bool: "bool", int: "int", float: "float", type(None): "any"}[type(value)]


def _is_record(value: dict[str, Any]) -> bool:
    return bool(value) and all(re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", key) for key in value)


def _attribute(key: str) -> str:
    return f"${key}" if key in _KCL_WORDS else key


def _kcl_scalar(value: Any) -> str:
    if isinstance(value, str):
        parts = _parts(value)
        if len(parts) == 1:
            return _kcl_text(value)
        return " + ".join(
            f"p.{part}" if index % 2 else _kcl_text(part) for index, part in enumerate(parts) if part
        )
    if value is None or isinstance(value, bool):
        return str(value)
    return repr(value)


def _kcl_text(text: str) -> str:
    """A literal without interpolation."""
    return json.dumps(text, ensure_ascii=False).replace("$", "\\$")


_KCL_WORDS = frozenset(
    [
        "all",
        "and",
        "any",
        "as",
        "assert",
        "check",
        "elif",
        "else",
        "filter",
        "for",
        "if",
        "import",
        "in",
        "is",
        "lambda",
        "map",
        "mixin",
        "not",
        "or",
        "protocol",
        "rule",
        "schema",
        "type",
    ]
)


def _kcl_key(key: str) -> str:
    return _kcl_text(key).replace(MODEL, "${p.model}").replace(TEAM, "${p.team}")


def run(peer: str, program: Path, models: int, target: Path) -> None:
    """Evaluate a program for so many models, and print the number of lines that it wrote."""
    evaluate = {"jsonnet": _run_jsonnet, "kcl": _run_kcl}[peer](program.read_text())
    lines = 0
    for start in range(0, models, BATCH):
        names = [
            (f"recommender-{n:05}", f"team-{n // 20:03}") for n in range(start, min(start + BATCH, models))
        ]
        text = evaluate(names)
        lines += text.count("\n")
        (target / f"{start:05}.yaml").write_text(text)
    print(lines)


def _run_jsonnet(program: str) -> Callable[[list[tuple[str, str]]], str]:
    import _gojsonnet

    def evaluate(names: list[tuple[str, str]]) -> str:
        models = json.dumps([{"model": model, "team": team} for model, team in names])
        snippet = (
            f"local unit = {program}; std.manifestYamlStream(std.flatMap(unit, {models}), quote_keys=false)"
        )
        text: str = json.loads(_gojsonnet.evaluate_snippet("peer", snippet))
        return text

    return evaluate


def _run_kcl(program: str) -> Callable[[list[tuple[str, str]]], str]:
    from kcl_lib import api

    def evaluate(names: list[tuple[str, str]]) -> str:
        models = ", ".join(f'{{model = "{model}", team = "{team}"}}' for model, team in names)
        code = f"import manifests\n{program}manifests.yaml_stream([o for p in [{models}] for o in unit(p)])\n"
        done = api.API().exec_program(api.ExecProgramArgs(k_filename_list=["peer.k"], k_code_list=[code]))
        if done.err_message:
            raise RuntimeError(done.err_message[:2000])
        text: str = done.yaml_result
        return text

    return evaluate


if __name__ == "__main__":
    verb, *arguments = sys.argv[1:]
    if verb == "write":
        write(Path(arguments[0]), Path(arguments[1]))
    else:
        run(arguments[0], Path(arguments[1]), int(arguments[2]), Path(arguments[3]))
