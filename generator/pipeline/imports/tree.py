"""Imports a tree: reads its releases, writes specs, renders them, and compares."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from generator.dataclass import dataclass
from generator.lint import Release, read_objects
from generator.odds.key_metrics import KeyMetrics, key_metrics
from generator.odds.trees.odds import tree_odds
from generator.odds.trees.values import Known, TreeOdds
from generator.pipeline.evaluate import evaluate_model
from generator.pipeline.imports.account import Leaf
from generator.pipeline.imports.comparison import Compared, compare
from generator.pipeline.imports.family import Assumed, Families, Family
from generator.pipeline.imports.files import Member, Model, lock_file, platform_file, spec_file
from generator.pipeline.imports.guards import read_guards
from generator.pipeline.imports.kserve import read_inference_service, without_canary
from generator.pipeline.imports.own import read_own
from generator.pipeline.imports.platform import TIER, Home, Platform, homes
from generator.pipeline.imports.pod import fits, read_pod
from generator.pipeline.imports.routes import RouterSettings, read_routes
from generator.pipeline.imports.strategy import read_scale, read_strategy
from generator.pipeline.session import Session, today
from generator.plan.model_files import PLATFORM, SPECS
from generator.source.errors import CliError
from generator.source.finding import Finding
from generator.spec.types import Name

if TYPE_CHECKING:
    from generator.plan.resolve import Resolved

LEFTOVERS: Final = "leftovers"
_GATEWAY_API: Final = "gateway-api"
_ROUNDS: Final = 8
_TAKEN_OUT: Final = re.compile(
    r"spec\.(?:environments\.[a-z0-9-]+\.)?(?P<key>pod\.(?:volumes|volumeMounts|sidecars|initContainers|tolerations"
    r"|imagePullSecrets|hostAliases|topologySpreadConstraints)\[\d+\]|pod\.(?:labels|annotations)\..+"
    r"|pod\.[A-Za-z]+|resources\.limits\.\w+|resources\.gpu|service\.env\[\d+\]|rollout\.guards\[\d+\])"
)
"""Parts of a spec that are taken out, and left over, if a rule refuses them."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user says about a tree.

    Args:
        namespace: of objects that have none.
        environment: the environment of all releases; None to read it from namespaces.
        tier: of all models; None for the one that the tree fits.
        known: traffic and baselines.
        example_lock: write made-up digests for images without one.
        build: build charts and kustomizations first.
    """

    namespace: str
    environment: str | None
    tier: str | None
    known: Known
    example_lock: bool
    build: bool


@dataclass
class TreeImport:
    """What an import found.

    Args:
        files: text of each file to write, by path below the repository.
        leaves: every value of every object, and what became of it.
        models: the imported models.
        refused: releases that can't be imported, each with the reason.
        assumed: what the tree does not show, of the platform.
        findings: what is wrong with the specs, in the words of `validate`.
        compared: what a sync would change, for each release.
        before: the odds of the tree.
        after: the key metrics of each plan.
        unread: what could not be read, in sentences.
    """

    files: dict[str, str] = field(default_factory=dict)
    leaves: list[Leaf] = field(default_factory=list)
    models: list[Model] = field(default_factory=list)
    refused: list[tuple[Release, str]] = field(default_factory=list)
    assumed: list[Assumed] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    compared: list[Compared] = field(default_factory=list)
    before: TreeOdds | None = None
    after: list[tuple[str, str, KeyMetrics]] = field(default_factory=list)
    unread: tuple[str, ...] = ()


def import_tree(tree: Path, repository: Session | None, settings: Settings) -> TreeImport:
    """Import the releases of a tree; nothing is written.

    Args:
        tree: a folder or a file.
        repository: the repository that gets the specs, if it has a platform already.
        settings: what the user says.

    Raises:
        CliError: there is no release.
    """
    objects, releases = read_objects(tree, build=settings.build)
    wanted = [*releases.releases, *without_canary(objects)]
    if not wanted:
        hint = "\n".join(releases.unread[:5])
        raise CliError(
            f"{tree} has no Rollout with a strategy, Canary of Flagger or InferenceService of KServe", hint
        )
    found = TreeImport(before=tree_odds(releases, settings.known), unread=releases.unread)
    finder = Families(objects, settings.namespace)
    families = list(finder.of(wanted))
    for family in families:
        read_own(family, objects, finder.accounts)
    routers = _routers(families, [_read(family, settings) for family in families])
    _refuse_twice(families)
    here = [(family, router) for family, router in zip(families, routers, strict=True) if not family.blocked]
    platform = Platform(objects)
    with tempfile.TemporaryDirectory(prefix="sluice-import-") as folder:
        work = _Work(Path(folder), repository, settings, tree.resolve().name)
        work.place(here, platform)
        found.models, found.assumed = work.models, platform.assumed if repository is None else []
        work.settle()
        found.files, found.findings = work.files, work.findings
        for member, planned, rendered in work.rendered():
            found.compared.append(compare(member, planned.plan, rendered))
            found.after.append(
                (f"{member.home.team}/{member.family.name}", member.home.environment, key_metrics(planned))
            )
    found.refused = [(family.release, family.blocked) for family in families if family.blocked]
    for family in families:
        if family.blocked:
            _give_back(family)
    found.leaves = [leaf for account in finder.accounts.values() for leaf in account.leaves()]
    found.files |= _originals(found.leaves, f"{tree.resolve().name}/" if tree.is_dir() else "")
    return found


def _read(family: Family, settings: Settings) -> RouterSettings:
    """Read everything about one release."""
    if not fits(Name, family.name):
        family.blocked = (
            f"`{family.name}` is not a name of a model: lower-case letters, digits and dashes, at most 40"
        )
        return RouterSettings("none")
    if family.release.tool == "KServe":
        read_inference_service(family, example=settings.example_lock)
        if not family.blocked:
            read_guards(family, settings.known)
        return RouterSettings("none")
    read_pod(family)
    if family.blocked:
        return RouterSettings("none")
    read_strategy(family)
    read_scale(family)
    router = read_routes(family)
    if not family.blocked:
        read_guards(family, settings.known)
    return router


def _routers(families: Sequence[Family], routers: Sequence[RouterSettings]) -> list[RouterSettings]:
    """Return the routers of releases; KServe makes its routes itself, so its releases get the router of the others."""
    others = [
        router
        for family, router in zip(families, routers, strict=True)
        if family.release.tool != "KServe" and not family.blocked
    ]
    usual = replace(others[0], places=()) if others else RouterSettings(_GATEWAY_API)
    return [
        usual if family.release.tool == "KServe" else router
        for family, router in zip(families, routers, strict=True)
    ]


def _refuse_twice(families: Sequence[Family]) -> None:
    seen: dict[tuple[str, str], Family] = {}
    for family in families:
        first = seen.setdefault((family.namespace, family.name), family)
        if first is not family and not family.blocked:
            family.blocked = f"{first.main.item.file.name} has a release of this name in this namespace, too"


def _give_back(family: Family) -> None:
    for account in family.accounts:
        if not account.release:
            account.drop_all(f"its release is not imported: {family.blocked}")


class _Work:
    """A copy of the repository in which the specs are validated and rendered."""

    def __init__(self, root: Path, repository: Session | None, settings: Settings, origin: str) -> None:
        self.root, self.repository, self.settings, self.origin = root, repository, settings, origin
        self.models: list[Model] = []
        self.files: dict[str, str] = {}
        self.findings: list[Finding] = []
        self.platform: dict[str, str] = {}
        self._resolved: list[tuple[Model, Resolved]] = []
        if repository is not None:
            for name in (SPECS, "templates"):
                if (repository.root / name).is_dir():
                    shutil.copytree(repository.root / name, root / name, ignore=_not_files)

    def place(self, here: Sequence[tuple[Family, RouterSettings]], platform: Platform) -> None:
        """Give each release its team, environment and tier, and write the platform."""
        spaces = sorted({family.namespace for family, _ in here})
        found, pattern = self._homes(spaces)
        members = [
            Member(
                family,
                found[family.namespace],
                self.settings.tier or self._tier(family, found[family.namespace]),
            )
            for family, _ in here
        ]
        for one in members:
            space = pattern.replace("{team}", one.home.team).replace("{environment}", one.home.environment)
            if pattern and space != one.family.main.item.namespace:
                why = f"the tree has `{one.family.main.item.namespace}`, which a team can't have"
                missing = "its objects have no namespace"
                one.family.assume("namespace", space, why if one.family.main.item.namespace else missing)
        if self.repository is None and members:
            rows = [
                (one.family, one.home, router, one.tier)
                for one, (_, router) in zip(members, here, strict=True)
            ]
            spec = platform.of(rows, pattern)
            self.platform = platform_file(self._session().templates, self.origin, spec, platform.assumed)
        by_name: dict[tuple[str, str], Model] = {}
        for one in members:
            if one.family.blocked:
                continue
            key = (one.home.team, one.family.name)
            by_name.setdefault(key, Model(*key)).members.append(one)
        self.models = [by_name[key] for key in sorted(by_name)]
        for model in self.models:
            for one in model.members:
                for account in one.family.accounts:
                    account.release = f"{model.path}.yaml"

    def _homes(self, spaces: Sequence[str]) -> tuple[dict[str, Home], str]:
        if self.repository is None:
            return homes(spaces, self.settings.environment)
        platform = self.repository.platform
        known = {
            environment.namespace.replace("{team}", team).replace("{environment}", name): Home(team, name)
            for name, environment in platform.environments.items()
            for team in platform.teams
        }
        first = self.settings.environment or next(iter(platform.environments))
        teams = homes(spaces, first)[0]
        return {space: known.get(space, teams[space]) for space in spaces}, ""

    def _tier(self, family: Family, home: Home) -> str:
        if self.repository is None:
            label = family.main.item.labels.get("sluice.dev/tier")
            return label if isinstance(label, str) and fits(Name, label) else TIER
        team = self.repository.platform.teams.get(home.team)
        return team.tiers[0] if team else next(iter(self.repository.platform.tiers))

    def _session(self) -> Session:
        return Session(self.root, today(), embedded=True)

    def settle(self) -> None:
        """Write the specs, and take out what rules refuse, until they refuse nothing that can be taken out."""
        for _ in range(_ROUNDS):
            self._write()
            if not self._take_out():
                return

    def _write(self) -> None:
        templates, day = self._session().templates, today().isoformat()
        self.files = dict(self.platform)
        for model in self.models:
            self.files |= spec_file(templates, self.origin, model)
            self.files |= lock_file(templates, model, day, example=self.settings.example_lock)
            for path, text in lock_file(templates, model, day, example=True).items():
                self._put(path, text)
        for path, text in self.files.items():
            self._put(path, text)
        session = self._session()
        own = {f"{model.team}/{model.name}": model for model in self.models}
        self.findings = [one for one in session.repository.findings if one.severity == "error"]
        self._resolved = []
        if session.repository.platform is None:
            return
        for entry in session.entries:
            if entry.name in own:
                resolved = session.resolve(entry)
                self.findings += [*resolved.findings, *evaluate_model(session, resolved)]
                self._resolved.append((own[entry.name], resolved))

    def _put(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())

    def _take_out(self) -> bool:
        """Take what errors name out of the specs; return whether there was anything."""
        again = False
        for finding in self.findings:
            match = _TAKEN_OUT.match(finding.path)
            model = next((one for one in self.models if finding.place.file == f"{one.path}.yaml"), None)
            if finding.severity == "error" and match and model:
                for member in model.members:
                    again = self._remove(member.family, match["key"], finding) or again
        return again

    def _remove(self, family: Family, key: str, finding: Finding) -> bool:
        steps = [
            int(step[1:-1]) if step[0] == "[" else step for step in re.findall(r"\[\d+\]|[^.\[\]]+", key)
        ]
        if len(steps) > 2 and steps[1] in ("labels", "annotations"):
            steps = [*steps[:2], key.split(".", 2)[2]]
        value: Any = family.spec
        for step in steps[:-1]:
            value = value.get(step, {}) if isinstance(value, dict) else {}
        last = steps[-1]
        if isinstance(value, list) and isinstance(last, int):
            kept = [number for number, one in enumerate(value) if one is not None]
            if last >= len(kept):
                return False
            last = kept[last]
            value[last] = None
        elif not isinstance(value, dict) or value.pop(str(last), None) is None:
            return False
        full = f"{key.rpartition('[')[0]}[{last}]" if isinstance(last, int) else key
        for account in family.accounts:
            account.drop(full, f"{finding.code}: {finding.message}", finding.hint)
        return True

    def rendered(self) -> Iterator[tuple[Member, Any, dict[str, str]]]:
        """Yield each release with its plan and its rendered files."""
        from generator.odds.odds import odds_annotations
        from generator.render.bundle import render_bundle

        templates = self._session().templates
        for model, resolved in self._resolved:
            for planned in resolved.plans:
                member = next(
                    (m for m in model.members if m.home.environment == planned.plan.identity.environment),
                    None,
                )
                if member is not None:
                    yield (
                        member,
                        planned,
                        render_bundle(planned.plan, templates, odds_annotations(planned.plan)),
                    )


def _not_files(folder: str, names: list[str]) -> list[str]:
    """Return what is neither a file nor a folder: a link may lead to anything on this machine, a pipe has no end."""
    paths = {name: Path(folder, name) for name in names}
    return [
        name for name, path in paths.items() if path.is_symlink() or not (path.is_file() or path.is_dir())
    ]


def _originals(leaves: Sequence[Leaf], below: str) -> dict[str, str]:
    """Return the files that have an object with something left over, as they are; never those with a Secret."""
    files = {}
    for leaf in leaves:
        file = leaf.item.file
        if leaf.mark.status == "leftover" and file.text is not None and file.name not in files:
            files[file.name] = file.text
    secret = {leaf.item.file.name for leaf in leaves if leaf.item.kind == "Secret"}
    return {f"{LEFTOVERS}/{below}{name}": text for name, text in sorted(files.items()) if name not in secret}


def repository_at(root: Path) -> Session | None:
    """Return the repository that gets the specs, None where there is no platform file."""
    return Session(root, today(), embedded=True) if (root / SPECS / PLATFORM).exists() else None
