"""A group of commands that suggests the nearest one for an unknown name."""

from __future__ import annotations

import click


class CommandGroup(click.Group):
    """The group `sluice`, and each command with subcommands."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Refuse an unknown command and suggest the nearest one."""
        name, known = args[0], self.list_commands(ctx)
        if name not in known and not name.startswith("-"):
            from generator.cli.usage_hints import unknown_command

            options = [option for each in self.get_params(ctx) for option in each.opts if option[:2] == "--"]
            ctx.fail(
                f"no such command: `{name}`; {unknown_command(name, ctx.command_path, [*known, *options])}"
            )
        return super().resolve_command(ctx, args)
