"""A script: one of several loaders that put the same files into one store at once. Prints what it loaded."""

import hashlib
import json
import sys
from pathlib import Path

import duckdb

from celadon.core.findings import FindingError
from celadon.store import Store


def main(path: Path, count: int, catalogue: str | None = None) -> None:
    con = duckdb.connect()
    loaded, refused = [], []
    with Store.open_or_create(path, catalogue=catalogue) as store:
        store.ensure_points(["P1"])
        for number in range(count):
            con.execute(
                f"CREATE OR REPLACE TABLE r AS SELECT 1 AS point, TIMESTAMP '2018-01-01' + INTERVAL 1 HOUR * range AS t, "
                f"0 AS span, {number}.0::DOUBLE AS value, 1 AS file, range::INTEGER AS line FROM range(10)"
            )
            try:
                with store.begin("load") as pending:
                    digest = hashlib.sha256(str(number).encode()).hexdigest()
                    pending.add_file(f"f{number}", digest, 10, "meters", "m")
                    pending.add_readings(con, "r")
                    loaded.append(pending.commit().id)
            except FindingError as error:
                refused.extend(item.code for item in error.findings)
    print(json.dumps({"loaded": loaded, "refused": refused}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
