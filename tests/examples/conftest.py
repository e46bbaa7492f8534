"""The example plant, made once for all tests of a worker."""

from pathlib import Path

import pytest

from celadon.examples.eaf_mill import ExampleTruth, generate


@pytest.fixture(scope="session")
def mill(tmp_path_factory: pytest.TempPathFactory) -> ExampleTruth:
    """The example plant with its faults."""
    return generate(tmp_path_factory.mktemp("mill"))


@pytest.fixture(scope="session")
def clean_mill(tmp_path_factory: pytest.TempPathFactory) -> ExampleTruth:
    """The example plant without faults in the data."""
    return generate(tmp_path_factory.mktemp("clean-mill"), faults=False)


def lines_of(truth: ExampleTruth, file: str, encoding: str = "utf-8") -> list[str]:
    return (Path(truth.directory) / file).read_text(encoding=encoding).splitlines()
