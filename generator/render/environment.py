"""The templates: ours and the platform team's overrides, compiled once and cached."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from generator.dataclass import dataclass
from generator.render.filters import FILTERS
from generator.render.scalars import finalizer
from generator.source.cache import cache_folder
from generator.source.errors import UserError
from generator.source.files import RefusedError, regular_bytes
from generator.source.shipped import builtin_folder

if TYPE_CHECKING:
    from jinja2 import BytecodeCache, Environment, Template

    from generator.render.budget import Budget

SUFFIX: Final = ".j2"
_Loaded = tuple[str, str, Callable[[], bool]]
_LONGEST: Final = 1 << 18  # bytes of one template of the platform team
_NOT_OF_BUNDLES: Final = ("ci/", "init/", "new/", "pages/")
"""Templates for commands that write specs, repositories and pages."""


class TemplateError(UserError):
    """A template of the platform team is invalid."""


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """One template: its name, its file, and whether it belongs to the platform team."""

    name: str
    file: Path
    own: bool


class Templates:
    """All templates of one repository, each read and compiled once.

    Args:
        overrides: the platform team's folder; a template there replaces ours of the same name.
    """

    def __init__(self, overrides: Path | None = None) -> None:
        self.overrides = overrides
        self._texts: dict[str, str] = {}
        self._environments: dict[str, Environment] = {}
        self._compiled: dict[str, Template] = {}
        self._suspects: dict[str, list[TemplateFile]] = {}
        self._rendered: set[str] = set()

    @cached_property
    def files(self) -> dict[str, TemplateFile]:
        """Every template by name, sorted."""
        ours = builtin_folder()
        found = {name: TemplateFile(name, ours / name, own=False) for name in template_names(ours)}
        folder = self.overrides
        if folder is not None and folder.is_dir() and folder.resolve() != ours:
            found |= {name: TemplateFile(name, folder / name, own=True) for name in template_names(folder)}
        return dict(sorted(found.items()))

    def text(self, name: str) -> str:
        """Return the text of a template.

        Raises:
            KeyError: there is no such template.
            TemplateError: it belongs to the platform team and can't be read.
        """
        text = self._texts.get(name)
        if text is None:
            found = self.files[name]
            text = _read_own(found.file, self.overrides) if found.own else found.file.read_text("utf-8")
            self._texts[name] = text
        return text

    def check(self) -> None:
        """Read the platform team's templates before anything depends on them.

        Raises:
            TemplateError: one can't be read.
        """
        for name in self._own:
            self.text(name)

    def own_digest(self, rendered: Iterable[str] | None = None) -> str:
        """Return the SHA-256 (hex) of the platform team's own templates; empty when there are none.

        Args:
            rendered: names of templates, to count only those that these use; None for all templates of bundles.
        """
        if not self._own:
            return ""
        if rendered is None:
            names = {name for name in self._own if not name.startswith(_NOT_OF_BUNDLES)}
        else:
            names = {file.name for name in rendered for file in self.suspects(name)}
        parts = [f"{name}\0{len(self.text(name))}\0{self.text(name)}" for name in sorted(names)]
        # A file name may have bytes that are not UTF-8.
        content = "".join(parts).encode("utf-8", "surrogateescape")
        return hashlib.sha256(content).hexdigest() if parts else ""

    @contextmanager
    def tracing(self) -> Iterator[set[str]]:
        """Collect the names of the templates that are rendered inside this context."""
        self._rendered.clear()
        yield self._rendered

    def trace(self, names: Iterable[str]) -> None:
        """Record templates as used when their cached result is reused."""
        self._rendered.update(names)

    def get_template(self, name: str) -> Template:
        """Return a compiled template, which writes values as literals of the file's language.

        Raises:
            jinja2.TemplateNotFound: there is no such template.
            jinja2.TemplateSyntaxError: it can't be compiled.
        """
        template = self._compiled.get(name)
        if template is None:
            template = self._compiled[name] = self._environment(_language(name)).get_template(name)
        return template

    def render(self, name: str, context: Mapping[str, object]) -> str:
        """Return the text that a template renders, ending in one newline.

        Raises:
            TemplateError: a template of the platform team is invalid; an error in ours raises its original exception.
        """
        from generator.render.plain import plain_context

        self._rendered.add(name)
        try:
            if self._budget is not None:
                self._budget.start()
            text = self.get_template(name).render(plain_context(context))
            if self._budget is not None:
                self._budget.check_output(text)
            return text.rstrip("\n") + "\n"
        except Exception as error:
            blamed = self._raised_in(error) or self.suspects(name)
            if not blamed:
                raise
            raise TemplateError(_blame(blamed, _reason(error))) from error

    def wrong(self, name: str, reason: str) -> TemplateError | None:
        """Return the platform team's error about an invalid result; None if none of their templates is involved."""
        blamed = self.suspects(name)
        return TemplateError(_blame(blamed, reason)) if blamed else None

    def suspects(self, name: str) -> list[TemplateFile]:
        """Return the platform team's templates that one uses, itself and includes, sorted."""
        if name not in self._suspects:
            self._suspects[name] = self._find_suspects(name)
        return self._suspects[name]

    @cached_property
    def _budget(self) -> Budget | None:
        """The budget of all templates, as soon as one of them belongs to the platform team."""
        if not self._own:
            return None
        from generator.render.budget import Budget

        return Budget()

    @cached_property
    def _own(self) -> frozenset[str]:
        return frozenset(name for name, file in self.files.items() if file.own)

    def _find_suspects(self, name: str) -> list[TemplateFile]:
        seen, left = set[str](), [name]
        while left and self._own:
            part = left.pop()
            if part not in seen and part in self.files:
                seen.add(part)
                left += self._included(part)
        return [self.files[part] for part in sorted(seen & self._own)]

    def _included(self, name: str) -> Iterable[str]:
        """Return the templates that another one includes; a computed name may be any of the platform team's."""
        from jinja2 import TemplateSyntaxError
        from jinja2.meta import find_referenced_templates

        try:
            found = set(find_referenced_templates(self._environment(_language(name)).parse(self.text(name))))
        except (
            TemplateSyntaxError,
            RecursionError,
            MemoryError,
            ValueError,
        ):  # ValueError: more than 4,300 digits
            return ()
        return {part for part in found if part} | (self._own if None in found else set())

    def _raised_in(self, error: Exception) -> list[TemplateFile]:
        """Return the platform team's template that was running when an error was raised, the innermost one."""
        import traceback

        own = {str(self.files[name].file): self.files[name] for name in self._own}
        frames = [frame.filename for frame in traceback.extract_tb(error.__traceback__, None)]
        return [own[file] for file in reversed(frames) if file in own][:1]

    def _environment(self, language: str) -> Environment:
        made = self._environments.get(language)
        if made is None:
            made = self._environments[language] = _environment(language, self._load, self._budget)
        return made

    def _load(self, name: str) -> _Loaded | None:
        """Return the text of a template and its file, for tracebacks."""
        found = self.files.get(name)
        return (self.text(name), str(found.file), lambda: True) if found else None


def _reason(error: Exception) -> str:
    from jinja2 import TemplateNotFound

    if isinstance(error, TemplateNotFound):
        return f"no such template: {error.name}; `sluice templates` lists them"
    line = f"line {error.lineno}: " if hasattr(error, "lineno") else ""
    return line + (str(error) or type(error).__name__)


def _read_own(file: Path, folder: Path | None) -> str:
    """Return the text of a template of the platform team: a regular file in the repository, as specs are."""
    try:
        inside = folder is None or file.resolve().is_relative_to(folder.parent.resolve())
        if not inside:
            raise TemplateError(
                f"{file}: this is a link that leads out of the repository",
                "copy the file into the repository",
            )
        content = regular_bytes(file)
        if len(content) > _LONGEST:
            raise TemplateError(
                f"{file}: this template has {len(content):,} bytes; the limit is {_LONGEST:,}", "split it"
            )
        name = file.as_posix().rpartition("/templates/")[2]
        if not content.strip() and (builtin_folder() / name).is_file():
            hint = f"remove it, or fill it with `sluice templates --copy {name}`"
            raise TemplateError(f"{file}: this template is empty", hint)
        return content.decode("utf-8").replace("\r\n", "\n")
    except RefusedError as error:
        raise TemplateError(f"{file}: {error.args[1]}", error.args[2]) from error
    except UnicodeDecodeError as error:
        raise TemplateError(f"{file}: this is not UTF-8 text: {error.reason}") from error
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise TemplateError(f"{file}: can't be read: {reason}") from error


def _blame(files: Iterable[TemplateFile], reason: str) -> str:
    return f"{', '.join(str(found.file) for found in files)}: {' '.join(reason.split())}"


def template_names(folder: Path) -> list[str]:
    """Return the names of the templates in a folder."""
    root, found = str(folder), list[str]()
    for parent, _, files in os.walk(root):
        inner = parent[len(root) + 1 :].replace(os.sep, "/")
        found += [f"{inner}/{file}" if inner else file for file in files if file.endswith(SUFFIX)]
    return found


def _language(name: str) -> str:
    return "".join(Path(name).suffixes[-2:])


def _environment(language: str, load: Callable[[str], _Loaded | None], budget: Budget | None) -> Environment:
    """Create the environment of a language; with a budget, for templates of the platform team, it is a sandbox."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    settings: dict[str, Any] = {
        "loader": FunctionLoader(load),
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
        "keep_trailing_newline": True,
        "autoescape": language == ".html.j2",
        "bytecode_cache": _bytecode_cache(trusted=budget is None),
        "cache_size": -1,
        "auto_reload": False,
    }
    if budget is None:
        environment = Environment(finalize=finalizer(language), **settings)  # noqa: S701 - pages escape
        environment.filters.update(FILTERS)
        return environment
    from generator.render.sandbox import Sandbox

    return Sandbox(budget, FILTERS, finalizer(language), **settings)


@lru_cache(maxsize=2)
def _bytecode_cache(*, trusted: bool) -> BytecodeCache | None:
    """Return the cache of compiled templates, keyed by their text; None without a folder for it."""
    import pickle

    from jinja2 import FileSystemBytecodeCache
    from jinja2.bccache import Bucket

    class Forgiving(FileSystemBytecodeCache):
        """A cache that ignores a damaged file."""

        def load_bytecode(self, bucket: Bucket) -> None:
            try:
                super().load_bytecode(bucket)
            except (EOFError, OSError, TypeError, ValueError, pickle.UnpicklingError):
                bucket.reset()

    folder = cache_folder("templates")
    if folder is None:
        return None
    # Filters run on constants at compile time, and the sandbox adds to the code: both change what is compiled.
    modules = ("scalars.py", "filters.py", "sandbox.py", "bounded.py", "budget.py")
    writers = b"".join(Path(__file__).with_name(name).read_bytes() for name in modules)
    written = hashlib.sha256(writers).hexdigest()[:12]
    kind = "plain" if trusted else "sandboxed"
    return Forgiving(str(folder), f"{kind}-{written}-%s.cache")
