"""An editor of evidence can seal it again: every field is changed, sealed, and refused, or listed as a measurement."""

from __future__ import annotations

import copy
import datetime as dt
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from generator.gates.adapters import Outcome
from generator.gates.adapters import custom as custom_adapter
from generator.gates.adapters import drift as drift_adapter
from generator.gates.adapters import fairness as fairness_adapter
from generator.gates.adapters import metric as metric_adapter
from generator.gates.document import Evidence, evidence_bytes, own_digest, parse_evidence
from generator.gates.enforce import evidence_findings
from generator.gates.inputs import text_source
from generator.gates.measures import _reason, deciding_reasons
from generator.gates.metrics_file import Scores
from generator.gates.run import document, entry_of
from generator.plan.repository import Repository
from generator.plan.resolve import Planned, no_digest, resolve
from generator.plan.values import Gate
from generator.source.canonical import canonical_document
from generator.spec.evidence import EvidenceFile, Measure, Source
from generator.spec.gates import GATE_KINDS
from tests.gates.models import ROOT
from tests.gates.tables import report_of

TODAY = dt.date(2026, 11, 30)
NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
EXAMPLES = ("risk/fraud", "shop/recommender", "support/ticket-classifier")
ALL = frozenset(kind.kind for kind in GATE_KINDS)
FILES = frozenset({"tests", "metric", "custom", "fairness"})
NEVER: frozenset[str] = frozenset()
GATE, MEASURE = "predicate.gates", "predicate.gates.measures"

FREE: dict[str, frozenset[str]] = {
    "schema": NEVER,
    "_type": NEVER,
    "predicateType": NEVER,
    "digest": NEVER,
    "subject": NEVER,
    "subject.name": NEVER,
    "subject.digest": NEVER,
    "subject.digest.sha256": NEVER,
    "predicate": NEVER,
    "predicate.gateKeys": NEVER,
    "predicate.data": NEVER,
    "predicate.sluice": NEVER,  # the gate keys contain it
    "predicate.created": NEVER,
    "predicate.created.start": NEVER,
    "predicate.created.end": NEVER,
    GATE: NEVER,
    f"{GATE}.name": NEVER,
    f"{GATE}.kind": NEVER,
    f"{GATE}.configuration": NEVER,
    f"{GATE}.tool": frozenset({"custom"}),  # the program of the team names itself
    f"{GATE}.toolVersion": frozenset({"custom"}),
    f"{GATE}.environment": NEVER,
    f"{GATE}.image": NEVER,
    f"{GATE}.binding": frozenset({"tests", "metric", "fairness"}),  # whether a report named its model
    f"{GATE}.sources": NEVER,
    f"{GATE}.sources.role": NEVER,
    f"{GATE}.sources.path": frozenset({"metric", "fairness"}),  # the file name of a table of predictions
    f"{GATE}.sources.digest": FILES,  # of a report, if the repository does not have it
    MEASURE: frozenset({"custom"}),  # what a program of the team measures is its own
    f"{MEASURE}.name": frozenset({"custom"}),
    f"{MEASURE}.value": frozenset({"custom", "drift", "metric"}),  # measurements
    f"{MEASURE}.interval": frozenset({"custom"}),
    f"{MEASURE}.interval.low": frozenset({"custom", "explain", "metric"}),  # of bootstraps
    f"{MEASURE}.interval.high": frozenset({"custom", "explain", "metric"}),
    f"{MEASURE}.bound": frozenset({"custom"}),
    f"{MEASURE}.threshold": frozenset({"custom"}),
    f"{MEASURE}.samples": frozenset(
        {"custom", "drift", "explain", "metric"}
    ),  # rows that the spec does not give
    f"{MEASURE}.parts": NEVER,
    f"{MEASURE}.details": frozenset(
        {"drift", "explain"}
    ),  # dates, p-values within approximations, explainers
    f"{MEASURE}.verdict": NEVER,
    f"{MEASURE}.reason": NEVER,
    f"{GATE}.verdict": NEVER,
    f"{GATE}.reason": NEVER,
    f"{GATE}.start": NEVER,
    f"{GATE}.end": NEVER,
    f"{GATE}.digest": NEVER,
}
"""Kinds of gates in which a field is what a gate measured or read, by field; nothing in git can tell another value."""


def fields(record: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The fields of a record, and of the records in it."""
    for name, found in record.model_fields.items():
        path = f"{prefix}{found.alias or name}"
        yield path
        for inner in (found.annotation, *getattr(found.annotation, "__args__", ())):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from fields(inner, f"{path}.")


def test_every_field_of_the_schema_is_classified() -> None:
    assert set(fields(EvidenceFile)) == set(FREE)
    assert all(kinds <= ALL for kinds in FREE.values())


def planned_of(root: Path, name: str) -> Planned:
    repository = Repository(root)
    entry = next(entry for entry in repository.entries if entry.name == name)
    found = resolve(repository, entry, no_digest)
    assert not found.findings, found.findings
    return found.plans[-1]


OWN = "registry.example.com/checks@sha256:" + "c" * 64
GATES = f"""
  gates:
    - {{name: odds, fairness: equalised-odds-difference, sensitive: [gender], atMost: 0.2, data: "dvc:data/train.parquet"}}
    - {{name: ratio, fairness: demographic-parity-ratio, sensitive: [gender], atLeast: 0.5, tool: aequitas}}
    - {{name: psi, drift: {{reference: "dvc:data/train.parquet", current: "dvc:data/prod-30d.parquet", features: [amount]}}, tool: psi, rows: 5000}}
    - {{name: chi2, drift: {{reference: "dvc:data/train.parquet", current: "dvc:data/prod-30d.parquet", features: [hour]}}, tool: chi2}}
    - {{name: scores, metric: auc, atLeast: 0.7, against: champion, noWorseBy: 1pp, rows: 4000}}
    - {{name: run, metric: log_loss, atMost: 0.5, source: "mlflow:0123456789abcdef", rows: 4000}}
    - {{name: own, custom: "{OWN}"}}
  rollout:"""


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> tuple[Planned, dict[str, Any]]:
    """A plan with a gate of each form that the examples lack, and evidence that its gates passed."""
    root = tmp_path_factory.mktemp("others")
    shutil.copytree(ROOT / "specs", root / "specs")
    spec = root / "specs/risk/fraud.yaml"
    text = spec.read_text()
    start, end = text.index("\n  gates:"), text.index("\n  rollout:")
    spec.write_text(text[:start] + GATES + text[end:].removeprefix("\n  rollout:"))
    planned = planned_of(root, "risk/fraud")
    entries = [entry_of(gate, outcome(planned, gate), lambda: NOW) for gate in planned.plan.gates]
    content = document("risk/fraud", [planned.plan.gate_key], planned.source.lock, entries)
    assert {entry.verdict for entry in entries} == {"pass"}, [entry.reason for entry in entries]
    return planned, json.loads(evidence_bytes(content))


def outcome(planned: Planned, gate: Gate) -> Outcome:
    """What the gate's tool would leave."""
    return OUTCOMES[gate.name](planned, gate)


def data_source(planned: Planned, ref: str) -> Source:
    return Source(role="data", path=ref, digest=dict(planned.plan.data)[ref])


TRAIN, RECENT = "dvc:data/train.parquet", "dvc:data/prod-30d.parquet"
COUNTS = {"rows": 4000, "selected": 1010, "positives": 1000, "truePositives": 800, "falsePositives": 210}


def _odds(planned: Planned, gate: Gate) -> Outcome:
    groups = {name: dict(COUNTS) for name in ("female", "male", "other")}
    groups["male"] |= {"selected": 1020, "truePositives": 810}
    found = fairness_adapter.measure_from_report(
        gate.spec, "gender", {"value": 0.01, "binary": True, "groups": groups}
    )
    return Outcome.of(report_of(gate, {}), "digest", (data_source(planned, TRAIN),), (found,))


def _ratio(planned: Planned, gate: Gate) -> Outcome:
    groups = {name: dict(COUNTS) for name in ("female", "male", "other")}
    found = fairness_adapter.measure_from_report(
        gate.spec, "gender", {"value": 1.0, "binary": True, "groups": groups}
    )
    table = text_source("predictions", "predictions.csv", "rows")
    return Outcome.of(report_of(gate, {}), "time", (table,), (found,))


def _drift(feature: dict[str, Any]) -> Callable[[Planned, Gate], Outcome]:
    def run(planned: Planned, gate: Gate) -> Outcome:
        content = {"features": dict.fromkeys(gate.spec.drift.features, feature), "dates": {}}
        found = drift_adapter.measures_from_report(gate.spec, content)
        sources = (data_source(planned, TRAIN), data_source(planned, RECENT))
        return Outcome.of(report_of(gate, {}), "data", sources, found)

    return run


def _scores(planned: Planned, gate: Gate) -> Outcome:
    scores = Scores(0.85, 4000, 0.84)
    found = [
        *metric_adapter.bounds(gate.spec, scores, guaranteed=True),
        metric_adapter.not_worse(gate.spec, scores, {}),
    ]
    return Outcome(
        "metrics file", "json", "digest", (text_source("report", "metrics.json", "{}"),), tuple(found)
    )


def _run(planned: Planned, gate: Gate) -> Outcome:
    found = metric_adapter.bounds(gate.spec, Scores(0.4, 4000), guaranteed=True)
    report = report_of(gate, {})
    return Outcome.of(report, "digest", (text_source("report", gate.spec.source, "{}"),), tuple(found))


def _own(planned: Planned, gate: Gate) -> Outcome:
    text = json.dumps(
        {
            "tool": "toxicity",
            "version": "1",
            "model": planned.plan.version.digest,
            "measures": [
                {
                    "name": "toxic",
                    "value": 0.01,
                    "bound": "atMost",
                    "threshold": 0.02,
                    "interval": {"low": 0.005, "high": 0.015},
                    "samples": {"answers": 900},
                }
            ],
        }
    )
    return custom_adapter.outcome_of(text, planned.plan.version.digest, text_source("report", OWN, text))


OUTCOMES: dict[str, Callable[[Planned, Gate], Outcome]] = {
    "odds": _odds,
    "ratio": _ratio,
    "psi": _drift({"distance": 0.05, "rows": [5000, 5000], "bins": 10, "missing": [0.0, 0.0]}),
    "chi2": _drift(
        {
            "distance": 0.01,
            "rows": [5000, 5000],
            "p": 0.9625657732472964,  # scipy.stats.chi2.sf(1, 5)
            "categories": 6,
            "smallestExpected": 50.0,
            "missing": [0.0, 0.0],
        }
    ),
    "scores": _scores,
    "run": _run,
    "own": _own,
}


def example(name: str) -> tuple[Planned, dict[str, Any]]:
    raw = json.loads((ROOT / f"specs/{name}.evidence.json").read_text())
    return enforced(planned_of(ROOT, name)), raw


def enforced(planned: Planned) -> Planned:
    """The same plan in a tier that enforces gates in git, with no waivers."""
    from dataclasses import replace

    gates = tuple(replace(gate, waiver=None) for gate in planned.plan.gates)
    return replace(planned, plan=replace(planned.plan, enforcement=("git",), gates=gates))


def resealed(data: dict[str, Any], *, reword: bool = True, seal: bool = True) -> bytes:
    """The document as a careful liar would leave it: reasons and digests follow from what it says now."""
    if not seal:
        return canonical_document(data).encode()
    for entry in data["predicate"]["gates"]:
        if reword:
            _reword(entry)
        if isinstance(entry, dict) and "digest" in entry:
            entry["digest"] = own_digest(entry)
    if "digest" in data:
        data["digest"] = own_digest(data)
    return canonical_document(data).encode()


def _reword(entry: dict[str, Any]) -> None:
    """Write the reasons again, with the remarks that were there."""
    try:
        measures = [Measure.model_validate(one) for one in entry["measures"]]
    except (ValueError, TypeError, KeyError):
        return
    for raw, measure in zip(entry["measures"], measures, strict=True):
        head, remark, tail = raw["reason"].partition("; ")
        del head
        raw["reason"] = _reason(measure, measure.verdict, "") + remark + tail
    if measures:
        entry["reason"] = deciding_reasons([Measure.model_validate(one) for one in entry["measures"]])


def codes(planned: Planned, raw: bytes) -> set[str]:
    """The errors about a document."""
    evidence = Evidence("x.evidence.json", "a/b")
    parse_evidence(raw, evidence)
    found = evidence_findings(planned, evidence, TODAY)
    return {finding.code for finding in found if finding.severity == "error"}


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value in a document, with its path; lists and mappings as well."""
    yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from leaves(item, (*path, key))


def other_values(value: Any) -> Iterator[Any]:
    """Other values of the same form."""
    if isinstance(value, bool) or value is None:
        yield {"low": 0.0, "high": 1.0}
        yield "sha256:" + "0" * 64
    elif isinstance(value, (int, float)):
        yield from (value + 1, value * 2 + 3, -value - 1, 0 if value else 5, value * 0.5 + 1e-3, 10**9)
    elif isinstance(value, str):
        yield from _texts(value)
    elif isinstance(value, list):
        yield []
        yield [*value, *value[-1:]]
        yield value[:-1]
        yield value[::-1]
    elif isinstance(value, dict):
        yield {}
        yield {**value, "more": 1}
        if value:
            yield dict(list(value.items())[:-1])


def _texts(text: str) -> Iterator[str]:
    yield "another"
    yield ""
    yield text + "x"
    yield {"atMost": "atLeast", "atLeast": "atMost", "digest": "none", "data": "none", "pass": "fail"}.get(
        text, "none"
    )
    if text.startswith("sha256:") or len(text) == 64:
        yield text[:-1] + ("0" if text[-1] != "0" else "1")
    if text[:2] == "20" and text.endswith("Z"):
        yield "1999-01-01T00:00:00Z"
        yield "2999-01-01T00:00:00Z"
        yield "2026-11-26T00:00:00Z"


def mutated(data: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], Any, dict[str, Any]]]:
    """Every document with one lie: where, which, and the document."""
    for path, value in leaves(data):
        if not path:
            continue
        for wrong in other_values(value):
            if wrong == value:
                continue
            made = copy.deepcopy(data)
            at: Any = made
            for key in path[:-1]:
                at = at[key]
            at[path[-1]] = wrong
            yield path, wrong, made


def field_of(path: tuple[str | int, ...]) -> str:
    """The field of the schema that a path leads into."""
    names = [key for key in path if isinstance(key, str)]
    while ".".join(names) not in FREE:
        names.pop()
    return ".".join(names)


def accepted(planned: Planned, data: dict[str, Any]) -> Iterator[tuple[str, str, tuple[str | int, ...], Any]]:
    """Field, kind of gate, path and lie of every lie that is not refused."""
    gates = data["predicate"]["gates"]
    for path, lie, made in mutated(data):
        kind = gates[path[2]]["kind"] if path[:2] == ("predicate", "gates") and len(path) > 2 else ""
        try:
            own_seal = path[-1] == "digest" and path[-2:-1] != ("subject",) and len(path) in {1, 4}
            raw = resealed(made, reword=path[-1] != "reason", seal=not own_seal)
        except (ValueError, TypeError, KeyError, AttributeError):
            continue  # it is not even a document
        if not codes(planned, raw):
            yield field_of(path), kind, path, lie


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_lie_about_an_example_is_refused(name: str) -> None:
    planned, data = example(name)
    assert codes(planned, resealed(copy.deepcopy(data), reword=False)) == set()
    wrong = [found for found in accepted(planned, data) if found[1] not in FREE[found[0]]]
    assert wrong == []


def test_a_lie_about_a_gate_of_any_other_form_is_refused(others: tuple[Planned, dict[str, Any]]) -> None:
    planned, data = enforced(others[0]), others[1]
    assert codes(planned, resealed(copy.deepcopy(data), reword=False)) == set()
    wrong = [found for found in accepted(planned, data) if found[1] not in FREE[found[0]]]
    assert wrong == []


@pytest.mark.parametrize(
    "dates",
    [
        ("2027-10-24", "2027-11-22"),
        ("2026-11-22", "2026-10-24"),
        ("2026-10-24", "2026-11-26"),
        ("9999-12-31", ""),
    ],
)
def test_a_window_of_data_that_did_not_exist_is_refused(dates: tuple[str, str]) -> None:
    planned, data = example("risk/fraud")
    (drift,) = (entry for entry in data["predicate"]["gates"] if entry["kind"] == "drift")
    for stated in drift["measures"]:
        ends = zip(("current from", "current to"), dates, strict=True)
        kept = {
            key: day for key, day in stated["details"].items() if key not in {"current from", "current to"}
        }
        stated["details"] = kept | {key: day for key, day in ends if day}
    assert codes(planned, resealed(data)) == {"EVID114"}


def test_all_kinds_of_gates_are_covered(others: tuple[Planned, dict[str, Any]]) -> None:
    documents = [example(name)[1] for name in EXAMPLES] + [others[1]]
    assert {entry["kind"] for data in documents for entry in data["predicate"]["gates"]} == ALL
