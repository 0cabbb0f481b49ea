"""Credentials that stand where everyone reads them: in specs, in the platform, in the values of variables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from generator.lint.engine import Problem, rule
from generator.rules.context import Context, FleetContext
from generator.rules.secrets import looks_secret
from generator.source.document import Path

ENV: Final[Path] = ("spec", "service", "env")
# Names that hold a credential itself; MAX_TOKENS, TOKEN_FILE and SECRET_NAME do not.
_NAMED: Final = re.compile(
    r"(?:^|_)(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_KEY|PRIVATE_KEY|CREDENTIALS?)$"
)
_HINT: Final = "put it into a Secret and write `secret: {name: …, key: …}`; replace what was committed"


@rule(
    "PLAN507",
    "error",
    "a plain value looks like a secret",
    scope=Context,
    why="Specs are in git for ever and for everyone; a credential that was committed is a credential to replace.",
    remedy="Put it into a Secret and write `secret: {name: …, key: …}`; replace the credential.",
)
def secrets(context: Context) -> Iterator[Problem]:
    """Any text of the spec by its form; variables by their names, too."""
    named = {(*ENV, index, "value"): item.name for index, item in enumerate(context.plan.env) if item.value}
    for path, text in texts(context.planned.written.layers.merged):
        name = named.get(path, "")
        if kind := looks_secret(text):
            what = f"the value of `{name}`" if name else "this text"
            yield Problem(path, f"{what} looks like {kind}", _HINT)
        elif _NAMED.search(name):
            message = f"`{name}` is named like a secret, and its value stands in the spec"
            yield Problem(path, message, _HINT)


@rule(
    "PLAT912",
    "error",
    "a text of the platform looks like a secret",
    scope=FleetContext,
    why="The platform is read by every team, and some of it is rendered into every bundle.",
    remedy="Remove it, replace the credential, and let the controllers have it from a Secret.",
)
def platform(context: FleetContext) -> Iterator[Problem]:
    """Any text of the platform: an address with a password, a token in a default."""
    for path, text in texts(context.document.data):
        if kind := looks_secret(text):
            hint = "remove it, and replace the credential: it is in the history of git"
            yield Problem(path, f"this text looks like {kind}", hint)


@rule(
    "PLAN512",
    "error",
    "a version of a secret that nothing fetches",
    scope=Context,
    why="Versions are the store's; a Secret that somebody made by hand has none, and the value would change nothing.",
    remedy="Remove `version`, or declare the platform's `secrets`.",
)
def versions(context: Context) -> Iterator[Problem]:
    """A version needs a store."""
    for index, variable in enumerate(context.spec.service.env):
        if variable.secret and variable.secret.version and not context.platform.secrets:
            message = f"`version: {variable.secret.version}` has no effect: the platform declares no store"
            path = (*ENV, index, "secret", "version")
            yield Problem(path, message, "remove it, or declare the platform's `secrets`", on_key=True)


def texts(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text of a tree, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from texts(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from texts(item, (*path, index))
