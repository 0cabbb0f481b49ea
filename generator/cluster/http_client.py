"""The one HTTP client: time-outs, bounded answers, safe retries, credentials that never leave their server.

Proxies and CA bundles come from the environment: HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE, REQUESTS_CA_BUNDLE. It is
urllib3 with these rules; urllib3 is imported by the first request, so commands without a network never load it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import SplitResult, unquote, urlencode, urljoin, urlsplit

from generator import __version__
from generator.cluster.failures import no_connection, words_of
from generator.cluster.limits import Allowance, Watch, too_slow
from generator.dataclass import dataclass
from generator.source.content import HEAD
from generator.source.errors import UserError

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

LIMIT: Final = 16 << 20  # bytes of an answer that is kept in memory
_CHUNK: Final = 1 << 18
_CONNECT_S: Final = 10.0
_HOPS: Final = 5
_RETRIES: Final = 2
_BUSY: Final = (429, 502, 503, 504)
_LONGEST_PAUSE_S: Final = 10
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_OK: Final = 200

Reason = Literal["malformed", "unreachable", "broken", "forbidden", "unknown", "unexpected"]


class HttpError(UserError):
    """A server can't be reached, or does not return what was requested.

    Args:
        message: one sentence; it holds no credentials.
        hint: what to do.
        reason: why, for programs.
    """

    def __init__(self, message: str, hint: str, reason: Reason) -> None:
        super().__init__(message, hint)
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's response.

    Args:
        url: the address without credentials.
        status: HTTP status.
        headers: by name in lower case.
        body: at most `LIMIT` bytes.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON.

        Raises:
            HttpError: it is not JSON.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            message = f"the answer of {self.url} is not JSON"
            raise HttpError(message, "check the configured address", "unexpected") from error

    def failure(self, what: str) -> HttpError:
        """Return an error that explains why this response is unusable."""
        place = f"{what} at {self.url}"
        if self.status in {401, 403}:
            message = f"access to {place} denied (HTTP {self.status})"
            return HttpError(message, "set the credentials of that server in the environment", "forbidden")
        if self.status in {404, 410}:
            message = f"{place} does not exist (HTTP {self.status})"
            return HttpError(message, "check its name and version", "unknown")
        message = f"unexpected answer for {place} (HTTP {self.status})"
        return HttpError(message, "try again, or contact the server's operator", "unexpected")


@dataclass(frozen=True, slots=True)
class _Request:
    """A request without its credentials, which are dropped when a redirect leads to another server."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    authorization: str | None = None


@dataclass(frozen=True)
class HttpClient:
    """An HTTP client.

    Args:
        timeout_s: the longest wait for the next bytes, for headers, and for one small response.
        allowance: totals for its requests; None for no totals.
        watch: ends what takes longer.
    """

    timeout_s: float = 30.0
    allowance: Allowance | None = None
    watch: Watch = field(default_factory=Watch, repr=False)
    _pools: dict[str, PoolManager] = field(default_factory=dict, repr=False)

    def allowed(self, allowance: Allowance) -> HttpClient:
        """Return a client with the same connections and these totals."""
        return replace(self, allowance=allowance)

    def ask(
        self,
        url: str,
        *,
        method: str = "GET",
        authorization: str | None = None,
        accept: str = "*/*",
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request and return the response, whatever its status.

        Args:
            url: http or https.
            method: GET, HEAD or POST.
            authorization: value of that header; a redirect takes it only to the same server.
            accept: media types.
            form: the fields of a POST.
            headers: further headers; no secrets, because a redirect takes them to any server.

        Raises:
            HttpError: there is no response, or one that is too long.
        """
        sent = {"Accept": accept, **(headers or {})}
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        body = None if form is None else urlencode(form)
        with self._opened(_Request(url, method, sent, body, authorization)) as response:
            parts, size = [], 0
            with self.watch.within(self.timeout_s):
                for chunk in self._chunks(response, url):
                    parts.append(chunk)
                    size += len(chunk)
                    if size > LIMIT:
                        message = f"the answer of {shown(url)} is larger than {LIMIT >> 20} MiB"
                        raise HttpError(message, "check the configured address", "unexpected")
            return Answer(shown(url), response.status, _headers(response), b"".join(parts))

    def sha256(
        self,
        url: str,
        what: str,
        *,
        authorization: str | None = None,
        check: Callable[[bytes], None] | None = None,
        kept: bytearray | None = None,
        most: int = 0,
    ) -> str:
        """Return the SHA-256 (hex) of the content at an address.

        Args:
            url: http or https.
            what: how messages call the content.
            authorization: value of that header.
            check: receives the first bytes.
            kept: is filled with the first bytes.
            most: how many of them.

        Raises:
            HttpError: there is no response, an error status, or a body that is truncated, endless or too slow.
        """
        with self._opened(_Request(url, authorization=authorization)) as response:
            if response.status != _OK:
                raise Answer(shown(url), response.status, _headers(response), b"").failure(what)
            found, head, size, started = hashlib.sha256(), b"", 0, time.monotonic()
            for chunk in self._chunks(response, url):
                found.update(chunk)
                size += len(chunk)
                head += chunk[: HEAD - len(head)]
                if kept is not None:
                    kept += chunk[: most - len(kept)]
                if too_slow(size, started, self.timeout_s):
                    raise TimeoutError
            if check:
                check(head)
            return found.hexdigest()

    def _chunks(self, response: BaseHTTPResponse, url: str) -> Iterator[bytes]:
        """Yield the body piece by piece; one that is shorter than announced, or larger than allowed, is an error."""
        announced = response.headers.get("content-length", "")
        if announced.isdecimal():
            self._check_size(int(announced[:20]), url)
        while chunk := response.read1(_CHUNK, decode_content=False):
            if self.allowance:
                self.allowance.size -= len(chunk)
            self._check_size(0, url)
            yield chunk

    def _check_size(self, announced: int, url: str) -> None:
        if self.allowance and self.allowance.size < announced:
            message = f"the content at {shown(url)} is larger than `--max-size` allows"
            raise HttpError(message, "if that is right, raise `--max-size`", "broken")

    @contextmanager
    def _opened(self, request: _Request) -> Iterator[BaseHTTPResponse]:
        """Send a request, follow redirects, and yield the response with its body unread."""
        from urllib3.exceptions import HTTPError, LocationValueError

        if not request.url.startswith(("http://", "https://")):
            raise _malformed(request.url, "correct the configured address")
        try:
            with self._within_allowance(request.url):
                response = self._followed(request)
                try:
                    yield response
                finally:
                    response.close()
        except (LocationValueError, UnicodeError) as error:
            raise _malformed(request.url, "correct the configured address") from error
        except (HTTPError, OSError, ValueError) as error:
            message = f"{shown(request.url)} {words_of(error, self.timeout_s)}"
            reason: Reason = "unreachable" if no_connection(error) else "broken"
            raise HttpError(message, "check the address, the network and the proxy", reason) from error

    @contextmanager
    def _within_allowance(self, url: str) -> Iterator[None]:
        """Count a request and its time, and end it where the totals of the reference do."""
        allowance = self.allowance
        if allowance is None:
            yield
            return

        def over() -> HttpError:
            message = (
                f"the requests to {_server(url)[1].rpartition('@')[2]} took more than {allowance.seconds:g} s"
            )
            return HttpError(message, "if the model is that large, raise `--timeout`", "broken")

        allowance.requests -= 1
        if allowance.requests < 0:
            message = f"{shown(url)} needs more requests than one reference may make"
            raise HttpError(message, "contact the server's operator: its listing may be endless", "broken")
        with self.watch.within(allowance.left_s, over), allowance.timed():
            yield

    def _followed(self, request: _Request) -> BaseHTTPResponse:
        """Send a request and follow redirects; credentials go only to the same server, and https never becomes http."""
        start = request.url
        for _ in range(_HOPS):
            response = self._sent(request)
            location = response.headers.get("location")
            if response.status not in _REDIRECTS or not location:
                return response
            response.close()
            url = urljoin(request.url, location)
            _check_redirect(request.url, url)
            kept = request.authorization if _server(url) == _server(request.url) else None
            request = replace(request, url=url, authorization=kept)
        message = f"{shown(start)} redirects more than {_HOPS} times"
        raise HttpError(message, "check the configured address", "broken")

    def _sent(self, request: _Request) -> BaseHTTPResponse:
        headers = {"User-Agent": f"sluice/{__version__}", **request.headers}
        if request.authorization:
            headers["Authorization"] = request.authorization
        return self._pool(request.url).request(
            request.method, request.url, body=request.body, headers=headers, redirect=False,
            preload_content=False, decode_content=False,
        )  # fmt: skip

    def _pool(self, url: str) -> PoolManager:
        from urllib.request import getproxies, proxy_bypass

        parts = urlsplit(url)
        proxy = "" if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme, "")
        if proxy not in self._pools:
            self._pools[proxy] = self._made(proxy)
        return self._pools[proxy]

    def _made(self, proxy: str) -> PoolManager:
        from urllib3 import PoolManager, ProxyManager, Retry, Timeout
        from urllib3.util import make_headers, parse_url

        retries = Retry(
            _RETRIES, read=0, other=0, redirect=False, status_forcelist=_BUSY, raise_on_status=False,
            backoff_factor=0.25, retry_after_max=_LONGEST_PAUSE_S,
        )  # fmt: skip
        timeout = Timeout(connect=min(self.timeout_s, _CONNECT_S), read=self.timeout_s)
        options: dict[str, Any] = {"retries": retries, "timeout": timeout, **_authorities()}
        credentials = unquote(parse_url(proxy).auth or "") if proxy else ""
        own = make_headers(proxy_basic_auth=credentials) if credentials else None
        made = ProxyManager(proxy, proxy_headers=own, **options) if proxy else PoolManager(**options)
        made.pool_classes_by_scheme = self.watch.classes(self.timeout_s)
        return made


def _authorities() -> dict[str, str]:
    """Return the CA bundle from the environment; None when OpenSSL finds it itself (SSL_CERT_FILE, the system's)."""
    names = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    name = next((name for name in names if os.environ.get(name)), "SSL_CERT_FILE")
    if name.startswith("SSL_CERT"):
        return {}
    path = os.environ[name]
    return {"ca_cert_dir" if os.path.isdir(path) else "ca_certs": path}  # noqa: PTH112


def _malformed(url: str, hint: str) -> HttpError:
    return HttpError(f"`{shown(url)}` is not an http or https address", hint, "malformed")


def _check_redirect(old: str, new: str) -> None:
    if not new.startswith(("http://", "https://")):
        words = "to an address that is neither http nor https"
    elif old.startswith("https://") and not new.startswith("https://"):
        words = "to an unencrypted address"
    else:
        return
    raise HttpError(f"{shown(old)} redirects {words}", "contact the server's operator", "broken")


def _server(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _headers(response: BaseHTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def shown(url: str) -> str:
    """Return an address without user, password and query.

    Return a placeholder where an unescaped slash or question mark may belong to a password.
    """
    scheme, _, rest = url.partition("://")
    head, *tail = re.split("[?#]", rest, maxsplit=1)
    return f"{scheme}://{'…' if '@' in ''.join(tail) else head.rpartition('@')[2]}"


def basic(user: str, password: str) -> str:
    """Return the header value of HTTP basic authentication (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A configured server.

    Args:
        address: base URL without credentials and without a slash at its end.
        authorization: value of the header that goes with every request.
    """

    address: str
    authorization: str | None = field(default=None, repr=False)

    @staticmethod
    def at(url: str, authorization: str | None = None) -> Endpoint:
        """Return a server by its URL, which may carry user and password.

        Raises:
            HttpError: it is not an http or https address.
        """
        try:
            parts = urlsplit(url)
            user, password = parts.username, parts.password
        except ValueError:
            parts, user, password = SplitResult("", "", "", "", ""), None, None
        if parts.scheme not in {"http", "https"} or not parts.netloc or "@" in parts.path:
            raise _malformed(url, "start it with https:// or http://")
        if user is not None:
            authorization = authorization or basic(*(unquote(part or "") for part in (user, password)))
        return Endpoint(shown(url).rstrip("/"), authorization)
