"""`celadon history PLANT`: everything that was ever said of a reading or a record, by both clocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import option, plant_argument
from celadon.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from celadon.plant.history import Told

_SHOWN = 200
_STATUS = {
    "in_force": ("in force", "现行"),
    "replaced": ("replaced", "已被替换"),
    "excluded": ("excluded", "不计入"),
    "withdrawn": ("withdrawn", "已撤回"),
}


@make_command(
    "history",
    en="Everything ever said of PLANT's records (--quantity, --item …) or of a meter's readings (--meter): when it applies, when it was "
    "recorded, by which file and line, and what is in force.",
    zh="PLANT 台账（--quantity、--item 等）或计量点读数（--meter）的全部历史：适用时间、记录时间、文件与行，以及现行版本。",
)
@plant_argument
@option(
    "--period",
    "-p",
    en="Period the facts apply to; all of them without it.",
    zh="事实适用的期间；省略为全部。",
)
@option("--meter", en="Readings of this meter.", zh="该计量点的读数。")
@option("--quantity", en="Records of this quantity.", zh="该量的台账。")
@option("--item", en="Of this carrier, product …", zh="该品种、产品等。")
@option("--site", en="At this site.", zh="该站点。")
@option("--process", en="Of this process.", zh="该工序。")
@option("--note", en="With this number.", zh="该单号。")
@option("--as-of", "as_of", en="As known then.", zh="截至当时所知。")
def command(context: click.Context, plant: str, period: str | None, meter: str | None, quantity: str | None, item: str | None,
            site: str | None, process: str | None, note: str | None, as_of: str | None, as_json: bool, lang: str | None,
            quiet: bool) -> None:  # fmt: skip
    """Lists versions."""
    from celadon.plant.facade import open_plant

    session = Session(context, as_json, lang, quiet)
    given = {"quantity": quantity, "item": item, "site": site, "process": process, "note": note}
    words = {name: word for name, word in given.items() if word is not None}
    if meter is not None and (words or period is None):
        hint = "--period" if period is None else f"--{next(iter(words))}"
        raise click.UsageError(f"--meter: {hint}", context)
    with open_plant(plant) as opened:
        found = opened.history(period, meter=meter, as_of=as_of, **words)
        session.finish(
            "history/1", {"facts": [one.to_json() for one in found]}, lambda out: _print(out, found, session)
        )


def _print(console: Console, found: list[Told], session: Session) -> None:
    from rich.markup import escape

    from celadon.cli.show import table

    zh = session.lang == "zh"
    heads = ("事实", "适用", "记录于", "数值", "状态", "位置", "何人、理由") if zh else (
        "fact", "applies", "recorded", "value", "status", "place", "who, why")  # fmt: skip
    made = table("历史" if zh else "History", [(name, number == 3) for number, name in enumerate(heads)])
    rows = [(told, version) for told in found for version in told.versions]
    for told, version in rows[:_SHOWN]:
        mark, out = version.mark, version.excluded
        who = f"{mark.by}: {mark.reason}" if mark else f"{out.by}: {out.reason}" if out else ""
        value = "" if version.value is None else f"{version.value:,.10g} {version.unit}"
        made.add_row(
            escape(" ".join(told.what.values())), f"{told.start:%Y-%m-%d %H:%M}Z", f"{version.recorded_at:%Y-%m-%d %H:%M}Z",
            value, _STATUS[version.status][zh], escape(f"{version.file}:{version.line}"), escape(who),
        )  # fmt: skip
    console.print(made)
    if len(rows) > _SHOWN:
        console.print(f"… {len(rows) - _SHOWN:,}")
