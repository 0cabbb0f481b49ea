"""A waiver covers the gate that it was given for, and no other that takes its name."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import pytest

from generator.gates.document import read_evidence
from generator.gates.enforce import evidence_findings
from generator.plan.gates import configuration_digest
from generator.plan.repository import Repository
from generator.plan.resolve import no_digest, resolve
from generator.rules.evaluate import run_rules
from generator.source.finding import Finding
from tests.gates.models import ROOT

TODAY = dt.date(2026, 11, 30)
OTHER = "sha256:" + "b" * 64


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The examples; the gate `parity` of the fraud model is waived."""
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    return tmp_path


def edit(root: Path, file: str, *changes: tuple[str, str]) -> None:
    path = root / "specs" / file
    text = path.read_text()
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text)


def found(root: Path) -> list[Finding]:
    """The errors about the fraud model, and what is waived."""
    repository = Repository(root)
    entry = next(entry for entry in repository.entries if entry.model == "fraud")
    resolved = resolve(repository, entry, no_digest)
    evidence = read_evidence(entry.evidence, root, entry.name)
    plans = [planned.plan for planned in resolved.plans]
    findings = [*resolved.findings, *run_rules(resolved, TODAY)]
    for planned in resolved.plans:
        findings += evidence_findings(planned, evidence, TODAY, plans)
    image = "TIER313"  # `no_digest` stands in for the digest of the service
    return [
        one for one in findings if (one.severity == "error" and one.code != image) or one.code == "EVID111"
    ]


def codes(root: Path) -> set[str]:
    return {one.code for one in found(root)}


def without_evidence(root: Path) -> None:
    (root / "specs/risk/fraud.evidence.json").unlink()


def test_a_waiver_covers_its_gate(repository: Path) -> None:
    without_evidence(repository)
    findings = found(repository)
    assert {one.code for one in findings} == {"EVID104", "EVID111"}
    (waived,) = {one.hint for one in findings if one.code == "EVID111"}
    assert "given for configuration sha256:6754c24162ad" in waived


def test_a_waiver_does_not_follow_its_name_to_another_gate(repository: Path) -> None:
    edit(
        repository,
        "risk/fraud.yaml",
        ("{name: parity, fairness", "{name: fair, fairness"),
        ("{name: drift, drift", "{name: parity, drift"),
    )
    assert codes(repository) == {"WAIV708", "EVID107"}
    without_evidence(repository)
    assert codes(repository) == {"WAIV708", "EVID104"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("atMost: 0.1, tool: fairlearn}", "atMost: 0.09, tool: fairlearn}"),
        ("sensitive: [age_band, gender], atMost: 0.1, tool", "sensitive: [gender], atMost: 0.1, tool"),
        ("atMost: 0.1, tool: fairlearn}", "atMost: 0.1, tool: aequitas}"),
    ],
)
def test_a_waiver_ends_when_the_gate_changes(repository: Path, old: str, new: str) -> None:
    edit(repository, "risk/fraud.yaml", (old, new))
    without_evidence(repository)
    findings = found(repository)
    demanded = "TIER324"  # by a tier, which is not what this is about
    assert {one.code for one in findings} - {demanded} == {"WAIV708", "EVID104"}
    ended = next(one for one in findings if one.code == "WAIV708")
    assert ended.path == "spec.waivers[0].configuration"
    assert "another configuration" in ended.message


def test_a_waiver_for_a_version_ends_with_the_next_one(repository: Path) -> None:
    lock = (repository / "specs/risk/fraud.lock.yaml").read_text()
    version = lock.partition("digest: ")[2][:71]
    configuration = "configuration: sha256:6754c24162ad2842b1bbb2505bd0357e7919f17aaf14fe2f068b9e6d37c5dca7"
    edit(repository, "platform.yaml", (configuration, f"digest: {version}"))
    without_evidence(repository)
    assert codes(repository) == {"EVID104", "EVID111"}
    edit(repository, "risk/fraud.lock.yaml", (f"digest: {version}", f"digest: {OTHER}"))
    assert "WAIV708" in codes(repository)
    assert "EVID111" not in codes(repository)


@pytest.mark.parametrize("key", ["kind: fairness", "configuration: sha256:"])
def test_a_waiver_without_terms_has_no_effect_and_the_finding_shows_them(repository: Path, key: str) -> None:
    platform = repository / "specs/platform.yaml"
    lines = platform.read_text().splitlines(keepends=True)
    platform.write_text("".join(line for line in lines if not line.strip().startswith(key)))
    without_evidence(repository)
    findings = found(repository)
    assert {one.code for one in findings} == {"WAIV707", "EVID104"}
    shown = next(one for one in findings if one.code == "WAIV707").hint
    digest = "sha256:6754c24162ad2842b1bbb2505bd0357e7919f17aaf14fe2f068b9e6d37c5dca7"
    assert f"kind: fairness, configuration: {digest}" in shown


def test_the_digest_of_a_configuration_is_that_of_evidence() -> None:
    repository = Repository(ROOT)
    entry = next(entry for entry in repository.entries if entry.model == "fraud")
    gates = resolve(repository, entry, no_digest).plans[0].plan.gates
    content = json.loads((ROOT / "specs/risk/fraud.evidence.json").read_text())
    judged = {gate["name"]: gate["configuration"] for gate in content["predicate"]["gates"]}
    assert judged == {gate.name: configuration_digest(gate.config) for gate in gates}
