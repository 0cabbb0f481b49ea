"""Rules on the people behind a model: the owner's address, and the roles that approve a release."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from generator.lint.engine import Problem, rule
from generator.rules.context import ROLLOUT, STEPS, Context
from generator.source.document import Path
from generator.source.flow import flow
from generator.source.suggest import misspelt
from generator.spec.rollout import ApproveStep, BlueGreen

_MAIL: Final = r"[^\s@,;:<>()\[\]]+@[\w-]+(?:\.[\w-]+)+"
_ADDRESS: Final = re.compile(rf"{_MAIL}|@[\w-]+(?:/[\w.-]+)?|#[\w-]+|https?://\S+")


@rule(
    "REF213",
    "warning",
    "the owner is not an address",
    scope=Context,
    why="The owner is contacted when a release is stuck, and a name alone is not enough to reach a person.",
    remedy="Write an e-mail address, a handle such as @acme/shop, or a channel such as #shop-ml in quotes.",
    example="metadata: {owner: shop-ml}",
    instead="metadata: {owner: shop-ml@example.com}",
)
def owner_address(context: Context) -> Iterator[Problem]:
    """Check that the owner is an address, a handle or a channel."""
    owner = context.planned.source.file.metadata.owner
    if _ADDRESS.fullmatch(owner):
        return
    owners = [known for known in context.platform.teams[context.plan.identity.team].owners if _is_mail(known)]
    address = _address_in(owner, owners)
    hint = f"write an address, for example `owner: {flow(address)}`"
    yield Problem(("metadata", "owner"), f"`{owner}` is not a contact address", hint)


def _is_mail(text: str) -> bool:
    return re.fullmatch(_MAIL, text) is not None


def _address_in(owner: str, owners: list[str]) -> str:
    """Return the address that a text means: without the words around it, and with the domain of the team's owners."""
    domain = owners[0].partition("@")[2] if owners else "example.com"
    text = re.sub(r"(?:(?<!\s)\s+)?[\[(]at[\])]\s*|(?<!\s)\s+at\s+", "@", owner.removeprefix("mailto:"))
    text = re.sub(r"(?:(?<!\s)\s+)?[\[(]dot[\])]\s*|(?<=@\w)\s+dot\s+", ".", text)
    found = re.search(_MAIL, text)
    if found:
        return found[0].rstrip(".")
    handle = re.search(r"[@#][\w-]+(?:/[\w.-]+)?$", text)
    if handle and "@" not in text[: handle.start()] and not re.search(r"\w@\w", text):
        return handle[0]
    name = re.match(r"[\w.+-]+(?=@)", text)
    return f"{name[0]}@{domain}" if name else owners[0] if owners else f"{text.split(' ')[0]}@{domain}"


_WITH_APPROVAL: Final = (
    "manually",
    "hand",
    "human",
    "person",
    "people",
    "yes",
    "true",
    "on",
    "required",
    "needed",
)


_WITHOUT_APPROVAL: Final = (
    "auto",
    "automatically",
    "automated",
    "never",
    "none",
    "no",
    "false",
    "off",
    "immediate",
)


@rule(
    "PLAN522",
    "warning",
    "the role that approves is probably not a role",
    scope=Context,
    why="Any name is a role: a release would wait for a role that does not exist, or that no tier knows.",
    remedy="Write `manual` for any person, `automatic` for none (in a blue-green), or the name of the role.",
    example="spec: {rollout: {strategy: blue-green, approve: manually}}",
    instead="spec: {rollout: {strategy: blue-green, approve: manual}}",
)
def approving_roles(context: Context) -> Iterator[Problem]:
    """Check that no role is another word for `manual` or `automatic`, or a misspelt role of a tier."""
    rollout = context.spec.rollout
    written: list[tuple[Path, str]] = [
        ((*STEPS, index, "approve"), step.approve)
        for index, step in enumerate(rollout.steps)
        if isinstance(step, ApproveStep)
    ]
    if isinstance(rollout, BlueGreen):
        written.append(((*ROLLOUT, "approve"), rollout.approve))
    roles = {role for tier in context.platform.tiers.values() for role in tier.requires.approvals}
    for path, role in written:
        right = _meant_role(role, roles, step=path[-2] != "rollout")
        if right:
            yield Problem(path, f"`{role}` is probably not a role", f"write `{right}`, if you meant that")


def _meant_role(role: str, roles: set[str], *, step: bool) -> str:
    """Return the line that was probably meant; empty for a plausible role."""
    if role in roles | {"manual", "automatic"}:
        return ""
    if role in _WITH_APPROVAL:
        return "approve: manual"
    if role in _WITHOUT_APPROVAL:
        return "" if step else "approve: automatic"
    near = misspelt(role, roles | {"manual", "automatic"})
    return f"approve: {near}" if near else ""
