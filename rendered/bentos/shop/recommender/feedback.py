"""The feedback route: outcomes of predictions, by the `served_by` token of each, on a separate port.

Rendered by Sluice. One process of each pod serves the route. An outcome counts at the pod that issued its token, which
knows whether it has counted before; other pods forward it there. Once that pod is gone, they count it themselves; a pod
that is only slow is not gone, or each other pod would count what it has counted already.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
import typing as t
from collections import Counter

import counters
import httpx
import messages
import tokens
import uvicorn
from pydantic import Field, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

PORT = int(os.environ.get("SLUICE_FEEDBACK_PORT") or 3001)
HOST = os.environ.get("SLUICE_FEEDBACK_HOST") or ""  # all addresses
FORWARDED = "x-sluice-forwarded"
MAX_BODY_BYTES = 65_536
MAX_REQUESTS_PER_S = 500.0
_BODY_S = 5.0  # for a client to send its body
_CONNECTIONS = 1_000
_SILENT_S = 30.0  # a pod that accepted no connection for so long is gone
_GONE_S = 600.0  # until a pod that was gone is tried again: its address may belong to a new one

Event = messages.Feedback
Batch = t.Annotated[list[Event], Field(min_length=1, max_length=100)]
_BODY = TypeAdapter(Event | Batch)


class Bucket:
    """A limit on requests: a rate, and twice as many at once."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._left = self._most = 2 * per_s
        self._at = time.monotonic()

    def take(self) -> bool:
        """Return whether one more request is allowed."""
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Peers:
    """The other pods of the model, to which outcomes of their tokens are forwarded.

    Args:
        client: sends the requests.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._gone: dict[str, float] = {}  # address: until when
        self._watches: dict[str, asyncio.Task[None]] = {}  # of pods that did not answer the last connection

    def is_gone(self, host: str) -> bool:
        """Return whether a pod can't count any more."""
        return self._gone.get(host, 0.0) > time.monotonic()

    async def send(self, host: str, events: list[dict[str, str]]) -> Counter[str] | None:
        """Return what became of outcomes at their pod; None without an answer.

        A pod counts a token once, so a second try is safe even if the first was counted and only its answer got lost.
        """
        for _ in range(2):
            if self.is_gone(host):
                return None
            try:
                answer = await self._client.post(f"http://{host}:{PORT}/feedback", json=events, headers={FORWARDED: "1"})
                answer.raise_for_status()
                return Counter(answer.json())
            except httpx.ConnectError:
                self._lose(host)
            except httpx.ConnectTimeout:
                if host not in self._watches and len(self._watches) < _CONNECTIONS:
                    self._watches[host] = asyncio.create_task(self._watch(host))
            except (httpx.HTTPError, ValueError):
                continue
        return None

    async def _watch(self, host: str) -> None:
        """Connect until the pod accepts, or until it has been silent for too long."""
        end = time.monotonic() + _SILENT_S
        try:
            while time.monotonic() < end:
                try:
                    async with asyncio.timeout(2.0):
                        _, writer = await asyncio.open_connection(host, PORT)
                except TimeoutError:
                    continue
                writer.close()
                return
            self._lose(host)
        except OSError:
            self._lose(host)
        finally:
            del self._watches[host]

    def _lose(self, host: str) -> None:
        if len(self._gone) >= _CONNECTIONS:
            self._gone.clear()
        self._gone[host] = time.monotonic() + _GONE_S


class Receiver:
    """Counts outcomes.

    Args:
        peers: the other pods, which count the outcomes of their tokens.
    """

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self._bucket = Bucket(MAX_REQUESTS_PER_S)
        self._seen = {event: tokens.Seen() for event in counters.EVENTS}

    async def receive(self, request: Request) -> Response:
        """Answer one request: how many outcomes it had that count, that counted before, and that are refused."""
        if not tokens.can_sign():
            return _error(503, "this service has no key, so it can't verify feedback")
        if not self._bucket.take():
            return _error(429, f"more than {MAX_REQUESTS_PER_S:g} requests per second")
        if request.headers.get("content-type", "application/json").split(";")[0].strip().lower() != "application/json":
            return _error(415, "the body must be application/json")
        try:
            body = await asyncio.wait_for(_read(request), _BODY_S)
        except (TimeoutError, ClientDisconnect):
            return _error(408, f"the body took longer than {_BODY_S:g} seconds")
        if body is None:
            return _error(413, f"the body is larger than {MAX_BODY_BYTES} bytes")
        try:
            parsed = _BODY.validate_json(body)
        except ValidationError as error:
            return _error(400, str(error.errors(include_url=False, include_input=False)[0]))
        events = parsed if isinstance(parsed, list) else [parsed]
        total = await self._settle(events, forwarded=FORWARDED in request.headers)
        return JSONResponse({name: total[name] for name in ("counted", "repeated", "refused")})

    async def _settle(self, events: list[Event], *, forwarded: bool) -> Counter[str]:
        total: Counter[str] = Counter()
        elsewhere: dict[str, list[tuple[tokens.Token, Event]]] = {}
        for event in events:
            try:
                token = tokens.verify(event.served_by)
            except tokens.RefusedError as error:
                _refuse(total, str(error))
                continue
            if token.issuer in (tokens.ME, tokens.NOWHERE):
                self._count(total, token, event)
            elif forwarded:  # a client that pretends to be a pod
                _refuse(total, "misdirected")
            else:
                elsewhere.setdefault(token.host, []).append((token, event))
        for found in await asyncio.gather(*(self._forward(host, items) for host, items in elsewhere.items())):
            total.update(found)
        return total

    async def _forward(self, host: str, items: list[tuple[tokens.Token, Event]]) -> Counter[str]:
        answer = await self._peers.send(host, [event.model_dump() for _, event in items])
        if answer is not None:
            return answer
        total: Counter[str] = Counter()
        if self._peers.is_gone(host):
            for token, event in items:
                self._count(total, token, event)
        else:
            _refuse(total, "unanswered", len(items))  # that pod may have counted them
        return total

    def _count(self, total: Counter[str], token: tokens.Token, event: Event) -> None:
        try:
            if not counters.admit(token.version):
                raise tokens.RefusedError("versions")
            self._seen[event.outcome].add(token)
        except tokens.RefusedError as error:
            _refuse(total, str(error))
            return
        counters.count_event(token.version, event.outcome)
        total["counted"] += 1


def _refuse(total: Counter[str], reason: str, number: int = 1) -> None:
    total["repeated" if reason == "repeated" else "refused"] += number
    counters.count_refused(reason, number)


async def _read(request: Request) -> bytes | None:
    """Return the body; None if it is too large."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)


def _error(status: int, text: str) -> Response:
    return JSONResponse({"error": text}, status_code=status)


def application() -> Starlette:
    """Return the route."""
    receiver = Receiver(Peers(httpx.AsyncClient(timeout=2.0, trust_env=False)))
    return Starlette(routes=[Route("/feedback", receiver.receive, methods=["POST"])])


def listens() -> bool:
    """Return whether the process of this pod that receives feedback accepts connections."""
    try:
        socket.create_connection((HOST or "localhost", PORT), timeout=1).close()
    except OSError:
        return False
    return True


def start() -> None:
    """Serve the route in a thread of this process.

    Raises:
        OSError: the port is taken.
    """
    both = not HOST and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both or ":" in HOST else socket.AF_INET
    listener = socket.create_server((HOST, PORT), family=family, dualstack_ipv6=both, backlog=512)
    config = uvicorn.Config(
        application(),
        log_level="warning",
        access_log=False,
        lifespan="off",
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=3660,
    )
    threading.Thread(target=uvicorn.Server(config).run, args=([listener],), name="feedback", daemon=True).start()
