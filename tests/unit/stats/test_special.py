"""Special functions and binomial intervals against scipy, over random arguments."""

from __future__ import annotations

import math

import pytest
import scipy.integrate
import scipy.special
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.stats.binomial import (
    binom_cdf,
    ceil_on_lattice,
    clopper_pearson,
    floor_on_lattice,
    wilson,
)
from generator.stats.normal import bvn, log_normal_cdf, normal_cdf, normal_quantile
from generator.stats.special import beta_cdf, beta_quantile, chi2_quantile, gamma_cdf, poisson_pmf

inner = st.floats(1e-12, 1 - 1e-12)
shapes = st.floats(-1.0, 5.0).map(lambda e: 10.0**e)


@settings(deadline=None)
@given(st.floats(-37, 37))
def test_normal_cdf(x):
    assert normal_cdf(x) == pytest.approx(scipy.special.ndtr(x), rel=1e-13)


@settings(deadline=None)
@given(st.floats(-1e6, 8))
def test_log_normal_cdf(x):
    assert log_normal_cdf(x) == pytest.approx(scipy.special.log_ndtr(x), rel=1e-12)


@settings(deadline=None)
@given(st.one_of(inner, st.floats(-300, -1).map(lambda e: 10.0**e)))
def test_normal_quantile(p):
    assert normal_quantile(p) == pytest.approx(scipy.special.ndtri(p), rel=2e-12, abs=1e-15)


@settings(deadline=None)
@given(st.floats(-6, 6), st.floats(-6, 6), st.floats(-0.99, 0.99))
def test_bvn(h, k, rho):
    scale = math.sqrt(1 - rho * rho)

    def slice_at(x: float) -> float:
        return math.exp(-x * x / 2) / math.sqrt(2 * math.pi) * scipy.special.ndtr((k - rho * x) / scale)

    bends = sorted({-9.0, *(x for x in (k / rho - 4 * scale, k / rho, 0.0) if -9 < x < h)} if rho else {-9.0})
    exact = sum(
        scipy.integrate.quad(slice_at, a, b, epsabs=1e-14, epsrel=1e-12, limit=200)[0]
        for a, b in zip(bends, [*bends[1:], h], strict=True)
    )
    assert bvn(h, k, rho) == pytest.approx(exact, abs=2e-12)


@settings(deadline=None)
@given(st.floats(-5, 5), st.floats(-5, 5))
def test_bvn_of_equal_and_opposite_variables(h, k):
    assert bvn(h, k, 1.0) == normal_cdf(min(h, k))
    assert bvn(h, k, -1.0) == pytest.approx(max(0.0, normal_cdf(h) - normal_cdf(-k)), abs=1e-15)
    assert bvn(h, k, 1 - 1e-9) == pytest.approx(bvn(h, k, 1.0), abs=1e-4)


@settings(deadline=None)
@given(inner, shapes, shapes)
def test_beta_cdf(x, a, b):
    assert beta_cdf(x, a, b) == pytest.approx(scipy.special.betainc(a, b, x), rel=1e-9, abs=1e-250)


@settings(deadline=None)
@given(st.floats(1e-6, 1 - 1e-6), st.floats(0.5, 1e5), st.floats(0.5, 1e5))
def test_beta_quantile(p, a, b):
    assert beta_quantile(p, a, b) == pytest.approx(scipy.special.betaincinv(a, b, p), abs=1e-12)


@settings(deadline=None)
@given(st.floats(1e-3, 1 - 1e-3), st.floats(0.05, 5e4))
def test_gamma_cdf(p, a):
    x = float(scipy.special.gammaincinv(a, p))
    assert gamma_cdf(x, a) == pytest.approx(scipy.special.gammainc(a, x), rel=1e-10)


@settings(deadline=None)
@given(st.floats(1e-4, 1 - 1e-4), st.integers(1, 2000))
def test_chi2_quantile(p, degrees):
    assert chi2_quantile(p, degrees) == pytest.approx(scipy.special.gammaincinv(degrees / 2, p) * 2, rel=1e-9)


@settings(deadline=None)
@given(st.integers(0, 3000), st.floats(1e-3, 2000))
def test_poisson_pmf(x, mean):
    exact = scipy.special.xlogy(x, mean) - scipy.special.gammaln(x + 1) - mean
    assert poisson_pmf(x, mean) == pytest.approx(math.exp(exact), rel=1e-10, abs=1e-290)


@settings(deadline=None)
@given(st.integers(1, 200_000), st.floats(0, 1), st.floats(-6, 6))
def test_binomial_tails(n, p, z):
    k = math.floor(n * p + z * math.sqrt(n * p * (1 - p)))
    assert binom_cdf(k, n, p) == pytest.approx(scipy.stats.binom.cdf(k, n, p), rel=1e-9, abs=1e-280)


@settings(deadline=None)
@given(st.integers(1, 100_000), st.floats(0, 1), st.sampled_from([0.005, 0.025, 0.05, 0.2]))
def test_intervals(n, share, tail):
    x = round(share * n)
    result = scipy.stats.binomtest(x, n)
    for ours, method in ((wilson, "wilson"), (clopper_pearson, "exact")):
        exact = result.proportion_ci(confidence_level=1 - 2 * tail, method=method)
        interval = ours(x, n, tail=tail)
        assert interval.low == pytest.approx(exact.low, abs=1e-9)
        assert interval.high == pytest.approx(exact.high, abs=1e-9)


@pytest.mark.parametrize(
    ("n", "rows"),
    [(100, 97), (200, 191), (500, 471), (1000, 935), (2000, 1861), (5000, 4632), (10_000, 9245)],
)
def test_smallest_guaranteed_score(n, rows):
    """The last column of table 4.1: right answers whose exact lower bound reaches 0.92."""
    assert clopper_pearson(rows, n, tail=0.05).low >= 0.92
    assert clopper_pearson(rows - 1, n, tail=0.05).low < 0.92


@settings(deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.01, 0.07, 0.29, 0.57, 0.92]))
def test_lattice_of_decimal_limits(n, limit):
    exact = round(limit * 100) * n
    assert ceil_on_lattice(limit * n) == -(-exact // 100)
    assert floor_on_lattice(limit * n) == exact // 100


def test_domains():
    for call in (
        lambda: normal_quantile(0.0),
        lambda: normal_quantile(math.nan),
        lambda: bvn(0, 0, 1.1),
        lambda: beta_cdf(-0.1, 1, 1),
        lambda: beta_cdf(0.5, 0, 1),
        lambda: beta_cdf(0.5, 1e10, 1),
        lambda: beta_quantile(2, 1, 1),
        lambda: gamma_cdf(1, 0),
        lambda: chi2_quantile(0.5, 0),
        lambda: binom_cdf(0, -1, 0.5),
        lambda: wilson(2, 1),
        lambda: wilson(0, 0),
        lambda: clopper_pearson(1, 2, tail=1.0),
    ):
        with pytest.raises(ValueError, match=r"must"):
            call()


def test_edges_are_defined():
    assert binom_cdf(-1, 10, 0.5) == 0.0
    assert binom_cdf(0, 0, 0.5) == 1.0
    assert wilson(0, 10).low == 0.0
    assert wilson(10, 10).high == 1.0
    assert clopper_pearson(0, 10).low == 0.0
    assert clopper_pearson(10, 10).high == 1.0
    assert poisson_pmf(0, 0.0) == 1.0
    assert poisson_pmf(1, 0.0) == 0.0
    assert beta_cdf(0.5, 1e9, 1e9) == pytest.approx(0.5, abs=1e-6)
