"""Bounds of what a server may take: a deadline that also ends headers that drip, and totals for one reference."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import field
from threading import Event, Timer
from typing import Any, Final
from weakref import WeakSet

from generator.dataclass import dataclass

GIB: Final = 1 << 30
_SLOWEST: Final = 1024  # bytes per second, averaged over one time-out


class Watch:
    """Ends what blocks on a client's connections when its time is over.

    The time-out of a socket starts again with every byte, so it alone bounds nothing.
    """

    def __init__(self) -> None:
        # Not the connections: one gives its socket up when the body ends with it.
        self._sockets: WeakSet[socket.socket] = WeakSet()

    @contextmanager
    def within(self, seconds: float, error: Callable[[], Exception] = TimeoutError) -> Iterator[None]:
        """Run a block; when the time is over, end it with an error.

        Args:
            seconds: the time.
            error: makes the error.
        """
        over = Event()
        timer = Timer(max(seconds, 0.001), self._end, (over,))
        timer.daemon = True
        timer.start()
        try:
            yield
        except Exception as cause:
            if over.is_set():
                raise error() from cause
            raise
        finally:
            timer.cancel()
        # A closed connection can look like the end of a body.
        if over.is_set():
            raise error()

    def classes(self, timeout_s: float) -> dict[str, type[Any]]:
        """Return urllib3's pools by scheme, for connections that are watched and whose headers come in time."""
        from urllib3.connection import HTTPConnection, HTTPSConnection
        from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

        watch = self

        def watched(base: type[Any]) -> type[Any]:
            class Watched(base):  # type: ignore[misc]
                def _new_conn(self) -> socket.socket:
                    made: socket.socket = super()._new_conn()
                    watch._sockets.add(made)
                    return made

                def connect(self) -> None:
                    super().connect()
                    watch._sockets.add(self.sock)

                def getresponse(self) -> Any:
                    with watch.within(timeout_s):
                        return super().getresponse()

                def _tunnel(self) -> None:
                    with watch.within(timeout_s):
                        super()._tunnel()

            return Watched

        class Plain(HTTPConnectionPool):
            ConnectionCls = watched(HTTPConnection)

        class Encrypted(HTTPSConnectionPool):
            ConnectionCls = watched(HTTPSConnection)

        return {"http": Plain, "https": Encrypted}

    def _end(self, over: Event) -> None:
        over.set()
        for found in list(self._sockets):
            with suppress(OSError):
                socket.socket.shutdown(found, socket.SHUT_RDWR)


@dataclass
class Allowance:
    """The totals of the requests for one reference.

    Args:
        seconds: time that requests may take in all.
        size: bytes of bodies.
        requests: number of requests.
    """

    seconds: float
    size: int = 64 * GIB
    requests: int = 10_000
    _used: float = field(default=0.0, init=False)

    @property
    def left_s(self) -> float:
        """Seconds that are left."""
        return self.seconds - self._used

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Count the time of a block."""
        start = time.monotonic()
        try:
            yield
        finally:
            self._used += time.monotonic() - start


def too_slow(received: int, started: float, timeout_s: float) -> bool:
    """Return whether a body comes so slowly that it will not end.

    Args:
        received: bytes so far.
        started: monotonic time of its start.
        timeout_s: the longest wait for a small response.
    """
    passed = time.monotonic() - started
    return passed > timeout_s and received < passed * _SLOWEST
