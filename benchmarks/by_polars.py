"""The same answer as by_hand.py, computed with Polars."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from benchmarks.by_hand import Answer, meters
from benchmarks.works import Works

_LEDGER = ["point", "c", "d", "covered", "estimated"]


def meter_frame(works: Works) -> pl.DataFrame:
    """What is known of each meter."""
    kinds = {"point": pl.Int32, "site": pl.String, "area": pl.String, "modulus": pl.Int64, "rate": pl.Float64}
    return pl.DataFrame(meters(works), schema=kinds, orient="row")


def ledger(works: Works, files: Sequence[Path]) -> pl.DataFrame:
    """The hourly ledger of each meter."""
    first, last = (int(moment.timestamp()) // 3600 for moment in (works.start, works.end))
    meters = meter_frame(works).lazy().select("point", "modulus", "rate")
    reading = (
        pl.scan_parquet([str(path) for path in files])
        .select("point", s1=pl.col("t").dt.epoch("s"), v=(pl.col("value") * 1e6).round().cast(pl.Int64))
        .sort("point", "s1")
    )
    step = reading.with_columns(
        s0=pl.col("s1").shift(1), v0=pl.col("v").shift(1), p0=pl.col("point").shift(1)
    ).filter(pl.col("p0") == pl.col("point"))
    limit = pl.col("rate") * (pl.col("s1") - pl.col("s0")) + 1e4
    plain, wrapped = pl.col("v") - pl.col("v0"), pl.col("v") - pl.col("v0") + pl.col("modulus")
    d = (
        pl.when((plain >= 0) & (plain <= limit))
        .then(plain)
        .when((plain < 0) & (wrapped <= limit))
        .then(wrapped)
    )
    amount = (
        step.join(meters, on="point", maintain_order="none")
        .select("point", "s0", "s1", d=d, long=pl.col("s1") - pl.col("s0") > 7200)
        .filter(pl.col("d").is_not_null())
        .with_columns(h0=pl.col("s0") // 3600, h1=(pl.col("s1") - 1) // 3600)
        .collect()
        .lazy()
    )
    span = pl.col("s1") - pl.col("s0")

    def upto(x: pl.Expr) -> pl.Expr:
        return pl.col("d") // span * x + pl.col("d") % span * x // span

    inside = amount.filter((pl.col("h0") == pl.col("h1")) & ~pl.col("long")).select(
        "point", c="h1", d="d", covered=span, estimated=pl.lit(0, pl.Int64)
    )
    over = amount.filter((pl.col("h0") + 1 == pl.col("h1")) & ~pl.col("long")).with_columns(
        edge=pl.col("h1") * 3600
    )
    over = over.with_columns(head=upto(pl.col("edge") - pl.col("s0")))
    before = over.select(
        "point", c="h0", d="head", covered=pl.col("edge") - pl.col("s0"), estimated=pl.lit(0, pl.Int64)
    )
    after = over.select(
        "point",
        c="h1",
        d=pl.col("d") - pl.col("head"),
        covered=pl.col("s1") - pl.col("edge"),
        estimated=pl.lit(0, pl.Int64),
    )
    many = amount.filter(pl.col("long") | (pl.col("h0") + 1 < pl.col("h1")))
    many = many.with_columns(c=pl.int_ranges("h0", pl.col("h1") + 1)).explode("c")
    x0 = pl.max_horizontal(pl.col("c") * 3600 - pl.col("s0"), pl.lit(0))
    x1 = pl.min_horizontal((pl.col("c") + 1) * 3600, pl.col("s1")) - pl.col("s0")
    many = many.with_columns(x0=x0, x1=x1)
    many = many.with_columns(a=upto(pl.col("x1")) - upto(pl.col("x0"))).select(
        "point", "c", d="a", covered=pl.col("x1") - pl.col("x0"),
        estimated=pl.when(pl.col("long")).then(pl.col("a")).otherwise(0),
    )  # fmt: skip
    parts = pl.concat(
        [inside.select(_LEDGER), before.select(_LEDGER), after.select(_LEDGER), many.select(_LEDGER)]
    )
    return (
        parts.filter((pl.col("c") >= first) & (pl.col("c") < last))
        .group_by("point", "c")
        .agg(pl.col("d").sum().alias("amount"), pl.col("estimated").sum(), pl.col("covered").sum())
        .collect()
    )


def account(
    works: Works, cells: pl.DataFrame, factors: Sequence[tuple[str, float, float, float | None]]
) -> Answer:
    """(area rows per month, site rows of the whole), as by_hand.account gives them."""
    first, last = (int(moment.timestamp()) // 3600 for moment in (works.start, works.end))
    wall = pl.from_epoch((pl.col("c") + 8) * 3600, time_unit="s")
    hour = pl.col("hour")
    price = (
        pl.when(hour < 8)
        .then(310_000_000)
        .when(hour.is_in([10, 11]) | hour.is_between(16, 21))
        .then(980_000_000)
    )
    hours = pl.DataFrame({"c": range(first, last)}).with_columns(m=wall.dt.month(), hour=wall.dt.hour())
    hours = hours.select("c", "m", price=price.otherwise(650_000_000))
    cost = (pl.col("amount").cast(pl.Int128) * pl.col("price")).sum() // 1_000_000
    of_meter = (
        cells.lazy()
        .join(hours.lazy(), on="c")
        .group_by("point", "m")
        .agg(pl.col("amount", "estimated", "covered").sum(), cost=cost)
        .join(hours.lazy().group_by("m").agg(due=pl.len() * 3600), on="m")
        .join(meter_frame(works).lazy().select("point", "site", "area"), on="point")
        .collect()
    )
    below = (
        of_meter.filter(pl.col("area") != "")
        .group_by("site", "m")
        .agg(pl.col("amount", "estimated", "cost").sum(), open=(pl.col("covered") < pl.col("due")).any())
    )
    rest = of_meter.filter(pl.col("area") == "").join(below, on=["site", "m"], suffix="_below")
    amount = pl.col("amount") - pl.col("amount_below")
    rest = rest.with_columns(
        amount=amount, cost=pl.col("cost") - pl.col("cost_below"),
        estimated=pl.when("open").then(amount).otherwise(pl.col("estimated") + pl.col("estimated_below")),
    )  # fmt: skip
    columns = ["site", "area", "m", "amount", "estimated", "cost"]
    monthly = pl.concat([of_meter.filter(pl.col("area") != "").select(columns), rest.select(columns)])
    kinds = {"site": pl.String, "grid": pl.Float64, "residual": pl.Float64, "contract": pl.Float64}
    known = pl.DataFrame(list(factors), schema=kinds, orient="row")

    def answer(keys: list[str]) -> list[tuple[object, ...]]:
        part = pl.min_horizontal(pl.col("estimated").abs(), pl.col("amount").abs())
        rows = monthly.group_by(keys).agg(
            mwh=pl.col("amount").sum() / 1e9,
            part=part.sum() / 1e9,
            cost=pl.col("cost").sum().cast(pl.Float64) / 1e9,
        )
        rows = rows.join(known, on="site").select(
            *keys, "mwh", estimated=pl.col("part") / pl.col("mwh").abs(), location=pl.col("mwh") * pl.col("grid"),
            market=pl.col("mwh") * pl.coalesce("contract", "residual"), cost="cost",
        )  # fmt: skip
        return rows.sort(keys).rows()

    return answer(["site", "area", "m"]), answer(["site"])
