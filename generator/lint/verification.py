"""Verifies any tree of rendered files, ours or hand-written, without a cluster.

The shape of every object, references, selectors and ports, Workflows, and everything that the Rollouts controller and
Argo CD demand. Checks from outside (a cluster) can be added.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path as FilePath
from typing import Final, Literal, NamedTuple, TypeAlias

from generator.dataclass import dataclass
from generator.lint.controller import VERSIONS, Controller, ControllerVersion, supported
from generator.lint.engine import Code, Problem, load, run, to_finding
from generator.lint.ignored import without_ignored
from generator.lint.kinds.mistake import dotted
from generator.lint.objects import Object, as_list, as_map, as_text, is_placeholder, value_at
from generator.lint.placement import Objects
from generator.lint.pods import containers, templates_of
from generator.lint.rules.contexts import contexts
from generator.lint.shapes import client_problems, shape_problems
from generator.lint.tree import Tree, read_tree
from generator.source.document import Path
from generator.source.finding import Finding, Severity

_RELEASE: Final = re.compile(
    r"argo-rollouts(?::|/releases/download/|\S{0,200}[?&]ref=)(v\d{1,4}\.\d{1,4}[\w.-]*)"
)
_TYPE: Final = "VER113"
_FIELDS: Final = frozenset({_TYPE, "VER110", "VER111"})
_SCHEMA: Final = frozenset({"VER112", "VER114", "VER115", "VER116"})
_CLIENTS: Final = frozenset({"VER120", "VER121"})
_AT_MOST: Final[Mapping[Severity, tuple[Severity, ...]]] = {
    "error": ("error", "warning", "info"),
    "warning": ("warning", "info"),
    "info": ("info",),
}


class Violation(NamedTuple):
    """A problem of one object of a tree, with the code of its rule."""

    object: Object
    code: Code
    problem: Problem

    @property
    def path(self) -> Path:
        """Keys from the top of the object."""
        return self.problem.path

    @property
    def at(self) -> tuple[Object, Path]:
        """The value that it is about."""
        return self.object, self.problem.path

    @property
    def severity(self) -> Severity:
        """Its severity."""
        return self.problem.severity or self.code.severity


Check: TypeAlias = Callable[[Sequence[Object]], Iterable[Violation]]
"""A check from outside: takes every object of the tree."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of verifying a tree.

    Args:
        findings: sorted by place.
        unchecked: what could not be checked, in sentences.
        files: how many files were read.
        objects: how many Kubernetes objects they hold.
        inputs: how many charts, kustomizations and templates have to be built first.
    """

    findings: tuple[Finding, ...]
    unchecked: tuple[str, ...]
    files: int
    objects: int
    inputs: int = 0


def verify(
    root: FilePath,
    controller: Controller | Literal["auto"] = "any",
    checks: Iterable[Check] = (),
    *,
    build: bool = False,
) -> Verification:
    """Verify every YAML and JSON file below a folder, or one file. Bad input is never an exception.

    Args:
        root: the folder or the file.
        controller: version of the Rollouts controller that must accept the tree; `any` means every known one, `auto`
            that of a manifest in the tree if there is one.
        checks: further checks over all objects of the tree.
        build: whether to build charts and kustomizations first, with the tools on the path.
    """
    tree = read_tree(root)
    inputs = len(tree.sources.charts) + len(tree.sources.kustomizations) + len(tree.templates)
    missing: list[str] = []
    if build:
        from generator.lint.build import with_builds

        tree, missing = with_builds(tree, root)
    controller = _installed(tree) if controller == "auto" else controller
    versions = {} if controller == "any" else {"argo-rollouts": controller}
    unchecked = [*missing, *_without_objects(tree.ignored)]
    objects = Objects(tree.objects, tree.sources)
    violations = [
        *(violation for check in checks for violation in check(tree.objects)),
        *run_rules(objects, controller),
        *(Violation(*found) for found in shape_problems(tree.objects, versions)),
    ]
    violations += (Violation(*found) for found in client_problems(tree.objects, unchecked))
    unchecked += _unknown_kinds(violations)
    violations, filled = _judged(violations, tree)
    unchecked += [*tree.sources.sentences(), *_templates(tree), *filled]
    found = without_ignored(_findings(tree, violations), tree.commented)
    findings = sorted(found, key=Finding.sort_key)
    return Verification(tuple(findings), tuple(unchecked), tree.files, len(tree.objects), inputs)


def run_rules(objects: Objects, controller: Controller = "any", *, complete: bool = False) -> list[Violation]:
    """Run every rule on trees, without the check of shapes.

    Args:
        objects: the tree.
        controller: version of the Rollouts controller that must accept it; `any` means every known one.
        complete: whether everything that the tree refers to must be in it; otherwise a missing object is reported as
            not checked.
    """
    load("generator.lint.rules")
    versions: tuple[ControllerVersion, ...] = VERSIONS if controller == "any" else (controller,)
    found = []
    for context, code, problem in run(contexts(objects, versions, complete=complete)):
        item = problem.document or getattr(context, "document", None)
        if not isinstance(item, Object):
            raise TypeError(f"a problem of {code.code} names no object of the tree")
        found.append(Violation(item, code, problem))
    return list(_once(found))


def _installed(tree: Tree) -> Controller:
    """Return the version of the controller that the tree installs: its image, or the release in a kustomization."""
    texts = [
        as_text(name)
        for found in tree.sources.kustomizations
        for name in as_list(found.body.get("resources"))
    ]
    for item in tree.objects:
        if item.is_a("Deployment"):
            texts += (
                as_text(one.get("image"))
                for _, template in templates_of(item)
                for _, one in containers(template)
            )
    found = (_RELEASE.search(text) for text in texts)
    return next((known for match in found if match and (known := supported(match[1]))), "any")


def _judged(violations: Iterable[Violation], tree: Tree) -> tuple[list[Violation], list[str]]:
    """Leave out what is about values that a build or a substitution still writes; return that in a sentence, too."""
    kept: list[Violation] = []
    placeholders: list[str] = []
    for violation in violations:
        item, path = violation.at
        value = value_at(item.body, path)
        shape = violation.code.code in _FIELDS | _SCHEMA | _CLIENTS
        if shape and isinstance(value, str) and is_placeholder(value):
            placeholders.append(f"{dotted(path)} of {item}: {value}")
        elif not tree.sources.change(item, path):
            kept.append(violation)
    if not placeholders:
        return kept, []
    more = f" and {len(placeholders) - 1:,} more" if len(placeholders) > 1 else ""
    return kept, [f"values that are filled in before they are applied: {placeholders[0]}{more}"]


def _without_objects(files: Sequence[str]) -> Iterator[str]:
    if len(files) == 1:
        yield f"{files[0]} has no Kubernetes object"
    elif files:
        more = f" and {len(files) - 3:,} more" if len(files) > 3 else ""
        yield f"{len(files):,} files have no Kubernetes object: {', '.join(files[:3])}{more}"


def _templates(tree: Tree) -> Iterator[str]:
    if tree.templates:
        names = tree.templates[:3]
        more = f" and {len(tree.templates) - 3:,} more" if len(tree.templates) > 3 else ""
        yield f"templates, which are YAML only once they are filled in: {', '.join(names)}{more}"


def _once(violations: Iterable[Violation]) -> Iterator[Violation]:
    """Yield each mistake once.

    Of several reports on one value one is kept: a wrong type before a rule's problem, a rule that is at least as
    severe before the general message of the schema, and both before the official clients.
    """
    found = list(violations)
    mistyped = {violation.at for violation in found if violation.code.code == _TYPE}
    ruled = {
        (violation.at, severity)
        for violation in found
        if violation.code.code not in _SCHEMA | _CLIENTS and violation.at not in mistyped
        for severity in _AT_MOST[violation.severity]
    }
    firm = {violation.at for violation in found if violation.code.code not in _CLIENTS}
    seen: set[tuple[object, ...]] = set()
    for violation in found:
        code, at = violation.code.code, violation.at
        if code in _CLIENTS:
            repeats = at in firm
        elif code in _SCHEMA:
            repeats = (at, violation.severity) in ruled
        else:
            repeats = at in mistyped and code not in _FIELDS
        mark = (at, violation.problem.message)
        if not repeats and mark not in seen:
            seen.add(mark)
            yield violation


def _findings(tree: Tree, violations: Iterable[Violation]) -> Iterator[Finding]:
    for code, problem, file in tree.problems:
        yield to_finding(code, problem, file)
    for item, code, problem in _once(violations):
        finding = to_finding(code, problem, item)
        yield replace(
            finding,
            path=dotted((*item.prefix, *problem.path)),
            object=str(item),
            part=_part(item, problem.path),
            replacement=problem.replacement,
        )


def _part(item: Object, path: Path) -> str:
    """Return the metric, step or container that a path leads into, empty for another place."""
    for index, (word, number) in enumerate(pairwise(path)):
        if word in ("metrics", "containers", "initContainers") and isinstance(number, int):
            noun = "metric" if word == "metrics" else "container"
            return f"{noun} {as_map(value_at(item.body, path[: index + 2])).get('name') or number + 1}"
        if word == "steps" and isinstance(number, int):
            return f"step {number + 1}"
    return ""


def _unknown_kinds(violations: Iterable[Violation]) -> list[str]:
    kinds: dict[str, int] = {}
    for item, code, _ in violations:
        if code.code == "VER110":
            name = f"{item.body.get('apiVersion')} {item.kind}"
            kinds[name] = kinds.get(name, 0) + 1
    return [
        f"the fields of {name} ({count:,} in the tree): the kind is not known"
        for name, count in kinds.items()
    ]
