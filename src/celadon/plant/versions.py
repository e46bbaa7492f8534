"""A file that was loaded before and has changed since: what its new version says that the earlier one did not.

An export that only grew says nothing new about its old rows, so they must not overrule what another file corrected in the
meantime. A row of a register that was taken out is withdrawn; without that an invoice deleted from a workbook would count on.
"""

from __future__ import annotations

import duckdb

from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.text import Text
from celadon.plant.sources import InputFile
from celadon.store import Pending, Store, StoredFile
from celadon.store.rows import RECORD_KEY

ROWS_WITHDRAWN = FindingKind(
    "load.rows-withdrawn",
    Severity.WARNING,
    Text(en="Rows taken out of a file", zh="文件中的行已被删除"),
    Text(
        en="{count} record(s) of the earlier {file} are not in it any more and no longer count (the first: {first}).",
        zh="{file} 此前的 {count} 条台账在新文件中已不存在，不再计入（首条：{first}）。",
    ),
    Text(
        en="Nothing, if they were meant to go; else put them back and load again.",
        zh="若确系删除则无需处理；否则请补回后重新加载。",
    ),
)
ROWS_REPEATED = FindingKind(
    "load.rows-repeated",
    Severity.NOTICE,
    Text(en="One document listed twice", zh="同一单据重复登记"),
    Text(
        en="{count} row(s) of {file} say exactly what another row with the same number says (lines {lines}): they count once.",
        zh="{file} 有 {count} 行与同一单号的另一行完全相同（第 {lines} 行）：只计一次。",
    ),
    Text(
        en="If they are different deliveries, give each its own number.",
        zh="若为不同批次，请分别填写单号。",
    ),
)
_KEY = ", ".join(f'"{name}"' for name in RECORD_KEY)
_GROUPS = (
    f"SELECT {_KEY}, list_sort(list(concat_ws('|', value, unit, weight, weight_unit))) AS body, "
    "bool_and(value IS NULL) AS withdrawn FROM {0} GROUP BY ALL"
)
_SHOWN = 8


def own_versions(store: Store, pending: Pending, item: InputFile, file_id: int) -> list[StoredFile]:
    """Versions of the file that were loaded before and read as it does now, in order."""
    return [
        file
        for file in store.snapshot(pending=pending).files()
        if (file.source_id, file.name, file.mapping_digest) == (item.source.id, item.name, item.mapping)
        and file.id != file_id
    ]


def take_changes(
    con: duckdb.DuckDBPyConnection, store: Store, pending: Pending, item: InputFile, file_id: int, table: str
) -> tuple[int, list[Finding]]:
    """Reduce the record rows of `table` to what is new; returns how many said what is known, and what to tell.

    Rows whose key (all rows of it together) stands as the file's last version has it are left out. A key which that
    version had and this one lacks gets a row without a value, which withdraws it; only within the days that this version
    spans, as a file that is written anew each month takes nothing back.
    """
    words = ", ".join(
        f"coalesce({name}, '') AS {name}" for name in ("item", "purpose", "site", "process", "note")
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE v_new AS SELECT * REPLACE ({words}) FROM {table}")
    findings, known = _repeats(con, item), 0
    batches = [file.batch for file in own_versions(store, pending, item, file_id)]
    if batches:
        sql = store.snapshot(pending=pending).records_sql(batches=batches)
        with store.reading():
            con.execute(f"CREATE OR REPLACE TEMP TABLE v_old AS {sql}")
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE v_same AS SELECT n.* FROM ({_GROUPS.format('v_new')}) AS n "
            f"JOIN ({_GROUPS.format('v_old')}) AS o USING ({_KEY}, body)"
        )
        same = f"SELECT line FROM v_new SEMI JOIN v_same USING ({_KEY})"
        known = int(con.execute(f"SELECT count(*) FROM ({same})").fetchall()[0][0])
        con.execute(f"DELETE FROM {table} WHERE line IN ({same})")
        findings += _withdraw(con, item, file_id, table)
    for name in ("v_new", "v_old", "v_same"):
        con.execute(f"DROP TABLE IF EXISTS {name}")
    return known, findings


def _withdraw(con: duckdb.DuckDBPyConnection, item: InputFile, file_id: int, table: str) -> list[Finding]:
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE v_gone AS
        SELECT {_KEY} FROM ({_GROUPS.format("v_old")}) AS o ANTI JOIN v_new USING ({_KEY})
        WHERE NOT withdrawn AND start >= (SELECT min(start) FROM v_new) AND start <= (SELECT max(start) FROM v_new)"""
    )
    rows = con.execute(
        f"SELECT count(*), arg_min(concat_ws(' ', quantity, item, site, note), ({_KEY})) FROM v_old SEMI JOIN v_gone USING ({_KEY})"
    ).fetchall()
    count, first = rows[0]
    if not count:
        return []
    con.execute(f"INSERT INTO {table} BY NAME SELECT {_KEY}, {file_id} AS file, 0 AS line FROM v_gone")
    return [ROWS_WITHDRAWN.at(Place(file=item.name), file=item.name, count=count, first=first.strip())]


def _repeats(con: duckdb.DuckDBPyConnection, item: InputFile) -> list[Finding]:
    lines = con.execute(
        f"""SELECT line FROM v_new WHERE note <> '' QUALIFY row_number() OVER (
            PARTITION BY {_KEY}, value, unit, weight, weight_unit ORDER BY line) > 1 ORDER BY line"""
    ).fetchall()
    if not lines:
        return []
    shown = ", ".join(str(line) for (line,) in lines[:_SHOWN]) + (", …" if len(lines) > _SHOWN else "")
    place = Place(file=item.name, line=lines[0][0])
    return [ROWS_REPEATED.at(place, file=item.name, count=len(lines), lines=shown)]
