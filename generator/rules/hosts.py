"""Rules on hosts: each belongs to one model, below its team's domain or in the list of its team."""

from __future__ import annotations

from collections.abc import Iterator

from generator.lint.engine import Problem, rule
from generator.odds.footprint import ResourceFootprint
from generator.plan.build import domain_of, team_domain
from generator.rules.context import Context, FleetContext
from generator.source.document import Path

_HOSTS: Path = ("spec", "traffic", "hosts")
_PUNYCODE = "xn--"


@rule(
    "TEAM803",
    "error",
    "two models have the same host",
    scope=FleetContext,
    why="The older route wins, or both apply: requests for one model reach the other. Two environments of one cluster "
    "share a Gateway, so a version in staging would answer users.",
    remedy="Give one of them another host in `traffic.hosts`.",
    example="""
# specs/shop/ranker.yaml
spec: {traffic: {hosts: [rank.shop.production.models.internal]}}
# specs/shop/sorter.yaml
spec: {traffic: {hosts: [rank.shop.production.models.internal]}}
""",
    instead="""
# specs/shop/ranker.yaml
spec: {traffic: {hosts: [rank.shop.production.models.internal]}}
# specs/shop/sorter.yaml
spec: {traffic: {hosts: [sort.shop.production.models.internal]}}
""",
    source="Gateway API 1.6, apis/v1/httproute_types.go (precedence of routes with the same hostname)",
)
def hosts(context: FleetContext) -> Iterator[Problem]:
    """Check that each host of a cluster belongs to one model in one environment."""
    taken: dict[tuple[str, str], ResourceFootprint] = {}
    own = _default_hosts(context)
    for mine in context.footprints:
        server = context.platform.environments[mine.environment].cluster
        for index, host in enumerate(mine.hosts):
            theirs = taken.setdefault((server, host), mine)
            if theirs != mine:
                message = (
                    f"`{host}` is the host of {theirs.team}/{theirs.model} in {theirs.environment} and of "
                )
                message += f"{mine.team}/{mine.model} in {mine.environment}"
                related = (("the other model", context.layers(theirs).place(_HOSTS)),)
                document, path = context.layers(mine).where((*_HOSTS, index))
                if (theirs.team, theirs.model) == (mine.team, mine.model):
                    yield _in_two_environments(context, theirs, mine, index)
                    continue
                yield Problem(path, message, "give one of them another host", related, document=document)
                continue
            owner = own.get((mine.environment, host))
            if owner not in {None, f"{mine.team}/{mine.model}"}:
                message = f"`{host}` is the default host of {owner} in {mine.environment}"
                document, path = context.layers(mine).where((*_HOSTS, index))
                yield Problem(path, message, "choose another host", document=document)


def _in_two_environments(
    context: FleetContext, first: ResourceFootprint, mine: ResourceFootprint, index: int
) -> Problem:
    """Return the problem of one model whose routes in two environments of a cluster have the same host."""
    host, layers = mine.hosts[index], context.layers(mine)
    message = (
        f"{mine.team}/{mine.model} has the host `{host}` in {first.environment} and in {mine.environment}: "
    )
    message += f"a version in {first.environment} would answer requests for {mine.environment}"
    own = f"{mine.model}.{team_domain(context.platform, first.environment, mine.team)}"
    document, path = layers.where((*_HOSTS, index))
    if not document.has(path):
        path = ("spec", "environments", first.environment, "domain")
        hint = (
            f"give {first.environment} another domain, such as `{first.environment}.{_domain(context, mine)}`"
        )
        return Problem(path, message, hint, document=context.document)
    hosts = f"{{traffic: {{hosts: [{own if own != host else f'{first.environment}-{own}'}]}}}}"
    hint = f"give {first.environment} its own: `environments: {{{first.environment}: {hosts}}}`"
    return Problem(path, message, hint, document=document)


def _domain(context: FleetContext, found: ResourceFootprint) -> str:
    return domain_of(context.platform.environments[found.environment], found.environment)


def _default_hosts(context: FleetContext) -> dict[tuple[str, str], str]:
    """Return the model that has each host by default, whether or not it uses it, by environment and host."""
    return {
        (name, f"{entry.model}.{entry.team}.{domain_of(environment, name)}"): entry.name
        for name, environment in context.platform.environments.items()
        for entry in context.repository.entries
    }


@rule(
    "TEAM804",
    "error",
    "a host does not belong to the team",
    scope=Context,
    why="All routes share a Gateway: a route to `login.example.com` would take the requests of another service.",
    remedy="Use a host below the team's domain, or let the platform team list it under `teams.<team>.hosts`.",
    example="""
# specs/shop/ranker.yaml
spec: {traffic: {hosts: [login.example.com]}}
""",
    instead="""
# specs/platform.yaml
spec: {teams: {shop: {hosts: [rank.example.com]}}}
# specs/shop/ranker.yaml
spec: {traffic: {hosts: [rank.example.com]}}
""",
)
def foreign_hosts(context: Context) -> Iterator[Problem]:
    """Check that every host is below the domain of the team in this environment, or listed for the team."""
    identity = context.plan.identity
    domain = team_domain(context.platform, identity.environment, identity.team)
    listed = context.platform.teams[identity.team].hosts
    for index, host in enumerate(context.spec.traffic.hosts):
        if host in listed:
            continue
        path = (*_HOSTS, index)
        hint = (
            f"use a host below {domain}, such as {identity.model}.{domain}, or let the platform team list it"
        )
        if host != domain and not host.endswith(f".{domain}"):
            message = f"`{host}` is not below {domain}, the domain of the team `{identity.team}` in "
            yield Problem(path, message + identity.environment, hint)
        elif any(label.startswith(_PUNYCODE) for label in host.split(".")):
            message = f"`{host}` is an encoded name: what users see may look like another host"
            yield Problem(path, message, "write it in plain letters, or let the platform team list it")


@rule(
    "TEAM805",
    "error",
    "the domain of a team contains another domain",
    scope=FleetContext,
    why="A team's models may use every host below `<team>.<domain>`. If the domain of an environment is below it, too, "
    "the team could take the hosts of all other teams there.",
    remedy="Rename the team, or give the environment another domain.",
    example="""
# specs/platform.yaml
spec:
  environments:
    production: {domain: models.example.com}
    preview:
      server: "https://preview.example.com"
      domain: shop.models.example.com
      router: {kind: gateway-api, gateway: public, namespace: gateways, implementation: envoy-gateway}
""",
    instead="""
# specs/platform.yaml
spec:
  environments:
    production: {domain: models.example.com}
    preview:
      server: "https://preview.example.com"
      domain: preview.example.com
      router: {kind: gateway-api, gateway: public, namespace: gateways, implementation: envoy-gateway}
""",
)
def nested_domains(context: FleetContext) -> Iterator[Problem]:
    """Check that no domain of an environment, and no listed host of another team, is below the domain of a team."""
    platform = context.platform
    domains = {domain_of(each, name): name for name, each in platform.environments.items()}
    listed = {host: (team, at) for team, each in platform.teams.items() for at, host in enumerate(each.hosts)}
    for environment in platform.environments:
        for team in platform.teams:
            mine = team_domain(platform, environment, team)
            for domain, name in domains.items():
                if _within(domain, mine):
                    message = (
                        f"`{domain}`, the domain of {name}, is below {mine}, the domain of the team `{team}`"
                    )
                    hint = f"rename the team, or give {name} a domain that is not below {mine}"
                    yield Problem(("spec", "teams", team), message, hint, on_key=True)
            for host, (other, at) in listed.items():
                if other != team and _within(host, mine):
                    message = f"`{host}` is below {mine}, the domain of the team `{team}`"
                    yield Problem(("spec", "teams", other, "hosts", at), message, "list another host")


def _within(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")
