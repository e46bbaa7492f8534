"""`celadon explain PLANT QUANTITY --rulebook ID --period P`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import option, pairs, plant_argument
from celadon.cli.session import Session

if TYPE_CHECKING:
    from celadon.engine.trace import Trace


@make_command(
    "explain",
    en="One number of PLANT: its formula, clause, factor rows and the file lines its readings came from.",
    zh="解释 PLANT 的一个数值：公式、条款、因子行，以及读数所在的文件行。",
)
@plant_argument
@click.argument("quantity")
@option(
    "--rulebook", "-r", required=True, en="Id of a rulebook, or the folder of one.", zh="规则册编号或文件夹。"
)
@option(
    "--period",
    "-p",
    required=True,
    en="2018, 2018-03, 2018-03-05, 2018-03-05T14:00 …",
    zh="2018、2018-03、2018-03-05、2018-03-05T14:00 等。",
)
@option("--site", en="The site.", zh="场所。")
@option("--process", en="The process.", zh="工序。")
@option("--meter", en="The meter.", zh="计量点。")
@option("--carrier", en="The energy carrier.", zh="能源品种。")
@option("--product", en="The product.", zh="产品。")
@option(
    "--key",
    "keys",
    multiple=True,
    callback=pairs,
    en="Another key of the quantity, name=value.",
    zh="指标的其他键，名称=取值。",
)
@option(
    "--option",
    "-o",
    "options",
    multiple=True,
    callback=pairs,
    en="A choice the rulebook leaves open, name=value.",
    zh="规则册选项 名称=取值。",
)
@option("--as-of", en="What was known then.", zh="以该时刻已知的数据为准。")
@option(
    "--depth",
    type=click.IntRange(0),
    en="How many levels to print; all by default.",
    zh="显示层数；缺省为全部。",
)
@option(
    "--uncertainty",
    is_flag=True,
    en="How wide every value is (95 %), and what that comes from.",
    zh="给出每个数值的不确定度（95%）及其来源。",
)
def command(context: click.Context, plant: str, quantity: str, rulebook: str, period: str, site: str | None, process: str | None,
            meter: str | None, carrier: str | None, product: str | None, keys: dict[str, str], options: dict[str, str],
            as_of: str | None, depth: int | None, uncertainty: bool, as_json: bool, lang: str | None, quiet: bool) -> None:  # fmt: skip
    """Prints the trace of one cell."""
    from celadon.plant.facade import open_plant
    from celadon.region.facade import open_region
    from celadon.region.reader import is_region

    session = Session(context, as_json, lang, quiet)
    named = {"site": site, "process": process, "meter": meter, "carrier": carrier, "product": product}
    where = {name: word for name, word in named.items() if word} | keys
    if is_region(plant):
        with open_region(plant) as region:
            trace = region.explain(quantity, rulebook, period, where=where, options=options, as_of=as_of)
        _print(session, trace, depth)
        return
    with open_plant(plant) as opened:
        trace = opened.explain(
            quantity, rulebook, period, where=where, options=options, as_of=as_of, lang=session.lang,
            uncertainty=uncertainty,
        )  # fmt: skip
    _print(session, trace, depth)


def _print(session: Session, trace: Trace, depth: int | None) -> None:
    body = trace.to_json()
    session.finish(
        body.pop("shape"),
        body,
        lambda out: out.print(trace.render(session.lang, depth), markup=False, soft_wrap=True),
        trace.findings,
    )
