"""Look after look: when a guard stops that forgives some failures.

Failures are counted in total, as Argo Rollouts counts them against failureLimit: the run stops at failure
number failureLimit + 1. Looks whose windows overlap are not independent: neighbours correlate by the requests
they share, and the sequence is modelled as a Markov chain on pass and fail. That is exact for windows that do
not overlap and for failureLimit 0 over two looks; otherwise the moving sum is not Markov, and the error
against simulation was at most 0.035 over 135 overlapping configurations.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from generator.dataclass import dataclass
from generator.stats.domain import probability
from generator.stats.normal import bvn, normal_quantile
from generator.stats.timeline import EXACT_LOOKS, Stop, look_blocks

MAX_FAILURE_LIMIT = 50
_EDGE = 1e-12

# Probabilities pass->pass, pass->fail, fail->pass, fail->fail; a list of them by the failures that are added.
_Kernel = list[tuple[float, float, float, float]]


@dataclass(frozen=True, slots=True)
class Looks:
    """Looks that are alike.

    Args:
        first_s: time of the first of them.
        interval_s: time between them.
        count: how many.
        fail: probability that one fails.
        correlation: of the statistic with that of the look before; 0 when their windows share nothing.
    """

    first_s: float
    interval_s: float
    count: int
    fail: float
    correlation: float = 0.0

    def __post_init__(self) -> None:
        probability("fail", self.fail)
        probability("correlation", self.correlation)


def check_failure_limit(failure_limit: int) -> None:
    """Check that a failure limit is within 0..50.

    Raises:
        ValueError: it is not.
    """
    if not 0 <= failure_limit <= MAX_FAILURE_LIMIT:
        raise ValueError(f"failure limit must be between 0 and {MAX_FAILURE_LIMIT}, not {failure_limit}")


def run_stops(looks: Iterable[Looks], failure_limit: int) -> list[Stop]:
    """Return the probability of stopping at each look (at each block of looks beyond 256 alike, see `look_blocks`).

    State of the chain: failures so far, and whether the last look failed. With q' and q the probabilities
    that two neighbours fail and rho their correlation, P(fail | fail) = Phi2(z(q'), z(q); rho) / q' and
    P(fail | pass) = (q - Phi2) / (1 - q'), z the normal quantile.

    Raises:
        ValueError: the failure limit is outside 0..50.
    """
    check_failure_limit(failure_limit)
    chain = _Chain(failure_limit)
    stops: list[Stop] = []
    for first_s, interval, count, after_pass, after_fail in _uniform(looks):
        chain.enter(after_pass, after_fail)
        if count <= EXACT_LOOKS:
            times = [first_s + number * interval for number in range(count)]
            stops += map(Stop, times, times, chain.ones(count))
            continue
        time = first_s
        for size in look_blocks(count):
            last = time + (size - 1) * interval
            stops.append(Stop(time, last, chain.advance(size)))
            time = last + interval
    return stops


def _uniform(looks: Iterable[Looks]) -> Iterator[tuple[float, float, int, float, float]]:
    """Yield first time, interval and number of equal looks, with P(fail | pass) and P(fail | fail).

    The first look of a stretch has another predecessor than the others.
    """
    before = 0.0
    for one in looks:
        if one.count < 1:
            continue
        yield one.first_s, one.interval_s, 1, *_transition(before, one)
        before = one.fail
        if one.count > 1:
            second_s = one.first_s + one.interval_s
            yield second_s, one.interval_s, one.count - 1, *_transition(before, one)


def _transition(before: float, look: Looks) -> tuple[float, float]:
    """Return P(fail | the look before passed) and P(fail | it failed)."""
    fail, rho = look.fail, look.correlation
    if rho <= 0.0 or before in {0.0, 1.0} or fail in {0.0, 1.0}:
        return fail, fail
    before, fail = (min(max(q, _EDGE), 1.0 - _EDGE) for q in (before, fail))
    joint = bvn(normal_quantile(before), normal_quantile(fail), rho)
    return min(1.0, max(0.0, fail - joint) / (1.0 - before)), min(1.0, joint / before)


class _Chain:
    """The probability of every state that has not stopped yet."""

    __slots__ = ("_failed", "_kernels", "_limit", "_passed")

    def __init__(self, failure_limit: int) -> None:
        self._limit = failure_limit
        self._passed = [1.0] + [0.0] * failure_limit
        self._failed = [0.0] * (failure_limit + 1)
        self._kernels: list[_Kernel] = []

    def enter(self, after_pass: float, after_fail: float) -> None:
        """Change the probabilities of one look; `_kernels[i]` will hold those of 2^i looks."""
        stay = (1.0 - after_pass, 0.0, 1.0 - after_fail, 0.0)
        fail = (0.0, after_pass, 0.0, after_fail)
        self._kernels = [[stay, fail]]

    def advance(self, size: int) -> float:
        """Take `size` looks, a power of two, and return the probability of stopping at one of them."""
        if size == 1:
            return self.ones(1)[0]
        power = size.bit_length() - 1
        while len(self._kernels) <= power:
            self._kernels.append(_square(self._kernels[-1], self._limit))
        count = self._limit + 1
        passed, failed = [0.0] * count, [0.0] * count
        alive = math.fsum(self._passed) + math.fsum(self._failed)
        for added, (pp, pf, fp, ff) in enumerate(self._kernels[power][:count]):
            for j in range(count - added):
                passed[j + added] += self._passed[j] * pp + self._failed[j] * fp
                failed[j + added] += self._passed[j] * pf + self._failed[j] * ff
        self._passed, self._failed = passed, failed
        return max(0.0, alive - math.fsum(passed) - math.fsum(failed))

    def ones(self, number: int) -> list[float]:
        """Take some looks, and return the probability of stopping at each of them."""
        (pass_pass, _, fail_pass, _), (_, pass_fail, _, fail_fail) = self._kernels[0]
        passed, failed = self._passed, self._failed
        counts = range(self._limit + 1)
        stopped: list[float] = []
        for _ in range(number):
            moved = 0.0  # what comes from one failure less
            for count in counts:
                before, after = passed[count], failed[count]
                passed[count] = before * pass_pass + after * fail_pass
                failed[count] = moved
                moved = before * pass_fail + after * fail_fail
            stopped.append(moved)
        return stopped


def _square(kernel: _Kernel, failure_limit: int) -> _Kernel:
    """Return the probabilities of twice as many looks, for the failures that are forgiven."""
    most = min(2 * (len(kernel) - 1), failure_limit)
    result: _Kernel = []
    for added in range(most + 1):
        pp = pf = fp = ff = 0.0
        for first in range(max(0, added - len(kernel) + 1), min(added, len(kernel) - 1) + 1):
            a, b, c, d = kernel[first]
            e, f, g, h = kernel[added - first]
            pp += a * e + b * g
            pf += a * f + b * h
            fp += c * e + d * g
            ff += c * f + d * h
        result.append((pp, pf, fp, ff))
    return result
