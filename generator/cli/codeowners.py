"""`sluice codeowners`: who must agree to what, as the platform says it."""

from __future__ import annotations

from pathlib import Path

import click

from generator.cli.options import root_option
from generator.pipeline.atomic_write import write_file
from generator.pipeline.session import open_session
from generator.pipeline.terminal import emit, note
from generator.plan.people import codeowners
from generator.source.errors import CliError
from generator.spec.platform import PlatformSpec

# Where GitHub and GitLab look, the usual place first.
PLACES = ("CODEOWNERS", ".github/CODEOWNERS", ".gitlab/CODEOWNERS", "docs/CODEOWNERS")
_BEGIN = "# Written by `sluice codeowners` from specs/platform.yaml: edit that file, not these lines."
_END = "# End of what Sluice writes."


@click.command("codeowners")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when the file is out of date.")
@root_option
@click.pass_context
def command(context: click.Context, check: bool, root: Path | None) -> None:  # noqa: FBT001 - click hands flags over
    """Generate the CODEOWNERS file.

    The teams' and the platform's `owners` become the code owners of specs and of what is rendered from them. Lines
    outside of Sluice's own are kept: those above are overruled by Sluice's, those below overrule them.
    """
    session = open_session(root)
    platform = session.repository.platform
    if platform is None:
        raise CliError("specs/platform.yaml can't be used: `sluice validate` says why")
    name = next((place for place in PLACES if (session.root / place).is_file()), PLACES[0])
    path = session.root / name
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    after = merged(before, platform)
    if before == after:
        emit(f"{name} is up to date\n")
    elif check:
        note(f"{name} is out of date: run `sluice codeowners` and commit what it changes")
        context.exit(1)
    else:
        write_file(path, after.encode())
        emit(f"wrote {name}\n")


def merged(before: str, platform: PlatformSpec) -> str:
    """A CODEOWNERS file with Sluice's lines replaced, or put at its end.

    Raises:
        CliError: only one of the two lines around Sluice's own is there.
    """
    own = "\n".join([_BEGIN, *codeowners(platform), _END, ""])
    if (_BEGIN in before) != (_END in before) or before.find(_END) < before.find(_BEGIN):
        raise CliError(
            "CODEOWNERS holds only one of the two comments around Sluice's lines: remove what is left of them"
        )
    if _BEGIN not in before:
        return before + ("" if not before or before.endswith("\n") else "\n") + own
    head, _, rest = before.partition(_BEGIN)
    return head + own + rest.partition(_END)[2].removeprefix("\n")
