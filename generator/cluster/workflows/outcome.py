"""What became of a gate Workflow: its phase, and the document that its verdict left."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import zlib
from collections.abc import Mapping
from typing import Any, Final

from generator.cluster.workflows.failure import WorkflowError

ENDED: Final = frozenset({"Succeeded", "Failed", "Error"})
_VERDICT, _EVIDENCE, _NOTHING = "verdict", "evidence", "none"
_NEWLINE: Final = "\n"
_LARGEST: Final = 32 << 20


def phase(workflow: Mapping[str, Any]) -> str:
    """`Pending`, `Running`, `Succeeded`, `Failed` or `Error`."""
    return str(_map(workflow.get("status")).get("phase") or "Pending")


def evidence(workflow: Mapping[str, Any]) -> str | None:
    """The text of the document, of the verdict's last attempt; None where it left none.

    Raises:
        WorkflowError: the nodes are not in the object, or can't be read.
    """
    found = ""
    when = ""
    for node in _nodes(_map(workflow.get("status"))).values():
        if not isinstance(node, dict) or node.get("templateName") != _VERDICT:
            continue
        text, ended = _parameter(node), str(node.get("finishedAt") or "")
        if text not in {"", _NOTHING} and ended >= when:
            found, when = text, ended
    # The executor takes the last newline off an output parameter (workflow/executor/executor.go, SaveParameters).
    return f"{found.removesuffix(_NEWLINE)}{_NEWLINE}" if found else None


def said(workflow: Mapping[str, Any]) -> str:
    """What the controller says of the whole, on one line; empty when nothing."""
    return " ".join(str(_map(workflow.get("status")).get("message") or "").split())


def _parameter(node: Mapping[str, Any]) -> str:
    parameters = _map(node.get("outputs")).get("parameters")
    for item in parameters if isinstance(parameters, list) else []:
        if isinstance(item, dict) and item.get("name") == _EVIDENCE:
            return str(item.get("value") or "")
    return ""


def _nodes(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """The nodes: plain, or packed (gzip, base64) as the controller does with many of them."""
    if status.get("offloadNodeStatusVersion"):
        raise WorkflowError(
            "REFUSED", "the nodes of this Workflow lie in Argo's database: ask its server (--server)"
        )
    packed = status.get("compressedNodes")
    if not packed:
        return _map(status.get("nodes"))
    try:
        with gzip.GzipFile(fileobj=_bytes(str(packed))) as stream:
            return _map(json.loads(stream.read(_LARGEST)))
    except (ValueError, OSError, EOFError, zlib.error, binascii.Error) as error:
        raise WorkflowError("REFUSED", f"the nodes of this Workflow can't be unpacked: {error}") from error


def _bytes(text: str) -> Any:
    import io

    return io.BytesIO(base64.b64decode(text, validate=True))


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
