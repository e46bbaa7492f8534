"""A count stamped on the edge of two windows closes the earlier one: it is in exactly one of them."""

from celadon.core.model import PointKind
from tests.metering.ledgers import ledger, meter, rows, window

COUNTED = rows([("01-31 22:00", 3.0), ("01-31 23:00", 5.0), ("02-01 00:00", 7.0), ("02-01 01:00", 11.0)])


def test_every_count_is_in_one_of_two_adjoining_windows() -> None:
    bundles = meter(kind=PointKind.COUNT, carrier=None, quantity="bundle_count", unit="piece")
    assert ledger(COUNTED, bundles, window("01-01", "02-01")).total() == 15 * 10**6
    assert ledger(COUNTED, bundles, window("02-01", "03-01")).total() == 11 * 10**6
