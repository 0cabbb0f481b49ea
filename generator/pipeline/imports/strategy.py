"""The strategy of a release: steps of a canary, or a switch, as a spec has them."""

from __future__ import annotations

from typing import Any, Final

from generator.lint import (
    Rollout,
    TreeMetric,
    as_int,
    as_list,
    as_map,
    as_text,
    each,
    go_duration,
    pause_seconds,
)
from generator.pipeline.imports.account import Account
from generator.pipeline.imports.family import Family
from generator.pipeline.imports.shadow import read_shadow
from generator.spec.units import duration

CANARY: Final = ("spec", "strategy", "canary")
SWITCH: Final = ("spec", "strategy", "blueGreen")
APPROVER: Final = "approver"
_ALL: Final = 100
SHORTEST: Final = "1m"
_MATCHES: Final = {"exact": "exact", "prefix": "prefix", "regex": "regex"}


def read_strategy(family: Family) -> None:
    """Write `rollout` of the spec, without its guards."""
    if family.release.tool == "Flagger":
        _flagger(family)
        return
    rollout = Rollout(family.main.item)
    if rollout.blue_green is not None:
        _switch(family)
    else:
        _Steps(family, rollout).read()


class _Steps:
    """Reads the steps of a canary in order: each weight is held until the next one."""

    def __init__(self, family: Family, rollout: Rollout) -> None:
        self.family, self.account, self.rollout = family, family.main, rollout
        self.steps: list[dict[str, Any]] = []
        self.held = 0.0

    def read(self) -> None:
        """Write the steps."""
        self.family.spec["rollout"] = {"strategy": "canary"}
        steps = list(self.rollout.steps)
        for path, step in steps[read_shadow(self.family, steps) :]:
            self._step(path, step)
        self._hold()
        self._without_time()
        if not self.steps:
            why = "a canary has steps, and the tree has none: all pods are replaced at once"
            self.steps = [{"weight": self.family.assume("rollout.steps", "50%", why), "hold": "10m"}]
        self.family.spec["rollout"]["steps"] = self.steps

    def _without_time(self) -> None:
        """Drop the weights that are followed at once by another one, or by all traffic; give the others a minute."""
        kept: list[dict[str, Any]] = []
        for number, step in enumerate(self.steps):
            if step.get("hold") != "0s":
                kept.append(step)
            elif number + 1 < len(self.steps) and "approve" in self.steps[number + 1]:
                key = f"rollout.steps[{len(kept)}].hold"
                why = "only a person ends this weight in the tree, and in a spec it is held before"
                kept.append({**step, "hold": self.family.assume(key, SHORTEST, why)})
            else:
                why = "the next weight follows at once"
                self.account.drop(f"rollout.steps[{number}]", why, "leave it out, or hold it")
        self.steps = kept

    def _key(self, *, new: bool = False) -> str:
        return f"rollout.steps[{len(self.steps) - (0 if new else 1)}]"

    def _step(self, path: tuple[str | int, ...], step: Any) -> None:
        account = self.account
        if "setWeight" in step:
            self._hold()
            weight = round(100 * as_int(step["setWeight"]) / max(1, self.rollout.max_weight))
            if weight > _ALL:
                account.leave(path, "the controller refuses weights above all requests", "write the weight")
                return
            if weight < 1:
                account.leave(
                    path, "a step without requests has no word", "gates, or a shadow, come before the steps"
                )
                return
            account.take((*path, "setWeight"), self._key(new=True))
            self.steps.append({"weight": f"{weight}%", "hold": "0s"})
        elif "pause" in step:
            self._pause(path, as_map(step["pause"]).get("duration"))
        elif "analysis" in step:
            number = as_int(path[-1]) + 1
            found = [one for one in self.family.release.metrics if one.step == f"step {number}"]
            if "model" not in self.family.spec:  # the evidence steps of Sluice follow the hold
                self.held += max((_lasts(one) for one in found), default=0.0)
        elif "setHeaderRoute" in step:
            self._cohort(path, as_map(step["setHeaderRoute"]))

    def _pause(self, path: tuple[str | int, ...], length: object) -> None:
        if length is not None and pause_seconds(length) < 0 and self.steps:
            self.account.take(path, f"{self._key()}.hold")
            why = f"the controller refuses the duration `{length}`"
            self.held += go_duration(self.family.assume(f"{self._key()}.hold", SHORTEST, why)) or 0.0
            return
        if length is not None:
            self.held += max(0, pause_seconds(length))
            self.account.take(path, f"{self._key()}.hold" if self.steps else "")
            if not self.steps:
                self.account.leave(
                    path, "a wait before the first weight has no word", "gates come before the steps"
                )
            return
        self._hold()
        self.account.take(path, f"{self._key(new=True)}.approve")
        why = "the Rollout waits for a person, and specs name a role"
        self.steps.append({"approve": self.family.assume(self._key(new=True), APPROVER, why)})

    def _cohort(self, path: tuple[str | int, ...], route: Any) -> None:
        matches = as_list(route.get("match"))
        if not matches:
            self.account.take(path, self._key())  # the end of the header route
            return
        value = as_map(as_map(matches[0]).get("headerValue"))
        how = next((name for name in _MATCHES if as_text(value.get(name))), None)
        if how is None or len(matches) > 1:
            self.account.leave(path, "a cohort has one header with one value", "`cohort` of a step")
            return
        cohort = {"header": as_text(as_map(matches[0]).get("headerName")), how: as_text(value[how])}
        last = self.steps[-1] if self.steps else {}
        if last.get("cohort") == cohort:
            self.account.take(path, self._key())  # a repetition
            return
        self._hold()
        self.account.take(path, self._key(new=True))
        self.steps.append({"cohort": cohort, "hold": "0s"})

    def _hold(self) -> None:
        """Give the time since the last step to that step."""
        if self.steps and "hold" in self.steps[-1]:
            seconds = self.held + (go_duration(self.steps[-1]["hold"]) or 0.0)
            self.steps[-1]["hold"] = duration(seconds)
            self.held = 0.0
            return
        # The time after an approval belongs to the weight before it.
        before = next((one for one in reversed(self.steps) if "hold" in one), None)
        if before is not None and self.held:
            before["hold"] = duration(self.held + (go_duration(before["hold"]) or 0.0))
        self.held = 0.0


def _lasts(metric: TreeMetric) -> float:
    return metric.lasts_s if metric.count else 0.0


def _switch(family: Family) -> None:
    account, body = family.main, as_map(family.main.get(*SWITCH))
    found: dict[str, Any] = {"strategy": "blue-green"}
    if body.get("autoPromotionEnabled") is False:
        account.take((*SWITCH, "autoPromotionEnabled"), "rollout.approve")
        found["approve"] = "manual"
    elif "autoPromotionEnabled" in body:
        account.take((*SWITCH, "autoPromotionEnabled"), "rollout.approve")
    if as_int(body.get("previewReplicaCount")):
        found["preview"] = {
            "replicas": account.take((*SWITCH, "previewReplicaCount"), "rollout.preview.replicas")
        }
    if body.get("autoPromotionSeconds"):
        why = "a switch without an approval waits for its checks only"
        account.leave((*SWITCH, "autoPromotionSeconds"), why, "`rollout.approve: manual`")
    after = [one for one in family.release.metrics if one.moment == "post"]
    watch = max((_lasts(one) for one in after), default=0.0)
    if watch:
        found["watch"] = duration(max(60.0, watch))
    family.spec["rollout"] = found


def _flagger(family: Family) -> None:
    """Read the analysis of a Canary: a weight for each check, and the next one follows an interval later."""
    account = family.main
    key = "analysis" if account.get("spec", "analysis") is not None else "canaryAnalysis"
    at = ("spec", key)
    body = as_map(account.get(*at))
    for name in ("interval", "maxWeight", "stepWeight", "stepWeights"):
        if name in body:
            account.take((*at, name), "rollout.steps")
    if as_int(body.get("iterations")):
        account.take((*at, "iterations"), "rollout.watch")
        total = sum(stage.seconds for stage in family.release.stages)
        family.spec["rollout"] = {"strategy": "blue-green", "watch": duration(max(60.0, total))}
        return
    steps = [
        {"weight": f"{round(_ALL * stage.weight)}%", "hold": duration(stage.seconds)}
        for stage in family.release.stages
        if round(_ALL * stage.weight)
    ]
    if len(steps) > 30:
        left = "a spec has at most 30 steps"
        account.leave((*at, "stepWeight"), left, "fewer, longer steps")
        steps = steps[:29] + steps[-1:]
    if "skipAnalysis" in as_map(account.get("spec")):
        account.leave(("spec", "skipAnalysis"), "guards are always measured", "leave the guards out")
    if not steps:
        why = "a canary has steps, and here all requests go to the new version at once"
        steps = [{"weight": family.assume("rollout.steps", "50%", why), "hold": "10m"}]
    family.spec["rollout"] = {"strategy": "canary", "steps": steps}


def pod_sets(account: Account) -> int | None:
    """Return how many pods a workload has, and None where it says nothing."""
    value = account.get("spec", "replicas")
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def read_scale(family: Family) -> None:
    """Write `replicas` or `autoscaling` of the spec."""
    scaler, workload = family.scaler, family.workload or family.main
    if scaler is not None and _autoscaling(family, scaler):
        if pod_sets(workload) is not None:
            workload.leave(
                ("spec", "replicas"), "the autoscaler decides how many pods there are", "remove it"
            )
        return
    replicas = pod_sets(workload)
    if replicas:
        family.spec["replicas"] = workload.take(("spec", "replicas"), "replicas")
    elif replicas == 0 and family.workload is not family.main:
        workload.leave(("spec", "replicas"), "the pods are those of the Rollout", "remove the workload")


def _autoscaling(family: Family, scaler: Account) -> bool:
    scaler.take(("spec", "scaleTargetRef"), "autoscaling")
    if scaler.item.kind == "ScaledObject":
        least = ("spec", "minReplicaCount")
        low, high = as_int(scaler.get(*least)), as_int(scaler.get("spec", "maxReplicaCount"), 100)
        for path, trigger in each(scaler.get("spec", "triggers"), ("spec", "triggers")):
            metadata = as_map(trigger.get("metadata"))
            if trigger.get("type") == "prometheus" and low >= 1 and _number(metadata.get("threshold")):
                for name in ("type", "metadata"):
                    scaler.take((*path, name), "autoscaling.rpsPerPod")
                scaler.take(least, "autoscaling.min")
                scaler.take(("spec", "maxReplicaCount"), "autoscaling.max")
                per_pod = _number(metadata["threshold"])
                family.spec["autoscaling"] = {"kind": "keda", "min": low, "max": high, "rpsPerPod": per_pod}
                return True
        return False
    low, high = as_int(scaler.get("spec", "minReplicas"), 1), as_int(scaler.get("spec", "maxReplicas"), 1)
    found: dict[str, Any] = {"min": max(1, low), "max": high}
    scaler.take(("spec", "minReplicas"), "autoscaling.min")
    scaler.take(("spec", "maxReplicas"), "autoscaling.max")
    if as_int(scaler.get("spec", "targetCPUUtilizationPercentage")):
        found["cpu"] = f"{scaler.take(('spec', 'targetCPUUtilizationPercentage'), 'autoscaling.cpu')}%"
    for path, metric in each(scaler.get("spec", "metrics"), ("spec", "metrics")):
        resource = as_map(metric.get("resource"))
        use = as_int(as_map(resource.get("target")).get("averageUtilization"))
        if resource.get("name") == "cpu" and 1 <= use <= _ALL:
            scaler.take(path, "autoscaling.cpu")
            found["cpu"] = f"{use}%"
        else:
            scaler.leave(path, "pods are scaled by CPU or by requests", "`autoscaling.kind: keda`")
    family.spec["autoscaling"] = found
    return True


def _number(value: object) -> float:
    try:
        found = float(str(value))
    except ValueError:
        return 0.0
    return int(found) if found.is_integer() else found
