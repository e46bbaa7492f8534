"""Fixtures every test may use."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests import shared_data
from tests.both_engines import both_engines
from tests.store.servers import postgresql

# In CI a change is judged by the same examples each time; elsewhere every run tries new ones.
settings.register_profile("ci", derandomize=True, print_blob=True)
if os.environ.get("CI") == "true":
    settings.load_profile("ci")


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """`shared("data/steel_energy/expected.json")`: a path in the reference data (see `tests.shared_data`)."""
    return shared_data.shared


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of a database on a PostgreSQL server of our own; each store takes a schema of its own."""
    with postgresql() as address:
        yield address


@pytest.fixture(scope="session", autouse=True)
def _both_engines() -> Iterator[None]:
    with both_engines():
        yield
