"""What all commands on gates ask first: the plans and the lock of a model, and the time."""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Sequence

from generator.gates.run import Clock
from generator.pipeline.session import Session
from generator.pipeline.terminal import emit, has_color
from generator.plan.entries import Entry
from generator.plan.resolve import Planned, Resolved
from generator.report.formats import render
from generator.source.errors import CliError
from generator.spec.lock import LockFile


def resolved_of(session: Session, entry: Entry) -> Resolved:
    """The plans of all environments, with what keeps others from being made.

    Raises:
        CliError: the platform can't be used.
    """
    if session.repository.platform is None:
        raise CliError("the platform can't be used; `sluice validate` says why")
    return session.resolve(entry)


def planned_of(session: Session, entry: Entry) -> list[Planned]:
    """The plans of all environments.

    Raises:
        CliError: there is none.
    """
    resolved = resolved_of(session, entry)
    if resolved.findings or not resolved.plans:
        emit(render(resolved.findings, "text", color=has_color(sys.stdout)))
        raise CliError(f"{entry.name} can't be planned; its gates can't be known")
    return resolved.plans


def locked(session: Session, entry: Entry) -> tuple[list[Planned], LockFile]:
    """The plans of all environments, and the lock that they are made with.

    Raises:
        CliError: one of them is missing.
    """
    planned = planned_of(session, entry)
    lock = planned[0].written.lock
    if lock is None:
        raise CliError(f"{entry.name} has no lock")
    return planned, lock


def plans_in(planned: Sequence[Planned], environment: str) -> list[Planned]:
    """The plan of an environment, or all.

    Raises:
        CliError: there is no such environment.
    """
    known = [item.plan.identity.environment for item in planned]
    if environment and environment not in known:
        raise CliError(f"there is no environment `{environment}`; known: {', '.join(known)}")
    return [item for item in planned if environment in {"", item.plan.identity.environment}]


def clock() -> Clock:
    """The clock (UTC); SOURCE_DATE_EPOCH stops it, so that evidence can be made again byte for byte."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if not epoch:
        return lambda: dt.datetime.now(tz=dt.UTC)
    fixed = dt.datetime.fromtimestamp(int(epoch), tz=dt.UTC)
    return lambda: fixed
