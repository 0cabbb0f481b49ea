"""One line of `sluice doctor`, and the codes of what can be missing."""

from __future__ import annotations

from typing import Final, Literal

from generator.dataclass import dataclass
from generator.lint import CODES, Code, declare
from generator.source.finding import Severity

State = Literal["fine", "lacks", "unknown"]

UNANSWERED: Final = "DOC101"
RENDERED: Final = "DOC110"
GIT: Final = "DOC111"
OWNERS: Final = "DOC112"
CI: Final = "DOC113"
PLANS: Final = "DOC114"
MACHINE: Final = "DOC120"
KIND: Final = "DOC201"
CONTROLLER: Final = "DOC202"
PLUGIN: Final = "DOC203"
RESYNC: Final = "DOC204"
PERMISSION: Final = "DOC205"
REFERENCE: Final = "DOC206"
GATEWAY: Final = "DOC207"
ROOT: Final = "DOC208"
NOTIFICATIONS: Final = "DOC209"
SCRAPING: Final = "DOC301"
INTERVAL: Final = "DOC302"
RETENTION: Final = "DOC303"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that was looked at.

    Args:
        scope: repository, machine, or an environment.
        state: fine; lacks: something is missing or wrong; unknown: there was no answer.
        message: one sentence.
        code: of what is missing; empty for what is fine.
        command: the command that fixes it, or that shows more; empty for what is fine.
        place: the file that asks for it; empty for none.
    """

    scope: str
    state: State
    message: str
    code: str = ""
    command: str = ""
    place: str = ""

    @property
    def severity(self) -> Severity | None:
        """The severity of its code; None for what is fine."""
        return CODES[self.code].severity if self.code else None


def fine(scope: str, message: str) -> Diagnosis:
    """Return that something is as it should be."""
    return Diagnosis(scope, "fine", message)


def lacks(scope: str, code: str, message: str, command: str, place: str = "") -> Diagnosis:
    """Return that something is missing, and the command that fixes it."""
    return Diagnosis(scope, "lacks", message, code, command, place)


def unknown(scope: str, message: str, command: str) -> Diagnosis:
    """Return that a question has no answer, and a command that may give it."""
    return Diagnosis(scope, "unknown", message, UNANSWERED, command)


_LOCAL: Final = "spec: {}\n$ sluice doctor\n"
_CLUSTER: Final = "spec: {}\n$ sluice doctor --cluster --env production\n"
_PROMETHEUS: Final = "spec: {}\n$ sluice doctor --prometheus http://prometheus.example.com --env production\n"

declare(
    Code(
        UNANSWERED, "error", "a question has no answer",
        why="A server did not answer, or the user has no permission. What gave no answer may be missing.",
        remedy="Run the command that is printed with it, as a user who has the permission.",
        example=_CLUSTER,
    ),
    Code(
        RENDERED, "error", "the rendered files are not what the specs give",
        why="Argo CD syncs the rendered files: a change of a spec has no effect until they are rendered.",
        remedy="Run `sluice render` and commit the result.",
        example=_LOCAL,
    ),
    Code(
        GIT, "warning", "git is not as the platform file describes it",
        why="Argo CD reads the repository and the branch of `git:`. Commands that compare with a branch need it here.",
        remedy="Add the remote, or fetch the branch.",
        example=_LOCAL,
    ),
    Code(
        OWNERS, "warning", "CODEOWNERS has no rows of Sluice, or old ones",
        why="Without them any reviewer may approve a change of the platform, or of another team's model.",
        remedy="Run `sluice codeowners` and commit the file.",
        example=_LOCAL,
    ),
    Code(
        CI, "warning", "the files of CI are missing or out of date",
        why="Nothing checks requests, builds images or proposes reverts, or it does so with old values.",
        remedy="Run `sluice ci github` or `sluice ci gitlab` and commit the files.",
        example=_LOCAL,
    ),
    Code(
        PLANS, "error", "a model can't be planned",
        why="It can't be rendered, so it is not known what it needs from a cluster.",
        remedy="Run `sluice validate` and repair what it shows.",
        example=_LOCAL,
    ),
    Code(
        MACHINE, "warning", "a program or an extra that the specs need is not installed here",
        why="A command that needs it stops in the middle of the work.",
        remedy="Install it on the machines that run the command.",
        example=_LOCAL,
    ),
    Code(
        KIND, "error", "the cluster does not serve a kind of the rendered objects",
        why="Its CRD, or this version of it, is not installed: the sync stops at the first such object.",
        remedy="Install the controller of the kind, with its CRDs.",
        example=_CLUSTER,
    ),
    Code(
        CONTROLLER, "error", "a controller is missing, or has another version than the platform file declares",
        why="What is rendered depends on the version: another one may ignore a field, or behave differently.",
        remedy="Install the declared version, or declare the installed one in `controllers`.",
        example=_CLUSTER,
    ),
    Code(
        PLUGIN, "error", "the plugin of the router is not installed in Argo Rollouts, or has another version",
        why="The controller can't set the weights of a route: every release fails at its first step.",
        remedy="Add the plugin to the ConfigMap argo-rollouts-config, and restart the controller.",
        example=_CLUSTER,
        source="Argo Rollouts 1.10, docs/features/traffic-management/plugins.md",
    ),
    Code(
        RESYNC, "warning", "the Rollouts controller resyncs rarely",
        why="A commit that does not change pods can make the controller miss the end of a measurement; it notices at "
        "the next resync, which is after 15 minutes by default.",
        remedy="Start the controller with `--rollout-resync=30`.",
        example=_CLUSTER,
        source="seen with Argo Rollouts 1.10: docs/cluster-report.md",
    ),
    Code(
        PERMISSION, "warning", "the user may not read what Sluice's commands read",
        why="`sluice status --cluster` and `sluice record` need these permissions.",
        remedy="Bind a role with them; `records: {}` in the platform file renders one for CI.",
        example=_CLUSTER,
    ),
    Code(
        REFERENCE, "error", "an object that the rendered files name is not in the cluster",
        why="Pods wait for a Secret, a ConfigMap or a claim that does not exist, and a route without its Gateway gets "
        "no requests.",
        remedy="Create it once; Sluice renders only the reference.",
        example=_CLUSTER,
    ),
    Code(
        GATEWAY, "error", "a Gateway does not accept the routes of the specs",
        why="Its listener is missing, or its controller has not accepted it: live requests reach no pod.",
        remedy="Add the listener, or name another one in `router`.",
        example=_CLUSTER,
    ),
    Code(
        ROOT, "error", "Argo CD has no Application of the environment",
        why="Nothing syncs the rendered files.",
        remedy="Apply the files of `bootstrap/` once.",
        example=_CLUSTER,
    ),
    Code(
        NOTIFICATIONS, "warning", "the ConfigMap of notifications was not rendered by Sluice",
        why="A controller reads one ConfigMap by its name; the sync replaces what is in it.",
        remedy="Copy your own triggers and templates before the first sync.",
        example=_CLUSTER,
    ),
    Code(
        SCRAPING, "error", "Prometheus does not scrape the pods of a model, or a controller",
        why="Guards have no data: every step waits for a person, and alerts stay silent.",
        remedy="Let Prometheus select the PodMonitor (`monitoring.labels`), and let its network reach the pods.",
        example=_PROMETHEUS,
    ),
    Code(
        INTERVAL, "warning", "Prometheus scrapes less often than the platform file declares",
        why="Windows of guards and alerts are computed from the declared interval: with fewer samples they are empty.",
        remedy="Declare the interval that Prometheus has as `prometheus.scrapeInterval`.",
        example=_PROMETHEUS,
    ),
    Code(
        RETENTION, "warning", "Prometheus keeps its data for a shorter time than rules look back",
        why="The rules over 30 days cover only what is left, and the budget seems smaller than it is.",
        remedy="Start it with `--storage.tsdb.retention.time=31d`.",
        example=_PROMETHEUS,
    ),
)  # fmt: skip
