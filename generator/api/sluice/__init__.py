"""The Python API of Sluice: load a repository, validate it, plan, compute odds, render.

    import sluice

    repository = sluice.load("models")
    findings = repository.validate()
    plan = repository.plan("shop/recommender", "production")
    odds = sluice.odds(plan)
    files = repository.render("shop/recommender").files

Nothing is printed, written or sent anywhere, no other process is started, and no state is shared between two loaded
repositories. Heavy modules are imported when a function first needs them.

Mistakes in specs are findings, which are values. The exceptions are `UserError`, for a call that can't be answered,
and its subclass `FindingsError`, for one that findings prevent; any other exception is a bug of Sluice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from generator import __version__

if TYPE_CHECKING:
    import datetime
    import os
    from pathlib import Path

    from generator.odds.odds import PlanOdds
    from generator.pipeline.session import Session
    from generator.plan.values import Plan
    from generator.source.errors import FindingsError, UserError
    from generator.source.finding import Finding, Place
    from generator.spec.quantities import share_down, share_up
    from generator.stats.odds import GuardOdds

__all__ = [
    "Finding",
    "FindingsError",
    "GuardOdds",
    "Place",
    "Plan",
    "PlanOdds",
    "Rendering",
    "Repository",
    "UserError",
    "__version__",
    "load",
    "odds",
    "share_down",
    "share_up",
]

_HOMES: Final = {
    "Finding": "generator.source.finding",
    "FindingsError": "generator.source.errors",
    "GuardOdds": "generator.stats.odds",
    "Place": "generator.source.finding",
    "Plan": "generator.plan.values",
    "PlanOdds": "generator.odds.odds",
    "UserError": "generator.source.errors",
    "share_down": "generator.spec.quantities",
    "share_up": "generator.spec.quantities",
}


@dataclass(frozen=True, slots=True)
class Rendering:
    """The files that `sluice render` would write.

    Args:
        files: content of each file, by its path below the folder of rendered files (`git.path` of the platform), with
            forward slashes; the ledgers (`.sluice`) are among them.
        findings: errors and warnings about the platform and the selected models; a model with an error has no files.
    """

    files: Mapping[str, bytes]
    findings: tuple[Finding, ...]


class Repository:
    """A folder with specs, in its state when the files were first read; `load` it again to see later changes.

    Models have the same names as on the command line: `team/model`, a team, or the path of a spec or a folder.
    """

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def __repr__(self) -> str:
        return f"sluice.load({str(self.root)!r})"

    @property
    def root(self) -> Path:
        """The folder that has `specs/`."""
        return self._session.root

    @property
    def models(self) -> tuple[str, ...]:
        """The name (`team/model`) of every model, sorted."""
        return tuple(entry.name for entry in self._session.entries)

    @property
    def environments(self) -> tuple[str, ...]:
        """The name of every environment, in the order of the platform file.

        Raises:
            FindingsError: the platform file has errors.
        """
        return tuple(self._session.require_platform().environments)

    def validate(self, *models: str) -> tuple[Finding, ...]:
        """Check specs against every rule, as `sluice validate` does.

        Args:
            models: the models to check; none for the whole repository. Rules that span models cover all models of the
            selected teams.

        Returns:
            The findings, sorted by place, each once; places are relative to the root. The specs are valid if none has
            the severity `error`.

        Raises:
            UserError: an unknown model.
        """
        from generator.pipeline.evaluate import findings_of
        from generator.pipeline.selection import select

        return tuple(findings_of(self._session, select(self._session, models)))

    def plan(self, model: str, environment: str) -> Plan:
        """Resolve one model for one environment: every default filled in, every name, weight and time computed.

        A plan may still break rules; `validate` reports that.

        Args:
            model: the model.
            environment: name of an environment.

        Returns:
            The plan. Shares are fractions, times seconds, weights whole percentages of the live traffic.

        Raises:
            FindingsError: the platform, the spec or its lock has errors.
            UserError: an unknown model or environment, or the name covers several models.
        """
        from generator.pipeline.evaluate import plan_of
        from generator.pipeline.selection import select_one

        return plan_of(self._session, select_one(self._session, model), environment)

    def render(self, *models: str, environment: str = "") -> Rendering:
        """Render what `sluice render` writes, every object verified, and return it.

        Args:
            models: the models to render; none for all models and the bundles that belong to no model.
            environment: name of the only environment; empty for all.

        Raises:
            UserError: an unknown model or environment, a template of the repository is invalid, or files changed
                during the call.
        """
        from generator.pipeline.render import plan_render
        from generator.pipeline.stale import render_request

        plan = plan_render(self._session, render_request(self._session, models, environment))
        return Rendering(plan.contents(), plan.findings)


def load(root: str | os.PathLike[str] | None = None, *, today: datetime.date | None = None) -> Repository:
    """Open a repository.

    Args:
        root: the folder that has `specs/platform.yaml`; None for the current folder or the nearest one above it.
        today: the day on which waivers expire and evidence ages; None for that of SOURCE_DATE_EPOCH if it is set, else
            the current one (UTC).

    Raises:
        UserError: no repository was found, or SOURCE_DATE_EPOCH is not a Unix timestamp.
    """
    from generator.pipeline.session import open_session

    return Repository(open_session(root, at=today, embedded=True))


def odds(plan: Plan) -> PlanOdds | None:
    """Compute the effect of a canary's guards on a good and on a bad version.

    Returns:
        Power, false rollbacks, time to detect and exposed requests, per guard and for the whole rollout. Shares are
        fractions, times seconds, counts requests. None for a blue-green rollout, which does not compare versions.
    """
    from generator.odds.odds import odds_of

    return odds_of(plan)


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    """Import an exported type from its module when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
