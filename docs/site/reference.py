"""Write the reference pages of commands and the spec language from the program.

python docs/site/reference.py FOLDER
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from generator.cli.main import cli as sluice
from generator.spec.schema import model_schema, platform_schema

EXIT_CODES = (
    "0 success; 1 findings, or out of date; 2 invalid input or usage; 3 an internal error; 130 interrupted"
)


def commands() -> str:
    """Return a page with the help of every command."""
    parts = ["# Commands\n", f"Exit codes: {EXIT_CODES}.\n"]
    for name, command in _commands(sluice, "sluice", None):
        context = click.Context(command, info_name=name, max_content_width=100, terminal_width=100)
        parts.append(f"## {name}\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def _commands(
    group: click.Group, prefix: str, parent: click.Context | None
) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group, parent=parent, info_name=prefix)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        yield f"{prefix} {name}", command
        if isinstance(command, click.Group):
            yield from _commands(command, f"{prefix} {name}", context)


def language(title: str, schema: dict[str, Any]) -> str:
    """Return a page of the spec language, with a table per record."""
    parts = [f"# {title}\n\n{_plain(schema.get('description', ''))}\n"]
    parts += _record("The file", schema)
    for name, record in sorted(schema["$defs"].items()):
        if "properties" in record:
            parts += _record(name, record)
    return "\n".join(parts)


def _record(name: str, record: dict[str, Any]) -> Iterator[str]:
    yield f"## {name}\n\n{_plain(record.get('description', ''))}\n"
    yield "| key | type | default | meaning |\n|---|---|---|---|"
    required = set(record.get("required", ()))
    for key, node in record["properties"].items():
        default = f"`{node['default']}`" if "default" in node else "required" if key in required else ""
        example = f" Example: `{_cell(str(node['examples'][0]))}`." if node.get("examples") else ""
        yield f"| `{key}` | {_form(node)} | {_cell(default)} | {_cell(_plain(node.get('description', '')))}.{example} |"
    yield ""


def _form(node: dict[str, Any]) -> str:
    """Describe the type of a value in a few words."""
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in node:
        return f"`{node['const']}`"
    if "enum" in node:
        return " \\| ".join(f"`{value}`" for value in node["enum"])
    members = [
        _form(member)
        for member in (*node.get("anyOf", ()), *node.get("oneOf", ()))
        if member.get("type") != "null"
    ]
    if members:
        return " or ".join(dict.fromkeys(members))
    if node.get("type") == "array":
        return f"list of {_form(node.get('items', {}))}"
    if isinstance(node.get("additionalProperties"), dict):
        return f"mapping to {_form(node['additionalProperties'])}"
    kind = node.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _cell(text: str) -> str:
    return text.replace("\n", " ").replace("|", "\\|") if "\\|" not in text else text


def _plain(text: str) -> str:
    """Escape what Markdown would read as markup."""
    return text.replace("<", "&lt;").replace("{", "&#123;").replace("*", "\\*").replace("[", "\\[")


def write(folder: Path) -> None:
    """Write all reference pages into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "commands.md").write_text(commands())
    (folder / "model.md").write_text(language("The model spec", model_schema()))
    (folder / "platform.md").write_text(language("The platform file", platform_schema()))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
