"""A folder of pages: the index, and one page for each model."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from generator.gates.document import read_evidence
from generator.gates.signatures import signers_shown
from generator.history.git import Git
from generator.history.git_call import GitError
from generator.odds.track_record import TrackRecord, by_model
from generator.output.bundle import Bundle
from generator.output.errors import OutputError
from generator.output.folder import open_root
from generator.output.write import Writer, locked, prune
from generator.pipeline.session import Session
from generator.pipeline.terminal import note
from generator.pipeline.track_record import past
from generator.plan.model_files import ModelFiles
from generator.plan.resolve import Planned
from generator.report.diffs.compare import Difference
from generator.report.overview import Overview, chosen, open_waivers, overviews
from generator.report.pages.index import index_page
from generator.report.pages.plan import Against, Subject, plan_page
from generator.source.errors import CliError

INDEX = "index.html"
_OURS = re.compile(rb'<meta name="generator" content="Sluice">')


def write_site(
    session: Session,
    entries: Sequence[ModelFiles],
    environment: str | None,
    label: str,
    differences: Mapping[tuple[str, str], Difference],
    folder: Path,
) -> int:
    """Write the pages of some models and their index; return how many models can't be planned.

    Pages of removed models are deleted unless they were edited.

    Args:
        session: the repository; its platform can be read.
        entries: the models.
        environment: the one that is shown; None for the last.
        label: what the plans are compared with; empty for nothing.
        differences: what differs, by model and environment.
        folder: the folder of the pages.

    Raises:
        CliError: the folder has an index that Sluice did not write, or can't be written.
    """
    index = folder / INDEX
    if index.exists() and not _OURS.search(index.read_bytes()):
        raise CliError(f"{index} is not a page of Sluice; name another folder with --output")

    def write_page(entry: ModelFiles, plans: list[Planned]) -> None:
        planned = chosen(plans, environment)
        difference = differences.get((entry.name, planned.plan.identity.environment))
        against = Against(label, difference)
        _write(folder, entry, page_of(session, entry, plans, environment, against, home="../../index.html"))

    try:
        prune(folder, "", {entry.name for entry in entries}, note)
        with locked(folder, note) as top:
            rows = overviews(session, entries, environment, write_page)
            top.write(INDEX, _index(session, entries, rows, label, differences).encode())
    except OutputError as error:
        raise CliError(str(error)) from error
    return sum(1 for row in rows if row.reason)


def _write(folder: Path, entry: ModelFiles, page: str) -> None:
    """Write the page of one model, perhaps in another process than the one that has the folder open.

    Raises:
        OutputError: the folder can't be opened or written.
    """
    top = open_root(folder)
    if top is None:
        raise OutputError(f"can't open {folder}: it vanished")
    with top:
        Writer(top).write(Bundle(entry.name, {INDEX: page}, _inputs(page)))


def _index(
    session: Session,
    entries: Sequence[ModelFiles],
    rows: Sequence[Overview],
    label: str,
    differences: Mapping[tuple[str, str], Difference],
) -> str:
    platform = session.repository.platform
    if platform is None:
        raise ValueError("a site needs a platform that can be read")
    name = str(session.repository.platform_document.data["metadata"]["name"])
    names = [entry.name for entry in entries]
    kinds = (open_waivers(platform, session.today, names, expired=expired) for expired in (True, False))
    waivers = [waiver for found in kinds for waiver in found]
    return index_page(
        platform,
        name,
        rows,
        waivers,
        _tracks(session),
        session.templates,
        today=session.today.isoformat(),
        changed=_changed(differences.values()),
        against=label,
    )


def _changed(differences: Iterable[Difference]) -> dict[str, str]:
    """Return in a few words what a change does to each model that it affects."""
    found: dict[str, str] = {}
    for one in differences:
        words = "new" if one.status == "added" else "starts a release" if one.starts_release else "changed"
        if found.get(one.name, "changed") == "changed":
            found[one.name] = words
    return found


def _tracks(session: Session) -> dict[str, TrackRecord]:
    """Return the track record of each model in git; empty without a history."""
    try:
        git = Git.at(session.root)
        commit = git.commit("HEAD")
        return by_model(past(git, commit)) if commit else {}
    except GitError:
        return {}


def page_of(
    session: Session,
    entry: ModelFiles,
    plans: Sequence[Planned],
    environment: str | None,
    against: Against,
    *,
    home: str = "",
) -> str:
    """Return the page of one model in one environment; others are shown by their differences."""
    planned = chosen(plans, environment)
    evidence = read_evidence(entry.evidence, session.root, entry.name)
    others = [other for other in plans if other is not planned]
    signed = signers_shown(planned, entry, session.root)
    return plan_page(Subject(planned, others, evidence, signed, against, home), session.templates)


def _inputs(page: str) -> dict[str, str]:
    return {"page": hashlib.sha256(page.encode()).hexdigest()}
