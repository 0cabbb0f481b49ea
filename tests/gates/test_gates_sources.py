"""A source that a document names is a regular file below the repository that no link leads to; else it is not read."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from generator.cli.main import cli
from generator.gates.document import own_digest, read_evidence
from generator.gates.errors import NoVerdictError
from generator.gates.inputs import Inputs, read_report
from generator.source.canonical import canonical_document
from generator.source.files import RefusedError, bytes_below, is_below
from tests.gates.models import ROOT
from tests.gates.tables import lock

EVIDENCE = "specs/risk/fraud.evidence.json"
SUITE = "specs/risk/expectations/fraud-inputs.json"
GIB = 1 << 30


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    shutil.copytree(ROOT / "specs", root / "specs")
    return root


def claim(root: Path, **source: str) -> None:
    """Let the first gate name another source, and seal the document again."""
    path = root / EVIDENCE
    data: dict[str, Any] = json.loads(path.read_text())
    entry = data["predicate"]["gates"][0]
    entry["sources"][0] |= source
    entry["digest"] = own_digest(entry)
    data["digest"] = own_digest(data)
    path.write_text(canonical_document(data))


def findings(root: Path, *command: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, [*command, "--root", str(root)])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, done.output


def outside(path: str) -> str:
    return f"sha256:{hashlib.sha256(Path(path).read_bytes()).hexdigest()}"


@pytest.mark.parametrize("command", [("gates", "check"), ("validate",)])
@pytest.mark.parametrize("role", ["report", "suite"])
def test_the_answer_is_the_same_whether_a_digest_is_right(repository: Path, command, role) -> None:
    answers = set()
    for digest in (outside("/etc/hostname"), "sha256:" + "0" * 64):
        claim(repository, role=role, path="/etc/hostname", digest=digest)
        answers.add(findings(repository, *command))
    ((code, output),) = answers
    assert (code, "EVID114" in output, "sha256:" in output) == (1, True, False)


@pytest.mark.parametrize(
    "path",
    ["/proc/self/pagemap", "/dev/zero", "../../../../etc/hostname", "specs/../../outside", "..", "/", "."],
)
def test_a_source_elsewhere_is_one_finding(repository: Path, path: str) -> None:
    claim(repository, role="report", path=path)
    evidence = read_evidence(repository / EVIDENCE, repository, "risk/fraud")
    assert [finding.code for finding in evidence.findings] == ["EVID114"]
    assert evidence.content is None


def _link(path: Path) -> None:
    path.symlink_to("/etc/hostname")


def _linked_folder(path: Path) -> None:
    path.parent.rmdir()
    path.parent.symlink_to("/etc")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _large(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(6 * GIB)


def _folder(path: Path) -> None:
    path.mkdir()


def _process(path: Path) -> None:
    path.symlink_to("/proc/self/pagemap")


FORMS = [_link, _linked_folder, _pipe, _large, _folder, _process]


@pytest.mark.parametrize("make", FORMS)
def test_what_is_not_a_regular_file_is_not_read(repository: Path, make) -> None:
    path = repository / "reports/hostname"
    path.parent.mkdir()
    make(path)
    claim(repository, role="report", path="reports/hostname", digest=outside("/etc/hostname"))
    evidence = read_evidence(repository / EVIDENCE, repository, "risk/fraud")
    assert [finding.code for finding in evidence.findings] == ["EVID114"]


@pytest.mark.parametrize("make", FORMS)
def test_a_suite_that_is_not_a_regular_file_is_a_finding(repository: Path, make) -> None:
    path = repository / SUITE
    path.unlink()
    make(path)
    code, output = findings(repository, "validate")
    assert (code, output.count("error[REF215]")) == (1, 1), output


@pytest.mark.parametrize("make", FORMS)
def test_a_report_that_is_not_a_regular_file_is_not_read_by_a_gate(tmp_path: Path, make) -> None:
    path = tmp_path / "reports/metrics.json"
    path.parent.mkdir()
    make(path)
    inputs = Inputs(tmp_path, tmp_path / "specs/team/model.yaml", lock())
    with pytest.raises(NoVerdictError):
        read_report(inputs, "reports/hostname" if make is _linked_folder else "reports/metrics.json")


@pytest.mark.parametrize("name", ["/etc/hostname", "../outside", "a/../../outside", "dvc:/etc/hostname", ""])
def test_a_name_can_not_lead_out_of_the_folders_of_a_gate(tmp_path: Path, name: str) -> None:
    (tmp_path / "outside").write_text("{}")
    root = tmp_path / "repository"
    root.mkdir()
    inputs = Inputs(root, root / "specs/team/model.yaml", lock(), folder=root)
    with pytest.raises(NoVerdictError):
        inputs.file(name)


def test_a_pointer_of_dvc_can_not_lead_out_of_its_cache(tmp_path: Path) -> None:
    cache = tmp_path / ".dvc/cache/files/md5"
    cache.mkdir(parents=True)
    (tmp_path / "secret").write_text("x")
    (tmp_path / "rows.csv.dvc").write_text("outs: [{md5: ../../../../secret, path: rows.csv}]\n")
    inputs = Inputs(tmp_path, tmp_path / "specs/team/model.yaml", lock())
    with pytest.raises(NoVerdictError, match="missing"):
        inputs.file("dvc:rows.csv")


def test_evidence_behind_a_link_is_refused(repository: Path) -> None:
    path = repository / EVIDENCE
    path.rename(repository / "elsewhere.json")
    path.symlink_to(repository / "elsewhere.json")
    assert [f.code for f in read_evidence(path, repository, "risk/fraud").findings] == ["EVID101"]


def test_a_regular_file_below_a_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b").write_bytes(b"x" * 10)
    assert bytes_below(tmp_path, tmp_path / "a/b", 10) == b"x" * 10
    with pytest.raises(RefusedError):
        bytes_below(tmp_path, tmp_path / "a/b", 9)
    assert is_below("a/b.json")
    assert not any(map(is_below, ("", ".", "..", "/a", "a/../b", "a\0")))
