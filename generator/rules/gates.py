"""Rules on gates: what a test set of a given size can prove, and what can run in the cluster."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final, TypeVar

from generator.lint.engine import Problem, rule
from generator.odds.gate_odds import share_odds
from generator.rules.context import GATES, Context, written_guards
from generator.source.document import Path
from generator.source.finding import Fix, Severity
from generator.spec.gate_data import proof_of
from generator.spec.gates import CustomGate, DriftGate, FairnessGate, MetricGate, is_share
from generator.spec.guards.fairness import FairnessGuard
from generator.spec.quantities import share_down
from generator.spec.units import percent
from generator.stats.drift import ks_critical, ks_rows, psi_rows
from generator.stats.fairness import minimum_group

G = TypeVar("G")

_POWER: Final = 0.8
_SMALLEST_GROUP: Final = 30
_MANY_ROWS: Final = 5_000
_TOO_MANY_ROWS: Final = 100_000
_PSI_BINS: Final = 10
_BY_DIGEST: Final = "@sha256:"
_PLACEHOLDER: Final = "{{"
_DRIFT: Final = """
# specs/shop/ranker.yaml
spec: {gates: [{name: drift, drift: {reference: a.csv, current: b.csv, features: [x, y]}, TEST}]}
# specs/shop/ranker.lock.yaml
data:
  a.csv: {digest: "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", resolved: a.csv}
  b.csv: {digest: "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", resolved: b.csv}
"""


def _of(kind: type[G], context: Context) -> Iterator[tuple[int, G]]:
    """Return the gates of one kind, with their positions in the spec."""
    return ((index, gate) for index, gate in enumerate(context.spec.gates) if isinstance(gate, kind))


@rule(
    "GATE301",
    "warning",
    "the test set is too small for the limit",
    scope=Context,
    why="A share passes only if its whole confidence interval does: on few rows a good model is "
    "inconclusive, which blocks it.",
    remedy="Evaluate on more rows.",
    example="spec: {gates: [{name: accuracy, metric: accuracy, atLeast: 0.92, rows: 500}]}",
    instead="spec: {gates: [{name: accuracy, metric: accuracy, atLeast: 0.92, rows: 2000}]}",
    source="Wilson: Probable Inference, Journal of the American Statistical Association 22, 1927",
)
def accuracy(context: Context) -> Iterator[Problem]:
    """Check that a model two points better than the limit passes in at least 80% of all runs."""
    for index, gate in _of(MetricGate, context):
        if gate.rows is None or not is_share(gate.metric):
            continue
        passing = _passing(context, gate, gate.rows)
        if passing is None or passing >= _POWER:
            continue
        message = (
            f"on {gate.rows:,} rows a model 2 points better than the limit of `{gate.name}` passes in only "
        )
        message += f"{share_down(passing)} of all runs"
        needed = _rows(context, gate)
        hint = f"evaluate on {needed:,} rows: {share_down(_passing(context, gate, needed) or 0.0)}"
        yield Problem((*GATES, index, "rows"), message, hint)


def _passing(context: Context, gate: MetricGate, rows: int) -> float | None:
    """Return the share of runs in which a model 2 points better than the limit passes; None without such a limit."""
    config = {"atLeast": gate.at_least, "atMost": gate.at_most}
    found = share_odds(config, rows, guaranteed=context.regulated)
    return found[1].passes if found else None


def _rows(context: Context, gate: MetricGate) -> int:
    """Return the smallest round number of rows on which such a model passes in at least 80% of all runs."""
    tried = (digit * int(10**exponent) for exponent in range(1, 9) for digit in (1, 2, 3, 5))
    return next(rows for rows in tried if (_passing(context, gate, rows) or 0.0) >= _POWER)


@rule(
    "GATE302",
    "warning",
    "the size of the test set is not declared",
    scope=Context,
    why="The value of a limit depends on its number of rows. In a tier that requires images by digest this "
    "is an error.",
    remedy="Declare `rows`: the rows of the test set, or of the smaller window.",
    example="spec: {gates: [{name: accuracy, metric: accuracy, atLeast: 0.92}]}",
    instead="spec: {gates: [{name: accuracy, metric: accuracy, atLeast: 0.92, rows: 2000}]}",
)
def rows_unknown(context: Context) -> Iterator[Problem]:
    """Check that metric gates and stability indices declare their rows."""
    computed = {i: f"`{gate.metric}`" for i, gate in _of(MetricGate, context) if gate.rows is None}
    indices = [
        i for i, gate in _of(DriftGate, context) if gate.test.statistic == "index" and gate.rows is None
    ]
    severity: Severity = "error" if context.regulated else "warning"
    for index, what in sorted((computed | dict.fromkeys(indices, "its index")).items()):
        message = f"`{context.spec.gates[index].name}` does not declare on how many rows {what} is computed"
        yield Problem((*GATES, index), message, "add `rows: …`", severity=severity)


@rule(
    "GATE303",
    "warning",
    "two models are compared by their scores alone",
    scope=Context,
    why="The predictions of both models for the same rows contain three to five times as much evidence as two scores.",
    remedy="Let the evaluation write both models' predictions for each row, and set `paired: true`.",
    example="spec: {gates: [{name: not-worse, metric: auc, against: champion, noWorseBy: 1pp, rows: 900}]}",
    instead="""
spec:
  gates: [{name: not-worse, metric: auc, against: champion, noWorseBy: 1pp, rows: 900, paired: true}]
""",
    source="McNemar: Sampling Error of the Difference Between Correlated Proportions, Psychometrika 12, 1947",
)
def unpaired(context: Context) -> Iterator[Problem]:
    """Check that comparisons with the champion are paired."""
    for index, gate in _of(MetricGate, context):
        if gate.against and not gate.paired:
            message = f"`{gate.name}` compares two scores, not two models on the same rows"
            hint = "write both models' predictions for each row and set `paired: true`: a third of the rows is enough"
            yield Problem((*GATES, index, "against"), message, hint)


@rule(
    "GATE311",
    "warning",
    "fairness is not measured for a declared attribute",
    scope=Context,
    why="The platform or the service declares the attribute as sensitive. A model that is fair by one attribute may be "
    "unfair by another.",
    remedy="Add the attribute to `sensitive`, or accept the finding with a reason.",
    example="""
spec:
  service: {attributes: {age: [young, old]}}
  gates: [{name: parity, fairness: demographic-parity-difference, sensitive: [gender], atMost: 0.1, minGroup: 200}]
""",
    instead="""
spec:
  service: {attributes: {age: [young, old]}}
  gates: [{name: parity, fairness: demographic-parity-difference, sensitive: [gender, age], atMost: 0.1, minGroup: 200}]
""",
)
def unmeasured_attributes(context: Context) -> Iterator[Problem]:
    """Check that gates, and likewise guards, measure every declared attribute if they measure any."""
    declared = {**context.platform.attributes, **context.spec.service.attributes}
    gates: list[tuple[Path, list[Any]]] = [(GATES, list(context.spec.gates))]
    for lists in (gates, list(written_guards(context))):
        fair = {
            (*path, index, "sensitive"): item.sensitive
            for path, items in lists
            for index, item in enumerate(items)
            if isinstance(item, FairnessGate | FairnessGuard)
        }
        for name in (
            sorted(declared.keys() - {name for names in fair.values() for name in names}) if fair else ()
        ):
            message = f"`{name}` is declared as sensitive, but not measured here"
            yield Problem(next(iter(fair)), message, f"add `{name}`, or accept GATE311 with a reason")


@rule(
    "GATE310",
    "warning",
    "groups are too small for the limit on fairness",
    scope=Context,
    why="The difference between small groups is large by chance: fair models fail, and the gate gets "
    "ignored. Groups below 30 rows are an error.",
    remedy="Raise `minGroup`, evaluate on more rows, or merge groups.",
    example="""
spec:
  gates: [{name: parity, fairness: demographic-parity-difference, sensitive: [gender], atMost: 0.1, minGroup: 50}]
""",
    instead="""
spec:
  gates: [{name: parity, fairness: demographic-parity-difference, sensitive: [gender], atMost: 0.1, minGroup: 200}]
""",
    repair="review",
    source="Harter: Tables of Range and Studentized Range, Annals of Mathematical Statistics 31, 1960",
)
def groups(context: Context) -> Iterator[Problem]:
    """Check the smallest group that is compared against what a fair model needs."""
    declared = {**context.platform.attributes, **context.spec.service.attributes}
    for index, gate in _of(FairnessGate, context):
        if not gate.at_most:
            continue
        counts = {name: max(2, len(declared.get(name, ()))) for name in gate.sensitive}
        widest = max(counts, key=counts.__getitem__)
        needed = max(_SMALLEST_GROUP, minimum_group(gate.at_most, counts[widest]))
        if gate.min_group >= needed:
            continue
        message = f"`{gate.name}` compares groups of {gate.min_group} rows: with {counts[widest]} groups of `{widest}` "
        message += f"a fair model needs {needed} rows in each to stay below {gate.at_most:g}"
        hint = f"write `minGroup: {needed}`: a fair model then fails in at most 5% of all runs"
        severity: Severity = "error" if gate.min_group < _SMALLEST_GROUP else "warning"
        fix = Fix((*GATES, index, "minGroup"), needed)
        yield Problem((*GATES, index, "minGroup"), message, hint, fix=fix, severity=severity)


@rule(
    "GATE321",
    "warning",
    "the drift limit is within chance variation of a large sample",
    scope=Context,
    why="With enough rows every difference is significant, so the gate needs a minimum effect size. One "
    "that chance reaches with 100,000 rows is an error.",
    remedy="Raise `atMost`; 0.1 is a shift by a quarter of a standard deviation.",
    example=_DRIFT.replace("TEST", "tool: ks, atMost: 0.02"),
    instead=_DRIFT.replace("TEST", "tool: ks, atMost: 0.1"),
    repair="review",
    source="Smirnov: Table for Estimating the Goodness of Fit, Annals of Mathematical Statistics 19, 1948",
)
def drift_floor(context: Context) -> Iterator[Problem]:
    """Check the smallest distance that counts against what chance leaves between two samples of 5,000 rows."""
    warned, refused = (ks_critical(rows, rows, 0.05) for rows in (_MANY_ROWS, _TOO_MANY_ROWS))
    for index, gate in _of(DriftGate, context):
        if gate.test.statistic != "distance" or gate.at_most is None or gate.at_most >= warned:
            continue
        rows = math.floor(ks_rows(gate.at_most))
        message = (
            f"the distance {gate.at_most:g} of `{gate.name}` is what chance leaves between two samples of "
        )
        message += f"{rows:,} rows: on more rows only the p-value decides"
        severity: Severity = "error" if gate.at_most < refused else "warning"
        path = (*GATES, index, "atMost")
        hint = "write 0.1, a shift by a quarter of a standard deviation"
        yield Problem(path, message, hint, fix=Fix(path, 0.1), severity=severity)


@rule(
    "GATE322",
    "warning",
    "there are too few rows for the limit of a stability index",
    scope=Context,
    why="The index of two small samples is large by chance: without any drift the gate stops the release. Below "
    "half of the rows needed this is an error.",
    remedy="Compare more rows, or raise `atMost`.",
    example=_DRIFT.replace("TEST", "tool: psi, rows: 150"),
    instead=_DRIFT.replace("TEST", "tool: psi, rows: 500"),
    source="Yurdakul, Naranjo: Statistical Properties of the Population Stability Index, Journal of Risk Model "
    "Validation 14, 2020",
)
def stability_rows(context: Context) -> Iterator[Problem]:
    """Check that without drift an index exceeds its limit in at most the declared share of all runs."""
    for index, gate in _of(DriftGate, context):
        if gate.test.statistic != "index" or gate.rows is None:
            continue
        needed = math.ceil(psi_rows(_PSI_BINS, gate.floor, gate.alpha / len(gate.drift.features)))
        if gate.rows < needed:
            message = f"on {gate.rows:,} rows per window the index of `{gate.name}` exceeds {gate.floor:g} by chance"
            hint = f"compare {needed:,} rows: without drift it then fails in at most {percent(gate.alpha)} of all runs"
            severity: Severity = "error" if 2 * gate.rows < needed else "warning"
            yield Problem((*GATES, index, "rows"), message, hint, severity=severity)


@rule(
    "TIER343",
    "error",
    "nothing proves which rows a gate read",
    scope=Context,
    why="Rows of a table can change between the gate and an audit: the digest in the evidence is that of the query, "
    "not of the data.",
    remedy="Export the rows to files, and name these as `data`.",
    example="""
# specs/platform.yaml
spec: {gates: {engines: {lake: trino}}, tiers: {standard: {requires: {boundData: true}}}}
# specs/shop/ranker.yaml
spec:
  gates: [{name: drift, drift: {reference: a.csv, current: {table: seen, engine: lake}, features: [x, y]}}]
# specs/shop/ranker.lock.yaml
data:
  a.csv: {digest: "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", resolved: a.csv}
  "table:seen@lake":
    digest: "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
    resolved: "table:seen@lake"
""",
    instead="""
# specs/platform.yaml
spec: {tiers: {standard: {requires: {boundData: true}}}}
# specs/shop/ranker.yaml
spec:
  gates: [{name: drift, drift: {reference: a.csv, current: {data: "b/*.csv"}, features: [x, y]}}]
# specs/shop/ranker.lock.yaml
data:
  a.csv: {digest: "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", resolved: a.csv}
  "b/*.csv": {digest: "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", resolved: "b/*.csv"}
""",
)
def unbound_data(context: Context) -> Iterator[Problem]:
    """Check that gates read files if the tier requires data that a digest proves."""
    if not context.tier.requires.bound_data:
        return
    related = (
        (
            f"required by the tier `{context.plan.identity.tier}`",
            context.tier_place("requires", "boundData"),
        ),
    )
    for index, gate in enumerate(context.spec.gates):
        for part, source in gate.needs.sources.items():
            if proof_of(source) == "unbound":
                message = f"the tier `{context.plan.identity.tier}` requires data that a digest proves, but "
                message += f"`{gate.name}` reads `{source.name}`"
                hint = "export them to files, and name these as `data`"
                yield Problem((*GATES, index, *part), message, hint, related)


@rule(
    "GATE330",
    "error",
    "a custom gate can't run in the cluster",
    scope=Context,
    why="A command in your repository is not in any image: its gate would be inconclusive and block every release.",
    remedy="Put the program into an image and name it by digest, or let the tier enforce gates in git only.",
    example="spec: {gates: [{name: own, custom: python checks/own.py}]}",
    instead="""
spec:
  gates:
    - name: own
      custom: registry.example.com/checks@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
""",
)
def commands(context: Context) -> Iterator[Problem]:
    """Check that custom gates are images if the tier enforces gates in the cluster."""
    for index, gate in _custom_in_cluster(context):
        if _BY_DIGEST not in gate.custom:
            tier = context.plan.identity.tier
            message = f"`{gate.name}` is a command, and the tier `{tier}` runs gates in the cluster"
            yield Problem((*GATES, index, "custom"), message, "name an image by digest: name@sha256:…")


@rule(
    "GATE331",
    "error",
    "Argo Workflows would change an image or an argument",
    scope=Context,
    why="Argo replaces text in double braces, and fails on unknown names.",
    remedy="Write it without double braces.",
    example="""
spec:
  gates:
    - name: own
      custom: registry.example.com/checks@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      args: ["{{json}}"]
""",
    instead="""
spec:
  gates:
    - name: own
      custom: registry.example.com/checks@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      args: ["json"]
""",
    source="Argo Workflows 3.7, util/template",
)
def placeholders(context: Context) -> Iterator[Problem]:
    """Check that images and arguments of custom gates have no placeholder of Argo."""
    for index, gate in _custom_in_cluster(context):
        if _PLACEHOLDER in gate.custom:
            message = f"Argo Workflows would replace a part of the image of `{gate.name}`"
            yield Problem((*GATES, index, "custom"), message, "remove the double braces")
        for position, argument in enumerate(gate.args):
            if _PLACEHOLDER in argument:
                message = f"Argo Workflows would replace a part of this argument of `{gate.name}`"
                yield Problem((*GATES, index, "args", position), message, "remove the double braces")


def _custom_in_cluster(context: Context) -> Iterator[tuple[int, CustomGate]]:
    return _of(CustomGate, context) if "cluster" in context.tier.evidence else iter(())
