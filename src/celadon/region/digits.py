"""Tests on digits: probabilities in closed form, and the control of false discoveries over many tests.

Chi-square tails: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.4.4 (odd) and 26.4.5 (even degrees of freedom).
Many tests at once: Benjamini and Hochberg (1995), J. R. Stat. Soc. B 57, 289-300. First digits: Benford's law with the mean
absolute deviation of Nigrini, Benford's Law (2012), ch. 7: above 0.015 is nonconformity.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

BENFORD = tuple(math.log10(1 + 1 / digit) for digit in range(1, 10))
NONCONFORMITY = 0.015
"""Mean absolute deviation of first digits above which Nigrini speaks of nonconformity."""


def chi_square_tail(value: float, freedom: int) -> float:
    """The chance of a chi-square of `freedom` degrees above `value`."""
    if value <= 0:
        return 1.0
    half = value / 2
    if freedom % 2 == 0:
        term = total = 1.0
        for step in range(1, freedom // 2):
            term *= half / step
            total += term
        return math.exp(-half) * total
    total, term = math.erfc(math.sqrt(half)), math.sqrt(value) * math.sqrt(2 / math.pi) * math.exp(-half)
    for step in range(1, (freedom - 1) // 2 + 1):
        total += term
        term *= value / (2 * step + 1)
    return total


def chi_square(observed: Sequence[float], expected: Sequence[float]) -> float:
    """The sum of (observed - expected)² / expected."""
    return sum((o - e) ** 2 / e for o, e in zip(observed, expected, strict=True))


def binomial_tail(successes: int, trials: int, chance: float) -> float:
    """The chance of at least `successes` of `trials`."""
    if successes <= 0:
        return 1.0
    term = math.exp(
        math.lgamma(trials + 1) - math.lgamma(successes + 1) - math.lgamma(trials - successes + 1)
        + successes * math.log(chance) + (trials - successes) * math.log1p(-chance)
    )  # fmt: skip
    total = 0.0
    for count in range(successes, trials + 1):
        total += term
        term *= (trials - count) / (count + 1) * chance / (1 - chance)
        if term < total * 1e-17:
            break
    return min(total, 1.0)


def discoveries(chances: Sequence[float], tests: int, rate: float) -> int:
    """How many of the smallest `chances` may be called discoveries when `rate` of them may be false.

    `chances` are sorted, and hold at least every one below `rate`; `tests` were made in all."""
    kept = 0
    for rank, chance in enumerate(chances, 1):
        if chance <= rate * rank / tests:
            kept = rank
    return kept


def deviation_from_benford(counts: Sequence[int]) -> tuple[float, float]:
    """Chi-square and mean absolute deviation of the counts of the first digits 1 to 9."""
    total = sum(counts)
    expected = [total * share for share in BENFORD]
    mean = sum(abs(count / total - share) for count, share in zip(counts, BENFORD, strict=True)) / 9
    return chi_square(counts, expected), mean
