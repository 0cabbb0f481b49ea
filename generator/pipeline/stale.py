"""Which bundles have to be rendered: ledgers are compared with the inputs, and nothing is planned for it."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from generator.output.bundle import is_path
from generator.output.folder import open_root
from generator.output.freshness import probe
from generator.pipeline.bundles import (
    BENTOS,
    GATE_LIST,
    KINDS,
    BundleId,
    model_bundles,
    shared_bundles,
)
from generator.pipeline.session import Session
from generator.plan.inputs import PlatformInputs, file_digest, model_inputs, oldest_verdict
from generator.plan.model_files import PLATFORM, SPECS, ModelFiles
from generator.render.identity import contract_digest
from generator.source.files import raw

CONTRACT: Final = {"contract": contract_digest()}


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """What the user asked for.

    Args:
        output: folder that bundles are written below.
        environment: the only one, or empty for all.
        selected: the models that were named; None for all, with the bundles that belong to no model.
        known: keys of the ledgers that are known to be right; None to render and compare everything.
    """

    output: Path
    environment: str = ""
    selected: frozenset[ModelFiles] | None = None
    known: Collection[bytes] | None = None

    @property
    def covers_all(self) -> bool:
        """Whether it is about every bundle of the repository."""
        return self.selected is None and not self.environment

    def covers(self, entry: ModelFiles) -> bool:
        """Whether it is about a model."""
        return self.selected is None or entry in self.selected


@dataclass(frozen=True, slots=True)
class FreshBundles:
    """The bundles that are up to date: how many, how many files they hold, and the keys of their ledgers."""

    bundles: int = 0
    files: int = 0
    keys: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class StaleBundles:
    """What has to be rendered.

    Args:
        environments: those that are rendered.
        models: models with a bundle that is not up to date, or that have to be evaluated again; with their inputs.
        shared: bundles that belong to no model and are not up to date, with their inputs.
        validated: the platform's file is, to the byte, the one that the bundles on disk were rendered from.
    """

    environments: tuple[str, ...]
    models: Mapping[ModelFiles, Mapping[str, str]]
    shared: Mapping[BundleId, Mapping[str, str]]
    validated: bool

    @property
    def none(self) -> bool:
        """Whether nothing has to be rendered."""
        return self.validated and not self.models and not self.shared


class Prober:
    """Compares bundles on disk with their inputs, and counts those that are up to date."""

    def __init__(self, request: RenderRequest) -> None:
        self._known = request.known
        self._top = None if self._known is None else open_root(request.output)
        self._bundles, self._files = 0, 0
        self._keys: set[bytes] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._top is not None:
            self._top.__exit__(kind, error, trace)

    @property
    def fresh(self) -> FreshBundles:
        """The bundles that were up to date."""
        return FreshBundles(self._bundles, self._files, frozenset(self._keys))

    def is_fresh(self, bundle: BundleId, inputs: Mapping[str, str]) -> bool:
        """Check whether a bundle is up to date."""
        if self._known is None:
            return False
        found = probe(self._top, bundle.path, inputs, self._known)
        if found.fresh:
            self._bundles += 1
            self._files += found.files
            self._keys.add(found.key)
        return found.fresh


def find_stale(session: Session, request: RenderRequest, prober: Prober) -> StaleBundles:
    """Find the bundles that are not up to date, gate images aside: models decide which of those there are."""
    platform = session.platform_inputs
    environments = tuple(name for name in platform.names("environments") if request.environment in {"", name})
    models = {}
    today = session.today.isoformat()
    expired = {waiver.get("model") for waiver in platform.waivers() if str(waiver.get("until")) < today}
    for entry in filter(request.covers, session.entries):
        inputs = {**model_inputs(entry, platform), **CONTRACT}
        # Every bundle is compared, and not only those up to the first that is stale: they are counted.
        fresh = [prober.is_fresh(bundle, inputs) for bundle in model_bundles(entry, environments)]
        if not all(fresh) or entry.name in expired or _has_aged(entry, platform, session.today):
            models[entry] = inputs
    shared, validated = {}, []
    for bundle, inputs in shared_inputs(session.root, environments, platform, CONTRACT).items():
        of_environment = KINDS[bundle.kind].scope == "environment"
        if request.selected is None or of_environment:
            is_fresh = prober.is_fresh(bundle, inputs)
            if of_environment:
                validated.append(is_fresh)
            if request.selected is None and not is_fresh:
                shared[bundle] = inputs
    return StaleBundles(environments, models, shared, bool(validated) and all(validated))


def shared_inputs(
    root: Path, environments: Iterable[str], platform: PlatformInputs, renderer: Mapping[str, str]
) -> dict[BundleId, dict[str, str]]:
    """Return every bundle of an environment or a team, and its inputs.

    Args:
        root: the repository.
        environments: those that are rendered.
        platform: the platform in it.
        renderer: digest of what renders, by name: the contract, or templates.
    """
    whole = file_digest(root / SPECS / PLATFORM)
    return {
        bundle: {"platform": platform.of_team(bundle.team) if bundle.team else whole, **renderer}
        for bundle in shared_bundles(platform, environments)
    }


def image_inputs(platform: PlatformInputs) -> dict[str, str]:
    """Return the inputs of the bundles of gate images."""
    return {"platform": platform.of_team(""), **CONTRACT}


def gate_images_on_disk(output: Path, entry: ModelFiles) -> frozenset[str]:
    """Return the names of the gate images that a bento lists; they may be unknown where the file was edited."""
    rows = (raw(output / BENTOS / entry.team / entry.model / GATE_LIST) or b"").decode("ascii", "replace")
    names = (row.rpartition("/")[2].partition(":")[0] for row in rows.splitlines())
    return frozenset(filter(is_path, names))


def _has_aged(entry: ModelFiles, platform: PlatformInputs, today: datetime.date) -> bool:
    """Check whether evidence may have become too old since: by the strictest of all tiers, to be sure."""
    if platform.shortest_age is None:
        return False
    oldest = oldest_verdict(entry)
    return oldest is not None and oldest < (today - datetime.timedelta(platform.shortest_age)).isoformat()
