"""One console for all tests that only look; those that change things copy its folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from celadon.web import people
from tests.web import consoles

AS_SHIPPED = people._HASHER


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """The tests hash many passwords; the effort is not what they are about."""
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(people, "_HASHER", quick)
        patch.setattr(people, "_NOBODY", quick.hash("nobody"))
        yield


@pytest.fixture(scope="session", autouse=True)
def own_keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keys that a console makes or finds are those of the tests, never those of whoever runs them."""
    folder = tmp_path_factory.mktemp("config")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(folder))
        yield folder


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two plants and a region, never served itself."""
    return consoles.make_folder(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def console(served: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[consoles.Console]:
    """A console over a copy of the folder."""
    folder = consoles.copied(served, tmp_path_factory.mktemp("console") / "served")
    made = consoles.open_console(folder)
    made.administrator()
    yield made
    made.close()
