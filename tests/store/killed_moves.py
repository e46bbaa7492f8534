"""A script: kill -9 a process that moves a store's catalogue to a server and back, at random moments. Prints what it saw.

After each kill the store must open with every batch it had, take another one, and know where its catalogue is.
"""

import json
import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path

import psycopg  # here, so that the killed processes need not

from celadon.store import Store
from celadon.store.kept import read_kept
from celadon.store.moving import FOLDER, move


def killed(folder: Path, address: str, moves: int, delay: float) -> None:
    """Let a child move to and fro, and kill it `delay` seconds after so many moves."""
    read, write = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(read)
        try:
            os.write(write, b"r")
            while True:
                move(folder, FOLDER if read_kept(folder) is not None else address)
                os.write(write, b"m")
        except BaseException:  # noqa: BLE001 - the forked process must not go on into the tests
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        pipe.read(1 + moves)
        time.sleep(delay)
        os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    assert os.WIFSIGNALED(status), "the mover ended by itself"


def main(folder: Path, address: str, kills: int, seed: int) -> None:
    assert psycopg.threadsafety >= 1
    chance = random.Random(seed)
    with Store.open(folder) as store:
        expected, batches = store.snapshot().digest(), len(store.batches())
    places = {"folder": 0, "server": 0}
    drafts = 0
    for number in range(kills):
        # every third at the very end of a move, the others somewhere in the next
        killed(folder, address, number % 3, chance.uniform(0.0, 0.15) if number % 3 != 1 else 0.0)
        drafts += (folder / "moving").exists()
        known = read_kept(folder)
        places["folder" if known is None else "server"] += 1
        with Store.open(folder) as store:
            assert (store.snapshot().digest(), len(store.batches())) == (expected, batches), number
            with store.begin("plant", str(number)) as pending:
                pending.set_plant(json.dumps({"number": number}))
                pending.commit()
            expected, batches = store.snapshot().digest(), batches + 1
            assert store.verify() == []
    print(json.dumps({"places": places, "batches": batches, "drafts": drafts}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
