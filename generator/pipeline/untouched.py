"""What a change does not touch: errors that the branch it goes to has, too, about models it leaves alone, are warnings.

A gate's waiver that ends, or evidence that gets too old, is not a reason to hold back another team's change, least of
all a revert. On the branch itself such an error counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from generator.pipeline.session import Session
from generator.pipeline.terminal import note
from generator.plan.model_files import SPECS
from generator.source.errors import CliError, UserError
from generator.source.finding import Finding

if TYPE_CHECKING:
    from generator.history.git import Git


def with_untouched_as_warnings(
    findings: Sequence[Finding], session: Session, revision: str, evaluate: Callable[[Session], list[Finding]]
) -> list[Finding]:
    """Return findings, with errors that a change neither causes nor touches as warnings.

    Args:
        findings: about the work tree.
        session: the work tree.
        revision: what it is compared with, such as the branch that a pull request goes to.
        evaluate: returns the findings about another session.
    """
    if not any(finding.severity == "error" for finding in findings):
        return list(findings)
    from generator.history.checkout import snapshot
    from generator.history.git import Git

    try:
        git = Git.at(session.root)
        commit = git.commit(revision)
        if commit is None:
            raise CliError(f"this repository has no revision `{revision}`")
        changed = _changed(git, commit)
        with snapshot(git, commit) as folder:
            before = {_identity(finding) for finding in evaluate(replace(session, root=folder))}
    except UserError as error:
        note(f"every error counts, since {revision} can't be evaluated: {error}")
        return list(findings)
    return [
        replace(
            finding,
            severity="warning",
            hint=f"{revision} has this error, too, and this change leaves it alone",
        )
        if finding.severity == "error" and _identity(finding) in before and not _touches(changed, finding)
        else finding
        for finding in findings
    ]


def _identity(finding: Finding) -> tuple[str, str, str, str]:
    return finding.code, finding.place.file, finding.path, finding.message


def _changed(git: Git, revision: str) -> list[str]:
    """Return the paths that differ from a revision, below the folder of the repository."""
    differ = git.ask(
        "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--relative", revision, "--"
    )
    new = git.ask("ls-files", "--others", "--exclude-standard", "-z")
    return [path for path in f"{differ}{new}".split("\0") if path]


def _touches(changed: Sequence[str], finding: Finding) -> bool:
    """Return whether a change has a file of the model that a finding is about, or the file that it is in."""
    file = finding.place.file
    if file.startswith(f"{SPECS}/") and file.count("/") == 2:
        model = file.removeprefix(f"{SPECS}/").partition(".")[0]
        return any(path.startswith(f"{SPECS}/{model}.") or f"/{model}/" in path for path in changed)
    return file in changed
