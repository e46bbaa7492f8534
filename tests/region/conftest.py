"""One country for all tests of regions: 1500 enterprises, two years, every fifth with a planted anomaly; loaded once."""

from pathlib import Path

import pytest

from celadon.examples.country import generate
from celadon.region.facade import open_region

FIRMS = 1500


@pytest.fixture(scope="session")
def country(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("country")
    generate(folder, FIRMS, anomalies=0.2)
    with open_region(folder) as region:
        done = region.load()
    assert list(done.findings) == []
    return folder
