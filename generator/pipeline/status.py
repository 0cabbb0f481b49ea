"""The state of each model in git and in the cluster, and the actions that a person can take."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path

from generator.cluster.rollout_status import RolloutStatus, SyncStatus, read_application, read_rollout
from generator.cluster.server import Server, connect
from generator.dataclass import dataclass
from generator.history.git import Git
from generator.history.git_call import GitError
from generator.pipeline.evaluate import read_evidence_of
from generator.pipeline.held import unproven
from generator.pipeline.session import Session
from generator.pipeline.terminal import note
from generator.plan.model_files import ModelFiles
from generator.plan.promotion import describe_standing, promote_command, standing
from generator.plan.resolve import Planned
from generator.plan.values import Plan
from generator.source.errors import CliError
from generator.spec.environment import normal_server

_KUBECTL = "kubectl argo rollouts {verb} {name} --namespace {namespace}"


@dataclass(frozen=True, slots=True)
class StatusRow:
    """One model in one environment.

    Args:
        plan: the plan of the version in git.
        gates: verdicts of the evidence in git, by gate; empty without evidence.
        queried: whether the cluster was queried.
        rollout: its Rollout; None if there is none.
        sync: its Application; None if there is none or it can't be read.
        lacks: why the release of the spec may not be promoted yet, where the environment keeps another or has none.
        since: when the release that waits was merged (RFC 3339); empty if nothing waits, or git does not know.
    """

    plan: Plan
    gates: tuple[tuple[str, str], ...] = ()
    queried: bool = False
    rollout: RolloutStatus | None = None
    sync: SyncStatus | None = None
    lacks: tuple[str, ...] = ()
    since: str = ""

    @property
    def digest(self) -> str:
        """Digest of the model version that should run: of the promoted one where the environment keeps it."""
        lock = self.plan.promotion
        return lock.model.digest if lock else self.plan.version.digest

    @property
    def differs(self) -> str:
        """How the cluster differs from git; empty when it does not, or was not queried."""
        if not self.queried or (self.rollout is None and standing(self.plan) == "waiting"):
            return ""
        if self.rollout is None:
            return "no Rollout in the cluster"
        if self.rollout.desired.digest != self.digest:
            return f"the cluster still has {self.rollout.desired.version or 'another version'}"
        return ""

    @property
    def settled(self) -> bool:
        """Whether the cluster has finished or aborted the release of the version in git."""
        return self.rollout is not None and not self.differs and self.rollout.settled

    @property
    def aborted(self) -> bool:
        """Whether the release was aborted, or the Rollout is degraded."""
        return self.rollout is not None and (self.rollout.aborted or self.rollout.phase == "Degraded")


@dataclass
class Servers:
    """The clusters of the environments; each has one connection.

    Args:
        kubeconfig: the file, instead of the usual one.
        contexts: context of the kubeconfig by environment; the one for "" applies to all others.
    """

    kubeconfig: Path | None
    contexts: dict[str, str | None]
    _connected: dict[str | None, Server] = field(default_factory=dict)

    @staticmethod
    def of(kubeconfig: Path | None, contexts: Sequence[str], environments: Collection[str]) -> Servers:
        """Return the clusters that `[ENV=]CONTEXT` arguments name.

        Raises:
            CliError: one names another environment.
        """
        named: dict[str, str | None] = {"": None}
        for text in contexts:
            environment, given, context = text.rpartition("=")
            if given and environment not in environments:
                raise CliError(f"--context {text}: unknown environment {environment}")
            named[environment] = context
        return Servers(kubeconfig, named)

    def context(self, environment: str) -> str | None:
        """Return the context of an environment; None for the current one."""
        return self.contexts.get(environment, self.contexts[""])

    def of_environment(self, environment: str) -> Server:
        """Connect to the cluster of an environment.

        Raises:
            ClusterError: there is no usable configuration.
        """
        context = self.context(environment)
        if context not in self._connected:
            self._connected[context] = connect(self.kubeconfig, context)
        return self._connected[context]

    def elsewhere(self, declared: Mapping[str, str]) -> dict[str, str]:
        """Return why environments can't be queried: one context has one cluster, and theirs is another one.

        An address in Argo CD may differ from that in a kubeconfig. It decides only where environments with different
        servers have the same context: that of one must not be shown as that of the others.

        Args:
            declared: address of the server by environment.

        Raises:
            ClusterError: there is no usable configuration.
        """
        shared: dict[str | None, set[str]] = {}
        for environment, server in declared.items():
            shared.setdefault(self.context(environment), set()).add(normal_server(server))
        found = {}
        for environment, server in declared.items():
            connected = self.of_environment(environment).address
            several = len(shared[self.context(environment)]) > 1
            if several and normal_server(server) != normal_server(connected):
                found[environment] = (
                    f"{environment} was not queried: its server is {server}, and the context's is {connected}; "
                    f"name its context: --context {environment}=NAME"
                )
        return found


def rows_in_git(session: Session, entries: Sequence[ModelFiles], environment: str | None) -> list[StatusRow]:
    """Return the state in git of all models that can be planned.

    Raises:
        CliError: the platform is invalid, or has no such environment.
    """
    platform = session.repository.platform
    if platform is None:
        raise CliError("the platform is invalid; `sluice validate` shows why")
    if environment is not None and environment not in platform.environments:
        raise CliError(f"unknown environment {environment}; known: {', '.join(platform.environments)}")
    rows = []
    for entry in entries:
        resolved = session.resolve(entry)
        if not resolved.plans:
            note(f"{entry.name} can't be planned: see `sluice validate {entry.name}`")
            continue
        content = read_evidence_of(entry, session.repository).content
        gates = tuple((gate.name, gate.verdict) for gate in content.predicate.gates) if content else ()
        rows += [
            _waiting(StatusRow(planned.plan, gates), session, entry, planned)
            for planned in resolved.plans
            if environment in {None, planned.plan.identity.environment}
        ]
    return rows


def _waiting(row: StatusRow, session: Session, entry: ModelFiles, planned: Planned) -> StatusRow:
    """Return a row with what its release waits for, and since when."""
    if standing(row.plan) not in {"waiting", "held"}:
        return row
    try:
        files = (entry.spec, entry.lock)
        git = Git.at(session.root)
        since, _, parents = (
            git.ask("log", "-1", "--format=%cI %P", "--", *map(str, files)).strip().partition(" ")
        )
        since = (
            "" if git.shallow and not parents else since
        )  # the first commit of a shallow clone changes every file
    except GitError:
        since = ""
    return replace(row, lacks=unproven(session, entry, planned, now()), since=since)


def with_cluster(rows: Sequence[StatusRow], servers: Servers) -> list[StatusRow]:
    """Return the same rows with the state of the cluster.

    An environment whose cluster is not that of its context keeps its row, and a note says so.

    Raises:
        ClusterError: a cluster can't be queried.
    """
    declared = {row.plan.identity.environment: row.plan.delivery.server for row in rows}
    found, elsewhere = [], servers.elsewhere(declared)
    for reason in elsewhere.values():
        note(reason)
    for row in rows:
        identity = row.plan.identity
        if identity.environment in elsewhere:
            found.append(row)
            continue
        server = servers.of_environment(identity.environment)
        rollout = read_rollout(server, identity.namespace, identity.model)
        sync = read_application(server, row.plan.delivery.argocd_namespace, row.plan.delivery.application)
        found.append(replace(row, queried=True, rollout=rollout, sync=sync))
    return found


def watched(rows: Sequence[StatusRow], servers: Servers, interval_s: float) -> Iterator[list[StatusRow]]:
    """Yield all rows, and again each time one changes, until every model is settled."""
    before: Sequence[StatusRow] = ()
    while True:
        found = with_cluster(rows, servers)
        if found != before:
            yield found
        if all(row.settled for row in found):
            return
        before = found
        time.sleep(interval_s)


def next_commands(row: StatusRow) -> Iterator[tuple[str, str]]:
    """Yield the actions that a person can take, in words and as commands; Argo approves and aborts, not Sluice."""
    if standing(row.plan) in {"waiting", "held"} and not row.lacks:
        yield "let the release in", promote_command(row.plan)
    if row.rollout is None:
        if row.queried and standing(row.plan) != "waiting":
            yield "sync it with Argo CD", f"argocd app sync {row.plan.delivery.application}"
        return
    identity, rollout = row.plan.identity, row.rollout

    def argo(verb: str) -> str:
        return _KUBECTL.format(verb=verb, name=identity.model, namespace=identity.namespace)

    if rollout.aborted:
        yield "revert it in git, too", f"sluice revert {identity.team}/{identity.model} --reason TEXT"
        yield "retry the same version from the first step", argo("retry rollout")
        return
    if rollout.approval:
        yield f"continue{_approved_by(row.plan)}", argo("promote")
    elif any("Inconclusive" in reason for reason in rollout.pauses):
        yield "continue without enough evidence", argo("promote")
    if rollout.phase in {"Paused", "Progressing", "Degraded"} and rollout.desired != rollout.stable:
        yield "abort", argo("abort")


def now() -> dt.datetime:
    """Return the current time: that of SOURCE_DATE_EPOCH if it is set."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    return dt.datetime.fromtimestamp(int(epoch), tz=dt.UTC) if epoch else dt.datetime.now(tz=dt.UTC)


def waits(row: StatusRow) -> Iterator[str]:
    """Yield what a gated environment does with the release of the spec, since when, and what is missing."""
    if not row.plan.delivery.requires:
        return
    yield describe_standing(row.plan)
    if row.since:
        yield f"it waits since it was merged, {row.since}"
    yield from row.lacks


def _approved_by(plan: Plan) -> str:
    roles = dict.fromkeys(role for role in plan.rollout.approvals if role != "manual")
    return f" (approved by {', '.join(roles)})" if roles else ""
