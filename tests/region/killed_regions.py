"""A script: kill -9 a process that loads corrections of a region, compacts and drops what was replaced. Prints what it saw.

After each kill the region must answer with every correction whose load had returned and none twice. Each look is a process
of its own, because a process that has used DuckDB must not fork.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import celadon.region.doctor
import celadon.region.facade
import celadon.region.upkeep

FILE = """celadon-region: 1
region: {id: r1}
registry: {files: [registry.csv], columns: {enterprise: id, industry: code, region: place}}
sources:
  - {id: reports, files: [facts/*.csv], enterprise: id, month: month,
     values: [{column: coal, quantity: energy_consumed, item: raw_coal, unit: t}]}
"""
FIRMS = 20


def correct(folder: Path, number: int) -> None:
    """The `number`-th report of January and February: of all enterprises the first time, of every third afterwards."""
    rows = [
        f"E{firm},2024-0{month},{firm + 1000 * number}"
        for month in (1, 2)
        for firm in range(FIRMS)
        if number == 0 or firm % 3 == 0
    ]
    (folder / "facts" / f"f-{number:04}.csv").write_text("id,month,coal\n" + "\n".join(rows) + "\n")


def expected(number: int) -> float:
    """January's and February's coal after the `number`-th report."""
    return 2.0 * sum(firm + (1000 * number if firm % 3 == 0 else 0) for firm in range(FIRMS))


def work(folder: Path, pipe: int) -> None:
    """Load, compact, drop; a letter over the pipe after each that returned."""
    os.write(pipe, b"r")
    with celadon.region.facade.open_region(folder) as region:
        region.load()
        os.write(pipe, b"l")
    celadon.region.upkeep.compact(folder)
    os.write(pipe, b"c")
    celadon.region.upkeep.retain(folder, "0d", apply=True)
    os.write(pipe, b"d")


def look(folder: Path, pipe: int) -> None:
    """Coal in all, of how many reports, and what a deep look finds wrong."""
    with celadon.region.facade.open_region(folder) as region:
        seen = region.view()
        name = '"energy_consumed:raw_coal:combustion"'
        [(total, count)] = region.con.execute(
            f"SELECT sum({name}), count(*) FROM ({seen.facts_sql(seen.months())})"
        ).fetchall()
    codes = [item.code for item in celadon.region.doctor.examine(folder, deep=True).findings]
    os.write(
        pipe, json.dumps([total, count, [code for code in codes if code != "doctor.left-behind"]]).encode()
    )


def run(
    act: Callable[[Path, int], None], folder: Path, letters: int = 1, delay: float | None = None
) -> bytes:
    """Let a child act, kill it `delay` seconds after so many letters; what it wrote."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            act(folder, write)
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        first = pipe.read(letters)
        if delay is not None:
            time.sleep(delay)
            os.kill(child, signal.SIGKILL)
        rest = pipe.read()
    os.waitpid(child, 0)
    return first + rest


def main(folder: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    (folder / "facts").mkdir(parents=True)
    (folder / "region.yaml").write_text(FILE, encoding="utf-8")
    firms = [f"E{firm},3011,370100" for firm in range(FIRMS)]
    (folder / "registry.csv").write_text("id,code,place\n" + "\n".join(firms) + "\n")
    correct(folder, 0)
    run(work, folder)
    steps: dict[str, int] = {}
    for number in range(1, kills + 1):
        correct(folder, number)
        told = run(work, folder, 1 + number % 3, chance.uniform(0.0, 0.2))
        steps[told.decode()] = steps.get(told.decode(), 0) + 1
        total, count, wrong = json.loads(run(look, folder))
        assert count == 2 * FIRMS, (number, count)
        assert wrong == [], (number, wrong)
        allowed = [expected(number)] + ([expected(number - 1)] if b"l" not in told else [])
        assert total in allowed, (number, told, total, allowed)
        if total != expected(number):  # the next load begins where this one was killed
            run(work, folder)
            assert json.loads(run(look, folder))[0] == expected(number)
    print(json.dumps(steps))


if __name__ == "__main__":
    where = Path(sys.argv[1])
    main(where, int(sys.argv[2]), int(sys.argv[3]))
    shutil.rmtree(where)
