"""Queries a Prometheus server for past times (its HTTP API, `/api/v1/query_range`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from generator.cluster.http_client import Answer, Endpoint, HttpClient, HttpError

_TIMEOUT_S: Final = 60.0
_POINTS: Final = 5000  # a server accepts at most 11,000 in one query
_OK: Final = 200


@dataclass(frozen=True)
class Prometheus:
    """A server.

    Args:
        endpoint: its base URL and credentials.
    """

    endpoint: Endpoint
    _http: HttpClient = field(default_factory=lambda: HttpClient(_TIMEOUT_S), repr=False)

    @staticmethod
    def at(address: str) -> Prometheus:
        """Return a server by its URL, which may carry user and password.

        Raises:
            HttpError: it is not an http or https address.
        """
        return Prometheus(Endpoint.at(address))

    def range(self, query: str, start_s: float, end_s: float, step_s: float) -> dict[int, list[float]]:
        """Evaluate a query at regular times.

        Args:
            query: PromQL.
            start_s: the first time, seconds since 1970.
            end_s: the last possible time.
            step_s: seconds between two times.

        Returns:
            The values of all resulting series by time (milliseconds since 1970); times without a value are left out.

        Raises:
            HttpError: there is no answer.
        """
        found: dict[int, list[float]] = {}
        while start_s <= end_s:
            last = min(end_s, start_s + (_POINTS - 1) * step_s)
            times = {"start": f"{start_s:.3f}", "end": f"{last:.3f}", "step": f"{step_s:g}"}
            for time, value in self._query({"query": query, **times}):
                found.setdefault(round(time * 1000), []).append(value)
            start_s = last + step_s
        return found

    def _query(self, parameters: Mapping[str, str]) -> list[tuple[float, float]]:
        """Return time and value of every sample of every series."""
        address = self.endpoint.address
        answer = self._http.ask(
            f"{address}/api/v1/query_range",
            method="POST",
            authorization=self.endpoint.authorization,
            form=parameters,
        )
        if answer.status != _OK:
            message = f"{address} refused the query: {_refusal(answer)}"
            raise HttpError(message, "check the query", "unexpected")
        try:
            samples = [sample for series in answer.json()["data"]["result"] for sample in series["values"]]
            return [(float(time), float(value)) for time, value in samples]
        except (KeyError, TypeError, ValueError) as error:
            message = f"{address} does not answer like Prometheus"
            raise HttpError(message, "check the address", "unexpected") from error


def _refusal(answer: Answer) -> str:
    """Return the server's error message, or its HTTP status."""
    try:
        return str(answer.json()["error"])
    except (HttpError, KeyError, TypeError):
        return f"HTTP {answer.status}"
