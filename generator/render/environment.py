"""The templates: ours, overridden one by one by the platform team's own, compiled once and cached."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from generator.render.filters import FILTERS
from generator.render.scalars import finalizer
from generator.source.cache import cache_folder
from generator.source.errors import UserError
from generator.source.files import RefusedError, regular_bytes

if TYPE_CHECKING:
    from jinja2 import BytecodeCache, Environment, Template

SUFFIX = ".j2"
Load = Callable[[str], tuple[str, str, Callable[[], bool]] | None]
# Templates of commands that write specs, repositories and pages.
_NOT_BUNDLES = ("ci/", "init/", "new/", "pages/")


def builtin_folder() -> Path:
    """Our own templates: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).resolve().parent.parent
    shipped = package / "_templates"
    return shipped if shipped.is_dir() else package.parent / "templates"


class TemplateError(UserError):
    """A template of the platform team does not give what it should."""


@dataclass(frozen=True, slots=True)
class Source:
    """One template: its name, its file, and whether it is the platform team's."""

    name: str
    file: Path
    own: bool


@dataclass
class Templates:
    """All templates that one repository renders with.

    Args:
        overrides: the platform team's folder; a template there replaces ours of the same name.
    """

    overrides: Path | None = None

    @cached_property
    def sources(self) -> dict[str, Source]:
        """Every template by name, sorted."""
        ours = builtin_folder()
        found = {name: Source(name, ours / name, own=False) for name in template_names(ours)}
        if self.overrides is not None and self.overrides.is_dir() and self.overrides.resolve() != ours:
            found.update(
                {
                    name: Source(name, self.overrides / name, own=True)
                    for name in template_names(self.overrides)
                }
            )
        return dict(sorted(found.items()))

    @property
    def texts(self) -> dict[str, str]:
        """Text of every template by name.

        Raises:
            TemplateError: a template of the platform team can't be read.
        """
        return {name: self._text(name) for name in self.sources}

    def check(self) -> None:
        """Read the platform team's own templates, before anything depends on them.

        Raises:
            TemplateError: one can't be read.
        """
        for name, source in self.sources.items():
            if source.own:
                self._text(name)

    def own_digest(self, rendered: Iterable[str] | None = None) -> str:
        """Return the SHA-256 (hex) of the platform team's own templates; empty when there are none.

        Args:
            rendered: names of templates; then only what these are made of counts. None for all templates of bundles.
        """
        own = {name for name, source in self.sources.items() if source.own}
        if rendered is None:
            own = {name for name in own if not name.startswith(_NOT_BUNDLES)}
        elif own:
            own = {source.name for name in rendered for source in self.suspects(name)}
        parts = [f"{name}\0{len(self._text(name))}\0{self._text(name)}" for name in sorted(own)]
        return hashlib.sha256("".join(parts).encode()).hexdigest() if parts else ""

    @contextmanager
    def tracing(self) -> Iterator[set[str]]:
        """Collect the names of the templates that are rendered meanwhile."""
        self._rendered.clear()
        yield self._rendered

    def trace(self, names: Iterable[str]) -> None:
        """Count templates as rendered."""
        self._rendered.update(names)

    def get_template(self, name: str) -> Template:
        """A template, by name, that writes values as literals of the file's language.

        Raises:
            jinja2.TemplateNotFound: there is none of this name.
            jinja2.TemplateSyntaxError: it can't be compiled.
        """
        return self._environment(_language(name)).get_template(name)

    def render(self, name: str, context: Mapping[str, object]) -> str:
        """The text of a template, ending in one newline.

        Raises:
            TemplateError: a template of the platform team is wrong; a mistake in ours is an exception of its own kind.
        """
        self._rendered.add(name)
        try:
            return self.get_template(name).render(context).rstrip("\n") + "\n"
        except Exception as error:
            blamed = self._raised_in(error) or self.suspects(name)
            if not blamed:
                raise
            raise TemplateError(_blame(blamed, _reason(error))) from error

    def wrong(self, name: str, reason: str) -> TemplateError | None:
        """What to tell the platform team of a template that gives something wrong; None when it is all ours."""
        blamed = self.suspects(name)
        return TemplateError(_blame(blamed, reason)) if blamed else None

    def suspects(self, name: str) -> list[Source]:
        """The platform team's templates that a file is made of: its own template, and what that includes, sorted."""
        if name not in self._suspects:
            self._suspects[name] = self._find_suspects(name)
        return self._suspects[name]

    def _find_suspects(self, name: str) -> list[Source]:
        own = {name for name, source in self.sources.items() if source.own}
        seen, left = set[str](), [name]
        while left and own:
            part = left.pop()
            if part not in seen and part in self.sources:
                seen.add(part)
                left += self._included(part, own)
        return [self.sources[part] for part in sorted(seen & own)]

    def _included(self, name: str, own: set[str]) -> Iterable[str]:
        """Templates that another one names; where it computes a name, it may be any of the platform team's."""
        from jinja2 import TemplateSyntaxError
        from jinja2.meta import find_referenced_templates

        try:
            found = set(find_referenced_templates(self._environment(_language(name)).parse(self._text(name))))
        except TemplateSyntaxError:
            return ()
        return {part for part in found if part} | (own if None in found else set())

    def _raised_in(self, error: Exception) -> list[Source]:
        """The platform team's template that was running when it failed, the innermost one."""
        import traceback

        own = {str(source.file): source for source in self.sources.values() if source.own}
        files = [frame.filename for frame in traceback.extract_tb(error.__traceback__, None)]
        return [own[file] for file in reversed(files) if file in own][:1]

    def _environment(self, language: str) -> Environment:
        made = self._environments.get(language)
        if made is None:
            trusted = not any(source.own for source in self.sources.values())
            made = self._environments[language] = _environment(language, self._load, trusted=trusted)
        return made

    def _load(self, name: str) -> tuple[str, str, Callable[[], bool]] | None:
        """A template's text and its file, which tracebacks name."""
        source = self.sources.get(name)
        return (self._text(name), str(source.file), lambda: True) if source else None

    def _text(self, name: str) -> str:
        text = self._read.get(name)
        if text is None:
            source = self.sources[name]
            text = _own_text(source.file, self.overrides) if source.own else source.file.read_text("utf-8")
            self._read[name] = text
        return text

    @cached_property
    def _read(self) -> dict[str, str]:
        return {}

    @cached_property
    def _rendered(self) -> set[str]:
        return set()

    @cached_property
    def _suspects(self) -> dict[str, list[Source]]:
        return {}

    @cached_property
    def _environments(self) -> dict[str, Environment]:
        return {}


def _reason(error: Exception) -> str:
    from jinja2 import TemplateNotFound

    if isinstance(error, TemplateNotFound):
        return f"there is no template {error.name}; `sluice templates` lists them"
    line = f"line {error.lineno}: " if hasattr(error, "lineno") else ""
    return line + (str(error) or type(error).__name__)


def _own_text(file: Path, folder: Path | None) -> str:
    """The text of a template of the platform team: a regular file in the repository, as specs are."""
    try:
        inside = folder is None or any(
            file.resolve().is_relative_to(place) for place in (folder.resolve(), folder.parent.resolve())
        )
        if not inside:
            raise TemplateError(
                f"{file}: this file is a link that leaves the tree; copy the file into the tree"
            )
        return regular_bytes(file).decode("utf-8").replace("\r\n", "\n")
    except RefusedError as error:
        raise TemplateError(f"{file}: {error.args[1]}; {error.args[2]}") from error
    except UnicodeDecodeError as error:
        raise TemplateError(f"{file}: this is not UTF-8 text: {error.reason}") from error
    except (OSError, RuntimeError) as error:
        raise TemplateError(
            f"{file}: it can't be read: {getattr(error, 'strerror', None) or error}"
        ) from error


def _blame(sources: Iterable[Source], reason: str) -> str:
    return f"{', '.join(str(source.file) for source in sources)}: {' '.join(reason.split())}"


def template_names(folder: Path) -> list[str]:
    """The templates in a folder."""
    root, found = str(folder), list[str]()
    for parent, _, files in os.walk(root):
        inner = parent[len(root) + 1 :].replace(os.sep, "/")
        found += [f"{inner}/{file}" if inner else file for file in files if file.endswith(SUFFIX)]
    return found


def _language(name: str) -> str:
    return "".join(Path(name).suffixes[-2:])


def _environment(language: str, load: Load, *, trusted: bool) -> Environment:
    """Where any template is the platform team's, all run sandboxed: ours may include theirs."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = (Environment if trusted else ImmutableSandboxedEnvironment)(
        loader=FunctionLoader(load),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=language == ".html.j2",
        finalize=finalizer(language),
        bytecode_cache=_bytecode_cache(trusted=trusted),
        cache_size=-1,
        auto_reload=False,
    )
    environment.filters.update(FILTERS)
    return environment


@lru_cache(maxsize=2)
def _bytecode_cache(*, trusted: bool) -> BytecodeCache | None:
    """Compiled templates between runs, keyed by their text; None where no folder of our own can be had."""
    import pickle

    from jinja2 import FileSystemBytecodeCache
    from jinja2.bccache import Bucket

    class Forgiving(FileSystemBytecodeCache):
        """A cache in which a damaged file is no file."""

        def load_bytecode(self, bucket: Bucket) -> None:
            try:
                super().load_bytecode(bucket)
            except (EOFError, OSError, TypeError, ValueError, pickle.UnpicklingError):
                bucket.reset()

    folder = cache_folder("templates")
    if folder is None:
        return None
    # Constants are written out, by scalars and filters, when a template is compiled: other ones, other code.
    writers = b"".join(Path(__file__).with_name(name).read_bytes() for name in ("scalars.py", "filters.py"))
    written = hashlib.sha256(writers).hexdigest()[:12]
    kind = "plain" if trusted else "sandboxed"
    return Forgiving(str(folder), f"{kind}-{written}-%s.cache")
