"""A script: kill -9 a process that loads corrections, compacts and backs up, at random moments. Prints what it saw.

After each kill the store must hold every correction whose load had returned, and the backup of the last run that returned
(or a later one) must restore to a sound plant with the same answers as then. A process of its own because it forks.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

from celadon.plant.backup import restore
from celadon.plant.facade import open_plant
from tests.plant import small

BUMP = 1.0
"""Each correction moves the last register of E1 up by this, kWh: restatements that add up."""


def correct(folder: Path, number: int) -> None:
    """A file that corrects the last reading of January, for the `number`-th time."""
    last = small.rows(small.HOURS, small.HOURS).splitlines()[-1].split(",")
    value = 1000 + 10 * small.HOURS + BUMP * number
    (folder / "data" / f"z-{number:04}.csv").write_text(f"time,E1,E2\n{last[0]},{value},{last[2]}\n")


def work(folder: Path, backup: Path, pipe: int) -> None:
    """Load, compact, back up; a letter over the pipe after each that returned."""
    with open_plant(folder) as plant:
        os.write(pipe, b"r")
        plant.load()
        os.write(pipe, b"l")
        plant.compact()
        os.write(pipe, b"c")
        plant.back_up(backup)
        os.write(pipe, b"b")


def run(folder: Path, backup: Path, delay: float) -> str:
    """Let a child work and kill it after `delay` seconds; what it reported."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            work(folder, backup, write)
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        ready = pipe.read(1)
        deadline = time.monotonic() + delay
        ended = False
        while not ended and time.monotonic() < deadline:
            time.sleep(0.001)
            ended = os.waitpid(child, os.WNOHANG) != (0, 0)
        if not ended:  # else its number may be another process's by now
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        return (ready + pipe.read()).decode()


def look(folder: Path) -> dict:
    """Energy of January and what verifying says, by a fresh process."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        with open_plant(folder) as plant:
            found = plant.balance("2024-01")
            own = next(row.own for row in found.meters if row.node == "E1")
            body = {
                "damage": [item.code for item in plant.verify().findings],
                "conserved": found.conserved,
                "energy": own / 1e6,
                "files": len(plant.view().snapshot.files()),
                "codes": sorted({item.code for item in found.findings}),
            }
            os.write(write, json.dumps(body).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as stream:
        text = stream.read()
    os.waitpid(child, 0)
    return json.loads(text)


def check(seen: dict, first: int, last: int) -> int:
    """A sound plant whose newest correction is one of `first` … `last`; which."""
    assert seen["damage"] == [], seen
    assert seen["conserved"], seen
    number = round((seen["energy"] - 10 * small.HOURS) / BUMP)
    assert first <= number <= last, (first, seen, last)
    assert seen["files"] == 2 + number, seen  # january, fuel, and each correction once
    assert "balance.stored-differs" not in seen["codes"], seen
    return number


def restored(backup: Path, place: Path) -> dict:
    """The backup put in place somewhere, looked at and thrown away."""
    child = os.fork()  # as all that uses DuckDB: this process forks
    if child == 0:
        try:
            restore(backup, place)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    try:
        return look(place)
    finally:
        shutil.rmtree(place)


def main(folder: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    plant, backup = small.write(folder / "plant"), folder / "backup"
    began = time.monotonic()
    assert run(plant, backup, 60.0) == "rlcb"
    longest = time.monotonic() - began
    loaded = kept = promised = 0
    said: dict[str, int] = {}
    for number in range(1, kills + 1):
        correct(plant, number)
        word = run(plant, backup, chance.uniform(0.0, longest))
        longest *= 0.8 if "b" in word else 1.05  # as long as the work takes on this machine, as it is today
        said[word] = said.get(word, 0) + 1
        promised, kept = (number if "l" in word else promised), (number if "b" in word else kept)
        if number % 4 == 0:
            loaded = promised = check(look(plant), max(promised, loaded), number)
        if number % 8 == 0:
            found = restored(backup, folder / "again")
            kept = check(found, kept, loaded)
    assert run(plant, backup, 60.0) == "rlcb"
    loaded = check(look(plant), kills, kills)
    kept = check(restored(backup, folder / "again"), kills, kills)
    left = list((plant / "celadon-store" / "scratch").iterdir())
    print(json.dumps({"kills": kills, "said": said, "loaded": loaded, "kept": kept, "scratch": len(left)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
