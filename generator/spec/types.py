"""The scalar types of the spec language: each value means one thing and has its unit in it.

Text such as `5%`, `60m` or `512Mi` is parsed once, here. The JSON Schema has the same patterns, so an editor and the
loader agree on which values are well formed. `generator.spec.mistakes` explains the others.
"""

from __future__ import annotations

from typing import Annotated

from generator.spec.parsing import (
    Change,
    Money,
    Unit,
    calendar_day,
    change,
    cron,
    local_time,
    money,
    seconds_between,
    share,
    time_zone,
)

KEBAB = r"^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$"
SNAKE = r"^[A-Za-z_][A-Za-z0-9_]{0,62}$"
RELATIVE = r"^[A-Za-z0-9_@+-][A-Za-z0-9._@+-]{0,99}(?:/[A-Za-z0-9_@+-][A-Za-z0-9._@+-]{0,99}){0,15}$"
# Free text for annotations and files: one printable line.
LINE = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]{1,500}$"

_PERCENT = r"^(?:100(?:\.0+)?|[0-9]{1,2}(?:\.[0-9]{1,6})?)%$"
_ANY_PERCENT = r"^[0-9]{1,6}(?:\.[0-9]{1,6})?%$"
_WEIGHT = r"^(?:[1-9][0-9]?|100)%$"
_CHANGE = r"^[0-9]{1,3}(?:\.[0-9]{1,6})?(?:%|pp)$"
_DURATION = r"^(?:[0-9]{1,9}(?:\.[0-9]{1,3})?(?:ms|s|m|h|d))+$"
_CPU = r"^(?:[1-9][0-9]{0,5}|[0-9]{1,3}\.[0-9]{1,3}|[1-9][0-9]{0,7}m)$"
_MEMORY = r"^[1-9][0-9]{0,11}(?:Ki|Mi|Gi|Ti|k|M|G|T)?$"
_MONEY = r"^[0-9]{1,12}(?:\.[0-9]{1,6})? [A-Z]{3}$"
_DATE = r"^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$"
_LOCAL_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}$"
# What robfig/cron v3, which Argo CD reads windows with, and Debian's cron understand alike: five fields, of which the
# third or the fifth is `*`, and Sunday is 0. If both were set, `*/2` would join them in different ways.
_CRON_RANGE = r"[0-9A-Za-z]{1,3}(?:-[0-9A-Za-z]{1,3})?"
_ANY = rf"(?:\*|{_CRON_RANGE})(?:/[0-9]{{1,2}})?(?:,{_CRON_RANGE}){{0,59}}"
_WEEKDAY = r"(?:[0-6]|[A-Za-z]{3})(?:-(?:[0-6]|[A-Za-z]{3}))?"
_WEEKDAYS = rf"(?:\*|{_WEEKDAY}(?:,{_WEEKDAY}){{0,6}})"
_CRON = rf"^{_ANY} {_ANY} (?:\* {_ANY} {_WEEKDAYS}|{_ANY} {_ANY} \*)$"
_DIGEST = r"^sha256:[0-9a-f]{64}$"

_LONGEST = 30 * 86400.0  # seconds


_UNITS_OF_TIME = "a time has a unit: ms, s, m, h or d"

Percent = Annotated[float, Unit("Percent", _PERCENT, "a share is a percentage from 0% to 100%", "5%", share)]
Effect = Annotated[
    float,
    Unit("Effect", _ANY_PERCENT, "a relative change is a percentage, such as 10% or 150%", "10%", share),
]
Weight = Annotated[
    int,
    Unit(
        "Weight", _WEIGHT, "a weight is a whole percentage from 1% to 100%", "5%", lambda text: int(text[:-1])
    ),
]
Loss = Annotated[
    Change, Unit("Loss", _CHANGE, "a loss is relative (1%) or in percentage points (1pp)", "1pp", change)
]
Duration = Annotated[
    float,
    Unit(
        "Duration",
        _DURATION,
        f"{_UNITS_OF_TIME}; at most 30d",
        "60s",
        seconds_between(0.001, _LONGEST, zero=True),
    ),
]
Hold = Annotated[
    float,
    Unit(
        "Hold", _DURATION, f"{_UNITS_OF_TIME}; here 1s to 30d", "60m", seconds_between(1, _LONGEST, zero=True)
    ),
]
Timeout = Annotated[
    float,
    Unit("Timeout", _DURATION, f"{_UNITS_OF_TIME}; here 10ms to 1h", "10s", seconds_between(0.01, 3600)),
]
Interval = Annotated[
    float, Unit("Interval", _DURATION, f"{_UNITS_OF_TIME}; here 1s to 5m", "15s", seconds_between(1, 300))
]
Refresh = Annotated[
    float,
    Unit("Refresh", _DURATION, f"{_UNITS_OF_TIME}; here 1m to 7d", "1h", seconds_between(60, 7 * 86400)),
]
Age = Annotated[
    int,
    Unit(
        "Age",
        r"^[1-9][0-9]{0,3}d$",
        "an age is a number of days, such as 30d",
        "30d",
        lambda text: int(text[:-1]),
    ),
]
Use = Annotated[
    float,
    Unit(
        "Use",
        _WEIGHT,
        "a target is a whole percentage from 1% to 100%",
        "70%",
        lambda text: int(text[:-1]) / 100,
    ),
]
Price = Annotated[
    Money, Unit("Money", _MONEY, "an amount has a currency, such as 2500 EUR", "2500 EUR", money)
]
Memory = Annotated[
    str, Unit("Memory", _MEMORY, "memory is a whole number with a unit, such as 512Mi or 2Gi", "512Mi")
]
Cpu = Annotated[
    str, Unit("CPU", _CPU, 'CPU is text: millicores such as 500m, or cores in quotes such as "2"', "500m")
]
Digest = Annotated[
    str, Unit("Digest", _DIGEST, "a digest is `sha256:` and 64 hexadecimal digits", "sha256:" + "0" * 64)
]
Hex = Annotated[str, Unit("Hex", r"^[0-9a-f]{64}$", "this is 64 hexadecimal digits in lower case", "0" * 64)]
Date = Annotated[
    str,
    Unit(
        "Date", _DATE, "a date is written as year-month-day, such as 2027-01-31", "2027-01-31", calendar_day
    ),
]
LocalTime = Annotated[
    str,
    Unit(
        "LocalTime",
        _LOCAL_TIME,
        "a time is a date, T, hours and minutes, such as 2026-12-20T18:00; the key `zone` names its zone",
        "2026-12-20T18:00",
        local_time,
    ),
]
Zone = Annotated[
    str,
    Unit(
        "Zone",
        r"^[A-Za-z][A-Za-z0-9_+-]{0,30}(?:/[A-Za-z0-9_+-]{1,30}){0,2}$",
        "a time zone has a name of the IANA database, such as Europe/Berlin or UTC",
        "Europe/Berlin",
        time_zone,
    ),
]
Cron = Annotated[
    str,
    Unit(
        "Cron",
        _CRON,
        "a cron schedule has five fields (minute, hour, day, month, weekday from 0 for Sunday to 6) and names a day or "
        "a weekday that exists, not both",
        "0 16 * * 5",
        cron,
    ),
]

Name = Annotated[
    str,
    Unit(
        "Name",
        KEBAB,
        "a name is lower-case letters, digits and dashes; it starts with a letter and has at most 40 characters",
        "ticket-classifier",
    ),
]
ObjectName = Annotated[
    str,
    Unit(
        "ObjectName",
        r"^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$",
        "an object's name has at most 63 lower-case letters, digits and dashes, and starts with a letter",
        "recommendations",
    ),
]
"""A name that a Service may have: a label as in RFC 1035."""
Key = Annotated[
    str, Unit("Key", SNAKE, "a column, metric or event has only letters, digits and _", "ndcg_at_10")
]
Column = Annotated[
    str,
    Unit(
        "Column",
        LINE.replace("500", "100"),
        "a column has a name of 1 to 100 printable characters",
        "sepal length (cm)",
    ),
]
Line = Annotated[
    str, Unit("Line", LINE, "this is one line of printable text, 1 to 500 characters", "shop team")
]
RelativePath = Annotated[
    str,
    Unit(
        "Path",
        RELATIVE,
        "a path is relative to the repository's root and has no spaces, such as reports/junit.xml",
        "reports/junit.xml",
    ),
]
Host = Annotated[
    str,
    Unit(
        "Host",
        r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?){0,10}$",
        "a host is a DNS name in lower case without scheme or port, at most 150 characters",
        "models.example.com",
        longest=150,
    ),
]
Url = Annotated[
    str,
    Unit(
        "URL",
        r"^https?://[A-Za-z0-9._~:/@%+=&?#-]{1,300}$",
        "an address starts with http:// or https://",
        "https://api.example.com",
    ),
]
Reference = Annotated[
    str,
    Unit(
        "Reference",
        r"^(?:bentoml:|mlflow:|dvc:|hf:|oci://|s3://|https://)[A-Za-z0-9][A-Za-z0-9._/@:+=-]{0,300}$",
        "a reference to a model starts with bentoml:, mlflow:, dvc:, hf:, oci://, s3:// or https://",
        "mlflow:recommender@champion",
    ),
]
ModelName = Annotated[
    str,
    Unit("ModelName", r"^[a-z][a-z0-9-]*/[a-z][a-z0-9-]*$", "a model is named as team/model", "risk/fraud"),
]
Loader = Annotated[
    str,
    Unit(
        "Loader",
        r"^[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*$",
        "a loader is named as module:Class",
        "my_model:Model",
    ),
]
Code = Annotated[
    str,
    Unit(
        "Code", r"^[A-Z]{3,5}[0-9]{3}$", "a code is letters and three digits, as findings show it", "CAN210"
    ),
]
Variable = Annotated[
    str,
    Unit(
        "Variable",
        r"^[A-Z_][A-Z0-9_]{0,99}$",
        "an environment variable has only capital letters, digits and _",
        "LOG_LEVEL",
    ),
]
Requirement = Annotated[
    str,
    Unit(
        "Requirement",
        r"^[A-Za-z0-9][A-Za-z0-9._-]*(\[[a-z0-9,-]+\])?==[A-Za-z0-9.!+]+$",
        "a requirement is pinned to one version with `==`",
        "scikit-learn==1.9.1",
    ),
]
PackageName = Annotated[
    str,
    Unit(
        "PackageName",
        r"^[a-z0-9]+(-[a-z0-9]+)*$",
        "the name of a package is written in lower case, with dashes",
        "docopt",
    ),
]
SystemPackage = Annotated[
    str,
    Unit(
        "SystemPackage",
        r"^[a-z0-9][a-z0-9.+-]{1,62}$",
        "a package of Debian has at least two letters in lower case, digits, `+`, `-` and `.`",
        "libgomp1",
    ),
]
Header = Annotated[
    str,
    Unit(
        "Header",
        r"^[A-Za-z0-9-]{1,40}$",
        "the name of a header has only letters, digits and dashes",
        "x-cohort",
    ),
]
ReleaseVersion = Annotated[
    str,
    Unit(
        "Version", r"^[0-9]+\.[0-9]+(\.[0-9]+)?$", "a version is quoted text of two or three numbers", "1.10"
    ),
]
Registry = Annotated[
    str,
    Unit(
        "Registry",
        r"^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)*$",
        "a registry is a host and a path in lower case, without https://",
        "registry.example.com/models",
    ),
]
SourceRepository = Annotated[
    str,
    Unit(
        "Repository",
        r"^(?:https?|ssh|git|file)://[^\s]{1,300}$|^[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:[A-Za-z0-9._/-]+$",
        "a git repository is an address with https:// or ssh://, or user@host:path",
        "https://git.example.com/acme/models.git",
    ),
]
