"""Repairs of texts: names, paths, addresses and references; and the repairs of every unit.

A repair function may be generous: a repair is shown only if the field accepts it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

from generator.source.characters import straighten
from generator.spec.mistakes.amounts import (
    Repair,
    Repairs,
    Typed,
    cpu,
    date,
    loss,
    memory,
    money,
    share,
)
from generator.spec.mistakes.times import days, time


def clock(typed: Typed) -> Repairs:
    """Return repairs of a time of day: `4:30 am`, or the time of a daily cron schedule."""
    text = typed.text.strip().lower()
    cron = re.fullmatch(r"(\d{1,2})\s+(\d{1,2})\s+\*\s+\*\s+\*", text)
    if cron:
        yield Repair(f"{int(cron[2]):02}:{int(cron[1]):02}")
    found = re.fullmatch(
        r"(\d{1,2})(?:[:.h](\d{2}))?(?::\d{2})?(?:\s*(am|pm|a\.m\.|p\.m\.))?(?:\s*(?:utc|z))?\s*", text
    )
    if found:
        hour = int(found[1]) % 12 + 12 * found[3].startswith("p") if found[3] else int(found[1])
        yield Repair(f"{hour:02}:{int(found[2] or 0):02}")


def local_time(typed: Typed) -> Repairs:
    """Return repairs of a date with a time: a missing time is midnight, seconds and a zone are left out."""
    found = re.search(r"[T ](\d{1,2}):(\d{2})", typed.text.strip().upper())
    hour, minute = (int(found[1]), int(found[2])) if found else (0, 0)
    for day in date(typed):
        yield Repair(f"{day.value}T{hour:02}:{minute:02}", day.reading)


def zone(typed: Typed) -> Repairs:
    """Return repairs of a time zone: its spelling, or the zone of a city."""
    from zoneinfo import available_timezones

    text = "/".join(part.strip() for part in typed.text.split("/")).replace(" ", "_").lower()
    known = sorted(available_timezones())
    yield from (Repair(name) for name in known if name.lower() == text)
    yield from (Repair(name) for name in known if name.lower().rpartition("/")[2] == text)


_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_EVERY: Final = {
    "hourly": "0 * * * *",
    "daily": "0 0 * * *",
    "midnight": "0 0 * * *",
    "weekly": "0 0 * * 0",
    "monthly": "0 0 1 * *",
    "yearly": "0 0 1 1 *",
    "annually": "0 0 1 1 *",
}


def cron(typed: Typed) -> Repairs:
    """Return repairs of a cron schedule: short forms, a field for seconds, 7 for Sunday, the names of days."""
    text = typed.text.strip().lower()
    every = _EVERY.get(text.lstrip("@"))
    if every:
        yield Repair(every)
    fields = text.replace("?", "*").split()
    if len(fields) == 6 and fields[0].isdigit():
        fields = fields[1:]
    if len(fields) == 5:
        weekday = re.sub(r"[a-z]{3,}", lambda day: day[0][:3], fields[4]).replace("7", "0")
        yield Repair(" ".join([*fields[:4], weekday]))
    days = [number for number, day in enumerate(_DAYS) if re.search(rf"\b{day}", text)]
    at = re.search(r"\b(\d{1,2}):(\d{2})\b", text)
    if days:
        hour, minute = (int(at[1]), int(at[2])) if at else (0, 0)
        yield Repair(f"{minute} {hour} * * {','.join(map(str, days))}")


def digest(typed: Typed) -> Repairs:
    """Return repairs of a digest: with its prefix, in lower case."""
    found = re.search(r"[0-9a-fA-F]{64}", typed.text)
    if found:
        yield Repair(f"sha256:{found[0].lower()}")
        yield Repair(found[0].lower())


_APPROVALS: Final = ("manual", "model-risk")
"""Usual values of `approve`, in a blue-green and in a step."""


def name(typed: Typed) -> Repairs:
    """Return repairs of a name: kebab-case."""
    text = typed.text.strip("/ ")
    parts = text.split("/")
    if typed.usual in _APPROVALS:
        # An approval is often taken for a boolean.
        yield from (Repair("manual" if one.value else "automatic") for one in boolean(typed))
    for candidate in (parts[-1], text):
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", _ascii(candidate)).lower()
        kebab = re.sub(r"-{2,}", "-", re.sub(r"[^a-z0-9]+", "-", words)).strip("-")
        yield from (Repair(form[:40].rstrip("-")) for form in (kebab, f"model-{kebab}") if kebab)


def key(typed: Typed) -> Repairs:
    """Return repairs of a column, metric or event: letters, digits and `_`."""
    text = _ascii(typed.text.strip()).replace("@", "_at_").replace("%", "_percent")
    snake = re.sub(r"[^A-Za-z0-9_]+", "_", text).strip("_")[:63]
    yield from (Repair(form) for form in (snake, f"_{snake}") if snake)


def variable(typed: Typed) -> Repairs:
    """Return repairs of an environment variable."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", _ascii(typed.text.strip().lstrip("$")))
    upper = re.sub(r"[^A-Za-z0-9_]+", "_", words).strip("_").upper()
    yield from (Repair(form) for form in (upper, f"_{upper}") if upper)


def _ascii(text: str) -> str:
    for wide, narrow in (
        ("ä", "ae"),
        ("ö", "oe"),
        ("ü", "ue"),
        ("ß", "ss"),
        ("Ä", "Ae"),
        ("Ö", "Oe"),
        ("Ü", "Ue"),
    ):
        text = text.replace(wide, narrow)
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def line(typed: Typed) -> Repairs:
    """Return repairs of one line of text."""
    text = " ".join("".join(c if c.isprintable() else " " for c in typed.text).split())[:500]
    if text:
        yield Repair(text)


def path(typed: Typed) -> Repairs:
    """Return repairs of a path below the repository's root."""
    text = re.sub(r"^file://", "", typed.text.strip()).replace("\\", "/")
    text = re.sub(r"^(?:[A-Za-z]:)?(?:~?/|\./)+", "", text)
    if "*" in text:
        # A pattern: the usual file in its folder.
        yield Repair(f"{text.split('*')[0].rpartition('/')[0]}/{typed.usual.rpartition('/')[2]}")
    yield Repair(re.sub(r"/{2,}", "/", text))
    yield Repair(re.sub(r"[^A-Za-z0-9._@+/-]+", "-", re.sub(r"^(?:\.\./)+", "", re.sub(r"/{2,}", "/", text))))


def host(typed: Typed) -> Repairs:
    """Return repairs of a host name."""
    text = re.sub(r"^[a-z]+://", "", typed.text.strip().lower())
    text = re.split(r"[/:?#]", text)[0].strip(".")
    yield Repair(text)
    yield Repair(text.removeprefix("*."))
    yield Repair(re.sub(r"[_ ]+", "-", text))


def url(typed: Typed) -> Repairs:
    """Return repairs of an address."""
    text = typed.text.strip().replace("\\", "/")
    rest = re.sub(r"^(?:h?t{1,3}ps?|[a-z]+)?:?/{1,3}", "", text, flags=re.IGNORECASE)
    secure = text.lower().startswith(("https", "htps", "htttps")) or "." in rest.split("/")[0].split(":")[0]
    schemes = ("https", "http") if secure and ":9" not in rest else ("http", "https")
    yield from (Repair(f"{scheme}://{rest.replace(' ', '')}") for scheme in schemes if rest)


def reference(typed: Typed) -> Repairs:
    """Return repairs of a reference to a model."""
    text = typed.text.strip()
    compact = re.sub(r":\s+", ":", re.sub(r"(?:(?<!\s)\s+)?([:@/])\s*", r"\1", text))
    lower = re.sub(r"^[A-Za-z0-9]+(?=[:/])", lambda found: found[0].lower(), compact)
    yield Repair(compact)
    yield Repair(lower)
    for old, new in _SCHEMES:
        if re.match(old, lower):
            yield Repair(re.sub(old, new, lower))
    version = re.fullmatch(r"([A-Za-z0-9_.-]+)([:@/])([A-Za-z0-9_.-]+)", compact)
    if version:
        yield Repair(f"bentoml:{compact}" if version[2] == ":" else f"mlflow:{compact}")


_SCHEMES: Final = (
    (r"^models:/+", "mlflow:"), (r"^mlflow[:/]+(?:models[:/]+)?", "mlflow:"), (r"^bento(?:ml)?[:/]+", "bentoml:"),
    (r"^(?:huggingface|hf)(?:\.co)?[:/]+", "hf:"), (r"^https?://huggingface\.co/", "hf:"), (r"^dvc[:/]+", "dvc:"),
    (r"^s3[:/]+", "s3://"), (r"^s3a://", "s3://"), (r"^(?:oci|docker)[:/]+", "oci://"), (r"^https?[:/]+", "https://"),
)  # fmt: skip


def requirement(typed: Typed) -> Repairs:
    """Return repairs of a pinned package; none for the name of a file."""
    if typed.text.endswith((".txt", ".toml", ".lock")):
        return
    found = re.match(
        r"([A-Za-z0-9._-]+(?:\[[a-z0-9, -]+\])?)(?:\s*(?:[=<>~!]+|@|:)\s*|\s+)v?([A-Za-z0-9.!+]+)", typed.text
    )
    if found:
        yield Repair(f"{found[1].replace(' ', '')}=={found[2]}")
    bare = re.fullmatch(r"[A-Za-z0-9._-]+(?:\[[a-z0-9,-]+\])?", typed.text.strip("=<>~ "))
    if bare:
        yield Repair(f"{bare[0]}==1.0", "the version you tested with")


def package_name(typed: Typed) -> Repairs:
    """Return repairs of the name of a package: `Scikit_Learn==1.4` is `scikit-learn` (PEP 503)."""
    bare = re.split(r"[\s=<>~!@\[;]", typed.text.strip())[0]
    yield Repair(re.sub(r"[-_.]+", "-", bare).lower().strip("-"))


def system_package(typed: Typed) -> Repairs:
    """Return repairs of a package of Debian: `Libgomp1=12.2` is `libgomp1`."""
    yield Repair(re.split(r"[\s=:/]", typed.text.strip())[0].lower())


def version(typed: Typed) -> Repairs:
    """Return repairs of a version of a controller."""
    found = re.search(r"(?<!\d)\d+\.\d+(?:\.\d+)?", typed.text)
    yield Repair(found[0] if found else f"{typed.text.strip('v')}.0")


def registry(typed: Typed) -> Repairs:
    """Return repairs of a registry or an image name: no scheme, lower case, no slash at the end."""
    text = re.sub(r"^[a-z]+://", "", typed.text.strip().lower()).strip("/")
    yield Repair(text)
    yield Repair(re.sub(r":[^:/]*$", "", text))


def source_repository(typed: Typed) -> Repairs:
    """Return repairs of the address of a git repository."""
    text = re.sub(r"\s", "", typed.text)
    yield Repair(text)
    yield Repair(f"https://{re.sub('^[a-z]*:*/*', '', text) if '://' in text else text.lstrip('/')}")


def header(typed: Typed) -> Repairs:
    """Return repairs of the name of a header, or of any word of letters, digits and dashes."""
    text = _ascii(typed.text.strip().rstrip(":"))
    yield Repair(re.sub(r"[^A-Za-z0-9-]+", "-", text).strip("-")[:40])


def word(typed: Typed) -> Repairs:
    """Return repairs of a word of letters, digits, dots, dashes and underscores."""
    text = _ascii(typed.text.strip())
    yield Repair(re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-"))
    yield Repair(re.sub(r"[^a-z0-9-]+", "-", text.lower()).strip("-"))


def model_name(typed: Typed) -> Repairs:
    """Return repairs of `team/model`."""
    parts = [next(name(Typed(part, "")), None) for part in re.split(r"[/\\]", typed.text.strip("/ "))]
    if len(parts) == 2 and all(parts):
        yield Repair("/".join(str(part.value) for part in parts if part))


def code(typed: Typed) -> Repairs:
    """Return repairs of the code of a finding."""
    yield Repair(re.sub(r"[^A-Z0-9]", "", typed.text.upper()))


def loader(typed: Typed) -> Repairs:
    """Return repairs of `module:Class`."""
    text = re.sub(r"\.py(?=:|$)", "", typed.text.strip()).replace("/", ".").strip(".")
    yield Repair(text)
    yield Repair(re.sub(r"(?<![.:])[.:]+([A-Za-z_]\w*)$", r":\1", text))


def boolean(typed: Typed) -> Repairs:
    """Return repairs of true or false."""
    text = typed.text.strip().lower()
    if text in {"true", "yes", "y", "on", "1", "enabled", "enable"}:
        yield Repair(value=True)
    elif text in {"false", "no", "n", "off", "0", "disabled", "disable", "none"}:
        yield Repair(value=False)


def text(typed: Typed) -> Repairs:
    """Return a value as text."""
    yield Repair(typed.text)


UNITS: Final[dict[str, Callable[[Typed], Repairs]]] = {
    "Percent": share, "Effect": share, "Weight": share, "Use": share, "Loss": loss, "Duration": time, "Hold": time,
    "Timeout": time, "Interval": time, "Refresh": time, "Age": days, "Memory": memory, "CPU": cpu, "Money": money,
    "Date": date, "LocalTime": local_time, "Zone": zone, "Cron": cron,
    "Digest": digest, "Hex": digest, "Name": name, "Key": key, "Variable": variable, "Line": line, "Column": line,
    "Path": path, "Host": host, "URL": url, "Reference": reference, "Requirement": requirement, "Version": version,
    "Registry": registry, "Repository": source_repository, "Header": header, "Word": word, "ModelName": model_name,
    "Code": code, "Loader": loader, "PackageName": package_name,
    "SystemPackage": system_package, "ObjectName": name,
}  # fmt: skip
"""The repairs of each unit, by its name in `generator.spec.types`."""


def unquoted(raw: str) -> str:
    """Return the typed text without quotes around it and with look-alike characters replaced."""
    text = straighten(raw).strip()
    for mark in ('"', "'", "`"):
        if len(text) > 1 and text.startswith(mark) and text.endswith(mark):
            text = text[1:-1].strip()
    return text.strip("\"'`")
