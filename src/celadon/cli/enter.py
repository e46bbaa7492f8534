"""`celadon enter PLANT`: one record entered or corrected by hand, its effect shown first."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import option, plant_argument
from celadon.cli.drafted import BY, finish, whoever, with_effect_options
from celadon.cli.session import Session


@make_command(
    "enter",
    en="Enter a record of PLANT by hand, or correct one (--correct FILE:LINE); shows what it changes, and commits with --commit.",
    zh="为 PLANT 手工录入一条台账，或更正一条（--correct 文件:行）；先显示影响，加 --commit 提交。",
)
@plant_argument
@option(
    "--quantity",
    en="What it is: fuel_purchased, product_output …",
    zh="量：fuel_purchased、product_output 等",
)
@option("--value", type=float, required=True, en="The number.", zh="数值。")
@option("--unit", en="Its unit.", zh="单位。")
@option("--start", en="First day or local instant.", zh="起始日或当地时刻。")
@option("--end", default="", en="Last day or end; the start where left out.", zh="截止日或时刻；省略同起始。")
@option("--item", default="", en="Carrier, product, gas …", zh="品种、产品、气体等。")
@option(
    "--purpose",
    default="",
    en="combustion, mobile, feedstock …",
    zh="用途：combustion、mobile、feedstock 等。",
)
@option("--site", default="", en="Site.", zh="站点。")
@option("--process", default="", en="Process.", zh="工序。")
@option("--note", default="", en="Invoice, batch or laboratory number.", zh="单号、批号或化验号。")
@option("--weight", type=float, en="Batch mass that a mean is weighted with.", zh="加权用的批次质量。")
@option("--weight-unit", default="", en="Unit of the weight.", zh="加权量单位。")
@option("--correct", metavar="FILE:LINE", en="Correct the record in this place.", zh="更正此处的台账。")
@option("--reason", default="", en="Why.", zh="理由。")
@option(
    "--evidence",
    type=click.Path(dir_okay=False),
    en="File that shows it; kept with the plant.",
    zh="凭证文件；与工厂一同保存。",
)
@BY
@with_effect_options
def command(context: click.Context, plant: str, value: float, quantity: str | None, unit: str | None, start: str | None, end: str,
            item: str, purpose: str, site: str, process: str, note: str, weight: float | None, weight_unit: str,
            correct: str | None, reason: str, evidence: str | None, by: str | None, rulebooks: tuple[str, ...],
            period: str | None, commit: bool, as_json: bool, lang: str | None, quiet: bool) -> None:  # fmt: skip
    """Makes the draft, shows its effect, commits it."""
    from celadon.plant.entry import Entry, Signed, read_evidence
    from celadon.plant.facade import open_plant

    session = Session(context, as_json, lang, quiet)
    shown = Path(evidence) if evidence else None
    signed = Signed(
        whoever(by),
        datetime.now(UTC),
        reason,
        shown.name if shown else "",
        read_evidence(shown) if shown else b"",
    )
    with open_plant(plant) as opened:
        if correct is not None:
            file, _, line = correct.rpartition(":")
            if not line.isdigit() or not file:
                raise click.BadParameter(correct, context, param_hint="--correct")
            changes = {name: word for name, word in (("unit", unit), ("weight", weight)) if word is not None}
            draft = opened.draft_correction(file, int(line), {"value": value, **changes}, signed)
        else:
            missing = [
                name for name, word in (("quantity", quantity), ("unit", unit), ("start", start)) if not word
            ]
            if missing:
                raise click.MissingParameter(param_hint=f"--{missing[0]}", param_type="option", ctx=context)
            entry = Entry(quantity or "", value, unit or "", start or "", end, item, purpose, site, process, note, weight, weight_unit)  # fmt: skip
            draft = opened.draft_records([entry], signed)
        finish(session, opened, draft, rulebooks, period, commit)
