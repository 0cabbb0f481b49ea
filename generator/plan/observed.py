"""The platform's monitoring as plans hold it."""

from __future__ import annotations

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
