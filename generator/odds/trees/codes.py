"""Codes of what `sluice odds` finds in a tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from generator.lint import Code, declare
from generator.odds.trees.values import Trap

NO_METRIC: Final = "ODDS101"
GOOD_STOPPED: Final = "ODDS102"
UNKNOWN: Final = "ODDS115"

TRAPS: Final[Mapping[Trap, str]] = {
    "never fails": "ODDS103",
    "always fails": "ODDS104",
    "fails good values": "ODDS105",
    "inconclusive for ever": "ODDS106",
    "never ends": "ODDS107",
    "looks before there is data": "ODDS108",
    "sees both versions": "ODDS109",
    "sees only the stable version": "ODDS110",
    "sees no traffic": "ODDS111",
    "passes on nothing": "ODDS112",
    "decides too late": "ODDS113",
    "ignored": "ODDS114",
}
"""The code of each trap."""

_ROLLOUT: Final = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: cart, namespace: shop}
spec:
  strategy:
    canary:
      canaryService: cart-canary
      stableService: cart
      trafficRouting: {nginx: {stableIngress: cart}}
      steps: [{setWeight: 10}, {pause: {duration: 10m}}, {setWeight: 50}, {pause: {duration: 10m}}]
"""
_ANALYSIS: Final = "      analysis: {templates: [{templateName: errors}]}\n"
_CONDITION: Final = '      successCondition: "len(result) > 0 && result[0] < 0.03"\n'
_TIMES: Final = "      interval: 1m\n      initialDelay: 3m\n      failureLimit: 1\n"
_PROVIDER: Final = """\
      provider:
        prometheus:
          address: http://prometheus:9090
          query: |
            sum(rate(http_requests_total{service="cart-canary",code=~"5.."}[2m]))
            / sum(rate(http_requests_total{service="cart-canary"}[2m]))
"""
_TEMPLATE: Final = f"""\
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {{name: errors, namespace: shop}}
spec:
  metrics:
    - name: errors
{_CONDITION}{_TIMES}{_PROVIDER}"""
_COMMAND: Final = "$ sluice odds . --rps 50 --baseline error=1%\n"
_GOOD: Final = _ROLLOUT + _ANALYSIS + _TEMPLATE + _COMMAND
_STEP: Final = """\
      steps:
        - {setWeight: 10}
        - {pause: {duration: 5m}}
        - analysis: {templates: [{templateName: errors}]}
"""
_IN_A_STEP: Final = _ROLLOUT[: _ROLLOUT.index("      steps:")] + _STEP + _TEMPLATE
_BEFORE_THE_SWITCH: Final = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: cart, namespace: shop}
spec:
  strategy:
    blueGreen:
      activeService: cart
      previewService: cart-canary
      KEY: {templates: [{templateName: errors}]}
"""


def _with(old: str, new: str) -> str:
    """Return the sound tree with a mistake."""
    return _GOOD.replace(old, new)


def _code(
    code: str, title: str, why: str, remedy: str, example: str, instead: str = _GOOD, *, informs: bool = False
) -> Code:
    severity = "info" if informs else "warning"
    return Code(code, severity, title, f"{why}.", f"{remedy}.", example=example, instead=instead)  # type: ignore[arg-type]


declare(
    _code(
        NO_METRIC,
        "no metric decides about a release",
        "Every version, good or bad, reaches all users, or waits for a person who has no numbers",
        "Add an analysis to the release",
        _ROLLOUT + _COMMAND,
    ),
    _code(
        GOOD_STOPPED,
        "a release stops more than 5% of the good versions",
        "Teams that see rollbacks of good versions stop believing them, and loosen or remove the analysis",
        "Raise the limit, forgive a failure, or widen the window; `sluice odds` shows limits with better odds",
        _with("0.03", "0.011"),
    ),
    _code(
        TRAPS["never fails"],
        "a metric never fails",
        "No value stops the release: all pass, or more failures are forgiven than there are measurements",
        "Write a condition that a bad value fails, and a `failureLimit` below the number of measurements",
        _with("failureLimit: 1", "failureLimit: -1"),
    ),
    _code(
        TRAPS["always fails"],
        "a metric always fails",
        "Each version is rolled back, whatever it does",
        "Write a condition that a good value passes; the result of a query is a list, `result[0]` is its value",
        _with("result[0] <", "result <"),
    ),
    _code(
        TRAPS["fails good values"],
        "a metric fails when there are few errors",
        "The condition is the wrong way round: it stops good versions, and lets bad ones pass",
        "Turn the comparison round",
        _with("result[0] <", "result[0] >"),
    ),
    _code(
        TRAPS["inconclusive for ever"],
        "a bad value of a metric is inconclusive",
        "No value fails, so a bad version is not rolled back: it keeps its weight until a person decides",
        "Write a success condition without a failure condition, or conditions that cover every value",
        _with(_CONDITION, _CONDITION + '      failureCondition: "len(result) == 0"\n'),
    ),
    _code(
        TRAPS["never ends"],
        "a metric in a step has an interval and no count",
        "The step waits for it for ever",
        "Add a `count`",
        _IN_A_STEP + _COMMAND,
        _IN_A_STEP.replace("interval: 1m\n", "interval: 1m\n      count: 5\n") + _COMMAND,
    ),
    _code(
        TRAPS["looks before there is data"],
        "a metric is measured before there is data",
        "A rate needs two samples of the new pods; until then the result is empty, which is an error or a failure",
        "Set an `initialDelay` of the window and two scrape intervals, or `startingStep` behind the first pause",
        _with("      initialDelay: 3m\n", ""),
    ),
    _code(
        TRAPS["sees both versions"],
        "a query counts both versions together",
        "At a small weight the stable version hides what the new one does",
        "Select the new version: by its Service, by `rollouts-pod-template-hash`, or by the labels of the router",
        _with('service="cart-canary"', 'app="cart"'),
    ),
    _code(
        TRAPS["sees only the stable version"],
        "a query selects the stable version",
        "It measures the version that is not released",
        "Select the new version",
        _with('service="cart-canary"', 'service="cart"'),
    ),
    _code(
        TRAPS["sees no traffic"],
        "a metric is measured while users send no request to the new version",
        "It measures tests, or nothing",
        "Measure after the switch (`postPromotionAnalysis`), or send requests to the preview Service in a Job",
        _BEFORE_THE_SWITCH.replace("KEY", "prePromotionAnalysis")
        + _TEMPLATE.replace("interval: 1m\n", "interval: 1m\n      count: 5\n")
        + _COMMAND,
        _BEFORE_THE_SWITCH.replace("KEY", "postPromotionAnalysis")
        + _TEMPLATE.replace("interval: 1m\n", "interval: 1m\n      count: 5\n").replace("cart-canary", "cart")
        + _COMMAND,
    ),
    _code(
        TRAPS["passes on nothing"],
        "a result without data passes",
        "A version that answers nothing, or whose metrics are missing, is promoted",
        "Let the condition require a result: `len(result) > 0 && result[0] < 0.03`",
        _with("len(result) > 0 &&", "len(result) == 0 ||"),
    ),
    _code(
        TRAPS["decides too late"],
        "a release ends before a metric can fail",
        "More failures are forgiven than fit into the release",
        "Measure more often, forgive fewer failures, or make the steps longer",
        _with("interval: 1m", "interval: 10m").replace("failureLimit: 1", "failureLimit: 2"),
    ),
    _code(
        TRAPS["ignored"],
        "the verdict of a metric is ignored",
        "A metric under `dryRun` is measured and shown, and stops nothing",
        "Remove it from `dryRun` once its values are plausible",
        _with(_ANALYSIS, _ANALYSIS.replace("]}\n", "], dryRun: [{metricName: errors}]}\n")),
    ),
    _code(
        UNKNOWN,
        "what a metric measures is not recognized",
        "Its odds can't be computed, and no number is guessed",
        "Write the query as a share of requests, a quantile, a mean, a rate or a count, if it is one",
        _with("        prometheus:\n          address", "        web:\n          url")
        .replace("          query: |\n", "")
        .replace(_PROVIDER[_PROVIDER.index("            sum") :], ""),
        informs=True,
    ),
)
