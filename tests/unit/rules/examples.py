"""Examples of codes, laid out as files and run as a user runs them.

A part of an example that is a piece of a spec, of the platform or of a lock is merged into a small repository without
findings (but for codes about the text of files, whose examples are whole files):
mappings are merged, an empty mapping and a list replace what was there, as does a mapping of another strategy or kind.
Any other part is a file as it is. Lines that start with `$ ` are commands: `export`, `sluice`, or a line of shell. If
one of them is of `sluice`, the last one reports the findings; otherwise `sluice validate` does.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner

from generator.cli.main import cli
from generator.report.codes import family, files_of
from tests.tools.environment import OFFLINE
from tests.unit.rules.repository import LOCK, PLATFORM, SPEC, TODAY, as_yaml, edited, file_of

TREES = {"ODDS", "ROL", "ANA", "CAP", "SYN", "VER"}
_QUERIES = {f"CAN{number}" for number in range(120, 126)}
_SPEC = "specs/shop/ranker.yaml"
_KINDS = {"strategy", "kind"}
_ANSWERS = {"PIN105": (403, b""), "PIN106": (200, b"other weights"), "PIN108": (200, b"<html>Sign in</html>")}
_SERVERS = re.compile(r"https://(?:mlflow|s3)\.example\.com")
_WITH_JSON = {"validate", "verify", "pin", "gates"}
_PLATFORM = edited(PLATFORM, {"tiers.standard.evidence": ["cluster"]})  # none is committed next to the specs


def is_tree(code: str) -> bool:
    """Whether the example of a code is a tree of objects, not a repository."""
    return family(code) in TREES or code in _QUERIES


def findings(code: str, example: str, root: Path, *, whole: bool = False) -> list[dict[str, Any]]:
    """Lay an example out in an empty folder, run it, and return its findings as `--format json` prints them.

    Args:
        code: whose example it is.
        example: the text.
        root: the folder.
        whole: every part is a whole file.
    """
    commands = _lay_out_repository(example, root, whole=whole)
    if code in {"EVID103", "EVID114"}:
        commands = _contradict(example, root)
    if code in {"RECD102", "RECD103"}:
        _doctor(root, resealed=code == "RECD103")
    reports = any(command.startswith("sluice ") for command in commands)
    if not reports:
        commands.append("sluice validate")
    with _inside(root), _server(*_ANSWERS.get(code, (500, b""))) as address:
        for command in commands[:-1]:
            _run(_SERVERS.sub(address, command))
        return _reported(code, shlex.split(commands[-1])[1:])


@contextmanager
def _server(status: int, body: bytes) -> Iterator[str]:
    """The address of a server that always gives one answer; it replaces the addresses in examples."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _contradict(example: str, root: Path) -> list[str]:
    """Merge a piece into evidence that passed, with the digests of what it then says."""
    from generator.gates.document import own_digest
    from generator.source.canonical import canonical_document

    evidence = root / "specs/shop/ranker.evidence.json"
    piece = json.loads(evidence.read_text())
    evidence.unlink()
    _write(root / "reports/junit.xml", '<testsuite tests="1"><testcase name="ranks"/></testsuite>')
    with _inside(root):
        _run("sluice gates run shop/ranker")
    document = _patched(json.loads(evidence.read_text()), piece)
    for entry in document["predicate"]["gates"]:
        entry["digest"] = own_digest(entry)
    document["digest"] = own_digest(document)
    evidence.write_text(canonical_document(document))
    return []


def _doctor(root: Path, *, resealed: bool) -> None:
    """Merge a piece into a record of a release, and give it the digest of what it then says if it is resealed."""
    from generator.gates.document import own_digest, plain
    from generator.source.canonical import canonical_document
    from tests.gates.record_samples import sample

    path = root / "specs/shop/ranker.production.record.json"
    whole = plain(sample({"subject.environment": "production", "steps.skipped": [2]}))
    document = _patched(whole, json.loads(path.read_text()))
    if resealed:
        document["digest"] = own_digest(document)
    path.write_text(canonical_document(document))


def _patched(base: Any, piece: Any) -> Any:
    if isinstance(piece, dict):
        return {**base, **{key: _patched(base.get(key), value) for key, value in piece.items()}}
    if isinstance(piece, list):
        return [*map(_patched, base, piece), *base[len(piece) :]]
    return piece


def findings_in_files(example: str, root: Path) -> list[dict[str, Any]]:
    """Run the commands of an example in an empty folder, and verify what they leave."""
    with _inside(root):
        for line in example.strip().splitlines():
            _run(line.removeprefix("$ "))
        return _reported("", ["verify", "--all", "."])


def _run(command: str) -> None:
    words = shlex.split(command)
    if words[0] == "export":
        os.environ.update(word.split("=", 1) for word in words[1:])
    elif words[0] == "sluice":
        result = CliRunner().invoke(cli, words[1:])
        assert result.exit_code in {0, 1}, result.output
    else:
        subprocess.run(command, shell=True, check=True, capture_output=True)


def _reported(code: str, arguments: list[str]) -> list[dict[str, Any]]:
    """The findings of a command; of a Spinnaker pipeline, which always has warnings, its own and all errors."""
    as_json = arguments[0] in _WITH_JSON or arguments[:2] == ["promote", "--check"]
    result = CliRunner().invoke(cli, [*arguments, "--format", "json"] if as_json else arguments)
    assert result.exit_code in ({0, 1} if as_json else {0, 1, 2}), result.output
    if as_json:
        return json.loads(result.stdout)["findings"]
    return [
        {"code": found, "severity": severity, "fix": None}
        for severity, found in re.findall(r"^(\w+)\[([A-Z]+\d+)\]", result.output, re.MULTILINE)
        if found == code or severity == "error" or arguments[0] != "spinnaker"
    ]


@contextmanager
def _inside(root: Path) -> Iterator[None]:
    """The folder and an environment that commands may change, with the clock of all examples."""
    before, folder = dict(os.environ), Path.cwd()
    for name in list(os.environ):
        if name.startswith(("AWS_", "BENTOML_", "HF_", "MLFLOW_")):
            del os.environ[name]
    os.environ.update(OFFLINE)
    os.environ["SOURCE_DATE_EPOCH"] = str(int(TODAY.strftime("%s")) + 12 * 3600)
    os.chdir(root)
    try:
        yield
    finally:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(before)


def _lay_out_repository(example: str, root: Path, *, whole: bool) -> list[str]:
    files: dict[str, Any] = {
        "specs/platform.yaml": file_of("Platform", {"name": "acme"}, _PLATFORM),
        _SPEC: _spec(""),
    }
    raw: dict[str, str] = {}
    commands: list[str] = []
    for file, text in files_of(example):
        commands += [line[2:] for line in text.splitlines() if line.startswith("$ ")]
        rest = "".join(f"{line}\n" for line in text.splitlines() if not line.startswith("$ "))
        part = None if whole else _mapping(rest)
        if part is None:
            raw[file or _SPEC] = rest
        else:
            path = file or _SPEC
            files[path] = _merged(files.get(path) or _base(path), part)
    for path in list(files):
        if path.startswith("specs/") and path != "specs/platform.yaml" and not path.endswith(".lock.yaml"):
            files.setdefault(path.replace(".yaml", ".lock.yaml"), LOCK)
    for path, data in files.items():
        _write(root / path, as_yaml(data))
    for path, text in raw.items():
        if text.strip():
            _write(root / path, text)
    return commands


def _mapping(text: str) -> dict[str, Any] | None:
    """A piece of a spec, of the platform or of a lock; None for anything else."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    return (
        data
        if isinstance(data, dict)
        and data.keys() <= {"spec", "metadata", "model", "data", "image", "trained", "packages"}
        else None
    )


def _base(path: str) -> Any:
    return LOCK if path.endswith(".lock.yaml") else _spec(path)


def _spec(path: str) -> Any:
    team, name = (path or _SPEC).removesuffix(".yaml").split("/")[-2:]
    return file_of("Model", {"name": name, "team": team, "owner": "shop-ml@example.com"}, SPEC)


def _merged(base: Any, part: Any) -> Any:
    if not isinstance(base, dict) or not isinstance(part, dict) or not part:
        return part
    if any(key in part and part[key] != base.get(key) for key in _KINDS):
        return part
    return {**base, **{key: _merged(base.get(key), value) for key, value in part.items()}}


def _write(path: Path, text: str) -> None:
    if text.strip():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
