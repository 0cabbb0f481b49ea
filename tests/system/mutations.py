"""Mutated specs: bytes and structures of real ones, from a seed. Every mutation is a function of the seed alone."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml

from tests import golden
from tests.system.repositories import EXAMPLES

Files = dict[str, bytes]
TEXTS = [
    "", " ", "x", "a: b", "- a", "#", " #x", "{{", "}}", "{{ 7 * 7 }}", "{% raw %}", "{#", "{{args.canary-hash}}",
    "{{workflow.name}}", "{{inputs.parameters.gate}}", "{{=1}}", "${HOME}", "$(id)", "`id`", '"', "'", "\\", "\\n", "a\nb",
    "a\n---\nb: c", "...", "|", ">", "&a", "*a", "!!str x", "%YAML", "@x", "\t", "\r\n", "\0", "\x7f", "\x85", "\u2028",
    "\ufeff", "\ufffe", "\U0001fffe", "é漢😀", "no", "on", "1e3", "0x1f", "012", "1:30", "null", "true", ".inf", "y" * 501,
    "z" * 500, '"} or vector(1)', "sum(rate(x[5m]))", "%s%s%n", "../../../etc/passwd", "a" * 70_000, "’", "٣",
    "²", "accuracy >= ²", "1e999999999", "1/0",
]  # fmt: skip
NUMBERS: list[Any] = [
    0, -1, 1, 2, 7, 63, 64, 1000, 1001, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63), 10**18, 0.0, -0.0, 0.1, 0.5, 1.0, 1e-7,
    123456789.125, float("9" * 300), True, False, None,
]  # fmt: skip
UNITS: list[tuple[str, list[str]]] = [
    (r"[0-9.]+%", ["0%", "1%", "5%", "25%", "50%", "99%", "100%", "0.000001%", "99.999999%", "101%", "150%", "999999%"]),
    (r"[0-9.]+pp", ["0pp", "1pp", "999pp", "0.000001pp", "1%"]),
    (r"([0-9.]+(ms|s|m|h|d))+", ["0s", "0ms", "0.1ms", "1ms", "1.5ms", "0.001s", "1s", "7s", "59s", "61s", "1m", "10m", "1h", "1h30m", "25h",
                                 "7d", "30d", "3650d", "999999999d", "1m1m1m", "0.0005s"]),
    (r"[0-9]+m?|[0-9.]+", ["0.001", "0.0", "0.5", "1", "1m", "999.999", "99999999m", "999999", "2"]),
    (r"[0-9]+[KMGT]i?", ["1", "1Ki", "512Mi", "999999999999Ti", "1k", "64Gi"]),
    (r"[0-9.]+ [A-Z]{3}", ["0 EUR", "0.000001 EUR", "999999999999 EUR", "1 USD"]),
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}", ["2026-11-23", "2026-11-22", "2026-02-30", "0000-01-01", "9999-12-31", "2027-01-31"]),
    (r"sha256:[0-9a-f]{64}", ["sha256:" + "0" * 64, "sha256:" + "f" * 64, "sha256:" + "0" * 63]),
    (r"[a-z][a-z0-9-]*", ["a", "a" * 40, "a" + "-" * 38 + "b", "a--b", "verdict", "gates", "main", "platform", "argocd", "bentos", "other",
                          "automatic", "manual", "canary", "blue-green", "default", "kube-system", "true", "null", "no", "n", "model"]),
    (r"[A-Za-z_][A-Za-z0-9_]*", ["_", "__", "_a", "A", "a" * 63, "class", "None", "self", "rows", "__class__", "ctr", "click", "x__y"]),
    (r"[a-z0-9.-]+\.[a-z]+", ["a", "a.b", ".".join(["a" * 63] * 11), ".".join(["a" * 63] * 3), "1.2.3.4"]),
    (r"https?://.*", ["http://a", "https://a/?x={}#y", "https://" + "a" * 300, "http://a:99999"]),
    (r"(mlflow|bentoml|dvc|hf|oci|s3|https):.*", ["mlflow:a", "bentoml:a:b", "bentoml:a:b:c", "s3://a", "https://a/b", "dvc:a/b", "hf:a/b@c",
                                                  "oci://a/b:c", "bentoml:A.b-c:1"]),
    (r"[0-9]+\.[0-9]+", ["0.0", "1.8", "1.9", "1.10", "99.99", "1.10.2"]),
    (r"\{.*\}.*", ["x", "{team}", "{environment}", "{model}", "{}", "-", "{team}-{team}", "a" * 63, "{team}{environment}-x"]),
    (r"[0-9]+", ["0", "7", "7.", "7-", "7_", "a" * 63, "A.b"]),
]  # fmt: skip


class _Loader(yaml.CSafeLoader):
    """Dates stay text, as specs mean them."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's protocol
        first: [(tag, regexp) for tag, regexp in found if not tag.endswith(":timestamp")]
        for first, found in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


def load(raw: bytes | str) -> Any:
    """The plain values of a document."""
    return yaml.load(raw, Loader=_Loader)


def copy(value: Any) -> Any:
    """A value that shares nothing with the original: a dump would turn what is shared into anchors."""
    if isinstance(value, dict):
        return {key: copy(item) for key, item in value.items()}
    return [copy(item) for item in value] if isinstance(value, list) else value


@cache
def bases() -> dict[str, Files]:
    """Small repositories to start from: the examples one by one, and the golden cases."""
    found = {}
    platform = (EXAMPLES / "platform.yaml").read_bytes()
    for path in sorted(EXAMPLES.glob("*/*.yaml")):
        if not path.name.endswith(".lock.yaml"):
            lock = path.with_name(path.stem + ".lock.yaml")
            files = {f"specs/{p.relative_to(EXAMPLES)}": p.read_bytes() for p in (path, lock)}
            found[path.stem] = {"specs/platform.yaml": platform, **files}
    for case in golden.cases():
        root = golden.CASES / case
        found[case] = {
            p.relative_to(root).as_posix(): p.read_bytes() for p in sorted(root.glob("specs/**/*.yaml"))
        }
    return found


@cache
def vocabulary() -> tuple[list[str], list[Any]]:
    """Keys and subtrees of all base documents."""
    keys: set[str] = set()
    values: list[Any] = []
    for files in bases().values():
        for raw in files.values():
            for path, value in walk(load(raw)):
                keys.update(part for part in path[-1:] if isinstance(part, str))
                values.append(value)
    return sorted(keys), values


def walk(tree: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    yield path, tree
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in list(pairs):
        yield from walk(value, (*path, key))


def mutated(seed: str) -> tuple[str, Files]:
    """A base's name and its files, one to four mutations later."""
    chance = random.Random(seed)
    name = chance.choice(sorted(bases()))
    files = dict(bases()[name])
    if chance.random() < 0.3:
        target = chance.choice(sorted(files))
        files[target] = _bytes(chance, files[target])
        return name, files
    for _ in range(chance.choice([1, 1, 1, 2, 2, 4])):
        # A model has most of the language; the platform and the lock are a third of the work.
        weights = [1 if "platform" in file or "lock" in file else 4 for file in sorted(files)]
        target = chance.choices(sorted(files), weights)[0]
        tree = load(files[target])
        _edit(chance, tree)
        files[target] = yaml.dump(
            copy(tree), Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=chance.random() < 0.5
        ).encode()
    return name, files


def _bytes(chance: random.Random, raw: bytes) -> bytes:
    for _ in range(chance.choice([1, 1, 2, 5])):
        at = chance.randrange(len(raw) + 1)
        end = min(len(raw), at + chance.choice([0, 1, 1, 2, 10, 60]))
        piece = chance.choice(
            [b"", bytes([chance.randrange(256)]), chance.choice(TEXTS[:60]).encode("utf-8", "surrogatepass"), raw[at:end] * 2,
             chance.choice([b"\n", b"\t", b": ", b"- ", b" #", b"[", b"]", b"{", b"}", b",", b"&a ", b"*a", b"!!x ", b"---\n"])]
        )  # fmt: skip
        raw = raw[:at] + piece + raw[end:]
    lines = raw.split(b"\n")
    if chance.random() < 0.2:
        chance.shuffle(lines)
    return b"\n".join(lines)


def _edit(chance: random.Random, tree: Any) -> None:
    nodes = [(path, value) for path, value in walk(tree) if path]
    if not nodes:
        return
    path, value = chance.choice(nodes)
    parent = tree
    for part in path[:-1]:
        parent = parent[part]
    key = path[-1]
    what = chance.random()
    if what < 0.60:
        parent[key] = _other(chance, value)
    elif what < 0.70:
        del parent[key]
    elif what < 0.78 and isinstance(parent, list):
        parent.insert(chance.randrange(len(parent) + 1), copy(value))
    elif what < 0.88:
        parent[key] = copy(chance.choice(vocabulary()[1]))
    elif isinstance(parent, dict):
        new = chance.choice([chance.choice(vocabulary()[0]), _other(chance, str(key)), chance.choice(TEXTS)])
        parent[new] = parent.pop(key) if chance.random() < 0.5 else copy(chance.choice(vocabulary()[1]))
    else:
        parent[key] = chance.choice([[value], {"x": value}, None, [], {}])


def _other(chance: random.Random, value: Any) -> Any:
    """A value of the same kind, as a rule: most mutations shall get past the first check."""
    if isinstance(value, str) and chance.random() < 0.7:
        fitting = [pool for pattern, pool in UNITS if re.fullmatch(pattern, value)]
        if fitting:
            return chance.choice(chance.choice(fitting))
    if isinstance(value, str):
        text = chance.choice(TEXTS)
        at = chance.randrange(len(value) + 1)
        return chance.choice([text, value[:at] + text + value[at:], value + text])
    if isinstance(value, (int, float)) or value is None:
        return chance.choice(NUMBERS)
    if isinstance(value, list):
        return chance.choice(
            [[], value[:1], value * 2, value[::-1], value * 31, [*value, chance.choice(NUMBERS)], None, {}]
        )
    return chance.choice([{}, None, [], dict(list(value.items())[::-1]), dict(list(value.items())[:1])])
