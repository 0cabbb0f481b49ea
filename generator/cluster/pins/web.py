"""A small HTTP client: time-outs, bounded answers, and credentials that never follow a redirect to another host."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import IO, Any, Final

from generator import __version__
from generator.cluster.pins.failure import FORBIDDEN, MALFORMED, UNEXPECTED, UNKNOWN, UNREACHABLE, PinError

LIMIT: Final = 16 << 20  # bytes of an answer that is kept in memory
_CHUNK: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said.

    Args:
        url: the address, fit to be shown.
        status: HTTP status.
        headers: by name in lower case.
        body: at most `LIMIT` bytes.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            PinError: it is none.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise PinError(
                UNEXPECTED, f"{self.url} did not answer in JSON", "check the address that is configured"
            ) from error

    def failure(self, what: str) -> PinError:
        """Why this answer does not give what was asked for."""
        if self.status in {401, 403}:
            message = f"{self.url} does not let us read {what}: HTTP {self.status}"
            return PinError(FORBIDDEN, message, "set the credentials of that server in the environment")
        if self.status in {404, 410}:
            return PinError(UNKNOWN, f"{self.url} does not know {what}", "check its name and version")
        message = f"{self.url} answered with HTTP {self.status} when asked for {what}"
        return PinError(UNEXPECTED, message, "try again, or ask who runs that server")


@dataclass(frozen=True)
class Web:
    """Asks servers.

    Args:
        timeout_s: longest silence of a server, and longest time for one small answer.
    """

    timeout_s: float = 30.0

    def ask(
        self, url: str, *, method: str = "GET", authorization: str | None = None, accept: str = "*/*"
    ) -> Answer:
        """Send one request; any status is an answer.

        Raises:
            PinError: there is no answer, or one that is too long.
        """
        with self._open(url, method, authorization, accept) as (response, status, headers):
            parts, size, deadline = [], 0, time.monotonic() + self.timeout_s
            for chunk in _chunks(response):
                parts.append(chunk)
                size += len(chunk)
                if size > LIMIT:
                    message = f"{shown(url)} answers with more than {LIMIT >> 20} MiB"
                    raise PinError(UNEXPECTED, message, "check the address that is configured")
                if time.monotonic() > deadline:
                    raise TimeoutError
            return Answer(shown(url), status, headers, b"".join(parts))

    def sha256(self, url: str, what: str, *, authorization: str | None = None) -> str:
        """SHA-256 (hex) of what an address gives, whatever its size; nothing is kept.

        Raises:
            PinError: there is no answer, a refusal, or an answer that ends too early.
        """
        with self._open(url, "GET", authorization, "*/*") as (response, status, headers):
            if status != http.client.OK:
                raise Answer(shown(url), status, headers, b"").failure(what)
            found = hashlib.sha256()
            for chunk in _chunks(response):
                found.update(chunk)
            return found.hexdigest()

    @contextmanager
    def _open(
        self, url: str, method: str, authorization: str | None, accept: str
    ) -> Iterator[tuple[IO[bytes], int, dict[str, str]]]:
        if not url.startswith(("http://", "https://")):
            message = f"`{shown(url)}` is no http or https address"
            raise PinError(MALFORMED, message, "correct the address that is configured")
        own = {"Accept": accept, "User-Agent": f"sluice/{__version__}"}
        try:
            request = urllib.request.Request(url, headers=own, method=method)  # noqa: S310 - http or https
            if authorization:
                request.add_unredirected_header("Authorization", authorization)
            with self._answer(request) as response:
                headers = {name.lower(): value for name, value in response.headers.items()}
                yield response, response.status, headers
        except (OSError, http.client.HTTPException, ValueError) as error:
            message = f"{shown(url)} {self._reason(error)}"
            raise PinError(UNREACHABLE, message, "check the address, the network and the proxy") from error

    def _answer(self, request: urllib.request.Request) -> Any:
        try:
            return self._opener.open(request, timeout=self.timeout_s)
        except urllib.error.HTTPError as error:
            return error

    @cached_property
    def _opener(self) -> urllib.request.OpenerDirector:
        """Only http and https: a redirect leads neither to a file nor to FTP."""
        opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler(),
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            urllib.request.UnknownHandler(),
            _Redirects(),
        ):
            opener.add_handler(handler)
        return opener

    def _reason(self, error: Exception) -> str:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            return f"did not answer within {self.timeout_s:g} s"
        if isinstance(reason, http.client.IncompleteRead):
            return "stopped in the middle of its answer"
        # Only the system's own words: others may quote the address, and with it a password.
        words = getattr(reason, "strerror", None) or (reason if isinstance(reason, _RedirectRefused) else "")
        return f"can't be reached: {words}" if words else "can't be reached"


class _RedirectRefused(str):
    """Why a redirect was not followed."""

    __slots__ = ()


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but takes credentials only to the same server, and never from https to http."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        old, new = (urllib.parse.urlsplit(url) for url in (req.full_url, newurl))
        if old.scheme == "https" and new.scheme != "https":
            raise urllib.error.URLError(_RedirectRefused("it redirects to an address without encryption"))
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        if request is not None:
            request.method = req.get_method()
            if (old.scheme, old.netloc) == (new.scheme, new.netloc):
                request.unredirected_hdrs = dict(req.unredirected_hdrs)
                request.unredirected_hdrs.pop("Host", None)
        return request


def _chunks(response: Any) -> Iterator[bytes]:
    """The body, piece by piece; one that is shorter than announced is an error."""
    while chunk := response.read1(_CHUNK):
        yield chunk
    if getattr(response, "length", None):
        raise http.client.IncompleteRead(b"", response.length)


def shown(url: str) -> str:
    """An address without user, password and query.

    A password may hold a slash or a question mark that was not escaped: where that is possible, nothing is shown.
    """
    scheme, _, rest = url.partition("://")
    head, *tail = re.split("[?#]", rest, maxsplit=1)
    return f"{scheme}://{'…' if '@' in ''.join(tail) else head.rpartition('@')[2]}"


def basic(user: str, password: str) -> str:
    """The header value of HTTP basic authentication (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Server:
    """A configured server.

    Args:
        address: base URL without credentials and without a slash at its end.
        authorization: value of the header that goes with every request.
    """

    address: str
    authorization: str | None = field(default=None, repr=False)

    @staticmethod
    def at(url: str, authorization: str | None = None) -> Server:
        """A server by its URL, which may carry user and password.

        Raises:
            PinError: it is no http or https address.
        """
        try:
            parts = urllib.parse.urlsplit(url)
            user, password = parts.username, parts.password
        except ValueError:
            parts, user, password = urllib.parse.SplitResult("", "", "", "", ""), None, None
        if parts.scheme not in {"http", "https"} or not parts.netloc or "@" in parts.path:
            message = f"`{shown(url)}` is no http or https address"
            raise PinError(MALFORMED, message, "write it like https://mlflow.example.com")
        if user is not None:
            names = (urllib.parse.unquote(part or "") for part in (user, password))
            authorization = authorization or basic(*names)
        return Server(shown(url).rstrip("/"), authorization)
