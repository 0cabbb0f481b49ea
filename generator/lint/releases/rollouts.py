"""The releases that Rollouts describe: steps in time, and the analysis runs on the way.

After Argo Rollouts 1.10: rollout/canary.go and rollout/analysis.go (when a run starts and ends),
utils/analysis/factory.go (arguments), utils/defaults/defaults.go (limits).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Final

from generator.dataclass import dataclass
from generator.lint.controller import ControllerVersion, go_duration, int_value, is_templated, pause_seconds
from generator.lint.objects import Body, Object, as_int, as_list, as_map, as_text, each, has
from generator.lint.placement import Objects
from generator.lint.releases.values import USUAL_SCRAPE_S, Release, Stage, TreeMetric
from generator.lint.rollout import CANARY, Moment, Rollout, Use
from generator.lint.rules.arguments import (
    declared,
    fill,
    instantiations,
    is_set,
    known_values,
    merged,
    names,
    reach,
    tags,
)
from generator.promql import regexps
from generator.promql.versions import HASHES, Versions
from generator.source.document import Path

_ERRORS: Final = 4
"""`consecutiveErrorLimit`, where it is not written."""


def rollout_releases(objects: Objects) -> Iterator[Release]:
    """Yield the release of every Rollout of a tree."""
    for item in objects.of_kind("Rollout"):
        rollout = Rollout(item)
        scrape, assumed = scrape_interval(objects, item)
        timeline = _Timeline(objects, rollout)
        if rollout.blue_green is not None:
            timeline.blue_green()
        elif rollout.canary is not None:
            timeline.canary()
        else:
            continue
        yield Release(
            object=item,
            tool="Argo Rollouts",
            strategy="canary" if rollout.is_canary else "blue-green",
            stages=tuple(timeline.stages),
            metrics=tuple(timeline.metrics),
            scrape_s=scrape,
            assumed=assumed,
            notes=tuple(dict.fromkeys(timeline.notes)),
            missing=tuple(dict.fromkeys(timeline.missing)),
        )


def scrape_interval(objects: Objects, item: Object) -> tuple[float, bool]:
    """Return the scrape interval that monitors next to an object show, and whether it is assumed."""
    intervals = {
        go_duration(as_text(endpoint.get("interval")))
        for kind, name in (("ServiceMonitor", "endpoints"), ("PodMonitor", "podMetricsEndpoints"))
        for monitor in objects.near(item).of_kind(kind)
        for _, endpoint in each(monitor.spec.get(name), ())
    }
    least = min((value for value in intervals if value), default=0.0)
    return (least, False) if least else (USUAL_SCRAPE_S, True)


@dataclass
class _Timeline:
    """The stages and metrics of one Rollout while its steps are read in order."""

    objects: Objects
    rollout: Rollout
    stages: list[Stage] = field(default_factory=list)
    metrics: list[TreeMetric] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    managed: dict[str, float | None] = field(default_factory=dict)
    now_s: float = 0.0

    def canary(self) -> None:
        """Read a canary."""
        weight, starts = 0.0, [(0.0, 0)]
        uses = {use.path: use for use in self.rollout.uses}
        for number, (path, step) in enumerate(self.rollout.steps, 1):
            if has(step, "setWeight"):
                weight = self._weight(int_value(step["setWeight"]))
            elif has(step, "pause"):
                self._pause(as_map(step["pause"]).get("duration"), weight, number)
            elif (use := uses.get((*path, "analysis"))) is not None:
                self._run(use, weight, f"step {number}")
            elif has(step, "experiment"):
                self._experiment(path, as_map(step["experiment"]), weight, f"step {number}")
            elif has(step, "setHeaderRoute"):
                self._manage(as_map(step["setHeaderRoute"]), copies=False)
            elif has(step, "setMirrorRoute"):
                self._manage(as_map(step["setMirrorRoute"]), copies=True)
            starts.append((self.now_s, len(self.stages)))
        background = uses.get((*CANARY, "analysis"))
        if background is not None:
            first = as_int(background.body.get("startingStep"))
            is_step = first < max(1, len(self.rollout.steps))
            begin, stage = starts[first] if is_step else (math.inf, len(self.stages))
            waits = any(one.waits for one in self.stages[stage:])
            found = self._metrics(background, "background", self._versions("canary"))
            self.metrics += [replace(one, start_s=begin, waits=waits) for one in found]
        if not self.rollout.steps:
            self.notes.append("it has no steps: all pods are replaced as fast as they become ready")

    def blue_green(self) -> None:
        """Read a blue-green: the preview before the switch, and the new version behind it."""
        strategy = self.rollout.blue_green or {}
        uses = {use.moment: use for use in self.rollout.uses}
        if "pre" in uses:
            self._run(uses["pre"], 0.0, "before the switch", self._versions("pre"))
        if strategy.get("autoPromotionEnabled") is False:
            self._stage(0.0, 0, "preview", waits=True)
        elif seconds := int_value(strategy.get("autoPromotionSeconds")):
            self._stage(0.0, seconds, "preview")
        if "post" in uses:
            self._run(uses["post"], 1.0, "after the switch", self._versions("post"))

    def _pause(self, duration: object, weight: float, number: int) -> None:
        seconds = pause_seconds(duration)
        if seconds < 0:
            self.notes.append(
                f"step {number}: the controller refuses the duration `{duration}`, which is read as 0 here"
            )
        self._stage(weight, max(0, seconds), f"{weight:.4g}", waits=duration is None)

    def _manage(self, body: Body, *, copies: bool) -> None:
        """Add or remove a managed route: the share that it copies, None for requests that match something."""
        matches, name = as_list(body.get("match")), as_text(body.get("name"))
        self.managed.pop(name, None)
        if not matches:
            return
        everything = [{"path": {"prefix": "/"}}]
        share = min(1.0, max(0.0, as_int(body.get("percentage"), 100) / 100))
        self.managed[name] = share if copies and matches == everything else None

    def _weight(self, asked: int) -> float:
        """Return the share of a weight; without a router it is that of whole pods (utils/replicaset/canary.go)."""
        if self.rollout.routing is not None:
            return min(1.0, max(0.0, asked / max(1, self.rollout.max_weight)))
        replicas = as_int(self.rollout.spec.get("replicas"), 1)
        if not 0 < asked < 100 or replicas < 1:
            return min(1.0, max(0.0, asked / 100))
        pods = min(replicas, max(1, math.ceil(replicas * asked / 100 - 1e-9)))
        share = pods / replicas if replicas > 1 else asked / 100
        if share > 2 * asked / 100:
            note = f"{asked}% of {replicas} pods is {share:.0%} of the traffic: no router splits it"
            self.notes += [note] if note not in self.notes else []
        return share

    def _stage(self, weight: float, seconds: float, label: str, *, waits: bool = False) -> None:
        shown = f"{100 * weight:.4g}%" if label[0].isdigit() else label
        copies = max((share for share in self.managed.values() if share is not None), default=0.0)
        matched = None in self.managed.values()
        shown += f" + {100 * copies:.4g}% mirrored" if copies else ""
        shown += " + matched" if matched else ""
        self.stages.append(Stage(weight, seconds, shown, waits, copies, matched))
        self.now_s += seconds

    def _run(self, use: Use, weight: float, label: str, versions: Versions | None = None) -> None:
        """Add an analysis that the release waits for."""
        found = list(self._metrics(use, label, versions or self._versions("canary")))
        self.metrics += [replace(one, start_s=self.now_s) for one in found]
        lasts = max((one.lasts_s for one in found), default=0.0)
        shown = label if label[0].isalpha() and not label.startswith("step") else f"{weight:.4g}"
        self._stage(weight, lasts, shown)

    def _experiment(self, path: Path, body: Body, weight: float, label: str) -> None:
        templates = [one for _, one in each(body.get("templates"), ())]
        weights = [as_int(one.get("weight")) for one in templates if one.get("specRef") == "canary"]
        share = min(1.0, max(0.0, weight + sum(weights) / 100))
        if self.rollout.routing is None:
            share = self._share_of_pods(templates, weight)
        lasts = max(0, pause_seconds(body.get("duration"))) if body.get("duration") else 0
        found: list[TreeMetric] = []
        for use in self.rollout.uses:
            if use.moment == "experiment" and use.path[: len(path)] == path:
                found += self._metrics(use, label, self._versions("canary"))
        self.metrics += [replace(one, start_s=self.now_s) for one in found]
        self._stage(share, max([lasts, *(one.lasts_s for one in found)]), "experiment")
        if share <= weight:
            self.notes.append(f"the pods of the experiment ({label}) get no share of the users' requests")

    def _share_of_pods(self, templates: list[Body], weight: float) -> float:
        """Return the share of the new version while pods of an experiment answer behind the same Service.

        They keep the labels of the pod template, unless the step overwrites them (rollout/experiment.go).
        """
        labels = as_map(as_map(self.rollout.template.get("metadata")).get("labels"))
        replicas = max(1, as_int(self.rollout.spec.get("replicas"), 1))
        pods = {"canary": replicas * weight, "stable": replicas * (1 - weight)}
        for one in templates:
            own = {**labels, **as_map(as_map(one.get("metadata")).get("labels"))}
            role = as_text(one.get("specRef"))
            if role in pods and self._is_served(own):
                pods[role] += as_int(one.get("replicas"), 1)
        return pods["canary"] / (pods["canary"] + pods["stable"])

    def _is_served(self, labels: Body) -> bool:
        """Return whether a Service of the tree selects pods with these labels."""
        for service in self.objects.near(self.rollout.object).of_kind("Service"):
            selector = as_map(service.spec.get("selector"))
            if (
                service.namespace == self.rollout.object.namespace
                and selector
                and selector.items() <= labels.items()
            ):
                return True
        return False

    def _versions(self, moment: str) -> Versions:
        """Return the words that name the versions in labels, at a moment."""
        canary, stable = {HASHES["Latest"]}, {HASHES["Stable"]}
        strategy = as_map(self.rollout.spec.get("strategy"))
        one, two = as_map(strategy.get("canary")), as_map(strategy.get("blueGreen"))
        rule = as_map((self.rollout.router("istio") or {}).get("destinationRule"))
        before, after = self.rollout.stable_and_canary
        canary |= {after, as_text(rule.get("canarySubsetName"))} | _labels(one, "canaryMetadata")
        stable |= {before, as_text(rule.get("stableSubsetName"))} | _labels(one, "stableMetadata")
        live = {as_text(two.get("activeService"))} | _labels(two, "activeMetadata")
        preview = {as_text(two.get("previewService"))} | _labels(two, "previewMetadata")
        if moment == "pre":
            canary, stable = canary | preview, stable | live
        elif moment == "post":
            canary |= live
        canary, stable = canary - {""}, stable - {""}
        return Versions(frozenset(canary - stable), frozenset(stable - canary))

    def _metrics(self, use: Use, label: str, versions: Versions) -> Iterator[TreeMetric]:
        """Yield the metrics of a run with the arguments that the Rollout passes."""
        near, namespace = self.objects.near(self.rollout.object), self.rollout.object.namespace
        templates, missing = reach(near, namespace, use.refs)
        self.missing += missing
        for name in missing:
            self.notes.append(f"{name} is not in the tree, so what it decides is unknown")
        args = declared(templates)
        values = {**known_values(args, use.args), **_hashes(use.args)}
        dry = [as_text(as_map(item).get("metricName")) for item in as_list(use.body.get("dryRun"))]
        passed = names(use.args)
        unset = [
            name for name, arg in merged(args).items() if name and not is_set(arg) and name not in passed
        ]
        refused = f"nothing gives {' and '.join(unset)} a value, so its run can't start"
        for template in templates:
            for path, body in each(template.spec.get("metrics"), ("spec", "metrics")):
                name = as_text(body.get("name"))
                is_dry = any(regexps.matches(pattern, name, whole=False) for pattern in dry)
                found = metric_of(template, path, body, values, use.moment, label, versions, dry=is_dry)
                yield replace(found, unread=refused) if unset else found


def unused_templates(objects: Objects, versions: tuple[ControllerVersion, ...]) -> Iterator[TreeMetric]:  # noqa: ARG001
    """Yield the metrics of templates that no Rollout of the tree uses."""
    used = instantiations(objects, [Rollout(item) for item in objects.of_kind("Rollout")])
    for template in objects.of_kind("AnalysisTemplate", "ClusterAnalysisTemplate"):
        if template in used:
            continue
        values = known_values(declared([template]), [])
        for path, body in each(template.spec.get("metrics"), ("spec", "metrics")):
            yield metric_of(template, path, body, values, None, "", Versions())


def metric_of(
    template: Object,
    path: Path,
    body: Body,
    values: Mapping[str, str],
    moment: Moment | None,
    step: str,
    versions: Versions,
    *,
    dry: bool = False,
) -> TreeMetric:
    """Return a metric with some arguments, as the controller reads it."""
    filled = as_map(fill(body, values))
    providers = {name: value for name, value in as_map(filled.get("provider")).items() if value is not None}
    provider = next(iter(providers), "") if len(providers) == 1 else ""
    settings = as_map(providers.get(provider))
    fields = ("successCondition", "failureCondition", "interval", "count", "failureLimit", "initialDelay")
    open_fields = [name for name in fields if is_templated(filled.get(name))]
    query = as_text(settings.get("query"))
    count = int_value(filled.get("count"))
    interval = go_duration(as_text(filled.get("interval"))) or 0.0
    return TreeMetric(
        name=as_text(filled.get("name")),
        template=template,
        path=path,
        moment=moment,
        step=step,
        provider=provider,
        query=query,
        success=as_text(filled.get("successCondition")),
        failure=as_text(filled.get("failureCondition")),
        interval_s=interval,
        count=count or (None if interval else 1),
        delay_s=go_duration(as_text(filled.get("initialDelay"))) or 0.0,
        failure_limit=int_value(filled.get("failureLimit")),
        inconclusive_limit=int_value(filled.get("inconclusiveLimit")),
        error_limit=int_value(filled["consecutiveErrorLimit"])
        if has(filled, "consecutiveErrorLimit")
        else _ERRORS,
        success_limit=int_value(filled.get("consecutiveSuccessLimit")),
        dry_run=dry,
        versions=versions,
        unread=_unread(open_fields, filled) or _refused(count, interval, settings),
    )


def _unread(fields: Sequence[str], filled: Body) -> str:
    tagged = sorted({tag for name in fields for tag in tags(filled.get(name))})
    if not tagged:
        return ""
    need = "needs" if len(fields) == 1 else "need"
    return f"nothing in the tree gives {', '.join(tagged)} a value, and {' and '.join(fields)} {need} it"


def _refused(count: int, interval: float, settings: Body) -> str:
    """Return why a metric is not read as it is written; empty when it is."""
    if count > 1 and not interval:
        return f"{count} measurements need an interval: its run ends with an Error at once"
    return "a range query gives values over time, which are not read" if has(settings, "rangeQuery") else ""


def _hashes(args: Iterable[Body]) -> dict[str, str]:
    found = {}
    for arg in args:
        role = as_text(as_map(arg.get("valueFrom")).get("podTemplateHashValue"))
        if role in HASHES:
            found[as_text(arg.get("name"))] = HASHES[role]
    return found


def _labels(strategy: Body, key: str) -> set[str]:
    return {str(value) for value in as_map(as_map(strategy.get(key)).get("labels")).values()}
