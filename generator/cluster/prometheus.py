"""Queries a Prometheus server (its HTTP API): for past times, or for the series that exist now.

Credentials come from the environment: PROMETHEUS_TOKEN is sent as a bearer token, PROMETHEUS_USER and
PROMETHEUS_PASSWORD as basic authentication, PROMETHEUS_ORG_ID names the tenant (`X-Scope-OrgID` of Mimir and Cortex).
Headers that the platform writes down, such as that of a tenant, are sent as guards send them. Thanos must not leave
stores out without saying so: `partial_response=false`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any, Final

from generator.cluster.http_client import Answer, Endpoint, HttpClient, HttpError, basic
from generator.dataclass import dataclass

_TIMEOUT_S: Final = 60.0
_POINTS: Final = 5000  # a server accepts at most 11,000 in one query
_OK: Final = 200
_WHOLE: Final = {"partial_response": "false"}


@dataclass(frozen=True)
class Prometheus:
    """A server.

    Args:
        endpoint: its base URL and credentials.
        headers: sent with every query; no secrets, because a redirect takes them to any server.
    """

    endpoint: Endpoint
    headers: Mapping[str, str] = field(default_factory=dict)
    _http: HttpClient = field(default_factory=lambda: HttpClient(_TIMEOUT_S), repr=False)

    @staticmethod
    def at(address: str, headers: Mapping[str, str] | None = None) -> Prometheus:
        """Return a server by its URL, which may have a user and password; those in the environment take precedence.

        Args:
            address: its URL.
            headers: those of the platform; a tenant in the environment takes precedence.

        Raises:
            HttpError: it is not an http or https address.
        """
        tenant = os.environ.get("PROMETHEUS_ORG_ID")
        sent = {**(headers or {}), **({"X-Scope-OrgID": tenant} if tenant else {})}
        return Prometheus(Endpoint.at(address, _authorization()), sent)

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
        for _, samples in self._pieces(query, start_s, end_s, step_s):
            for time, value in samples.items():
                found.setdefault(time, []).append(value)
        return found

    def series(
        self, query: str, start_s: float, end_s: float, step_s: float
    ) -> dict[tuple[tuple[str, str], ...], dict[int, float]]:
        """Evaluate a query as `range` does, and return the values of each series by its sorted labels.

        Raises:
            HttpError: there is no answer.
        """
        found: dict[tuple[tuple[str, str], ...], dict[int, float]] = {}
        for labels, samples in self._pieces(query, start_s, end_s, step_s):
            found.setdefault(labels, {}).update(samples)
        return found

    def _pieces(
        self, query: str, start_s: float, end_s: float, step_s: float
    ) -> Iterator[tuple[tuple[tuple[str, str], ...], dict[int, float]]]:
        """Yield the series of answers with at most 5,000 times each."""
        while start_s <= end_s:
            last = min(end_s, start_s + (_POINTS - 1) * step_s)
            times = {"start": f"{start_s:.3f}", "end": f"{last:.3f}", "step": f"{step_s:g}"}
            for series in self._query("query_range", {"query": query, **times}):
                samples = {round(float(time) * 1000): float(value) for time, value in series["values"]}
                yield tuple(sorted(series["metric"].items())), samples
            start_s = last + step_s

    def labels(self, query: str) -> list[dict[str, str]]:
        """Return the labels of the series that a query gives now.

        Raises:
            HttpError: there is no answer.
        """
        return [dict(series["metric"]) for series in self._query("query", {"query": query})]

    def is_victoriametrics(self) -> bool:
        """Return whether the server evaluates MetricsQL, whose `increase()` counts differently."""
        return self._ask("query", {"query": "increase_prometheus(up[5m])"}).status == _OK

    def leaves_stores_out(self) -> bool:
        """Return whether the server is a Thanos querier that by default answers even if a store does not."""
        return (self.flags() or {}).get("query.partial-response") == "true"

    def flags(self) -> dict[str, str] | None:
        """Return the flags that the server was started with; None if it does not say."""
        answer = self._http.ask(
            f"{self.endpoint.address}/api/v1/status/flags",
            authorization=self.endpoint.authorization,
            headers=self.headers,
        )
        if answer.status != _OK:
            return None
        try:
            return {str(key): str(value) for key, value in answer.json()["data"].items()}
        except (HttpError, KeyError, TypeError, AttributeError):
            return None

    def _ask(self, kind: str, parameters: Mapping[str, str]) -> Answer:
        """Send one query for a whole answer."""
        return self._http.ask(
            f"{self.endpoint.address}/api/v1/{kind}",
            method="POST",
            authorization=self.endpoint.authorization,
            form={**parameters, **_WHOLE},
            headers=self.headers,
        )

    def _query(self, kind: str, parameters: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return every series of an answer: `metric` with its labels, and `values` or `value`."""
        address, answer = self.endpoint.address, self._ask(kind, parameters)
        if answer.status != _OK:
            message = f"{address} refused the query: {_refusal(answer)}"
            raise HttpError(message, "check the query", "unexpected")
        try:
            found = answer.json()["data"]["result"]
            for series in found:
                _checked(series)
        except (KeyError, TypeError, ValueError) as error:
            message = f"{address} does not answer like Prometheus"
            raise HttpError(message, "check the address", "unexpected") from error
        return list(found)


def _authorization() -> str | None:
    """Return the header of the credentials in the environment; None without them."""
    token, user = os.environ.get("PROMETHEUS_TOKEN"), os.environ.get("PROMETHEUS_USER")
    if token:
        return f"Bearer {token}"
    if user:
        return basic(user, os.environ.get("PROMETHEUS_PASSWORD", ""))
    return None


def _checked(series: Any) -> None:
    """Raise KeyError, TypeError or ValueError for what is not a series."""
    dict(series["metric"])
    for time, value in series.get("values", ()):
        float(time)
        float(value)


def _refusal(answer: Answer) -> str:
    """Return the server's error message, or its HTTP status."""
    try:
        return str(answer.json()["error"])
    except (HttpError, KeyError, TypeError):
        return f"HTTP {answer.status}"
