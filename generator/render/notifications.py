"""Notifications of Argo Rollouts and Argo CD: services, triggers and texts, in one ConfigMap each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from generator.plan.people import RECORD, REVERT
from generator.render.bundle import render_object
from generator.render.environment import Templates
from generator.render.output import PLATFORM_ORIGIN, Output
from generator.spec.notifications import Notifications, Revert
from generator.spec.platform import PlatformSpec

NOTIFICATIONS_FILE: Final = "configmap-notifications.yaml"
_HERE: Final = "{{ $model }} {{ $version }} in {{ $where }}"
_ENDED: Final = {"aborted": "aborted", "released": "completed"}
_ONCE: Final = "oncePer: app.status?.operationState?.syncResult?.revision"
_STATUS: Final = "`sluice status {{ $model }} --cluster` shows more."
# Only pauses without a duration notify.
_WAITS: Final = (
    "rollout.spec.strategy.blueGreen != nil or ("
    "rollout.spec.strategy.canary.steps[int(rollout.status.currentStepIndex ?? 0)].pause != nil and "
    "rollout.spec.strategy.canary.steps[int(rollout.status.currentStepIndex ?? 0)].pause.duration == nil)"
)
_ROLLOUT: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "on-rollout-aborted": (
        "- send: [sluice-aborted]\n",
        {
            "event": "aborted",
            "subject": f"Rolled back: {_HERE}",
            "opening": f"Rolled back: {_HERE}. Live requests are back on the stable version.",
            "closing": "What to do now: git still has {{ $version }}. `sluice revert {{ $model }} --reason "
            "TEXT` proposes a change that reverts it and quarantines this version; merge that. {_STATUS}",
        },
    ),
    "on-analysis-run-inconclusive": (
        "- send: [sluice-undecided]\n",
        {
            "event": "undecided",
            "subject": f"A person must decide: {_HERE}",
            "opening": f"Not enough data to decide: {_HERE} waits for a person.",
            "closing": "What to do now: find out why data is missing, then continue or abort; `sluice "
            "status {{ $model }} --cluster` prints both commands.",
        },
    ),
    "on-rollout-paused": (
        f"- when: {_WAITS}\n  send: [sluice-waiting]\n",
        {
            "event": "waiting",
            "subject": f"Waiting for approval: {_HERE}",
            "opening": f"{_HERE} waits for approval.",
            "closing": "What to do now: review its plan and its guards; `sluice status {{ $model }} "
            "--cluster` prints the commands to continue and to abort.",
        },
    ),
    "on-rollout-completed": (
        "- send: [sluice-released]\n",
        {
            "event": "released",
            "subject": f"Released: {_HERE}",
            "opening": f"Released: {_HERE} serves all live requests.",
            "closing": f"No action is needed. {_STATUS}",
        },
    ),
}
_APPLICATION: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "on-health-degraded": (
        f"- when: app.status?.health?.status == 'Degraded'\n  {_ONCE}\n  send: [sluice-degraded]\n",
        {
            "event": "degraded",
            "opening": "it is degraded",
            "closing": "`sluice status --cluster` shows whether a release was aborted, and how to revert it.",
        },
    ),
    "on-sync-failed": (
        f"- when: app.status?.operationState?.phase in ['Error', 'Failed']\n  {_ONCE}\n  send: [sluice-sync-failed]\n",
        {
            "event": "sync-failed",
            "opening": "the objects in git could not be applied",
            "closing": "if a gate failed, its Workflow shows which; the old version keeps serving.",
        },
    ),
}


def render_rollout_notices(platform: PlatformSpec, environment: str, templates: Templates) -> dict[str, str]:
    """Return the ConfigMap of the Rollouts controller, which has one configuration per cluster.

    Returns:
        Text by file name; empty when the platform configures no notifications.
    """
    wanted = platform.notifications
    if wanted is None:
        return {}
    shared = {
        "prometheus": wanted.prometheus or platform.prometheus.address,
        "webhooks": sorted(wanted.webhooks),
    }
    data = dict(_services(wanted))
    for trigger, (condition, words) in _ROLLOUT.items():
        ended = _ENDED.get(words["event"], "")
        revert = _around(wanted.revert if ended == "aborted" else None, "sluice-abort")
        record = _around(wanted.record if ended else None, "sluice-record")
        context = {**shared, **words, "revert": revert, "record": record, "ended": ended}
        data[f"trigger.{trigger}"] = condition
        data[f"template.sluice-{words['event']}"] = templates.render("notifications/rollout.yaml.j2", context)
    name = "argo-rollouts-notification-configmap"
    return _config_map(name, wanted.namespace, environment, data, templates, merge=wanted.merge)


def render_argocd_notices(platform: PlatformSpec, environment: str, templates: Templates) -> dict[str, str]:
    """Return the ConfigMap of Argo CD's notifications controller; empty when the platform configures none."""
    wanted = platform.notifications
    if wanted is None:
        return {}
    own = {f"service.webhook.{name}" for name in (REVERT, RECORD)}
    data = {key: text for key, text in _services(wanted) if key not in own}
    for trigger, (condition, words) in _APPLICATION.items():
        context = {"webhooks": sorted(wanted.webhooks), **words}
        data[f"trigger.{trigger}"] = condition
        data[f"template.sluice-{words['event']}"] = templates.render(
            "notifications/application.yaml.j2", context
        )
    name = "argocd-notifications-cm"
    return _config_map(name, platform.argocd_namespace, environment, data, templates, merge=wanted.merge)


def _around(ci: Revert | None, event: str) -> tuple[str, str] | None:
    """Return what is before and after the body of a notification to CI; None without CI."""
    if ci is None:
        return None
    # GitHub wraps the payload in its own event.
    return (f'{{"event_type": "{event}", "client_payload":', "}") if ci.host == "github" else ("", "")


def _config_map(
    name: str, namespace: str, environment: str, data: Mapping[str, str], templates: Templates, *, merge: bool
) -> dict[str, str]:
    context: dict[str, Any] = {
        "name": name,
        "namespace": namespace,
        "environment": environment,
        "merge": merge,
    }
    ordered = {key: text.rstrip("\n") for key, text in sorted(data.items())}
    output = Output(NOTIFICATIONS_FILE, "notifications/configmap.yaml.j2")
    return {output.file: render_object(output, {**context, "data": ordered}, templates, PLATFORM_ORIGIN)}


def _services(wanted: Notifications) -> Iterator[tuple[str, str]]:
    """Return the configuration of each service; the controller fills in `$key` from its Secret."""
    if wanted.slack:
        yield "service.slack", f"token: ${wanted.slack.token}\n"
    if wanted.email:
        mail = wanted.email
        lines = [f"host: {mail.host}", f"port: {mail.port}", f"from: {_quoted(mail.sender)}"]
        lines += [f"username: ${mail.username}"] if mail.username else []
        lines += [f"password: ${mail.password}"] if mail.password else []
        yield "service.email", "\n".join(lines) + "\n"
    for name, hook in sorted(wanted.webhooks.items()):
        yield f"service.webhook.{name}", _webhook(hook.url, hook.token)
    for name, ci in ((REVERT, wanted.revert), (RECORD, wanted.record)):
        if ci:
            yield f"service.webhook.{name}", _start_of_ci(ci, name)


def _webhook(url: str, token: str | None) -> str:
    headers = ["headers:", "  - name: Content-Type", "    value: application/json"]
    headers += ["  - name: Authorization", f"    value: Bearer ${token}"] if token else []
    return "\n".join([f"url: {_quoted(url)}", *headers]) + "\n"


def _start_of_ci(ci: Revert, name: str) -> str:
    """Return address and headers: GitHub takes the token in a header, GitLab triggers take it in the address.

    A trigger of GitLab starts one pipeline for both, so a variable names the job.
    """
    if ci.host == "github":
        return _webhook(ci.url, ci.token)
    job = "&variables%5BSLUICE_RECORD%5D=1" if name == RECORD else ""
    return _webhook(f"{ci.url}?token=${ci.token}{job}", None)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
