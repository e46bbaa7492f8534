"""Fixtures every test may use."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import shared_data


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """`shared("data/steel_energy/expected.json")`: a path in the reference data (see `tests.shared_data`)."""
    return shared_data.shared
