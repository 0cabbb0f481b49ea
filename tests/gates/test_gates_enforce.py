"""What lets a plan be rendered, and what does not: every reason, and waivers that end."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from generator.gates.adapters import Outcome
from generator.gates.document import Evidence, read_evidence
from generator.gates.enforce import evidence_findings
from generator.gates.measures import measure
from generator.gates.run import document, entry_of
from generator.plan.repository import Repository
from generator.plan.resolve import Planned, no_digest, resolve
from generator.plan.values import Gate
from generator.report.codes import all_codes
from generator.spec.evidence import EvidenceEntry
from tests.gates.models import ROOT

TODAY = dt.date(2026, 11, 23)
NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Planned:
    """The fraud model in production; its gate `parity` is waived until 2027-01-31."""
    root = tmp_path_factory.mktemp("repository")
    shutil.copytree(ROOT / "specs", root / "specs")
    repository = Repository(root)
    entry = next(entry for entry in repository.entries if entry.model == "fraud")
    return resolve(repository, entry, no_digest).plans[-1]


@pytest.fixture
def judge(planned: Planned):
    """Findings for gates with these values (`None`: no number); the others passed, as in the committed evidence."""
    committed = read_evidence(ROOT / "specs/risk/fraud.evidence.json", ROOT, "risk/fraud").content
    passed = {entry.name: entry for entry in committed.predicate.gates}

    def run(today: dt.date = TODAY, planned: Planned = planned, **values):
        def entry(gate: Gate) -> EvidenceEntry:
            if gate.name not in values:
                return passed[gate.name]
            found = measure("m", values[gate.name], "atMost", 0.5)
            return entry_of(gate, Outcome("tool", "1", "data", (), (found,)), lambda: NOW)

        entries = [entry(gate) for gate in planned.plan.gates if values.get(gate.name) != "missing"]
        content = document("risk/fraud", [planned.plan.gate_key], planned.source.lock, entries)
        evidence = Evidence("specs/risk/fraud.evidence.json", "risk/fraud", content)
        return evidence, evidence_findings(planned, evidence, today)

    return run


def told(findings) -> list[tuple[str, str, str]]:
    return [(finding.code, finding.severity, finding.path) for finding in findings]


def test_good_evidence_says_nothing(judge) -> None:
    assert judge()[1] == []


@pytest.mark.parametrize(
    ("value", "code"),
    [(1.0, "EVID108"), (None, "EVID109"), ("missing", "EVID107")],
    ids=["fail", "none", "missing"],
)
def test_a_gate_that_did_not_pass_refuses(judge, value, code) -> None:
    _, findings = judge(drift=value)
    assert told(findings) == [(code, "error", "drift")]
    assert findings[0].hint == "run it: sluice gates run risk/fraud --gate drift"


@pytest.mark.parametrize("value", [1.0, None, "missing"])
def test_a_waiver_lets_its_gate_be_and_no_other(judge, value) -> None:
    _, findings = judge(parity=value, drift=1.0)
    assert sorted(told(findings)) == [("EVID108", "error", "drift"), ("EVID111", "info", "parity")]
    waived = next(finding for finding in findings if finding.path == "parity")
    assert "model-risk" in waived.hint
    assert "2027-01-31" in waived.hint


def test_a_waiver_lasts_to_the_end_of_its_last_day(judge) -> None:
    assert judge(dt.date(2027, 1, 31), parity=1.0)[1][0].severity == "info"
    assert judge(dt.date(2027, 2, 1), parity=1.0)[1][0].severity == "error"


def test_a_waiver_that_is_not_needed_is_silent(judge) -> None:
    assert judge()[1] == []


def lasting(planned: Planned, days: int) -> Planned:
    """The same plan in a tier that lets evidence count for some days."""
    platform = planned.source.platform
    tier = platform.tiers["regulated"]
    requires = tier.requires.model_copy(update={"evidence_age": days})
    tiers = {"regulated": tier.model_copy(update={"requires": requires})}
    return replace(
        planned, source=replace(planned.source, platform=platform.model_copy(update={"tiers": tiers}))
    )


@pytest.mark.parametrize(("day", "refused"), [(30, set()), (31, {"EVID110"}), (-1, set()), (-2, {"EVID114"})])
def test_evidence_ages_and_none_comes_from_the_future(judge, planned: Planned, day, refused) -> None:
    _, findings = judge(TODAY + dt.timedelta(day), lasting(planned, 30))
    assert {finding.code for finding in findings if finding.severity == "error"} == refused
    assert judge(TODAY + dt.timedelta(60))[1] == []  # a tier that says nothing


def test_no_evidence_refuses_all_that_is_not_waived(planned: Planned) -> None:
    none = Evidence("x", "risk/fraud", exists=False)
    findings = evidence_findings(planned, none, TODAY)
    assert sorted(told(findings)) == [("EVID104", "error", ""), ("EVID111", "info", "parity")]
    assert "`drift`" in findings[-1].message or "`drift`" in findings[0].message


def test_evidence_that_can_not_be_believed_refuses_even_what_is_waived(planned: Planned) -> None:
    evidence = Evidence("x", "risk/fraud")
    evidence.reject("EVID102", "this document was changed")
    assert [finding.code for finding in evidence_findings(planned, evidence, TODAY)] == ["EVID102"]


def test_another_model_other_data(judge, planned: Planned) -> None:
    evidence, _ = judge()
    other = replace(
        planned,
        plan=replace(planned.plan, version=replace(planned.plan.version, digest="sha256:" + "0" * 64)),
    )
    assert [f.code for f in evidence_findings(other, evidence, TODAY)] == ["EVID105"]
    lock = planned.source.lock.model_copy(update={"data": {}})
    moved = replace(planned, source=replace(planned.source, lock=lock))
    assert [f.code for f in evidence_findings(moved, evidence, TODAY)] == ["EVID106"]


def test_another_threshold_is_another_gate(judge, planned: Planned) -> None:
    evidence, _ = judge()
    gates = tuple(replace(gate, config={**gate.config, "atMost": 0.3}) for gate in planned.plan.gates)
    stricter = replace(planned, plan=replace(planned.plan, gates=gates))
    codes = {f.code for f in evidence_findings(stricter, evidence, TODAY) if f.severity == "error"}
    assert codes == {"EVID107"}


def test_tiers_that_enforce_in_the_cluster_alone_ask_for_nothing(planned: Planned) -> None:
    cluster = replace(planned, plan=replace(planned.plan, enforcement=("cluster",)))
    assert evidence_findings(cluster, Evidence("x", "risk/fraud", exists=False), TODAY) == []


def test_every_code_is_explained() -> None:
    source = "".join(path.read_text() for path in Path(ROOT, "generator", "gates").glob("*.py"))
    explained = {code for code in all_codes() if code.startswith("EVID")}
    assert set(re.findall(r"EVID\d{3}", source)) == explained
