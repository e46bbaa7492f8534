"""A backup of either kind of catalogue is a store with its catalogue in its folder."""

from celadon.store import Store, backup
from tests.store.store_tools import add, load, read, utc, with_points


def test_a_backup_of_either_catalogue_restores_to_a_store_in_a_folder(new_store, tmp_path):
    store = with_points(new_store())
    first = load(store, [(1, utc("2018-01-01"), 1.0, 1, 1), (2, utc("2018-02-01"), 2.0, 1, 2)])
    with store.begin("load", "b") as pending:
        pending.add_file("a.csv", "0" * 64, 9, "meters", "m")
        add(pending, [(1, utc("2018-01-01"), 1.5, 1, 1)])
        pending.set_plant('{"a": 1}')
        done = store.back_up(tmp_path / "b", {"note.txt": b"beside"})  # what is not committed is not in it
        pending.commit()
    assert (done.batch, done.digest) == (first.id, store.snapshot(first.id).digest())
    second = store.back_up(tmp_path / "b", {"note.txt": b"beside"})
    assert (
        0 < second.new_files < second.files == 5
    )  # a catalogue and a segment; two segments and the note were there
    backup.restore(tmp_path / "b", tmp_path / "r", "store", {})
    with Store.open(tmp_path / "r" / "store") as again:
        assert again.verify() == []
        assert read(again.snapshot()) == read(store.snapshot())
        assert read(again.snapshot(first.id)) == read(store.snapshot(first.id))
        assert again.batches() == store.batches()
        assert again.snapshot().digest() == store.snapshot().digest()
        assert again.snapshot().files() == store.snapshot().files()
        assert again.snapshot().plant_json() == '{"a": 1}'
        load(again, [(1, utc("2018-03-01"), 3.0, 1, 1)])
        assert again.compact().merged > 1
        assert len(read(again.snapshot())) == 4
