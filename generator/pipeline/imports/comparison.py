"""What a sync would change: the objects of a release next to those that its spec renders."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import ryaml

from generator.dataclass import dataclass
from generator.lint import FieldChange, Object, as_map, each, field_changes
from generator.pipeline.imports.account import Account, alike
from generator.pipeline.imports.family import TEMPLATE, Family
from generator.pipeline.imports.files import Member
from generator.pipeline.imports.pod import image_name
from generator.plan.names import Names
from generator.plan.values import Plan

_CONTAINER: Final = "model"
_MADE_UP: Final = re.compile(
    r"metadata\.annotations\.sluice\.dev/.*|spec\.template\.metadata\.annotations\.sluice\.dev/.*"
)


@dataclass(frozen=True, slots=True)
class Pair:
    """An object of the tree and the rendered one in its place.

    Args:
        before: the object of the tree; None where only Sluice has one.
        after: the rendered object.
        fields: what differs.
    """

    before: Object | None
    after: Object
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """What a sync would change for one release.

    Args:
        team: its team.
        model: its name.
        environment: its environment.
        pairs: every rendered object.
    """

    team: str
    model: str
    environment: str
    pairs: tuple[Pair, ...]


def compare(member: Member, plan: Plan, files: Mapping[str, str]) -> Compared:
    """Compare a release with what its spec renders, and settle the values that both have."""
    family = member.family
    objects = [Object.read(ryaml.loads(text)) for name, text in files.items() if name.endswith(".yaml")]
    partners = dict(_partners(family, plan))
    config = {
        name: value
        for one in objects
        if one.kind == "ConfigMap"
        for name, value in as_map(one.body.get("data")).items()
    }
    pairs = []
    for after in objects:
        account = partners.pop((after.kind, after.name), None)
        if account is None:
            pairs.append(Pair(None, after, (FieldChange("", None, after.name),)))
            continue
        before = _as_rendered(family, account)
        for path in alike(before, after.body):
            account.settle(path, f"{after.kind} {after.name}")
        pairs.append(Pair(account.item, after, tuple(_told(field_changes(before, after.body), config))))
        if family.workload is not None and account is family.main is not family.workload:
            _settle_template(family, after)
    return Compared(member.home.team, family.name, member.home.environment, tuple(pairs))


def _partners(family: Family, plan: Plan) -> Iterator[tuple[tuple[str, str], Account]]:
    """Yield the object of the tree that a rendered one is in the place of, by kind and name."""
    names = Names.of(plan)
    yield ("Rollout", family.name), family.main
    for role, account in family.services.items():
        yield ("Service", getattr(names, role) if role else family.name), account
    for account in (*family.routes, *family.others):
        yield (account.item.kind, account.item.name if "model" in family.spec else family.name), account
    for one in (family.scaler, family.account):
        if one is not None:
            yield (one.item.kind, family.name), one
    for account in family.analyses:
        yield (account.item.kind, account.item.name), account


def _as_rendered(family: Family, account: Account) -> dict[str, Any]:
    """Return the body of an object with the name of the model's container, and with the template of its workload."""
    body: dict[str, Any] = copy.deepcopy(dict(account.item.body))
    if account.item.kind == "VirtualService":
        for number, (_, rule) in enumerate(each(account.get("spec", "http"), ())):
            body["spec"]["http"][number]["name"] = (
                "predict" if not number else rule.get("name", f"rule-{number}")
            )
    if account is not family.main:
        return body
    if family.release.tool == "Flagger":
        body = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Rollout",
            "metadata": body.get("metadata", {}),
            "spec": {},
        }
    if family.workload is not None and account is not family.workload:
        body["spec"]["template"] = copy.deepcopy(family.workload.get(*TEMPLATE))
    containers = as_map(as_map(as_map(body.get("spec")).get("template")).get("spec")).get("containers")
    if containers:
        containers[family.container]["name"] = _CONTAINER
    return body


def _settle_template(family: Family, after: Object) -> None:
    """Settle the values of a pod template that is in another object than the release."""
    account = family.workload
    if account is None:
        return
    before = copy.deepcopy(account.get(*TEMPLATE))
    before["spec"]["containers"][family.container]["name"] = _CONTAINER
    for path in alike(before, as_map(after.spec.get("template"))):
        account.settle((*TEMPLATE, *path), f"{after.kind} {after.name}")


def _told(changes: Iterator[FieldChange], config: Mapping[str, str]) -> Iterator[FieldChange]:
    """Yield the changes that say something: no digest of an example, no variable that moves to the ConfigMap."""
    for one in changes:
        if one.live is None and _MADE_UP.fullmatch(one.path):
            continue
        if one.path.endswith(".image") and _same_image(one.live, one.rendered):
            continue
        variable = as_map(one.live) if ".env[" in one.path else {}
        if "value" in variable and config.get(str(variable.get("name"))) == str(variable["value"]):
            continue
        yield one


def _same_image(live: object, rendered: object) -> bool:
    return isinstance(live, str) and isinstance(rendered, str) and image_name(live) == image_name(rendered)
