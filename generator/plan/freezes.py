"""When an environment is frozen, and Argo CD's windows for those times.

Both count on the clock of the freeze's zone, so a freeze until six ends at six also if clocks change in it.
Source: Argo CD 3.5, pkg/apis/application/v1alpha1/types.go (SyncWindow, SyncWindows.active).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from generator.dataclass import dataclass
from generator.spec.freezes import Freeze
from generator.spec.platform import PlatformSpec

_YEAR: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which Argo CD starts no sync by itself.

    Args:
        schedule: when it begins (cron, five fields).
        duration: how long it lasts, as Go writes it.
        zone: of the schedule.
    """

    schedule: str
    duration: str
    zone: str


def frozen(platform: PlatformSpec, environment: str, now: datetime) -> str | None:
    """Return why nothing may be promoted to an environment now, or None.

    Args:
        platform: has the freezes.
        environment: its name.
        now: with its zone.
    """
    for freeze in platform.freezes:
        end = _end(freeze, local(freeze, now)) if _covers(platform, freeze, environment) else None
        if end is not None:
            return f"{environment} is frozen until {end:%Y-%m-%d %H:%M} ({freeze.zone}): {freeze.reason}"
    return None


def windows(platform: PlatformSpec, environment: str) -> list[Window]:
    """Return Argo CD's windows for the freezes of an environment.

    A schedule of Argo CD has no year: the window of a single freeze would open again a year later, so PLAT942 reports a
    freeze that is over.
    """
    return [_window(freeze) for freeze in platform.freezes if _covers(platform, freeze, environment)]


def _covers(platform: PlatformSpec, freeze: Freeze, environment: str) -> bool:
    """Return whether a freeze names an environment, or the one that a ring is part of."""
    return not {environment, platform.whole(environment)}.isdisjoint(freeze.environments)


def local(freeze: Freeze, now: datetime) -> datetime:
    """Return a time on the clock of a freeze, without its zone."""
    from zoneinfo import ZoneInfo

    return now.astimezone(ZoneInfo(freeze.zone)).replace(tzinfo=None)


def is_over(freeze: Freeze, now: datetime) -> bool:
    """Return whether a freeze has ended and does not come again."""
    return freeze.cron is None and _time(freeze.to) <= local(freeze, now)


def is_endless(freeze: Freeze, now: datetime) -> bool:
    """Return whether a freeze lasts until it begins again, each time of the next year."""
    if freeze.cron is None:
        return False
    from cronsim import CronSim

    last = local(freeze, now)
    starts = CronSim(freeze.cron, last)
    before = next(starts)
    for start in starts:
        if start - before > _duration(freeze):
            return False
        if start - last > _YEAR:
            break
        before = start
    return True


def _end(freeze: Freeze, now: datetime) -> datetime | None:
    """Return the end of a freeze that a local time is part of; None if it is part of none."""
    if freeze.cron is None:
        start, end = _time(freeze.start), _time(freeze.to)
    else:
        from cronsim import CronSim

        start = next(CronSim(freeze.cron, now + timedelta(seconds=1), reverse=True))
        end = start + _duration(freeze)
    return end if start <= now < end else None


def _window(freeze: Freeze) -> Window:
    if freeze.cron is not None:
        return Window(freeze.cron, _go(_duration(freeze)), freeze.zone)
    start = _time(freeze.start)
    schedule = f"{start.minute} {start.hour} {start.day} {start.month} *"
    return Window(schedule, _go(_time(freeze.to) - start), freeze.zone)


def _time(text: str | None) -> datetime:
    return datetime.fromisoformat(text or "")


def _duration(freeze: Freeze) -> timedelta:
    return timedelta(seconds=freeze.duration or 0)


def _go(time: timedelta) -> str:
    hours, minutes = divmod(time // timedelta(minutes=1), 60)
    return f"{hours}h{minutes}m" if minutes else f"{hours}h"
