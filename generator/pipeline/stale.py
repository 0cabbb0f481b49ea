"""Finds the bundles that have to be rendered by comparing ledgers with inputs, without planning anything."""

from __future__ import annotations

import datetime
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Final

from generator.dataclass import dataclass
from generator.output.bundle import is_path
from generator.output.folder import Folder, is_link, open_root
from generator.output.freshness import FreshBundle, probe
from generator.pipeline.bundles import (
    BENTOS,
    GATE_LIST,
    KINDS,
    BundleId,
    bundle_inputs,
    model_bundles,
    shared_bundles,
)
from generator.pipeline.parallel import parallel_map
from generator.pipeline.selection import select
from generator.pipeline.session import Session
from generator.plan.inputs import PlatformInputs, model_inputs, oldest_verdict
from generator.plan.model_files import PLATFORM, SPECS, ModelFiles
from generator.render.identity import contract_digest
from generator.source.canonical import sha256_of
from generator.source.errors import CliError
from generator.source.files import raw
from generator.source.suggest import did_you_mean

CONTRACT: Final = {"contract": contract_digest()}


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """The user's request.

    Args:
        output: folder that bundles are written below.
        environment: the only one, or empty for all.
        selected: the named models; None for all, with the bundles that belong to no model.
        known: keys of ledgers that are known to be up to date; None to render and compare everything.
    """

    output: Path
    environment: str = ""
    selected: frozenset[ModelFiles] | None = None
    known: Collection[bytes] | None = None

    @property
    def covers_all(self) -> bool:
        """Whether it covers every bundle of the repository."""
        return self.selected is None and not self.environment

    def covers(self, entry: ModelFiles) -> bool:
        """Return whether it covers a model."""
        return self.selected is None or entry in self.selected


def render_request(
    session: Session, models: Sequence[str], environment: str = "", output: Path | None = None
) -> RenderRequest:
    """Check the user's request and return it, without known ledgers.

    Args:
        session: the repository.
        models: what `select` understands; empty for everything.
        environment: name of the only one; empty for all.
        output: folder to write to; None for `git.path` of the platform.

    Raises:
        CliError: there is no such model or environment, or inputs are where it would write.
    """
    folder = session.root / session.platform_inputs.folder if output is None else output
    _refuse_links(session.root, folder)
    _refuse_inputs(session.root.resolve(), folder)
    known = session.platform_inputs.names("environments")
    if environment and known and environment not in known:
        raise CliError(f"no such environment: `{environment}`", did_you_mean(environment, known))
    selection = select(session, models)
    selected = None if selection.everything else frozenset(selection.entries)
    return RenderRequest(folder, environment, selected)


def _refuse_links(root: Path, output: Path) -> None:
    """Check that no link leads to the rendered files: it would choose where files are written and deleted.

    Folders above the repository may be links, and so may folders above an output elsewhere.

    Raises:
        CliError: the output, or a folder of the repository above it, is a link.
    """
    path = Path(os.path.abspath(output))  # noqa: PTH100 - does not resolve links
    below = (folder for folder in path.parents if folder != root and folder.is_relative_to(root))
    for folder in (path, *below):
        if is_link(folder):
            shown = folder.relative_to(root) if folder.is_relative_to(root) else folder
            raise CliError(
                f"can't render into {output}: {shown} is a link, and links are not followed",
                f"remove the link, or name another folder for rendered files (`git.path` of {SPECS}/{PLATFORM})",
            )


def _refuse_inputs(root: Path, output: Path) -> None:
    """Check that a folder holds no inputs and is not among them: what is no longer rendered is deleted there.

    Raises:
        CliError: it contains the repository or its inputs, or is one of the inputs.
    """
    real = output.resolve()
    if root.is_relative_to(real) or any(real.is_relative_to(root / name) for name in (SPECS, "templates")):
        name = str(output) if output.parts else "an empty name"
        raise CliError(
            f"can't render into {name}: inputs of the rendering are there",
            "choose a folder for rendered files only",
        )


@dataclass(frozen=True, slots=True)
class FreshBundles:
    """The bundles that are up to date: their number, the number of their files, and the keys of their ledgers."""

    bundles: int = 0
    files: int = 0
    keys: frozenset[bytes] = frozenset()

    @classmethod
    def sum(cls, parts: Iterable[FreshBundles]) -> FreshBundles:
        """Add up different bundles."""
        found = list(parts)
        return cls(
            sum(part.bundles for part in found),
            sum(part.files for part in found),
            frozenset(chain.from_iterable(part.keys for part in found)),
        )


@dataclass(frozen=True, slots=True)
class StaleBundles:
    """The stale bundles.

    Args:
        environments: those that are rendered.
        models: models with a stale bundle, or that have to be evaluated again; with their inputs.
        shared: stale bundles that belong to no model, with their inputs.
        fresh: the bundles that are up to date.
        validated: the bundles on disk were rendered from exactly this platform file.
    """

    environments: tuple[str, ...]
    models: Mapping[ModelFiles, Mapping[str, str]]
    shared: Mapping[BundleId, Mapping[str, str]]
    fresh: FreshBundles
    validated: bool

    @property
    def none(self) -> bool:
        """Whether nothing has to be rendered."""
        return self.validated and not self.models and not self.shared


def fresh_bundles(
    request: RenderRequest, bundles: Mapping[BundleId, Mapping[str, str]]
) -> dict[BundleId, FreshBundle]:
    """Return the bundles that are up to date, from bundles with their inputs."""
    top = open_root(request.output) if request.known else None
    if top is None or not request.known:
        return {}
    with top:
        probed = {bundle: _probe(top, bundle, inputs, request.known) for bundle, inputs in bundles.items()}
    return {bundle: fresh for bundle, fresh in probed.items() if fresh}


def _probe(
    top: Folder, bundle: BundleId, inputs: Mapping[str, str], known: Collection[bytes]
) -> FreshBundle | None:
    kind = KINDS[bundle.kind]
    return probe(top, bundle.path, inputs, known, closed=kind.closed, bare=kind.bare)


def count(found: Iterable[FreshBundle]) -> FreshBundles:
    """Add up bundles that are up to date."""
    listed = list(found)
    return FreshBundles(
        len(listed), sum(fresh.files for fresh in listed), frozenset(fresh.key for fresh in listed)
    )


def find_stale(session: Session, request: RenderRequest) -> StaleBundles:
    """Find the stale bundles, except gate images, which depend on the models."""
    platform = session.platform_inputs
    environments = tuple(name for name in platform.names("environments") if request.environment in {"", name})
    today = session.today.isoformat()
    expired = {waiver.get("model") for waiver in platform.waivers() if str(waiver.get("until")) < today}

    def probe_some(
        entries: Sequence[ModelFiles],
    ) -> Iterator[tuple[ModelFiles, dict[str, str], FreshBundles]]:
        for entry in entries:
            inputs = {**model_inputs(entry, platform), **CONTRACT}
            bundles = {
                bundle: bundle_inputs(entry, bundle, inputs)
                for bundle in model_bundles(entry, session.rendered_in(entry, environments))
            }
            fresh = fresh_bundles(request, bundles)
            again = entry.name in expired or _has_aged(entry, platform, session.today)
            yield entry, inputs if again or len(fresh) < len(bundles) else {}, count(fresh.values())

    covered = list(filter(request.covers, session.entries))
    probed = list(parallel_map(covered, probe_some) if request.known else probe_some(covered))
    shared = {
        bundle: inputs
        for bundle, inputs in shared_inputs(
            environments, platform, CONTRACT, model_names(session.entries)
        ).items()
        if request.selected is None or KINDS[bundle.kind].scope == "environment"
    }
    fresh = fresh_bundles(request, shared)
    of_environments = [
        bundle
        for bundle in shared
        if KINDS[bundle.kind].scope == "environment" and not KINDS[bundle.kind].lists_models
    ]
    stale = {} if request.selected is not None else {b: i for b, i in shared.items() if b not in fresh}
    return StaleBundles(
        environments,
        {entry: inputs for entry, inputs, _ in sorted(probed, key=itemgetter(0)) if inputs},
        stale,
        FreshBundles.sum([count(fresh.values()), *(found for _, _, found in probed)]),
        bool(of_environments) and fresh.keys() >= set(of_environments),
    )


def shared_inputs(
    environments: Iterable[str],
    platform: PlatformInputs,
    renderer: Mapping[str, str],
    models: Sequence[str],
) -> dict[BundleId, dict[str, str]]:
    """Return every bundle of an environment or a team, and its inputs.

    Args:
        environments: those that are rendered.
        platform: the platform.
        renderer: digests of the rendering contract or templates, by name.
        models: `team/model` of every model, sorted.
    """
    listed = {"models": sha256_of(list(models), lenient=True)}
    return {
        bundle: {
            "platform": platform.of_team(bundle.team) if bundle.team else platform.digest,
            **renderer,
            **(listed if KINDS[bundle.kind].lists_models else {}),
        }
        for bundle in shared_bundles(platform, environments)
    }


def model_names(entries: Iterable[ModelFiles]) -> tuple[str, ...]:
    """Return `team/model` of each model, sorted."""
    return tuple(sorted(entry.name for entry in entries))


def image_inputs(platform: PlatformInputs) -> dict[str, str]:
    """Return the inputs of gate-image bundles."""
    return {"platform": platform.of_team(""), **CONTRACT}


def gate_images_on_disk(output: Path, entry: ModelFiles) -> frozenset[str]:
    """Return the names of the gate images that a bento lists; an edited file may have unknown ones."""
    rows = (raw(output / BENTOS / entry.team / entry.model / GATE_LIST) or b"").decode("ascii", "replace")
    names = (row.rpartition("/")[2].partition(":")[0] for row in rows.splitlines())
    return frozenset(filter(is_path, names))


def _has_aged(entry: ModelFiles, platform: PlatformInputs, today: datetime.date) -> bool:
    """Check whether evidence may have expired since, by the strictest limit of all tiers."""
    if platform.shortest_age is None:
        return False
    oldest = oldest_verdict(entry)
    return oldest is not None and oldest < (today - datetime.timedelta(platform.shortest_age)).isoformat()
