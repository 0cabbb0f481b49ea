"""The codes of `sluice verify`: what each finding means, how bad it is, what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from generator.lint.engine import CODES, Code, declare
from generator.lint.kinds.objects import Document
from generator.source.document import Path
from generator.source.finding import Place, Severity

_APPLY = "The API server refuses the object, and the sync stops there."
_GHOST = "The workflow controller stops with an error, in the middle of a release."

declare(
    Code(
        "CAN120",
        "error",
        "a query covers both versions",
        "Mixed with the stable version a bad canary of 5 % moves the ratio by a twentieth of its harm.",
        "Restrict every selector to one version, by its pod-template hash or version label.",
    ),
    Code(
        "CAN121",
        "error",
        "a rate over too few samples",
        "Two samples are noise, and a window shorter than four scrapes is often empty.",
        "Use increase() over a window of at least four scrape intervals.",
    ),
    Code(
        "CAN122",
        "warning",
        "a quantile of a histogram decides",
        "It interpolates inside a bucket and is not a number without traffic.",
        "Count the requests beyond a bucket bound instead.",
    ),
    Code(
        "CAN124",
        "error",
        "events that vanish instead of being zero",
        "A version without a single event has no series: the query is empty and the worst model passes.",
        "Add `or vector(0)` to the events.",
    ),
    Code(
        "CAN125",
        "error",
        "a query is not PromQL",
        "Prometheus refuses it, and five refusals abort the rollout.",
        "Correct the query; `promtool` says where.",
    ),
    Code(
        "VER101",
        "error",
        "a file can't be read",
        "What can't be read can't be checked.",
        "Check the path and its permissions.",
    ),
    Code(
        "VER102",
        "warning",
        "a link is not followed",
        "What it points at was not checked.",
        "Put the file itself into the tree.",
    ),
    Code(
        "VER103",
        "error",
        "a file is too large to read",
        "It was not checked.",
        "Split it; one object a file is best.",
    ),
    Code(
        "VER104",
        "error",
        "a file is not UTF-8 text",
        "Kubernetes reads UTF-8 and nothing else.",
        "Save it as UTF-8.",
    ),
    Code(
        "VER105",
        "error",
        "a file can't be parsed",
        "Argo CD stops at it and syncs nothing of the application.",
        "Mend the line; an editor with YAML support shows where.",
    ),
    Code(
        "VER106",
        "error",
        "a key stands twice",
        "Readers differ in which of the two they take.",
        "Keep one of them.",
    ),
    Code(
        "VER110",
        "info",
        "an unknown kind",
        "No table knows its fields: nothing but its name was checked.",
        "Check it against its own schema.",
    ),
    Code(
        "VER111",
        "error",
        "a field does not exist",
        "The API server drops it without a word, or refuses the object.",
        "Remove it, or correct its name.",
    ),
    Code("VER112", "error", "a required field is missing", _APPLY, "Add it."),
    Code(
        "VER113", "error", "a value of the wrong type", _APPLY, "Write a value of the right type; quote text."
    ),
    Code(
        "VER114",
        "error",
        "a value that is not allowed",
        _APPLY,
        "Write a value of the form that the message names.",
    ),
    Code(
        "VER115",
        "warning",
        "a value is null",
        "Null deletes a default in one tool and is ignored by another: the application never settles.",
        "Remove the key.",
    ),
    Code(
        "VER116",
        "error",
        "fields that exclude or need each other",
        _APPLY,
        "Set the fields as the message says.",
    ),
    Code(
        "VER120",
        "error",
        "the Kubernetes client refuses the object",
        _APPLY,
        "Compare it with the API reference.",
    ),
    Code(
        "VER121",
        "error",
        "the Argo Workflows client refuses the object",
        _GHOST,
        "Compare it with the field reference.",
    ),
    Code(
        "VER130",
        "error",
        "a request above its limit",
        _APPLY,
        "Lower the request, or raise the limit.",
    ),
    Code(
        "VER140",
        "error",
        "two objects of one name",
        "The second one that is applied wins, and Argo CD reports a shared resource for ever.",
        "Keep one of them.",
    ),
    Code(
        "VER141",
        "warning",
        "a cluster-wide object with a namespace",
        "The namespace means nothing, and the comparison never settles.",
        "Remove metadata.namespace.",
    ),
    Code(
        "VER142",
        "warning",
        "a folder mixes objects with and without a namespace",
        "Those without go wherever the application happens to point.",
        "Write the namespace in all of them or in none.",
    ),
    Code(
        "VER150",
        "error",
        "a reference leads nowhere",
        "The object waits for one that never comes.",
        "Correct the name, or add the object.",
    ),
    Code(
        "VER151",
        "info",
        "a reference leads out of the tree",
        "Whether its target exists could not be checked.",
        "Verify it together with its target.",
    ),
    Code(
        "VER152",
        "error",
        "a selector matches no pod",
        "The Service has no endpoints: every request fails.",
        "Make its labels those of a pod template.",
    ),
    Code(
        "VER153",
        "error",
        "a port does not exist",
        "Requests and scrapes go to a port that nobody listens on.",
        "Name a port that the target really has.",
    ),
    Code(
        "VER154",
        "warning",
        "a route crosses namespaces without a grant",
        "The Gateway refuses the backend and answers 500.",
        "Add a ReferenceGrant in the target's namespace.",
    ),
    Code("VER160", "error", "a template does not exist", _GHOST, "Correct the name, or add the template."),
    Code("VER161", "error", "a task does not exist", _GHOST, "Correct the name, or add the task."),
    Code(
        "VER162", "error", "tasks wait for each other in a circle", _GHOST, "Remove one of the dependencies."
    ),
    Code("VER163", "error", "a parameter is not declared", _GHOST, "Declare it where the message says."),
    Code("VER164", "error", "a parameter gets no value", _GHOST, "Pass it, or give it a value or a default."),
    Code("VER165", "error", "two things of one name", _GHOST, "Rename one of them."),
    Code(
        "VER166",
        "warning",
        "a failed task does not fail the Workflow",
        "The phase of a DAG is that of its last tasks: the Workflow succeeds although a gate failed.",
        "Let the last task exit non-zero when a gate failed.",
    ),
    Code(
        "VER170",
        "error",
        "the cluster refuses the object",
        "A dry run was refused by a schema, a CEL rule, an admission policy or Pod Security: so will the sync be.",
        "Change what the server's message names.",
    ),
    Code(
        "VER171",
        "error",
        "the cluster does not serve this kind",
        "Its definition, or this version of it, is not installed: the sync stops there.",
        "Install the controller's definitions, or render for the version that is installed.",
    ),
    Code(
        "VER172",
        "warning",
        "a namespace is not in the cluster",
        "Nothing in it could be judged, neither by schemas nor by its own policies.",
        "Apply the namespace first, then verify again.",
    ),
    Code(
        "VER173",
        "error",
        "the cluster may not be asked",
        "A dry run needs the same rights as the change itself; without them nothing was judged.",
        "Ask as somebody who may patch these objects: a dry run stores nothing.",
    ),
    Code(
        "VER180",
        "error",
        "a project refuses the Application",
        "Argo CD syncs nothing of it. One without a namespace is refused too, where the project lists namespaces.",
        "Name a destination and a source that the AppProject allows.",
    ),
    Code(
        "VER181",
        "error",
        "a project refuses the namespace of an object",
        "Argo CD syncs nothing of the Application: a team's project reaches the team's namespace alone.",
        "Correct the namespace, or let the project allow it.",
    ),
    Code(
        "VER182",
        "error",
        "a project refuses the kind of an object",
        "Argo CD syncs nothing of the Application: a team's project allows the kinds of a bundle alone.",
        "Remove the object, or let the project allow its kind.",
    ),
)


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
    return Issue(document, path, code, known.severity, message, known.remedy, on_key, place)
