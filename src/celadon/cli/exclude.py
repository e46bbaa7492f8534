"""`celadon exclude PLANT`: readings or records that are not to count, with the reason; the effect is shown first."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import option, plant_argument
from celadon.cli.drafted import BY, finish, whoever, with_effect_options
from celadon.cli.session import Session


@make_command(
    "exclude",
    en="Have readings of a meter (--meter) or records (--quantity) of PLANT not count; shows what it changes, and commits with "
    "--commit. They stay in the store, and the plant file says who excluded them and why.",
    zh="使 PLANT 的某计量点读数（--meter）或台账（--quantity）不计入；先显示影响，加 --commit 提交。数据仍保存在数据仓，工厂文件记录何人因何排除。",
)
@plant_argument
@option("--meter", en="Meter whose readings do not count.", zh="读数不计入的计量点。")
@option("--quantity", en="Of records: their quantity.", zh="台账的量。")
@option(
    "--start",
    required=True,
    en="First reading, or start of the record; local time.",
    zh="首个读数，或台账起始；当地时间。",
)
@option("--end", en="Last reading, or end of the record.", zh="最后读数，或台账截止。")
@option("--item", en="Carrier, product … of the record.", zh="台账的品种、产品等。")
@option("--purpose", en="Purpose of the record.", zh="台账的用途。")
@option("--site", en="Site of the record.", zh="台账的站点。")
@option("--process", en="Process of the record.", zh="台账的工序。")
@option("--note", en="Number of the record.", zh="台账的单号。")
@option("--value", type=float, en="Value of the record.", zh="台账的数值。")
@option("--reason", required=True, en="Why.", zh="理由。")
@BY
@with_effect_options
def command(context: click.Context, plant: str, meter: str | None, quantity: str | None, start: str, end: str | None,
            item: str | None, purpose: str | None, site: str | None, process: str | None, note: str | None,
            value: float | None, reason: str, by: str | None, rulebooks: tuple[str, ...], period: str | None, commit: bool,
            as_json: bool, lang: str | None, quiet: bool) -> None:  # fmt: skip
    """Makes the draft, shows its effect, commits it."""
    from celadon.plant.facade import open_plant

    session = Session(context, as_json, lang, quiet)
    given = {
        "meter": meter, "quantity": quantity, "item": item, "purpose": purpose, "site": site, "process": process, "note": note,
        "value": value, "start": start, "end": end, "reason": reason, "by": whoever(by), "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}",
    }  # fmt: skip
    with open_plant(plant) as opened:
        draft = opened.draft_exclusion({name: word for name, word in given.items() if word is not None})
        finish(session, opened, draft, rulebooks, period, commit)
