"""The session of one command: the repository, its templates and today's date, each read once."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from generator.dataclass import dataclass
from generator.plan.inputs import PlatformInputs, read_platform_inputs
from generator.plan.model_files import PLATFORM, SPECS, ModelFiles, discover, find_root, folder_above
from generator.source.errors import CliError, FindingsError
from generator.source.finding import Finding

if TYPE_CHECKING:
    from generator.plan.repository import Repository
    from generator.plan.resolve import Resolved
    from generator.plan.values import Plan
    from generator.render.bento import Bentos
    from generator.render.environment import Templates
    from generator.source.document import Document
    from generator.spec.platform import PlatformSpec


T = TypeVar("T")
R = TypeVar("R")


@dataclass
class Session:
    """The session of one command.

    Args:
        root: the repository.
        today: waivers and acceptances expire.
        embedded: whether another program makes the call: then no process is started and nothing goes to the terminal.
    """

    root: Path
    today: dt.date
    embedded: bool = False

    @cached_property
    def _discovered(self) -> tuple[tuple[ModelFiles, ...], list[Finding]]:
        return discover(self.root)

    @property
    def entries(self) -> tuple[ModelFiles, ...]:
        """All models, sorted."""
        return self._discovered[0]

    @property
    def strays(self) -> list[Finding]:
        """Files in the folder of specs that are not specs, and folders that can't be read."""
        return self._discovered[1]

    @cached_property
    def platform_inputs(self) -> PlatformInputs:
        """The platform as plain values, for uses before it is validated."""
        return read_platform_inputs(self.root)

    @cached_property
    def repository(self) -> Repository:
        """The repository, read and validated on demand; the platform from the bytes of `platform_inputs`."""
        from generator.plan.repository import Repository

        return Repository(self.root, self.platform_inputs.content)

    @property
    def platform(self) -> PlatformSpec:
        """The validated platform.

        Raises:
            CliError: it is invalid.
        """
        platform = self.repository.platform
        if platform is None:
            raise CliError(f"{SPECS}/{PLATFORM} is invalid", "`sluice validate` shows why")
        return platform

    def require_platform(self, environment: str | None = None) -> PlatformSpec:
        """Return the validated platform, for commands that report its findings.

        Raises:
            FindingsError: it is invalid.
            CliError: it has no such environment.
        """
        platform = self.repository.platform
        if platform is None:
            raise FindingsError(self.repository.findings)
        if environment is not None and environment not in platform.environments:
            hint = platform.like_environment(environment)
            raise CliError(f"no such environment: `{environment}`", hint)
        return platform

    @cached_property
    def templates(self) -> Templates:
        """Our templates with the repository's overrides.

        Raises:
            TemplateError: a template of the repository can't be read.
        """
        from generator.render.environment import Templates

        templates = Templates(self.root / "templates")
        templates.check()
        return templates

    def remember_digests(self) -> None:
        """Reuse digests of services from the user's cache; only for commands that render nothing."""
        from generator.render.bento import Bentos

        self.bentos = Bentos(self.templates, remembered=True)

    @cached_property
    def bentos(self) -> Bentos:
        """The cache of rendered services, whose digests are part of image tags."""
        from generator.render.bento import Bentos

        return Bentos(self.templates)

    @property
    def top(self) -> Path:
        """The top of the git repository, which `git.root` of the platform leads down from.

        Raises:
            CliError: the folder is somewhere else.
        """
        below = self.platform.git.root
        if below is None:
            return self.root
        if not self.root.as_posix().endswith(f"/{below}"):
            message = f"this folder is not `{below}`, which `git.root` of the platform names"
            raise CliError(message, "`sluice validate` shows where it is")
        return folder_above(self.root, below)

    @property
    def rendered(self) -> Path:
        """The folder of the rendered files in git."""
        return self.root / self.platform_inputs.folder

    def rendered_in(self, entry: ModelFiles, environments: Sequence[str]) -> list[str]:
        """Return the environments that have a bundle of a model: a gated one has none before its first promotion."""
        gated = self.platform_inputs.gated
        return [
            name
            for name in environments
            if name not in gated
            or os.path.lexists(entry.promotion(name))
            or (self.rendered / name / entry.team / entry.model).exists()
        ]

    def resolve(self, entry: ModelFiles, document: Document | None = None) -> Resolved:
        """Plan one model for every environment, from its file or from a proposed spec; the platform must be valid."""
        from generator.plan.resolve import resolve
        from generator.render.identity import pod_templates_digest

        def pod_templates(plan: Plan) -> str:
            return pod_templates_digest(plan, self.templates)

        return resolve(self.repository, entry, self.bentos.digest, document, pod_templates)

    @contextmanager
    def work_on(
        self, items: Sequence[T], work: Callable[[Sequence[T]], Iterable[R]], label: str
    ) -> Iterator[Iterator[R]]:
        """Do some work on many items: with one process per core and a progress bar, or quietly in this one if embedded.

        Args:
            items: what to work on.
            work: called with some of the items; see `parallel_map`.
            label: of the progress bar.
        """
        if self.embedded:
            yield iter(work(items))
            return
        from generator.pipeline.parallel import parallel_map
        from generator.pipeline.terminal import progress

        with progress(parallel_map(items, work), len(items), label) as found:
            yield found


def open_session(
    root: str | os.PathLike[str] | None,
    *,
    near: Iterable[str] = (),
    at: dt.date | None = None,
    embedded: bool = False,
) -> Session:
    """Return the session in a folder, or in the current one and those above it, or where one of some files is.

    Args:
        root: the repository; None to search it.
        near: files and folders that may be in it, where it is not found from the current folder.
        at: the date; None for today's.
        embedded: see `Session`.

    Raises:
        CliError: there is no repository.
    """
    start = Path(os.path.abspath(root or Path.cwd()))  # noqa: PTH100 - does not resolve links
    found = _root_at(start, search=root is None)
    if found is None and root is None:
        there = (find_root(Path(os.path.abspath(path))) for path in near if os.path.lexists(path))  # noqa: PTH100
        found = next(filter(None, there), None)
    if found is None:
        where = "here or in any parent folder" if root is None else f"in {root}"
        around = find_root(start)
        hint = (
            f"did you mean --root {os.path.relpath(around)}?"
            if around is not None
            else "`sluice init` creates a repository, --root names one"
        )
        raise CliError(f"no {SPECS}/{PLATFORM} {where}; {hint}")
    return Session(found, at or today(), embedded)


def _root_at(start: Path, *, search: bool) -> Path | None:
    if search:
        return find_root(start)
    return start if (start / SPECS / PLATFORM).exists() else None


def today() -> dt.date:
    """Return the date (UTC): that of SOURCE_DATE_EPOCH if it is set, else today.

    Raises:
        CliError: SOURCE_DATE_EPOCH is not a time.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if not epoch:
        return dt.datetime.now(tz=dt.UTC).date()
    try:
        return dt.datetime.fromtimestamp(int(epoch), tz=dt.UTC).date()
    except (ValueError, OverflowError, OSError) as error:
        raise CliError(f"SOURCE_DATE_EPOCH is not a number of seconds since 1970: {epoch!r}") from error
