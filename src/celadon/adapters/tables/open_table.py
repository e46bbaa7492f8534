"""Opening a table file of any format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from celadon.adapters.tables.read_csv import open_csv
from celadon.adapters.tables.read_parquet import open_parquet
from celadon.adapters.tables.sniff import choose_format
from celadon.adapters.tables.table import Table
from celadon.core.findings import FindingError
from celadon.core.model import Source


def open_table(path: Path, shown: str, source: Source, wanted: Sequence[str], scratch: Path) -> Table:
    """The file's table, by content whatever its name (FindingError when it cannot be read)."""
    form, notices = choose_format(path, shown, source.format)
    if form == "xlsx":
        from celadon.adapters.tables.read_xlsx import open_xlsx  # noqa: PLC0415  (openpyxl takes as long as all the rest)

        table = open_xlsx(path, shown, source, wanted, scratch)
    elif form == "parquet":
        table = open_parquet(path, shown)
    else:
        try:
            table = open_csv(path, shown, source, wanted, scratch)
        except FindingError as error:
            # A file that only has the name of a workbook: that comes before what its text lacks.
            raise FindingError([*notices, *error.findings]) from error
    table.findings[:0] = notices
    return table
