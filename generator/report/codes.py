"""Every code that a user can meet, and its page: what `sluice explain` prints and `docs/codes/` holds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from itertools import groupby
from types import MappingProxyType
from typing import Annotated, Final, Literal, TypedDict

from generator.lint import CODES, Code, Repair, check_of, load
from generator.source.errors import CliError
from generator.source.suggest import nearest

_PACKAGES: Final = ("generator.rules", "generator.lint.rules")
"""Packages of rules."""

_MODULES: Final = (
    "generator.cluster.diagnosis",
    "generator.cluster.dry_run",
    "generator.cluster.scraped",
    "generator.cluster.pins.errors",
    "generator.lint.build",
    "generator.lint.ignored",
    "generator.lint.shapes",
    "generator.lint.tree",
    "generator.odds.replay.codes",
    "generator.odds.trees.codes",
)
"""Modules elsewhere that declare the codes that they raise."""

FAMILIES: Final[Mapping[str, str]] = {
    "SRC": "Files and YAML",
    "SPEC": "Keys and values of specs",
    "REF": "References between files",
    "LOCK": "Locks",
    "PIN": "Resolving references (`sluice pin`)",
    "NAME": "Names",
    "PLAN": "Plans of one model",
    "TIER": "Ceilings and requirements of tiers",
    "CAN": "Odds and queries of canaries",
    "ROUTE": "Routers",
    "GATE": "Gates",
    "EVID": "Evidence of gates",
    "RECD": "Records of releases",
    "PROM": "Promotions to environments that require others",
    "SIGN": "Signatures of evidence and locks",
    "WAIV": "Waivers, acceptances and quarantine",
    "TEAM": "Models of a team side by side",
    "PLAT": "The platform",
    "OUT": "Rendered files",
    "RPL": "Recordings (`sluice replay`)",
    "DOC": "What the repository, the machine and the cluster lack (`sluice doctor`)",
    "ODDS": "Releases of any tree (`sluice odds`)",
    "SPIN": "Spinnaker pipelines (`sluice spinnaker`)",
    "ROL": "Rollouts (`sluice verify`)",
    "ANA": "Analysis (`sluice verify`)",
    "CAP": "Capabilities of routers and controllers (`sluice verify`)",
    "SYN": "Syncs by Argo CD (`sluice verify`)",
    "VER": "Kubernetes objects (`sluice verify`)",
}
"""The letters of the codes, and what they are about."""

_REPAIRS: Final[Mapping[Repair, str]] = {
    "none": "No.",
    "safe": "Yes: nothing that protects a release gets weaker. A weight or a hold is changed only after a question, or "
    "with `--apply CODE`.",
    "review": "Only after a question, or with `--apply CODE`: it changes how the model is released or what it needs.",
}


class CodeRecord(TypedDict):
    """One code."""

    code: str
    family: Annotated[str, "Its letters."]
    severity: Annotated[str, "Of its findings, unless one says otherwise."]
    title: str
    fix: Annotated[Repair, "What `sluice validate --fix` does: nothing, repair it, or ask first."]
    since: Annotated[str, "Version of Sluice."]
    page: Annotated[str, "Markdown: what is checked, why it matters, what to do, an example."]


class CodesDocument(TypedDict):
    """The codes that `sluice explain` prints."""

    schema: Literal["sluice/codes/v1"]
    families: Annotated[dict[str, str], "What each family is about, by its letters."]
    codes: list[CodeRecord]


_FILE: Final = re.compile(r"^# ([\w./-]+\.\w+)\n", re.MULTILINE)


@cache
def all_codes() -> Mapping[str, Code]:
    """Return every code of the program, sorted."""
    for package in _PACKAGES:
        load(package)
    for module in _MODULES:
        import_module(module)
    return MappingProxyType(dict(sorted(CODES.items())))


def family(code: str) -> str:
    """Return the letters of a code."""
    return code.rstrip("0123456789")


def files_of(example: str) -> list[tuple[str, str]]:
    """Split an example into its files: path and text; the path is empty where the example names none."""
    head, *rest = _FILE.split(example.strip("\n") + "\n")
    named = list(zip(rest[::2], rest[1::2], strict=True))
    return [("", head), *named] if head.strip() else named


def page(code: Code) -> str:
    """Return the page of a code in Markdown."""
    parts = [f"# {code.code}: {code.title}", f"Severity: {code.severity}. Since version {code.since}."]
    parts += _section("What it checks", _checks(code))
    parts += _section("Why it matters", code.why)
    parts += _section("What to do", code.remedy)
    parts += _section("Example", _blocks(code, code.example))
    parts += _section("Write instead", _blocks(code, code.instead))
    parts += _section("Can `--fix` repair it?", _REPAIRS[code.repair])
    parts += _section("Source", code.source and f"{code.source}.")
    return "\n\n".join(parts) + "\n"


def _section(title: str, text: str) -> list[str]:
    return [f"## {title}", text] if text else []


def _checks(code: Code) -> str:
    """What the rule of a code checks; of a code without a rule, when it is reported."""
    check = " ".join(check_of(code.code).split())
    return re.sub("^Check ", "Sluice checks ", check) or f"Sluice reports this when {code.title}."


def _blocks(code: Code, example: str) -> str:
    """An example as fenced blocks: one for each file, with its name above, and one for the commands at its end."""
    as_written = family(code.code) == "SRC"  # about the text itself
    blocks = []
    for file, text in files_of(example):
        lines = text.strip("\n").split("\n")
        content = "\n".join(line for line in lines if not line.startswith("$ "))
        commands = "\n".join(line for line in lines if line.startswith("$ "))
        if content:
            name = f"`{file}`:\n\n" if file else ""
            language = file.rpartition(".")[2] or "yaml"
            blocks.append(f"{name}```{language}\n{content if as_written else _laid_out(content)}\n```")
        if commands:
            blocks.append(f"```console\n{commands}\n```")
    return "\n\n".join(blocks)


def _laid_out(text: str) -> str:
    """A mapping that is written on one line, as a block."""
    if "\n" in text or not text.startswith(("spec: {", "metadata: {")):
        return text
    import yaml

    return yaml.safe_dump(yaml.safe_load(text), default_flow_style=None, sort_keys=False, width=1000).rstrip(
        "\n"
    )


def index() -> str:
    """Return the page that lists all codes by family, with links."""
    parts = [
        "# Codes of findings",
        "`sluice explain CODE` prints the page of a code, `sluice explain FAMILY` a list.",
    ]
    for letters, codes in _by_family():
        rows = [f"| [{code.code}]({code.code}.md) | {code.severity} | {code.title} |" for code in codes]
        table = "\n".join(["| code | severity | title |", "|---|---|---|", *rows])
        parts += [f"## {letters}: {FAMILIES[letters]}", table]
    return "\n\n".join(parts) + "\n"


def _by_family() -> Iterator[tuple[str, list[Code]]]:
    ordered = sorted(
        all_codes().values(), key=lambda code: (list(FAMILIES).index(family(code.code)), code.code)
    )
    for letters, codes in groupby(ordered, key=lambda code: family(code.code)):
        yield letters, list(codes)


def families() -> str:
    """Return one line per family, for a terminal."""
    rows = [(letters, len(codes)) for letters, codes in _by_family()]
    lines = [f"{letters:<5}  {count:>3} codes  {FAMILIES[letters]}" for letters, count in rows]
    return "\n".join(lines).replace("  1 codes", "  1 code ") + "\n"


def code_named(name: str) -> Code:
    """Return the code of a name.

    Raises:
        CliError: there is none; with the nearest names.
    """
    found = all_codes().get(name)
    if found is not None:
        return found
    numbered = [code for code in all_codes() if name.isdigit() and code.endswith(name)]
    if numbered:
        raise CliError(f"{name} is not a code; did you mean {' or '.join(numbered)}?")
    near = nearest(name, [*all_codes(), *FAMILIES], 3)
    hint = (
        f"did you mean {' or '.join(near)}?"
        if near
        else "`sluice explain` lists all families of codes, `sluice schema model` describes keys"
    )
    raise CliError(f"unknown code {name}; {hint}")


def listing(letters: str) -> str:
    """Return one line per code of a family, for a terminal."""
    codes = [code for code in all_codes().values() if family(code.code) == letters]
    width = max(len(code.code) for code in codes)
    return "".join(f"{code.code:<{width}}  {code.severity:<7}  {code.title}\n" for code in codes)


def pages() -> dict[str, str]:
    """Return every file of `docs/codes/` by its name."""
    return {"README.md": index(), **{f"{code.code}.md": page(code) for code in all_codes().values()}}


def record(code: Code) -> CodeRecord:
    """Return a code and its page."""
    return CodeRecord(
        code=code.code,
        family=family(code.code),
        severity=code.severity,
        title=code.title,
        fix=code.repair,
        since=code.since,
        page=page(code),
    )


def as_json(name: str) -> str:
    """Return the document about a code, the codes of a family, or all codes if the name is empty.

    Raises:
        CliError: there is no such code.
    """
    wanted = [code for code in all_codes().values() if name in {"", family(code.code)}]
    found = [record(code) for code in wanted or [code_named(name)]]
    about = {
        letters: FAMILIES[letters] for letters in FAMILIES if letters in {one["family"] for one in found}
    }
    return json.dumps(CodesDocument(schema="sluice/codes/v1", families=about, codes=found), indent=2) + "\n"
