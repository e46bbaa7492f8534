"""One country for all tests of regions: 2000 enterprises, two years, anomalies planted; and the same without."""

from pathlib import Path

import pytest

from celadon.examples.country import generate

FIRMS = 2000


@pytest.fixture(scope="session")
def country(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("country")
    generate(folder, FIRMS)
    return folder
