"""What loading the files now would change, before anything is committed: a batch that is made, looked at and discarded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from celadon.core.dataclass import dataclass
from celadon.plant.hashes import Hashes
from celadon.plant.loading import (
    LoadedFile,
    Loading,
    Progress,
    loaded_file,
    scratch_connection,
    stage_file,
    stage_plant,
)
from celadon.plant.opened import Opened, View, decoded, view
from celadon.plant.quarantine import Corrections
from celadon.plant.replaying import Replay, replay_into
from celadon.plant.sources import input_files
from celadon.store import Store


@dataclass(frozen=True)
class Pending:
    """The plant as it would be, and what the load would report."""

    seen: View
    loading: Loading
    replay: Replay | None = None
    """What the corrections would do, where there are some."""


@contextmanager
def pending(
    opened: Opened, store: Store, progress: Progress | None = None, asked: Corrections | None = None
) -> Iterator[Pending]:
    """The plant with every file that is not loaded yet (and corrections counted), as a view; nothing of it remains afterwards.

    Other writers wait meanwhile.

    Raises:
        FindingError: the plant file has errors.
    """
    opened.sound()
    done = Loading(opened.store_path)
    done.findings.extend(opened.findings)
    with store.begin("preview") as batch, scratch_connection(store.path) as con:
        text = store.snapshot(pending=batch).plant_json()
        if text is None or decoded(text)[1] != opened.digest:
            done.plant_changed = True
            stage_plant(opened, store, batch)
        files = list(input_files(opened, done.findings, Hashes.of(opened.store_path)))
        for number, item in enumerate(files):
            if progress:
                progress(number / len(files), item.name)
            if store.has_file(item.source.id, item.sha256, item.mapping, item.name):
                done.files.append(LoadedFile(item.source.id, item.name, "known", item.bytes))
                continue
            taken = stage_file(opened, store, batch, con, item)
            done.findings.extend(taken.findings)
            status = (
                loaded_file(item, taken, None)
                if taken.usable
                else LoadedFile(item.source.id, item.name, "failed", item.bytes)
            )
            done.files.append(status)
        replayed = Replay() if asked is not None else None
        if asked is not None and replayed is not None:
            replay_into(view(opened, store), batch, con, asked, replayed)
        seen = View(store, store.snapshot(pending=batch), opened.model, opened.digest)
        yield Pending(seen, done, replayed)
