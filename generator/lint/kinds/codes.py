"""The codes of `sluice verify`: what each finding means, how bad it is, what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from generator.lint.kinds.objects import Document
from generator.lint.kinds.problem import Path
from generator.source.finding import Place, Severity


class Code(NamedTuple):
    """What is the same for all findings of one code."""

    severity: Severity
    title: str
    hint: str


CODES: Final[dict[str, Code]] = {
    "VER101": Code("error", "a file cannot be read", "Check the path and its permissions."),
    "VER102": Code("warning", "a link is not followed", "Put the file itself into the tree."),
    "VER103": Code("error", "a file is too large to read", "Split it; one object a file is best."),
    "VER104": Code("error", "a file is not UTF-8 text", "Save it as UTF-8."),
    "VER105": Code(
        "error", "a file cannot be parsed", "Mend the line; an editor with YAML support shows where."
    ),
    "VER106": Code(
        "error", "a key stands twice", "Keep one of the two: readers differ in which one they take."
    ),
    "VER110": Code("info", "no table knows this kind", "Nothing of this object but its name was checked."),
    "VER111": Code(
        "error", "a field does not exist", "Remove it or correct its name; the API server drops it."
    ),
    "VER112": Code("error", "a required field is missing", "Add it."),
    "VER113": Code("error", "a value has the wrong type", "Write a value of the right type; quote text."),
    "VER114": Code("error", "a value is not allowed", "Write a value of the form that the message names."),
    "VER115": Code("warning", "a value is null", "Remove the key."),
    "VER116": Code("error", "fields exclude or need each other", "Set the fields as the message says."),
    "VER120": Code("error", "the Kubernetes client refuses the object", "Compare it with the API reference."),
    "VER121": Code(
        "error", "the Argo Workflows client refuses the object", "Compare it with the field reference."
    ),
    "VER130": Code("error", "a request is larger than its limit", "Lower the request or raise the limit."),
    "VER140": Code("error", "two objects have the same name", "Keep one: the second one applied wins."),
    "VER141": Code("warning", "a cluster-wide object names a namespace", "Remove metadata.namespace."),
    "VER142": Code(
        "warning",
        "a folder mixes objects with and without a namespace",
        "Write the namespace in all or in none.",
    ),
    "VER150": Code("error", "a reference leads nowhere", "Correct the name or add the object."),
    "VER151": Code(
        "info", "a reference leads out of the tree", "Could not check; verify it together with its target."
    ),
    "VER152": Code("error", "a selector matches no pod", "Make its labels those of a pod template."),
    "VER153": Code("error", "a port does not exist", "Name a port that the target really has."),
    "VER154": Code(
        "warning",
        "a route crosses namespaces without a grant",
        "Add a ReferenceGrant in the target's namespace.",
    ),
    "VER160": Code("error", "a template does not exist", "Correct the name or add the template."),
    "VER161": Code("error", "a task does not exist", "Correct the name or add the task."),
    "VER162": Code("error", "tasks wait for each other in a circle", "Remove one of the dependencies."),
    "VER163": Code("error", "a parameter is not declared", "Declare it where the message says."),
    "VER164": Code("error", "a parameter gets no value", "Pass it, or give it a value or a default."),
    "VER165": Code("error", "two things have the same name", "Rename one of them."),
    "VER166": Code(
        "warning",
        "a failed task does not fail the Workflow",
        "Let the last task exit non-zero when a gate failed: a DAG's phase is that of its leaf tasks.",
    ),
    "VER180": Code(
        "error",
        "a project refuses the Application",
        "Name a destination and a source that the project allows.",
    ),
    "VER181": Code(
        "error",
        "a project refuses the namespace of an object",
        "Correct the namespace, or allow it in the project.",
    ),
    "VER182": Code(
        "error",
        "a project refuses the kind of an object",
        "Remove the object, or allow its kind in the project.",
    ),
    "VER170": Code("error", "the cluster refuses the object", "Change what the server's message names."),
    "VER171": Code(
        "error",
        "the cluster does not serve this kind",
        "Install its definition, or the version that is written.",
    ),
    "VER172": Code("warning", "a namespace is not in the cluster", "Apply it first, then verify again."),
    "VER173": Code(
        "error",
        "the cluster may not be asked",
        "Ask as somebody who may patch these objects; nothing is stored.",
    ),
}


@dataclass(frozen=True, slots=True)
class Issue:
    """One flaw of one object of a tree, before its place in the file is known.

    Args:
        document: where it is.
        path: keys from the top of the object.
        code: stable code.
        severity: how bad it is.
        message: what is wrong, as a sentence without its end.
        hint: what to do.
        on_key: the key is to be shown, not its value.
        place: the place, when it is known already.
    """

    document: Document
    path: Path
    code: str
    severity: Severity
    message: str
    hint: str
    on_key: bool = False
    place: Place | None = None


def issue(
    document: Document,
    path: Path,
    code: str,
    message: str,
    *,
    on_key: bool = False,
    place: Place | None = None,
) -> Issue:
    """An issue with the severity and the hint of its code."""
    known = CODES[code]
    return Issue(document, path, code, known.severity, message, known.hint, on_key, place)
