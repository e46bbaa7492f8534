"""The hourly benchmark in pandas, a month's file at a time so that it fits memory. Runs in an environment of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.measure import Watch


def account(watch: Watch, folder: str, meters: int, **_given: int) -> list[list[Any]]:
    """What a user would write."""
    import pandas

    each = meters + 1
    files = sorted(Path(folder).glob("celadon-store/segments/readings/*/*.parquet"))
    with watch.running():
        parts = []
        for file in files:
            frame = pandas.read_parquet(file, columns=["point", "t", "value"])
            frame["site"] = (frame["point"] - 1) // each
            frame["h"] = (frame["t"].astype("datetime64[s]").astype("int64") - 1) // 3600
            is_meter = frame["point"] % each != 0
            energy = frame[is_meter].groupby(["site", "h"])["value"].sum() / 1000
            intensity = frame[~is_meter].groupby(["site", "h"])["value"].sum()
            parts.append(pandas.DataFrame({"mwh": energy, "intensity": intensity}))
        # a local hour may lie in two files of UTC months
        hours = pandas.concat(parts).groupby(level=["site", "h"]).sum()
        hours["kg"] = hours["mwh"] * hours["intensity"]
        local = pandas.to_datetime((hours.index.get_level_values("h") + 8) * 3600, unit="s")
        found = hours.groupby([hours.index.get_level_values("site"), local.month])[["mwh", "kg"]].sum()
    return [
        [f"s{site:03}", int(month), float(row["mwh"]), float(row["kg"])]
        for (site, month), row in found.iterrows()
    ]
