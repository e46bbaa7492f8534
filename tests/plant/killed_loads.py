"""A script: kill -9 a load at random moments, look at the store after each, load the rest. Prints what it saw.

A process of its own because it forks, and a process that has used DuckDB must not.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import celadon
from celadon.plant.facade import open_plant
from tests.plant import small

FILES = 24


def make(folder: Path) -> Path:
    """The small plant with its January in many files."""
    small.write(folder, readings=small.rows(0, 0))
    step = small.HOURS // FILES
    for number in range(FILES):
        last = small.HOURS if number == FILES - 1 else (number + 1) * step
        (folder / "data" / f"part-{number:02}.csv").write_text(small.rows(number * step + 1, last))
    return folder


def load_in_child(folder: Path, after: float) -> bool:
    """Load in a child process and kill it after `after` seconds; whether it had finished by itself."""
    child = os.fork()
    if child == 0:
        try:
            with open_plant(folder) as plant:
                plant.load()
        finally:
            os._exit(0)
    deadline = time.monotonic() + after
    while time.monotonic() < deadline:
        done, _ = os.waitpid(child, os.WNOHANG)
        if done:
            return True
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def look_in_child(folder: Path) -> dict:
    """What the store holds, by a reader that has seen no crash: verified, conserved, total and files."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        with open_plant(folder) as plant:
            body = {"verify": len(plant.verify().findings), "files": len(plant.view().snapshot.files())}
            found = plant.balance("2024-01")
            body |= {
                "conserved": found.conserved,
                "own": [row.own for row in found.meters],
                "codes": sorted({f.code for f in found.findings}),
            }
            readings = plant.view().snapshot
            span = readings.span()
            sql = readings.readings_sql(None, *span, neighbours=1) if span else None
            body["readings"] = (
                plant._work.con.execute(
                    f"SELECT count(*), count(DISTINCT (point, t)) FROM ({sql})"
                ).fetchone()
                if sql
                else (0, 0)
            )
            os.write(write, json.dumps(body).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as stream:
        text = stream.read()
    os.waitpid(child, 0)
    return json.loads(text)


def main(folder: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    plants, killed, seen = 0, 0, []
    while killed < kills:
        plants += 1
        place = make(folder / str(plants))
        longest = 0.2
        while killed < kills:
            if load_in_child(place, chance.uniform(0.0, longest)):
                break
            killed += 1
            longest = min(longest * 1.15, 6.0)
        while not load_in_child(place, 60.0):
            pass
        seen.append(look_in_child(place))
    print(json.dumps({"killed": killed, "plants": plants, "seen": seen, "version": celadon.__version__}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
