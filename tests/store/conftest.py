"""The same tests on either catalogue: SQLite in the store's folder, PostgreSQL on a server."""

from collections.abc import Callable, Iterator

import pytest

from celadon.store import Store
from tests.store.servers import schema
from tests.store.store_tools import Clock


@pytest.fixture(params=["sqlite", "postgresql"])
def new_store(request, tmp_path) -> Iterator[Callable[..., Store]]:
    """Makes stores: `new_store("name", clock)`; closed at the end."""
    server = request.getfixturevalue("postgresql_server") if request.param == "postgresql" else None
    made: list[Store] = []

    def make(name: str = "s", clock: Clock | None = None) -> Store:
        catalogue = f"{server}?schema={schema()}" if server else None
        made.append(Store.create(tmp_path / name, clock or Clock(), catalogue))
        return made[-1]

    yield make
    for store in made:
        store.close()
