"""Small tables written by the tests, and the shortest way to read them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from celadon.adapters.tables import TableReport, read_readings
from celadon.core.findings import Finding
from celadon.core.model import Meter, PointKind, Source
from celadon.core.text import Text

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def meter(meter_id: str, kind: PointKind = PointKind.REGISTER, **more: Any) -> Meter:
    return Meter(meter_id, Text(meter_id, meter_id), kind, "site", **more)


def wide(*columns: str | tuple[str, str], **more: Any) -> Source:
    """A wide source; `E1` maps the header E1 to the meter E1."""
    pairs = tuple((item, item) if isinstance(item, str) else item for item in columns)
    more.setdefault("zone", "UTC")
    return Source("source", "readings", ("*.csv",), pairs, **more)


def long(**more: Any) -> Source:
    """A long source with the columns time, meter and value."""
    more.setdefault("zone", "UTC")
    return Source("source", "readings", ("*.csv",), (), meter_column="meter", value_column="value", **more)


def text_file(folder: Path, content: str | bytes, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


class Read:
    """A file that was read: its report, and its rows as (meter, t, span, value, line)."""

    def __init__(self, path: Path, source: Source, meters: Sequence[Meter | str], **more: Any) -> None:
        points = [item if isinstance(item, Meter) else meter(item) for item in meters]
        self.meters = {point.id: point for point in points}
        self.ids = {point.id: n for n, point in enumerate(points, 1)}
        self.con = duckdb.connect()
        more.setdefault("now", NOW)
        more.setdefault("shown", path.name)
        self.source = source
        self.report: TableReport = read_readings(
            self.con, path, source, self.meters, self.ids, 7, 3, "readings", **more
        )

    @property
    def rows(self) -> list[tuple[str, datetime, int, float, int]]:
        names = {n: key for key, n in self.ids.items()}
        found = self.con.execute(
            "SELECT point, t, span, value, line FROM readings ORDER BY line, point"
        ).fetchall()
        return [(names[point], t, span, value, line) for point, t, span, value, line in found]

    @property
    def values(self) -> list[float]:
        return [row[3] for row in self.rows]

    @property
    def codes(self) -> list[str]:
        return [finding.code for finding in self.report.findings]

    def finding(self, code: str) -> Finding:
        """The one finding of this code, with its texts in both languages filled."""
        found = [item for item in self.report.findings if item.code == code]
        assert len(found) == 1, self.codes
        for lang in ("zh", "en"):
            assert "{" not in found[0].says(lang)
            assert found[0].fix(lang)
        return found[0]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)
