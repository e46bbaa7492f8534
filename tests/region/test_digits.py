"""Tail probabilities and the control of false discoveries, against known values and brute force."""

import math
from math import comb

import pytest

from celadon.region.digits import (
    BENFORD,
    binomial_tail,
    chi_square,
    chi_square_tail,
    deviation_from_benford,
    discoveries,
)


@pytest.mark.parametrize(
    ("value", "freedom", "chance"),
    # critical values of printed tables: 0.05 and 0.001 for 8 and 9 degrees of freedom
    [(15.507, 8, 0.05), (26.124, 8, 0.001), (16.919, 9, 0.05), (27.877, 9, 0.001), (3.841, 1, 0.05)],
)
def test_chi_square_tail(value, freedom, chance):
    assert chi_square_tail(value, freedom) == pytest.approx(chance, rel=2e-3)
    assert chi_square_tail(0, freedom) == 1


@pytest.mark.parametrize(
    ("successes", "trials", "chance"), [(0, 10, 0.01), (3, 20, 0.1), (7, 60, 0.01), (60, 60, 0.01)]
)
def test_binomial_tail(successes, trials, chance):
    exact = sum(
        comb(trials, k) * chance**k * (1 - chance) ** (trials - k) for k in range(successes, trials + 1)
    )
    assert binomial_tail(successes, trials, chance) == pytest.approx(exact, rel=1e-9)


def test_discoveries_of_the_paper():
    # Benjamini and Hochberg 1995, section 4: 15 p-values, rate 0.05, the four smallest are discoveries
    chances = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459]
    assert discoveries(chances, 15, 0.05) == 4
    assert discoveries([], 100, 0.05) == 0
    assert discoveries([0.01, 0.011, 0.012], 3, 0.012) == 3  # a later one lets the earlier ones in


def test_benford():
    assert sum(BENFORD) == pytest.approx(1)
    assert BENFORD[0] == pytest.approx(0.30103)
    powers = [int(str(2**k)[0]) for k in range(5000)]  # powers of two follow the law
    chi, mad = deviation_from_benford([powers.count(digit) for digit in range(1, 10)])
    assert chi < 1
    assert mad < 0.001
    chi, mad = deviation_from_benford([100] * 9)  # uniform: |1/9 - log10(1 + 1/d)| on average
    assert mad == pytest.approx(sum(abs(1 / 9 - share) for share in BENFORD) / 9)
    assert chi == pytest.approx(sum((100 - 900 * s) ** 2 / (900 * s) for s in BENFORD))
    assert chi_square([1, 2], [1, 1]) == 1
    assert math.isclose(chi_square_tail(chi, 8), 0, abs_tol=1e-30)
