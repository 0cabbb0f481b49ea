"""The platform and the tiers that the specs of a tree fit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from pydantic.alias_generators import to_camel

from generator.dataclass import dataclass
from generator.lint import Objects, as_list, as_map, as_text, each
from generator.pipeline.imports.account import Account
from generator.pipeline.imports.family import Assumed, Family
from generator.pipeline.imports.own import own_waivers
from generator.pipeline.imports.pod import fits
from generator.pipeline.imports.routes import GATEWAYS, RouterSettings
from generator.plan.derived import RESERVED_TEAMS
from generator.routers import ROUTERS
from generator.source.document import Path
from generator.spec.pod import TEAMS_MAY
from generator.spec.types import Name, SourceRepository, Url

TIER: Final = "imported"
ENVIRONMENT: Final = "production"
_USUAL: Final = {"gateway": "public", "group": "models", "proxyRanges": ["10.0.0.0/8"]}
"""What is written where the tree does not have a setting of a router."""
_SERVER: Final = "https://kubernetes.default.svc"
_REPO: Final = "https://git.example.com/acme/models.git"
_REGISTRY: Final = "registry.example.com"
_PROMETHEUS: Final = "http://prometheus.monitoring:9090"
_STAGES: Final = re.compile(
    r"(?:(?P<team>[a-z][a-z0-9-]*)-)?(?P<stage>prod|production|live|staging|stage|stg|dev|development|test|qa|uat|int|preprod|canary|sandbox|demo)"
)


@dataclass(frozen=True, slots=True)
class Home:
    """Where a release goes: the team and the environment of its namespace."""

    team: str
    environment: str


def homes(namespaces: Sequence[str], environment: str | None) -> tuple[dict[str, Home], str]:
    """Return the team and the environment of each namespace, and the pattern that gives the namespaces back.

    `shop-staging` and `shop-production` are two environments of one team; other namespaces are teams of one
    environment.
    """
    found = {name: _STAGES.fullmatch(name) for name in namespaces}
    if environment is None and all(match and match["team"] for match in found.values()):
        return {
            name: Home(match["team"], match["stage"]) for name, match in found.items() if match
        }, "{team}-{environment}"
    chosen = environment or ENVIRONMENT
    return {name: Home(_team_of(name), chosen) for name in namespaces}, "{team}"


def _team_of(namespace: str) -> str:
    """Return the team of a namespace: its name, unless Sluice or Kubernetes uses that."""
    if namespace in RESERVED_TEAMS or namespace.startswith("kube-"):
        return f"{namespace}-models"
    return namespace if fits(Name, namespace) else _kebab(namespace)


def _kebab(text: str) -> str:
    found = re.sub(r"[^a-z0-9-]+", "-", text.lower()).strip("-")[:40].strip("-")
    return found if fits(Name, found) else f"t-{found}"[:40].strip("-")


def _most_common(routers: Sequence[RouterSettings]) -> RouterSettings:
    """Return the router that most releases have; one that splits requests comes first."""
    kinds = Counter(router.kind for router in routers)
    kind = max(kinds, key=lambda one: (one != "none", kinds[one]))
    found = [router for router in routers if router.kind == kind]
    values = [dict(router.values) for router in found]
    return max(found, key=lambda router: values.count(dict(router.values)))


class Platform:
    """The platform of a tree.

    Args:
        objects: the tree.
        assumed: gets what the tree does not show.
    """

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self.assumed: list[Assumed] = []

    def of(
        self, families: Sequence[tuple[Family, Home, RouterSettings, str]], pattern: str
    ) -> dict[str, Any]:
        """Return `spec` of the platform.

        Args:
            families: each release with its team and environment, its router and its tier.
            pattern: of the namespaces.
        """
        environments = {
            home.environment: self._environment(families, home.environment, pattern)
            for _, home, _, _ in families
        }
        spec: dict[str, Any] = {
            "git": {"repo": self._repo(), "revision": "main"},
            "registry": self._registry([family for family, *_ in families]),
            "prometheus": {"address": self._prometheus([family for family, *_ in families])},
            "environments": environments,
            "tiers": {tier: _tier([(f, r) for f, _, r, t in families if t == tier]) for *_, tier in families},
            "teams": {home.team: self._team(families, home.team) for _, home, _, _ in families},
        }
        waivers = [one for family, home, *_ in families for one in own_waivers(family, home.team)]
        if waivers:
            spec["waivers"] = [one for number, one in enumerate(waivers) if one not in waivers[:number]]
        if not all(self._managed(family.namespace) for family, *_ in families):
            spec["namespaces"] = "adopt"
        return spec

    def _managed(self, namespace: str) -> bool:
        """Return whether Sluice made a namespace already; all others are adopted as they are."""
        found = self._objects.get("", "Namespace", "", namespace)
        return found is not None and found.labels.get("app.kubernetes.io/managed-by") == "sluice"

    def _assume(self, key: str, value: str, why: str) -> str:
        self.assumed.append(Assumed(key, value, why))
        return value

    def _applications(self) -> Iterator[tuple[str, str]]:
        for item in self._objects.of("argoproj.io", "Application"):
            source = as_map(item.spec.get("source"))
            yield as_text(source.get("repoURL")), as_text(as_map(item.spec.get("destination")).get("server"))

    def _repo(self) -> str:
        repos = Counter(repo for repo, _ in self._applications() if fits(SourceRepository, repo))
        if repos:
            return repos.most_common(1)[0][0]
        return self._assume("git.repo", _REPO, "the address of your repository")

    def _registry(self, families: Sequence[Family]) -> str:
        found = Counter(map(_registry_of, families))
        return found.most_common(1)[0][0] if found else _REGISTRY

    def _prometheus(self, families: Sequence[Family]) -> str:
        found = [place for family in families for account in family.analyses for place in _addresses(account)]
        if not found:
            return self._assume("prometheus.address", _PROMETHEUS, "the Prometheus that guards query")
        chosen = Counter(address for *_, address in found).most_common(1)[0][0]
        for account, path, address in found:
            if address == chosen:
                account.take(path, "platform: prometheus.address")
            else:
                why = f"all guards of an environment query {chosen}"
                account.leave(path, why, "`environments.<name>.prometheus`")
        return chosen

    def _environment(
        self, families: Sequence[tuple[Family, Home, RouterSettings, str]], environment: str, pattern: str
    ) -> dict[str, Any]:
        here = [(family, router) for family, home, router, _ in families if home.environment == environment]
        chosen = _most_common([router for _, router in here])
        for family, router in here:
            if router.kind != chosen.kind and not family.blocked:
                family.blocked = f"its router is {router.kind}, and that of {environment} is {chosen.kind}"
            for account, path, key in router.places:
                if chosen.values.get(key) == router.values.get(key):
                    account.take(path, f"platform: environments.{environment}.router.{key}")
        found = {"server": self._server(), "namespace": pattern, "router": self._router(environment, chosen)}
        hosts = all("hosts" in as_map(family.spec.get("traffic")) for family, _ in here)
        if not hosts and chosen.kind != "none":
            why = "some release has no host in the tree"
            found["domain"] = self._assume(f"environments.{environment}.domain", "models.example.com", why)
        return found

    def _router(self, environment: str, chosen: RouterSettings) -> dict[str, Any]:
        settings = {"kind": chosen.kind, **chosen.values}
        for name, meaning in ROUTERS[chosen.kind].settings.items():
            key = to_camel(name)
            if key not in settings:
                settings[key] = _USUAL.get(key, GATEWAYS)
                why = f"{chosen.kind} needs {meaning}"
                self._assume(f"environments.{environment}.router.{key}", str(settings[key]), why)
        return settings

    def _server(self) -> str:
        servers = Counter(server for _, server in self._applications() if fits(Url, server))
        return servers.most_common(1)[0][0] if servers else _SERVER

    def _team(
        self, families: Sequence[tuple[Family, Home, RouterSettings, str]], team: str
    ) -> dict[str, Any]:
        own = [(family, tier) for family, home, _, tier in families if home.team == team]
        hosts = sorted(
            {host for family, _ in own for host in as_map(family.spec.get("traffic")).get("hosts", ())}
        )
        owners = sorted({owner_of(family) for family, _ in own})
        found: dict[str, Any] = {"owners": owners, "tiers": sorted({tier for _, tier in own})}
        if hosts:
            found["hosts"] = hosts
        return found


def _registry_of(family: Family) -> str:
    """Return the host of the image; of an image that Sluice names also the path above team and model."""
    if "serve" in family.spec:
        return str(family.spec["serve"]["image"]).partition("/")[0]
    containers = as_list(family.pod.get("containers"))
    image = as_text(as_map(containers[family.container]).get("image")) if containers else ""
    return image.rpartition("/")[0].rpartition("/")[0] or _REGISTRY


def _addresses(account: Account) -> Iterator[tuple[Account, Path, str]]:
    """Yield the addresses of Prometheus in a template, each with its place."""
    places: list[Path] = [("spec", "provider", "address")]
    for path, _ in each(account.get("spec", "metrics"), ("spec", "metrics")):
        places.append((*path, "provider", "prometheus", "address"))
    for path in places:
        if fits(Url, account.get(*path)):
            yield account, path, as_text(account.get(*path))


def owner_of(family: Family) -> str:
    """Return the contact of a release."""
    known = family.main.item.annotations.get("sluice.dev/owner")
    return as_text(known) or "owners@example.com"


def _tier(families: Sequence[tuple[Family, RouterSettings]]) -> dict[str, Any]:
    """Return a tier that its specs fit, and that nothing looser fits."""
    first, rise, used = 1, 1, set(TEAMS_MAY)
    for family, router in families:
        used |= set(as_map(family.spec.get("pod")))
        # Without a router whole pods decide, which may be more than the weight.
        weights = ([] if router.kind == "none" else list(_weights(family))) or [100]
        first = max(first, weights[0])
        rise = max(
            rise, *(after - before for before, after in zip([0, *weights], [*weights, 100], strict=True))
        )
    ceilings: dict[str, Any] = {"firstWeight": f"{first}%", "largestIncrease": f"{rise}%"}
    if used - set(TEAMS_MAY):
        ceilings["pod"] = [*TEAMS_MAY, *sorted(used - set(TEAMS_MAY))]
    return {
        "description": "what the imported releases do today",
        "ceilings": ceilings,
        "evidence": ["cluster"],
    }


def _weights(family: Family) -> Iterator[int]:
    rollout = family.spec["rollout"]
    if rollout["strategy"] == "blue-green":
        yield 100
        return
    steps = [step for step in rollout["steps"] if "approve" not in step]
    yield from (100 if "cohort" in step else int(step["weight"].rstrip("%")) for step in steps)
