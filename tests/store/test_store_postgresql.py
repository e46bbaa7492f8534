"""A catalogue on a PostgreSQL server: what only a server can do, and every way it can fail."""

import importlib
import shutil
import threading
from contextlib import contextmanager

import psycopg
import pytest

from celadon.core.findings import FindingError, Severity
from celadon.store import Store, postgresql
from tests.store.servers import schema
from tests.store.store_tools import Clock, add, load, only, read, segment_files, utc, with_points

JANUARY = utc("2018-01-10")


@pytest.fixture
def address(postgresql_server):
    return f"{postgresql_server}?schema={schema()}"


@pytest.fixture
def store(address, tmp_path):
    with Store.create(tmp_path / "s", Clock(), address) as made:
        yield with_points(made)


@contextmanager
def administrator(address):
    with psycopg.connect(address.partition("?")[0], autocommit=True) as connection:
        yield connection


def refused(path, catalogue=None, opening=Store.open_or_create):
    with pytest.raises(FindingError) as raised:
        opening(path, catalogue=catalogue)
    finding = only(raised.value)
    assert finding.severity is Severity.ERROR
    return finding


def test_the_folder_knows_its_catalogue(store, address):
    load(store, [(1, JANUARY, 1.0, 1, 1)])
    with Store.open(store.path) as again, Store.open(store.path, catalogue=address) as named:
        assert read(again.snapshot()) == read(named.snapshot()) == [(1, JANUARY, 1.0, 1)]
    assert not (store.path / "catalogue.sqlite").exists()
    assert not (store.path / "lock").exists()
    assert refused(store.path, opening=Store.create).code == "store.exists"


def test_two_stores_on_one_server_know_nothing_of_each_other(store, postgresql_server, tmp_path):
    with Store.create(tmp_path / "t", Clock(), f"{postgresql_server}?schema={schema()}") as other:
        with_points(other)
        load(store, [(1, JANUARY, 1.0, 1, 1)])
        assert other.batches() == []
        with store.lock():
            load(other, [(2, JANUARY, 2.0, 1, 1)])  # nor waits for the other's writer
        assert read(store.snapshot()) == [(1, JANUARY, 1.0, 1)]
        assert read(other.snapshot()) == [(2, JANUARY, 2.0, 1)]


def test_the_second_host_is_told_or_waits(store):
    with Store.open(store.path) as other:
        with store.begin("load") as pending:
            add(pending, [(1, JANUARY, 1.0, 1, 1)])
            with pytest.raises(FindingError) as raised:
                other.begin("load", wait=False)
            finding = only(raised.value)
            assert finding.code == "store.locked"
            assert "is being written by pid " in finding.says("en")
            assert other.snapshot().upto == 0  # readers never wait
            told: list[str] = []

            def write():
                with other.begin("load", "waited", waiting=told.append) as waited:
                    waited.commit()

            waiter = threading.Thread(target=write)
            waiter.start()
            waiter.join(0.3)
            assert waiter.is_alive()
            assert len(told) == 1
            assert told[0].startswith("pid ")
            pending.commit()
        waiter.join(20)
        assert not waiter.is_alive()
    assert [batch.note for batch in store.batches()] == ["", "waited"]


def test_a_writer_that_loses_the_server_keeps_nothing_and_goes_on_later(store, address):
    load(store, [(1, JANUARY, 1.0, 1, 1)])
    files = segment_files(store.path)
    with Store.open(store.path) as other:
        pending = store.begin("load", "lost")
        add(pending, [(1, JANUARY, 2.0, 1, 1)])
        with administrator(address) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL"
            )
        load(other, [(2, JANUARY, 3.0, 1, 1)])  # the lock went with the session; this one's reader reconnects
        with pytest.raises(FindingError) as raised:
            pending.commit()
        finding = only(raised.value)
        assert finding.code == "store.catalogue-server"
        assert finding.says("en").startswith(f"The catalogue {address} cannot be used: ")
        assert read(store.snapshot()) == [(1, JANUARY, 1.0, 1), (2, JANUARY, 3.0, 2)]
        assert len(segment_files(store.path)) == len(files) + 1
        load(store, [(1, JANUARY, 4.0, 1, 1)])
    assert [batch.id for batch in store.batches()] == [1, 2, 3]
    assert store.verify() == []


def test_no_server_there(tmp_path):
    finding = refused(tmp_path / "s", "postgresql://celadon@127.0.0.1:1/energy")
    assert finding.code == "store.catalogue-server"
    assert "postgresql://celadon@127.0.0.1:1/energy" in finding.says("zh")


@pytest.mark.parametrize(
    "address",
    ["postgresql://u:hunter2@db/energy", "postgresql://u@db/energy?password=hunter2"],
)
def test_a_password_in_the_address_is_refused_and_not_repeated(tmp_path, address):
    finding = refused(tmp_path / "s", address)
    assert finding.code == "store.catalogue-password"
    assert finding.says("en").startswith("The address of the catalogue on db holds a password")
    assert "hunter2" not in str(finding.to_json())


@pytest.mark.parametrize(
    "address", ["mysql://db/energy", "postgresql://db", "postgresql://db:port/energy", "/tmp/x"]
)
def test_an_address_that_is_none(tmp_path, address):
    finding = refused(tmp_path / "s", address)
    assert finding.code == "store.catalogue-address"
    assert "not that of a PostgreSQL database" in finding.says("en")


def test_the_driver_is_an_extra(tmp_path, monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    finding = refused(tmp_path / "s", "postgresql://db/energy")
    assert finding.code == "store.extra-missing"
    assert "psycopg" in finding.says("zh")
    assert finding.fix("en") == "Install it: pip install 'celadon[postgresql]'."


def test_no_catalogue_on_the_server(tmp_path, address, postgresql_server):
    finding = refused(tmp_path / "s", address, Store.open)
    assert finding.code == "store.absent"
    assert address in finding.says("en")
    assert not (tmp_path / "s").exists()


def test_a_schema_of_another_program(tmp_path, address):
    with administrator(address) as connection:
        name = address.rpartition("=")[2]
        connection.execute(f"CREATE SCHEMA {name}")
        connection.execute(f"CREATE TABLE {name}.theirs (x INT)")
    assert refused(tmp_path / "s", address).code == "store.not-a-store"


def test_an_empty_schema_is_used(tmp_path, address):
    with administrator(address) as connection:
        connection.execute(f"CREATE SCHEMA {address.rpartition('=')[2]}")
    with Store.create(tmp_path / "s", Clock(), address) as store:
        assert store.batches() == []


def test_a_catalogue_of_a_newer_program(store, address):
    with administrator(address) as connection:
        connection.execute(f"UPDATE {address.rpartition('=')[2]}.celadon SET format = 7")
    finding = refused(store.path, opening=Store.open)
    assert finding.code == "store.newer-format"
    assert "has format 7; this program reads up to format 1" in finding.says("en")


def test_a_folder_of_another_catalogue(store, address, tmp_path, postgresql_server):
    load(store, [(1, JANUARY, 1.0, 1, 1)])
    codes = []
    other = f"{postgresql_server}?schema={schema()}"
    codes.append(refused(store.path, other).code)  # the folder is another catalogue's
    codes.append(refused(tmp_path / "not-mounted", address).code)  # the catalogue's files are elsewhere
    with Store.create(tmp_path / "local"):
        codes.append(refused(tmp_path / "local", other).code)  # the folder has a catalogue inside
    assert codes == ["store.kept-elsewhere"] * 3
    with administrator(address) as connection:
        connection.execute(f"DROP SCHEMA {address.rpartition('=')[2]} CASCADE")
    assert refused(store.path).code == "store.absent"  # never an empty catalogue over segments that are there
    Store.create(tmp_path / "t", Clock(), address).close()
    finding = refused(store.path)
    assert finding.code == "store.kept-elsewhere"
    assert address in finding.says("en")


def test_where_the_parts_are_kept_cannot_be_read(store):
    for text in ("{", "[]", '{"store": 2}', '{"store": 1, "catalogue": 3, "segments": "", "identity": ""}'):
        (store.path / "store.json").write_text(text)
        finding = refused(store.path)
        assert finding.code == "store.kept-unreadable"
        assert str(store.path / "store.json") in finding.says("en")


def test_a_reader_without_rights_cannot_write(store, address):
    load(store, [(1, JANUARY, 1.0, 1, 1)])
    name, role = address.rpartition("=")[2], f"r{schema()}"
    with administrator(address) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN")
        connection.execute(f"GRANT USAGE ON SCHEMA {name} TO {role}")
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {name} TO {role}")
    limited = shutil.copytree(store.path, store.path.with_name("copy"))
    own = address.replace("celadon@", f"{role}@")
    (limited / "store.json").write_text((limited / "store.json").read_text().replace(address, own))
    with Store.open(limited) as reader:
        assert read(reader.snapshot()) == [(1, JANUARY, 1.0, 1)]
        with pytest.raises(FindingError) as raised:
            reader.begin("load").commit()
    finding = only(raised.value)
    assert finding.code == "store.catalogue-server"
    assert "permission denied for table" in finding.says("en")


def test_names_become_keys_of_locks():
    keys = [postgresql._signed(f"plant{number}") for number in range(50)]
    assert len(set(keys)) == 50
    assert all(-(1 << 31) <= key < 1 << 31 for key in keys)
    assert min(keys) < 0 < max(keys)
