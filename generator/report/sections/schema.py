"""The JSON Schema of `sluice plan --format json`."""

from __future__ import annotations

from typing import Any, get_args

from generator.gates.gate_status import State
from generator.plan.layers import Source
from generator.plan.timeline import EventKind
from generator.report.formats.json_schema import closed
from generator.routers import ROUTERS
from generator.spec.guards import KINDS
from generator.spec.guards.base import NoDataPolicy

Node = dict[str, Any]
SCHEMA = "sluice/plan/v1"


def plan_schema() -> Node:
    """What a plan document holds; keys change only with `sluice/plan/v1`."""
    plan = closed(
        release=_release(),
        timeline=_timeline(),
        guards=_guards(),
        odds=_odds(),
        cost=_cost(),
        gates=_gates(),
        abort=_list(closed(stage=_text("When."), effects=_texts("What happens, in order.")), "By stage."),
        not_covered=_list(
            closed(topic=_text("A stable word for programs."), text=_text("For people.")),
            "What nothing watches.",
        ),
        powers=_list(
            closed(who=_text("Who."), may=_text("What."), how=_text("By what means.")), "Who may do what."
        ),
        values=_list(_value(), "Every value of the spec, and who decided it."),
    )
    document = closed(
        schema={"const": SCHEMA, "description": "The version of this document."},
        plans=_list(plan, "One an environment, in the platform's order."),
    )
    document["properties"]["diff"] = {
        "type": "object",
        "description": "With --against: what differs, as sluice/diff/v1 has it.",
    }
    return {"description": "What a release will do. Shares are fractions, times are seconds.", **document}


def _cost() -> Node:
    need = closed(
        pods=_count("How many."),
        cpu={"type": "number", "description": "Cores."},
        memory=_count("Bytes."),
        gpu={"type": "integer", "minimum": 0, "description": "Devices."},
    )
    amount = _maybe("number", "In the prices' currency; null without prices.")
    return closed(
        needs=closed(usual=need, scaled_up=need, during_a_release=need),
        monthly={
            "type": ["object", "null"],
            "additionalProperties": {"type": "number"},
            "description": "By size.",
        },
        per_release=amount,
        currency=_maybe("string", "ISO 4217."),
        budget=_maybe("number", "Of the team, a month."),
        quota={"type": ["object", "null"], "description": "Of the team, in one environment."},
    )


def _release() -> Node:
    version = closed(
        ref=_text("As the spec asks."),
        resolved=_text("What the lock says it means."),
        label=_text("Version of the model."),
        digest=_text("Digest of the model's files."),
    )
    image = closed(reference=_text("What the pods run."), by_digest={"type": "boolean"})
    pods = closed(
        least=_count("Fewest pods of the stable version."),
        most=_count("Most pods of the stable version."),
        peak=_count("Most pods at once during the release."),
    )
    return closed(
        team=_text("The team."),
        model=_text("The model."),
        environment=_text("The environment."),
        tier=_text("The tier."),
        owner=_text("Who is asked."),
        namespace=_text("Namespace of the pods."),
        version=version,
        image=image,
        router={"enum": list(ROUTERS)},
        hosts=_texts("Host names of live requests."),
        strategy={"enum": ["canary", "blue-green"]},
        pods=pods,
        bundle=_text("Folder below `rendered/`."),
    )


def _timeline() -> Node:
    event = closed(
        kind={"enum": list(get_args(EventKind))},
        text=_text("What happens, for people."),
        start_s=_maybe("number", "Seconds since `after`; null before the clock runs.", minimum=0),
        end_s=_maybe("number", "Seconds since `after`; null when nobody can know.", minimum=0),
        after=_text("The approval that the seconds count from; empty for the start."),
        stops=_texts("Guards and people that can stop it."),
        step=_maybe("integer", "Position among the spec's steps.", minimum=0),
        weight=_maybe(
            "number", "Share of live requests; null where it does not change.", minimum=0, maximum=1
        ),
    )
    return closed(
        planned_s={"type": "number", "minimum": 0, "description": "All planned waiting, approvals left out."},
        approvals=_texts("Whom it waits for, as long as they take."),
        events=_list(event, "In order."),
    )


def _guards() -> Node:
    guard = closed(
        name=_text("The guard."),
        stage={"enum": ["shadow", "canary", "watch"]},
        kind={"enum": sorted(KINDS)},
        subject=_text("What it watches."),
        ratio=_maybe("number", "Event ratio to detect, new to stable version; null for an absolute bound."),
        limit=_maybe("number", "Absolute bound; null for a comparison."),
        at_most={"type": "boolean", "description": "Whether the bound is an upper one."},
        baseline=_maybe("number", "Events per request of the stable version."),
        delay_s={"type": "number", "description": "Mean delay of the event."},
        bound_s=_maybe("number", "Latency bound."),
        alpha=_maybe("number", "Chance of a false rollback that it may spend."),
        attributes={"type": "object", "additionalProperties": _texts("Declared values.")},
        no_data={"enum": list(get_args(NoDataPolicy))},
    )
    risk = closed(
        false_rollback={"type": "number", "description": "Accepted chance to roll back a good version."},
        power={"type": "number", "description": "Wanted chance to catch a bad one."},
        max_exposed=_maybe("integer", "Requests that a bad version may answer, on average."),
    )
    return closed(risk=risk, guards=_list(guard, "In the spec's order."))


def _odds() -> Node:
    """What the statistics say (keys of `generator.stats.odds.GuardOdds`; each test adds some of its own)."""
    guard = closed(
        name=_text("The guard."),
        test=_text("Its decision rule."),
        detect={"type": "number", "description": "Relative change it must catch; a drop is negative."},
        power=_share("Chance that a version with that change is rolled back."),
        power_by_step=_list(_share("By the end of one weight step."), "In the order of steps."),
        false_rollback=_share("Chance that a good version is rolled back."),
        detect_mean_s=_maybe("number", "Mean time to a rollback."),
        detect_p90_s=_maybe("number", "Time by which nine of ten rollbacks have happened."),
        exposed_mean=_maybe("number", "Mean requests that a bad version has answered by then."),
        exposed_if_missed={"type": "number", "description": "Requests it answers when nothing stops it."},
        lost_outcomes_mean=_maybe("number", "Mean good outcomes missed, or bad ones caused."),
        smallest_caught=_maybe("number", "Smallest change that is caught with the wanted power."),
        mde_at_power=_maybe("number", "Smallest change that a guard made for it would catch."),
        planned_requests=_list({"type": "number"}, "By the end of each weight step."),
    )
    gate = closed(
        name=_text("The gate."),
        rows=_count("Rows of its test set, or of each group."),
        passes_if_2_points_too_bad=_share(
            "Chance to pass a model two points on the wrong side of the limit."
        ),
        fails_if_2_points_better=_share("Chance to fail a good one: two points on the right side, or fair."),
        undecided_if_2_points_better=_share("Chance to leave a good one undecided, which blocks it too."),
    )
    odds = closed(
        guards=_list({**guard, "additionalProperties": True}, "Guards that can be priced."),
        unpriced={"type": "object", "additionalProperties": _text("Why.")},
        gates=_list(gate, "Gates that can be priced."),
        family_false_rollback=_maybe("number", "Chance that any guard rolls a good version back: expected."),
        family_false_rollback_bound=_maybe(
            "number", "The same: what it can't exceed; null where a guard has no odds and promises nothing."
        ),
        planned_requests=_list({"type": "number"}, "By the end of each weight step; a canary has it."),
    )
    return {**odds, "required": [key for key in odds["required"] if key != "planned_requests"]}


def _gates() -> Node:
    waiver = closed(
        gate=_text("The gate."), reason=_text("Why."), approved_by=_text("Role."), until=_text("Last day.")
    )
    gate = closed(
        name=_text("The gate."),
        kind=_text("What it judges."),
        tool=_text("What computes it."),
        config={"type": "object", "description": "What its key covers."},
        waiver={"anyOf": [waiver, {"type": "null"}]},
        state={
            "enum": list(get_args(State)),
            "description": "The verdict of the evidence beside the spec, or why there is none that counts.",
        },
        reason=_text("Why, in one sentence."),
        judged_at=_maybe("string", "RFC 3339, UTC; null when nothing was judged."),
    )
    return closed(
        key=_text("SHA-256 of model, data, configuration and gate image."),
        enforced=_texts("Where: git, cluster."),
        gates=_list(gate, "In the spec's order."),
    )


def _value() -> Node:
    return closed(
        path=_text("Key path in the spec."),
        value={"description": "Shares are fractions, times are seconds."},
        written={"description": "As the file says it."},
        source={"enum": list(get_args(Source)), "description": "Who decided."},
        file=_maybe("string", "File that says so; null for a default."),
        line=_maybe("integer", "1-based line.", minimum=1),
    )


def _list(items: Node, description: str) -> Node:
    return {"type": "array", "items": items, "description": description}


def _text(description: str) -> Node:
    return {"type": "string", "description": description}


def _texts(description: str) -> Node:
    return _list({"type": "string"}, description)


def _share(description: str) -> Node:
    return {"type": "number", "minimum": 0, "maximum": 1, "description": description}


def _count(description: str) -> Node:
    return {"type": "integer", "minimum": 1, "description": description}


def _maybe(kind: str, description: str, **bounds: float) -> Node:
    return {"type": [kind, "null"], **bounds, "description": description}
