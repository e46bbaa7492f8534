"""Tables a plant exports: CSV of every dialect, xlsx and Parquet, read into readings and records.

`read_readings` and `read_records` fill DuckDB tables; `sniff` says what a file looks like; `replay` takes corrected
quarantine rows; `read_table` reads a human spreadsheet such as a published factor set.
"""

from celadon.adapters.tables.quarantine import replay, replay_records
from celadon.adapters.tables.readings import read_readings
from celadon.adapters.tables.records import read_records
from celadon.adapters.tables.report import QuarantineRow, TableReport
from celadon.adapters.tables.sniff import Sniffed, sniff
from celadon.adapters.tables.spreadsheet import TableRow, read_table, sheet_names

__all__ = [
    "QuarantineRow",
    "Sniffed",
    "TableReport",
    "TableRow",
    "read_readings",
    "read_records",
    "read_table",
    "replay",
    "replay_records",
    "sheet_names",
    "sniff",
]
