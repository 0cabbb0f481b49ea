"""The releases that Rollouts describe: steps in time, and the analysis runs on the way.

After Argo Rollouts 1.10: rollout/canary.go and rollout/analysis.go (when a run starts and ends),
utils/analysis/factory.go (arguments), utils/defaults/defaults.go (limits).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from generator.lint.controller import ControllerVersion, go_duration, int_value, is_templated, pause_seconds
from generator.lint.objects import Body, Object, as_int, as_list, as_map, as_text, each, has
from generator.lint.placement import Objects
from generator.lint.releases.values import USUAL_SCRAPE_S, Release, Stage, TreeMetric
from generator.lint.rollout import CANARY, Moment, Rollout, Use
from generator.lint.rules.arguments import declared, fill, instantiations, known_values, reach, tags
from generator.promql.versions import Versions
from generator.source.document import Path

_HASHES: Final = {"Latest": "hash-of-the-new-version", "Stable": "hash-of-the-stable-version"}
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
            notes=tuple(timeline.notes),
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
    now_s: float = 0.0

    def canary(self) -> None:
        """Read a canary."""
        weight, starts = 0.0, [0.0]
        uses = {use.path: use for use in self.rollout.uses}
        for number, (path, step) in enumerate(self.rollout.steps, 1):
            if has(step, "setWeight"):
                weight = self._weight(int_value(step["setWeight"]))
            elif has(step, "pause"):
                duration = as_map(step["pause"]).get("duration")
                seconds = max(0, pause_seconds(duration))
                self._stage(weight, seconds, f"{weight:.4g}", waits=duration is None)
            elif (use := uses.get((*path, "analysis"))) is not None:
                self._run(use, weight, f"step {number}")
            elif has(step, "experiment"):
                self._experiment(path, as_map(step["experiment"]), weight, f"step {number}")
            starts.append(self.now_s)
        background = uses.get((*CANARY, "analysis"))
        if background is not None:
            first = as_int(background.body.get("startingStep"))
            begin = starts[first] if first < len(starts) else math.inf
            found = self._metrics(background, "background", self._versions("canary"))
            self.metrics += [replace(one, start_s=begin) for one in found]
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
        self.stages.append(Stage(weight, seconds, shown, waits))
        self.now_s += seconds

    def _run(self, use: Use, weight: float, label: str, versions: Versions | None = None) -> None:
        """Add an analysis that the release waits for."""
        found = list(self._metrics(use, label, versions or self._versions("canary")))
        self.metrics += [replace(one, start_s=self.now_s) for one in found]
        lasts = max((one.lasts_s for one in found), default=0.0)
        shown = label if label[0].isalpha() and not label.startswith("step") else f"{weight:.4g}"
        self._stage(weight, lasts, shown)

    def _experiment(self, path: Path, body: Body, weight: float, label: str) -> None:
        weights = [as_int(one.get("weight")) for _, one in each(body.get("templates"), ())]
        share = min(1.0, max(0.0, weight + sum(weights) / 100))
        lasts = max(0, pause_seconds(body.get("duration"))) if body.get("duration") else 0
        found: list[TreeMetric] = []
        for use in self.rollout.uses:
            if use.moment == "experiment" and use.path[: len(path)] == path:
                found += self._metrics(use, label, self._versions("canary"))
        self.metrics += [replace(one, start_s=self.now_s) for one in found]
        self._stage(share, max([lasts, *(one.lasts_s for one in found)]), "experiment")
        if not any(weights):
            self.notes.append(f"the pods of the experiment ({label}) get no share of the users' requests")

    def _versions(self, moment: str) -> Versions:
        """Return the words that name the versions in labels, at a moment."""
        canary, stable = {_HASHES["Latest"]}, {_HASHES["Stable"]}
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
        for name in missing:
            self.notes.append(f"{name} is not in the tree, so what it decides is unknown")
        args = declared(templates)
        values = {**known_values(args, use.args), **_hashes(use.args)}
        dry = {as_text(as_map(item).get("metricName")) for item in as_list(use.body.get("dryRun"))}
        everything = any(name == "*" or name == ".*" for name in dry)
        for template in templates:
            for path, body in each(template.spec.get("metrics"), ("spec", "metrics")):
                name = as_text(body.get("name"))
                yield metric_of(
                    template, path, body, values, use.moment, label, versions, dry=everything or name in dry
                )


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
        unread=_unread(open_fields, filled),
    )


def _unread(fields: Iterable[str], filled: Body) -> str:
    names = sorted({tag for name in fields for tag in tags(filled.get(name))})
    if not names:
        return ""
    return f"nothing in the tree gives {', '.join(names)} a value, and {' and '.join(fields)} need it"


def _hashes(args: Iterable[Body]) -> dict[str, str]:
    found = {}
    for arg in args:
        role = as_text(as_map(arg.get("valueFrom")).get("podTemplateHashValue"))
        if role in _HASHES:
            found[as_text(arg.get("name"))] = _HASHES[role]
    return found


def _labels(strategy: Body, key: str) -> set[str]:
    return {str(value) for value in as_map(as_map(strategy.get(key)).get("labels")).values()}
