"""Rules on package indexes: which a spec may name, and that packages come from nowhere else than the platform says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.lint.engine import Problem, rule
from generator.plan.packages import package_name
from generator.rules.context import Context, ceiling
from generator.source.document import Path
from generator.source.suggest import did_you_mean

_INDEXES: Final[Path] = ("spec", "service", "indexes")
_REQUIREMENTS: Final[Path] = ("spec", "service", "requirements")
_PLATFORM: Final = """
# specs/platform.yaml
spec:
  indexes: {internal: {url: "https://packages.example.com/simple", packages: [acme-features], login: true}}
  tiers: {standard: {ceilings: {indexes: [internal]}}}
# specs/shop/ranker.yaml"""
_LIST: Final = f"""
# specs/shop/ranker.requirements.txt
# All packages of the service, for Python 3.11 on Linux (x86_64), with the hashes of their files.
# From the index internal: acme-features.
acme-features==1.4.0 --hash=sha256:{"a" * 64}
bentoml==1.4.39 --hash=sha256:{"b" * 64}
numpy==2.4.6 --hash=sha256:{"c" * 64}
scikit-learn==1.9.1 --hash=sha256:{"d" * 64}
"""


@rule(
    "TIER355",
    "error",
    "a spec names a package index that its tier does not allow",
    scope=Context,
    why="What an index supplies runs in the service and where its image is built. The platform decides which indexes "
    "its models trust, and which of them get the password.",
    remedy="Name an index that the tier allows, or ask the platform team to allow this one.",
    example="""
# specs/platform.yaml
spec: {indexes: {internal: {url: "https://packages.example.com/simple", packages: [acme-features]}}}
# specs/shop/ranker.yaml
spec: {service: {indexes: [internal]}}
""",
    instead=f"{_PLATFORM}\nspec: {{service: {{indexes: [internal]}}}}\n",
)
def allowed_indexes(context: Context) -> Iterator[Problem]:
    """Check that the tier allows each index that the platform has."""
    allowed = context.tier.ceilings.indexes
    shown = ", ".join(allowed) or "none"
    for number, name in enumerate(context.spec.service.indexes):
        if name in context.platform.indexes and name not in allowed:
            message = f"the tier `{context.plan.identity.tier}` does not allow packages of the index `{name}`"
            yield Problem(
                (*_INDEXES, number), message, f"allowed: {shown}", ceiling(context, "indexes", shown)
            )


@rule(
    "PLAN569",
    "error",
    "a spec names an unknown package index",
    scope=Context,
    why="Addresses of indexes are in the platform's file only; without one the packages would come from elsewhere.",
    remedy="Name an index that the platform lists in `indexes`.",
    example="spec: {service: {indexes: [internal]}}",
    instead=f"{_PLATFORM}\nspec: {{service: {{indexes: [internal]}}}}\n",
)
def unknown_index(context: Context) -> Iterator[Problem]:
    """Check that the platform lists each index."""
    known = context.platform.indexes
    for number, name in enumerate(context.spec.service.indexes):
        if name not in known:
            hint = (
                did_you_mean(name, known, "indexes")
                if known
                else "the platform lists none in `indexes`; remove it"
            )
            yield Problem((*_INDEXES, number), f"unknown package index `{name}`", hint)


@rule(
    "PLAN570",
    "error",
    "a package would come from another index than the platform says",
    scope=Context,
    why="Anyone can upload a package to a public index under the name of an internal one, with a higher version "
    "(dependency confusion). The platform says which index has which packages, and they come from there only.",
    remedy="Name the index in `service.indexes`, and pin the packages again. If two of the named indexes have the "
    "package, name only one of them.",
    example="""
# specs/platform.yaml
spec: {indexes: {internal: {url: "https://packages.example.com/simple", packages: [acme-features]}}}
# specs/shop/ranker.yaml
spec: {service: {requirements: ["acme-features==1.4.0"]}}
""",
    instead=f"{_PLATFORM}\n"
    'spec: {service: {indexes: [internal], requirements: ["acme-features==1.4.0"]}}'
    f"{_LIST}",
)
def other_index(context: Context) -> Iterator[Problem]:
    """Check the packages of the service, and all that they need if these are listed."""
    bento = context.plan.bento
    if bento is None:
        return
    listed = bento.packages.lines if bento.packages else bento.requirements
    named = context.spec.service.indexes
    for package in sorted({package_name(line) for line in listed}):
        having = [name for name, index in context.platform.indexes.items() if package in index.packages]
        chosen = [name for name in having if name in named]
        reserved = [name for name in having if context.platform.indexes[name].exclusive]
        if len(chosen) > 1:
            message = f"`{package}` is in the indexes {' and '.join(f'`{name}`' for name in chosen)}"
            yield Problem((*_INDEXES, named.index(chosen[1])), message, "name only one of them")
        elif reserved and not chosen:
            place = ("spec", "indexes", reserved[0], "packages")
            related = ((f"index `{reserved[0]}`: {package}", context.platform_document.place(place)),)
            message = f"`{package}` is a package of the index `{reserved[0]}`, which the spec does not name"
            hint = f"write `indexes: [{', '.join([*named, reserved[0]])}]`, and run `sluice pin --packages`"
            yield Problem(_at(context, package), message, hint, related)


@rule(
    "PLAN571",
    "error",
    "packages of an index are not pinned by hash",
    scope=Context,
    why="CI fetches packages of an index by the hashes of the list, in the job that has the password; the job that "
    "builds the image has none.",
    remedy="Run `sluice pin --packages`, and commit the list.",
    example=f'{_PLATFORM}\nspec: {{service: {{indexes: [internal], requirements: ["acme-features==1.4.0"]}}}}',
    instead=f'{_PLATFORM}\nspec: {{service: {{indexes: [internal], requirements: ["acme-features==1.4.0"]}}}}{_LIST}',
)
def index_without_list(context: Context) -> Iterator[Problem]:
    """Check that there is a list where a package of the service comes from an index that the spec names."""
    bento, identity = context.plan.bento, context.plan.identity
    if bento is None or bento.packages is not None:
        return
    named = {package_name(line) for line in bento.requirements}
    for number, name in enumerate(context.spec.service.indexes):
        index = context.platform.indexes.get(name)
        packages = sorted(named.intersection(index.packages)) if index else []
        if packages:
            message = f"{packages[0]} comes from the index `{name}` and is not pinned by hash"
            hint = f"run `sluice pin --packages {identity.team}/{identity.model}`, and commit the list"
            yield Problem((*_INDEXES, number), message, hint)


def _at(context: Context, package: str) -> Path:
    """Return where the spec names a package; of one that others need, the framework's place."""
    for number, line in enumerate(context.spec.service.requirements):
        if package_name(line) == package:
            return (*_REQUIREMENTS, number)
    return ("spec", "model", "framework")
