"""What there is to render: which bundles are expected, and which of them are not up to date."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from generator.output.probe import Probe, probe
from generator.output.prune import orphans
from generator.plan.entries import PLATFORM, SPECS, Entry
from generator.plan.inputs import PlatformInputs, file_digest, model_inputs, oldest_verdict
from generator.render.identity import contract_digest
from generator.source.files import raw
from generator.spec.gate_tools import IMAGES

BENTOS, GATES, ARGOCD, PLATFORM_FOLDER = "bentos", "gates", "argocd", "platform"
USED = "GATES"
"""File beside a bento that lists the gate images of its model."""


@dataclass(frozen=True, slots=True)
class Shared:
    """A bundle that belongs to no model: a team's project or namespace, or (team empty) one of the platform's own."""

    environment: str
    team: str
    kind: str

    @property
    def path(self) -> str:
        """Folder below the output root."""
        if self.kind == "project":
            return f"{self.environment}/{ARGOCD}/projects/{self.team}"
        if self.kind == "team":
            return f"{self.environment}/{PLATFORM_FOLDER}/{self.team}"
        if self.kind == "rollout-notices":
            return f"{self.environment}/{PLATFORM_FOLDER}/notifications"
        if self.kind == "argocd-notices":
            return f"{self.environment}/{ARGOCD}/notifications"
        if self.kind in {"admission", "overview"}:
            return f"{self.environment}/{PLATFORM_FOLDER}/{self.kind}"
        return f"{self.environment}/{ARGOCD}/{PLATFORM_FOLDER}"


def model_paths(entry: Entry, environments: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Folders of one model's bundles, with what each is: (kind, environment)."""
    paths = {}
    for environment in environments:
        paths[f"{environment}/{entry.team}/{entry.model}"] = ("model", environment)
        paths[f"{environment}/{ARGOCD}/applications/{entry.team}/{entry.model}"] = (
            "application",
            environment,
        )
    paths[f"{BENTOS}/{entry.team}/{entry.model}"] = ("bento", "")
    return paths


@dataclass
class Work:
    """What a render has to do.

    Args:
        environments: those that are rendered.
        inputs: digests that each model's bundles are made of.
        models: models with a bundle that is not up to date, and those bundles.
        shared: other bundles that are not up to date, with their inputs.
        used: gate images of each model, as the last render left them.
        images: gate images whose build files are not up to date.
        image_inputs: digests that build files are made of.
        seen: gate images that were compared.
        fresh: what was found up to date.
        orphaned: bundles that nothing asks for any more.
        expected: all bundles that are asked for.
        validated: the platform's file is, to the byte, the one that the bundles on disk were rendered from.
    """

    environments: tuple[str, ...]
    inputs: dict[Entry, dict[str, str]] = field(default_factory=dict)
    models: dict[Entry, set[str]] = field(default_factory=dict)
    shared: dict[Shared, dict[str, str]] = field(default_factory=dict)
    used: dict[Entry, frozenset[str]] = field(default_factory=dict)
    images: set[str] = field(default_factory=set)
    image_inputs: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    fresh: list[Probe] = field(default_factory=list)
    orphaned: tuple[str, ...] = ()
    expected: set[str] = field(default_factory=set)
    validated: bool = False

    @property
    def nothing(self) -> bool:
        """Whether everything is up to date."""
        return self.validated and not (self.models or self.shared or self.images or self.orphaned)


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for.

    Args:
        root: the repository.
        output: where to; below it lie the bundles.
        environment: the only one, or empty for all.
        entries: all models.
        selected: those that were named; None for all, the shared bundles included.
        today: expired waivers make a model stale.
        known: keys of the ledgers that are known to be right; None to render and compare everything.
    """

    root: Path
    output: Path
    environment: str
    entries: tuple[Entry, ...]
    selected: Collection[Entry] | None
    today: datetime.date
    known: Collection[bytes] | None = None


def survey(request: Request, platform: PlatformInputs) -> Work:
    """Compare the ledgers with the inputs; nothing is planned or rendered for it."""
    every = platform.names("environments")
    work = Work(tuple(name for name in every if request.environment in {"", name}))
    contract = {"contract": contract_digest()}
    expired = {w.get("model") for w in platform.waivers() if str(w.get("until")) < request.today.isoformat()}
    for entry in request.entries:
        paths = model_paths(entry, work.environments)
        work.expected.update(paths)
        work.used[entry] = _used(request.output / BENTOS / entry.team / entry.model / USED)
        if request.selected is not None and entry not in request.selected:
            continue
        work.inputs[entry] = inputs = model_inputs(entry, platform) | contract
        stale = {path for path in paths if not _is_fresh(work, request, path, inputs)}
        if stale or entry.name in expired or _aged(entry, platform, request.today):
            work.models[entry] = stale
    _survey_shared(request, platform, contract, work)
    work.image_inputs = {"platform": platform.of_team(""), **contract}
    survey_images(request, work)
    return work


def _aged(entry: Entry, platform: PlatformInputs, today: datetime.date) -> bool:
    """Whether evidence may have grown too old since: a model of any tier is looked at again by the strictest one."""
    if platform.shortest_age is None:
        return False
    oldest = oldest_verdict(entry)
    return oldest is not None and oldest < (today - datetime.timedelta(platform.shortest_age)).isoformat()


def survey_images(request: Request, work: Work) -> None:
    """Compare the build files of the gate images that models use; once more when more is known of the models."""
    work.expected = {path for path in work.expected if not path.startswith(f"{GATES}/")}
    needed = frozenset[str]().union(*work.used.values())
    work.expected |= {f"{GATES}/{image}" for image in needed}
    for image in sorted(needed - work.seen):
        selected = request.selected is None or any(image in work.used[entry] for entry in request.selected)
        if selected and not _is_fresh(work, request, f"{GATES}/{image}", work.image_inputs):
            work.images.add(image)
        work.seen.add(image)
    if request.selected is None:
        work.orphaned = orphans(request.output, request.environment, work.expected)


def _used(path: Path) -> frozenset[str]:
    """Names of the gate images that a file lists; what stands there otherwise is not ours."""
    rows = (raw(path) or b"").decode("ascii", "replace").splitlines()
    return frozenset(row.rpartition("/")[2].partition(":")[0] for row in rows) & IMAGES.keys()


def shared_inputs(
    root: Path, environments: Sequence[str], platform: PlatformInputs, renderer: Mapping[str, str]
) -> dict[Shared, dict[str, str]]:
    """Every bundle that belongs to no model, and what it is made of.

    Args:
        root: the repository.
        environments: those that are rendered.
        platform: the platform in it.
        renderer: digest of what renders, by name: the contract, or templates.
    """
    whole = file_digest(root / SPECS / PLATFORM)
    return {
        shared: {"platform": platform.of_team(shared.team) if shared.team else whole, **renderer}
        for shared in _shared(environments, platform)
    }


def _survey_shared(request: Request, platform: PlatformInputs, contract: dict[str, str], work: Work) -> None:
    known = []
    for shared, inputs in shared_inputs(request.root, work.environments, platform, contract).items():
        work.expected.add(shared.path)
        if request.selected is not None and shared.team:
            continue
        fresh = _is_fresh(work, request, shared.path, inputs)
        if request.selected is None and not fresh:
            work.shared[shared] = inputs
        if not shared.team:
            known.append(fresh)
    work.validated = bool(known) and all(known)


def _is_fresh(work: Work, request: Request, path: str, inputs: dict[str, str]) -> bool:
    if request.known is None:
        return False
    found = probe(request.output, path, inputs, request.known)
    if found.fresh:
        work.fresh.append(found)
    return found.fresh


def _shared(environments: Sequence[str], platform: PlatformInputs) -> Iterator[Shared]:
    for environment in environments:
        yield Shared(environment, "", "platform")
        if platform.spec.get("admission") != "none":
            yield Shared(environment, "", "admission")
        yield from (Shared(environment, "", kind) for kind in platform.notices(environment))
        if platform.has_dashboards:
            yield Shared(environment, "", "overview")
        for team in platform.names("teams"):
            yield Shared(environment, team, "project")
            yield Shared(environment, team, "team")


def platform_inputs(root: Path) -> PlatformInputs:
    """The platform as plain values; whatever is wrong with it is found, with its place, by whoever validates it."""
    import yaml

    try:
        text = (raw(root / SPECS / PLATFORM) or b"").decode("utf-8-sig")
        return PlatformInputs(yaml.load(text, Loader=yaml.CBaseLoader))  # noqa: S506 - text only, no tags are built
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError, ValueError):
        return PlatformInputs(None)
