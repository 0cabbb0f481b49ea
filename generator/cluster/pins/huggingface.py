"""Models of the Hugging Face Hub: a branch or tag to its commit, and the digest of the commit's files.

The Hub lists the SHA-256 of large files; small ones (kept in git) are downloaded and checked against their git blob id.
So the digest covers the whole folder, though no large file is downloaded.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final
from urllib.parse import quote

from generator.cluster.http_client import Answer, Endpoint, HttpClient
from generator.cluster.pins.errors import MALFORMED, MISMATCH, UNEXPECTED, UNKNOWN, PinError
from generator.cluster.pins.reference import SHORT, Content, PinContext, Reference, Resolution
from generator.dataclass import dataclass
from generator.source.content import check_names, listing_digest

_FORM = re.compile(r"hf:(?P<name>[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?)(?:@(?P<rev>[\w./+-]+))?")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_HUB: Final = "https://huggingface.co"
_OK: Final = 200


def resolve(reference: Reference, context: PinContext) -> Resolution:
    """Query the Hub (HF_ENDPOINT, with HF_TOKEN) for the commit of a revision.

    A revision of 40 hex digits is already a commit; without the Hub only its format can be checked.

    Raises:
        PinError: the Hub has no such revision.
        HttpError: the Hub can't be reached.
    """
    form = _FORM.fullmatch(reference.text)
    if form is None:
        message = f"{reference.shown} is not a model of the Hub"
        raise PinError(MALFORMED, message, "for example hf:org/name@main")
    token = context.variables.get("HF_TOKEN")
    server = Endpoint.at(context.variables.get("HF_ENDPOINT") or _HUB, f"Bearer {token}" if token else None)
    hub = _Hub(server, context.http, form["name"], reference)
    revision = form["rev"] or "main"
    commit = revision if _COMMIT.fullmatch(revision) else hub.revision(revision)["sha"]
    return Resolution(f"hf:{form['name']}@{commit}", commit[:SHORT], lambda: hub.content(commit))


@dataclass(frozen=True, slots=True)
class _Hub:
    """One model of a Hub."""

    server: Endpoint
    http: HttpClient
    name: str
    reference: Reference

    def revision(self, revision: str) -> dict[str, Any]:
        """Return the commit of a revision (`sha`) and its files (`siblings`)."""
        path = f"api/models/{quote(self.name)}/revision/{quote(revision, safe='')}?blobs=true"
        found = self._ask(path).json()
        if not isinstance(found, dict) or not _COMMIT.fullmatch(str(found.get("sha"))):
            raise self._unexpected()
        return found

    def content(self, commit: str) -> Content:
        """Return the digest of the files of a commit."""
        found = self.revision(commit)
        if found["sha"] != commit:
            raise self._unexpected()
        siblings = found.get("siblings") or []
        try:
            check_names((str(item["rfilename"]) for item in siblings), self.reference.shown)
            files = [(str(item["rfilename"]), self._sha256(commit, item)) for item in siblings]
        except (KeyError, TypeError) as error:
            raise self._unexpected() from error
        return Content(listing_digest(files, self.reference.shown), f"the Hub at {self.server.address}")

    def _sha256(self, commit: str, item: dict[str, Any]) -> str:
        large = item.get("lfs")
        if large:
            listed = str(large["sha256"])
            if not _SHA256.fullmatch(listed):
                raise self._unexpected()
            return listed
        path = f"{quote(self.name)}/resolve/{commit}/{quote(str(item['rfilename']))}"
        body = self._ask(path).body
        blob = hashlib.sha1(b"blob %d\0" % len(body), usedforsecurity=False)
        blob.update(body)
        if blob.hexdigest() != item["blobId"]:
            message = (
                f"`{item['rfilename']}` of {self.reference.shown} differs from the content that the Hub lists"
            )
            raise PinError(MISMATCH, message, "try again; if that does not help, do not use this model")
        return hashlib.sha256(body).hexdigest()

    def _ask(self, path: str) -> Answer:
        answer = self.http.ask(f"{self.server.address}/{path}", authorization=self.server.authorization)
        # A missing and a private repository get the same response, with this code in a header.
        if answer.headers.get("x-error-code") in {"RepoNotFound", "RevisionNotFound", "EntryNotFound"}:
            message = f"{self.reference.shown} does not exist at {self.server.address}, or is private"
            raise PinError(
                UNKNOWN, message, "check the name and the revision; a private model needs HF_TOKEN"
            )
        if answer.status != _OK:
            raise answer.failure(self.reference.shown)
        return answer

    def _unexpected(self) -> PinError:
        return PinError(
            UNEXPECTED, f"{self.server.address} does not answer like the Hub", "check HF_ENDPOINT"
        )
