"""The platform's monitoring as plans hold it."""

from __future__ import annotations

import hashlib

from generator.plan.values import DashboardMarks, Monitoring
from generator.spec.platform import PlatformSpec


def monitoring(platform: PlatformSpec) -> Monitoring:
    """Where metrics are asked for, and what is rendered for people to look at."""
    written = platform.monitoring
    return Monitoring(
        address=platform.prometheus.address,
        scrape_s=platform.prometheus.scrape_interval,
        look_s=platform.prometheus.look_interval,
        labels=tuple(sorted(written.labels.items())),
        alerts=written.alerts is not None,
        runbooks=(written.alerts.runbooks if written.alerts else None) or "",
        dashboards=dashboard_marks(platform),
    )


def dashboard_marks(platform: PlatformSpec) -> DashboardMarks | None:
    """What the ConfigMaps of dashboards carry for Grafana's sidecar; None where there are none."""
    written = platform.monitoring.dashboards
    if written is None:
        return None
    folder = (("grafana_folder", written.folder),) if written.folder else ()
    return DashboardMarks(tuple(sorted(written.labels.items())), folder)


def daily_cron(start: str | None, name: str) -> str:
    """When a model's daily watch starts, as a cron expression; empty when nobody asked for one.

    Args:
        start: hour and minute from which watches start.
        name: whose watch; each has its own minute of the hour that follows, so that not all start at once.
    """
    if start is None:
        return ""
    hour, _, minute = start.partition(":")
    spread = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % _SPREAD
    at = (60 * int(hour) + int(minute) + spread) % (24 * 60)
    return f"{at % 60} {at // 60} * * *"


_SPREAD = 60
