"""The pipeline's answer in pandas, a site at a time so that it fits memory. Runs in an environment of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.measure import Watch

_COUNTED = ["amount", "estimated", "covered"]


def account(watch: Watch, folder: str) -> list[list[list[Any]]]:
    """The arithmetic of by_hand.py. `known.json` in the folder has files, meters and factors as there, and first and last hour."""
    import pandas

    given = json.loads((Path(folder) / "known.json").read_text(encoding="utf-8"))
    files, (first, last) = given["files"], given["hours"]
    with watch.running():
        known = pandas.DataFrame(
            given["meters"], columns=["point", "site", "area", "modulus", "rate"]
        ).set_index("point")
        carbon = pandas.DataFrame(
            given["factors"], columns=["site", "grid", "residual", "contract"]
        ).set_index("site")
        monthly = pandas.concat(
            [
                _of_meters(pandas, _cells(pandas, files, of), first, last).join(
                    of[["site", "area"]], on="point"
                )
                for _, of in known.groupby("site")
            ]
        )
        monthly = _with_rest(pandas, monthly)
        return [_answer(monthly, carbon, ["site", "area", "m"]), _answer(monthly, carbon, ["site"])]


def _cells(pandas: Any, files: list[str], of: Any) -> Any:
    """The hourly ledger of a site's meters."""
    import numpy

    among = [("point", ">=", int(of.index.min())), ("point", "<=", int(of.index.max()))]
    columns = ["point", "t", "value"]
    frame = pandas.concat([pandas.read_parquet(file, columns=columns, filters=among) for file in files])
    frame = frame.sort_values(["point", "t"], ignore_index=True)
    frame["s1"] = frame["t"].astype("datetime64[s]").astype("int64")
    frame["v"] = (frame["value"] * 1e6).round().astype("int64")
    frame = frame.drop(columns=["t", "value"])
    before = frame.shift(1, fill_value=0)
    frame = frame.assign(s0=before["s1"], d=frame["v"] - before["v"])[before["point"] == frame["point"]]
    frame = frame.join(of[["modulus", "rate"]], on="point")
    limit = frame["rate"] * (frame["s1"] - frame["s0"]) + 1e4
    turned = frame["d"] + frame["modulus"]
    plain, wrapped = (frame["d"] >= 0) & (frame["d"] <= limit), (frame["d"] < 0) & (turned <= limit)
    frame["d"] = numpy.where(plain, frame["d"], turned)
    frame = frame.loc[plain | wrapped, ["point", "s0", "s1", "d"]]
    span, hour, to = frame["s1"] - frame["s0"], frame["s0"] // 3600, (frame["s1"] - 1) // 3600
    long = span > 7200
    calm = (hour == to) & ~long
    inside = frame[calm].assign(c=hour[calm], amount=frame["d"][calm], covered=span[calm], estimated=0)
    # what passes an edge: a row for each hour, with the part that lies in it
    over, count = frame[~calm].assign(long=long, first=hour, span=span), (to - hour + 1)[~calm]
    over = over.loc[over.index.repeat(count)]
    over["c"] = over["first"] + over.groupby(level=0).cumcount()
    low = (over["c"] * 3600 - over["s0"]).clip(lower=0)
    high = numpy.minimum((over["c"] + 1) * 3600, over["s1"]) - over["s0"]
    each, rest = over["d"] // over["span"], over["d"] % over["span"]
    over["amount"] = each * (high - low) + rest * high // over["span"] - rest * low // over["span"]
    over["covered"], over["estimated"] = high - low, over["amount"].where(over["long"], 0)
    rows = pandas.concat([part[["point", "c", *_COUNTED]] for part in (inside, over)])
    return rows.groupby(["point", "c"])[_COUNTED].sum().reset_index()


def _of_meters(pandas: Any, cells: Any, first: int, last: int) -> Any:
    """What each meter counted in each month, and its cost by the hour's price."""
    import numpy

    hours = pandas.DataFrame({"c": numpy.arange(first, last)})
    wall = pandas.to_datetime((hours["c"] + 8) * 3600, unit="s").dt
    peak = wall.hour.isin([10, 11]) | wall.hour.between(16, 21)
    hours["m"], hours["price"] = wall.month, numpy.where(wall.hour < 8, 0.31, numpy.where(peak, 0.98, 0.65))
    rows = cells.merge(hours, on="c")
    rows["cost"] = rows["amount"] / 1e6 * rows["price"]
    months = rows.groupby(["point", "m"])[[*_COUNTED, "cost"]].sum().reset_index()
    return months.join((hours.groupby("m").size() * 3600).rename("due"), on="m")


def _with_rest(pandas: Any, monthly: Any) -> Any:
    """The leaves, and of each purchase meter what they leave."""
    leaves = monthly[monthly["area"] != ""]
    below = leaves.groupby(["site", "m"])[["amount", "estimated", "cost"]].sum()
    below["open"] = (leaves["covered"] < leaves["due"]).groupby([leaves["site"], leaves["m"]]).any()
    rest = monthly[monthly["area"] == ""].join(below, on=["site", "m"], rsuffix="_below")
    left = rest["amount"] - rest["amount_below"]
    rest["estimated"] = left.where(rest["open"], rest["estimated"] + rest["estimated_below"])
    rest["amount"], rest["cost"] = left, rest["cost"] - rest["cost_below"]
    return pandas.concat([leaves, rest[leaves.columns]])


def _answer(monthly: Any, carbon: Any, keys: list[str]) -> list[list[Any]]:
    parts = monthly.assign(part=monthly["estimated"].abs().clip(upper=monthly["amount"].abs()))
    rows = parts.groupby(keys)[["amount", "part", "cost"]].sum().reset_index().join(carbon, on="site")
    rows["mwh"] = rows["amount"] / 1e9
    rows["estimated"], rows["location"] = rows["part"] / 1e9 / rows["mwh"].abs(), rows["mwh"] * rows["grid"]
    rows["market"] = rows["mwh"] * rows["contract"].fillna(rows["residual"])
    return [
        list(row)
        for row in rows[[*keys, "mwh", "estimated", "location", "market", "cost"]].itertuples(index=False)
    ]
