"""Asks a Prometheus server what its queries gave at past times (its HTTP API, `/api/v1/query_range`)."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from generator.source.errors import UserError

_TIMEOUT_S: Final = 60.0
_POINTS: Final = 5000  # a server refuses more than 11,000 for one query


class PrometheusError(UserError):
    """The server did not answer, or refused the query."""


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A server.

    Args:
        address: its base URL, http or https.
    """

    address: str

    def __post_init__(self) -> None:
        parts = urllib.parse.urlsplit(self.address)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise PrometheusError(f"`{self.address}` is no http or https address")

    def range(self, query: str, start_s: float, end_s: float, step_s: float) -> dict[int, list[float]]:
        """Evaluate a query again and again.

        Args:
            query: PromQL.
            start_s: the first time, seconds since 1970.
            end_s: the last time that may be asked for.
            step_s: seconds between two times.

        Returns:
            The values of all resulting series by time (milliseconds since 1970); a time without any is left out.

        Raises:
            PrometheusError: there is no answer.
        """
        found: dict[int, list[float]] = {}
        while start_s <= end_s:
            last = min(end_s, start_s + (_POINTS - 1) * step_s)
            times = {"start": f"{start_s:.3f}", "end": f"{last:.3f}", "step": f"{step_s:g}"}
            for series in self._ask({"query": query, **times}):
                for time, value in series["values"]:
                    found.setdefault(round(time * 1000), []).append(float(value))
            start_s = last + step_s
        return found

    def _ask(self, parameters: Mapping[str, str]) -> list[dict[str, Any]]:
        url = self.address.rstrip("/") + "/api/v1/query_range"
        body = urllib.parse.urlencode(parameters).encode()
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body), timeout=_TIMEOUT_S) as answer:  # noqa: S310 - http or https
                found = json.load(answer)
            series: list[dict[str, Any]] = found["data"]["result"]
        except urllib.error.HTTPError as error:
            raise PrometheusError(f"{self.address} refused the query: {_said(error)}") from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise PrometheusError(f"{self.address} did not answer: {reason}") from error
        except (KeyError, TypeError) as error:
            raise PrometheusError(f"{self.address} did not answer like Prometheus") from error
        return series


def _said(error: urllib.error.HTTPError) -> str:
    """The server's own words where it has any."""
    try:
        with error:
            return str(json.load(error)["error"])
    except (OSError, ValueError, KeyError, TypeError):
        return f"HTTP {error.code}"
