"""The shadow of a release that Sluice rendered: copies of requests before the first step, and the guards on them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from generator.lint import TreeMetric, as_int, as_map, as_text, each, go_duration, pause_seconds
from generator.pipeline.imports.account import Account
from generator.pipeline.imports.family import Family
from generator.pipeline.imports.own import THRESHOLD, selectors
from generator.plan.names import Names
from generator.source.document import Path
from generator.spec.guards.base import attribute_metric
from generator.spec.units import duration, percent

_WATCH, _EVIDENCE = "shadow-watch", "shadow-evidence"
_GROUPS: Final = "sluice_group_positives_total"
_WINDOW: Final = re.compile(r"\[(\w+)\]")
_LONGEST_WINDOW_S: Final = 7 * 86400.0
_NAME: Final = "parity"


def read_shadow(family: Family, steps: Sequence[tuple[Path, Mapping[str, Any]]]) -> int:
    """Write `rollout.shadow` of a spec, and return how many of its first steps the shadow is."""
    model = Names(family.name).model
    if "model" not in family.spec or not steps or steps[0][1].get("setWeight") != 0:
        return 0
    copied = next(_percents(family, Names(family.name).shadow), None)
    if copied is None:
        return 0
    number, held = 1, 0.0
    for _, step in steps[1:]:
        pause = as_map(step.get("pause")).get("duration")
        names = {
            as_text(ref.get("templateName"))
            for _, ref in each(as_map(step.get("analysis")).get("templates"), ())
        }
        if pause is None and not (names and names <= {f"{model}-{_WATCH}", f"{model}-{_EVIDENCE}"}):
            break
        held += max(0, pause_seconds(pause)) if pause is not None else 0.0
        number += 1
    watched = [one for one in family.release.metrics if one.template.name == f"{model}-{_WATCH}"]
    shadow: dict[str, Any] = {"percent": percent(copied), "hold": duration(held or _held(watched))}
    guards = own_parity(family, watched)
    if guards:
        shadow["guards"] = guards
    for path, _ in steps[:number]:
        family.main.take(path, "rollout.shadow")
    for account in family.accounts:
        if account.item.name in {f"{model}-{_WATCH}", f"{model}-{_EVIDENCE}"}:
            account.take(("spec",), "rollout.shadow")
    family.spec["rollout"]["shadow"] = shadow
    return number


def _percents(family: Family, name: str) -> Iterator[float]:
    """Yield the shares of the requests that a route copies to the Service of the shadow, and take them."""
    for account in family.accounts:
        for path, key in _mirrors(account, name):
            value = account.get(*path, key)
            copied = as_int(value, 100) / 100
            if 0 < copied <= 1:
                account.take(path, "rollout.shadow.percent")
                yield copied


def _mirrors(account: Account, name: str) -> Iterator[tuple[Path, str]]:
    """Yield the places of the mirrors to a Service, each with the key of its percentage."""
    rules: Path = ("spec", "rules")
    for path, rule in each(account.get(*rules), rules):
        for at, one in each(rule.get("filters"), (*path, "filters")):
            mirror = as_map(one.get("requestMirror"))
            if as_map(mirror.get("backendRef")).get("name") == name:
                yield (*at, "requestMirror"), "percent"
    routes: Path = ("spec", "http")
    for path, rule in each(account.get(*routes), routes):
        if as_map(rule.get("mirror")).get("host") == name:
            yield (*path, "mirrorPercentage"), "value"
    mirrors: Path = ("spec", "mirroring", "mirrors")
    for path, one in each(account.get(*mirrors), mirrors):
        if one.get("name") == name:
            yield path, "percent"


def _held(metrics: Iterable[TreeMetric]) -> float:
    """Return the seconds of a shadow: the window of its guards, or their measurements where it is longer."""
    for metric in metrics:
        windows = [go_duration(text) or 0.0 for text in _WINDOW.findall(metric.query)]
        if windows and max(windows) < _LONGEST_WINDOW_S:
            return max(windows)
        return ((metric.count or 1) - 1) * metric.interval_s
    return 60.0


def own_parity(family: Family, metrics: Iterable[TreeMetric]) -> list[dict[str, Any]]:
    """Return the guards on fairness that Sluice rendered as some metrics, and declare their attributes."""
    found: dict[tuple[str, float], list[str]] = {}
    for metric in metrics:
        limit = THRESHOLD.search(metric.failure)
        labels = next(
            (
                {label: value for label, _, value in one.matchers}
                for one in selectors(metric.query)
                if one.metric == _GROUPS
            ),
            {},
        )
        attribute, groups = labels.get("attribute", ""), labels.get("group", "")
        if limit is None or not attribute or not groups:
            continue
        name = metric.name.removesuffix(attribute_metric("", attribute)).rstrip("-")
        found.setdefault((name, float(limit[1])), []).append(attribute)
        if "positive" not in family.spec.get("service", {}):
            why = "no manifest has the predictions that favor a person"
            positive = family.assume("service.positive", "1", why)
            family.spec.setdefault("service", {})["positive"] = [int(positive)]
        declared = family.spec.setdefault("service", {}).setdefault("attributes", {})
        declared[attribute] = [re.sub(r"\\+(.)", r"\1", group) for group in groups.split("|")]
    return [
        {
            **({} if name == _NAME else {"name": name}),
            "fairness": "demographic-parity-difference",
            "sensitive": attributes,
            "atMost": limit,
        }
        for (name, limit), attributes in found.items()
    ]
