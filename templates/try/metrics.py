"""The metrics page of a service, compared with the series that guards query."""

from __future__ import annotations

import http
import re

from report import Report
from server import Server


def samples(text: str) -> list[tuple[str, dict[str, str]]]:
    """Return name and labels of every sample of a metrics page."""
    found = re.findall(r"^([\w:]+)(?:\{(.*)\})? \S+", text, re.MULTILINE)
    return [(name, dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels))) for name, labels in found]


def renamed(name: str, labels: dict[str, str], rules: list) -> tuple[str, dict[str, str]]:
    """Return a sample as the scrape of a container stores it (Prometheus, configuration, "relabel_config")."""
    found = {**labels, "__name__": name}
    for rule in rules:
        match = re.fullmatch(rule["match"], ";".join(found.get(label, "") for label in rule["labels"]))
        if match:
            found[rule["target"]] = match.expand(re.sub(r"\$(\d)", r"\\\1", rule["value"]))
    return found.pop("__name__"), found


def try_metrics(server: Server, report: Report) -> None:
    """Compare the metrics page with the series that guards query."""
    status, body = server.ask("GET", server.facts["metrics"])
    wanted = server.facts["series"]
    if status != http.HTTPStatus.OK:
        report.wrong(
            "metrics", f"{server.facts['metrics']} is answered with {status or 'nothing'}: {body[:200]}"
        )
        return
    there = [renamed(name, labels, server.facts["renames"]) for name, labels in samples(body)]
    report.series = {"queried": len(wanted), "there": 0}
    for series in wanted:
        same = [labels for name, labels in there if name == series["metric"]]
        if any(
            all(_agrees(labels.get(label, ""), sign, value) for label, sign, value in series["labels"])
            for labels in same
        ):
            report.series["there"] += 1
            continue
        text = (
            series["metric"]
            + "{"
            + ",".join(f'{label}{sign}"{value}"' for label, sign, value in series["labels"])
            + "}"
        )
        report.wrong(
            "metrics",
            f"the guard {series['guard']} queries {text}, which the service does not export",
            _nearest(series, same, there),
        )


def _agrees(own: str, sign: str, value: str) -> bool:
    if sign in {"=", "!="}:
        return (own == value) == (sign == "=")
    return bool(re.fullmatch(value, own)) == (sign == "=~")


def _nearest(series: dict, same: list, there: list) -> str:
    if not same:
        names = sorted({name for name, _ in there if name[:8] == series["metric"][:8]})[:5]
        return f"no series has this name; similar ones: {', '.join(names) or 'none'}"
    for label, sign, value in series["labels"]:
        if label == "le":
            bounds = sorted({float(labels["le"]) for labels in same if "le" in labels})
            shown = ", ".join(f"{bound:g}" for bound in bounds)
            return f"the histogram has the buckets {shown}: add this one, or set `slowerThan` to one of them"
        values = sorted({labels.get(label, "") for labels in same})
        if not any(_agrees(found, sign, value) for found in values):
            return f"`{label}` is {' or '.join(f'`{found}`' for found in values[:5]) if any(values) else 'missing'}"
    return "no single series has all these labels"
