"""`celadon triage PLANT [list | accept ID | reopen ID]`: findings, and what was decided about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import option, plant_argument
from celadon.cli.drafted import BY, whoever
from celadon.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from celadon.plant.triage import Judged

_SHOWN = 100


@make_command(
    "triage",
    en="Findings of PLANT in a period, with what was decided about each.\n\naccept ID: it may stay, with the --reason. reopen ID: it may "
    "not. Correct with `enter` or `quarantine`, leave out with `exclude`.",
    zh="PLANT 某期间的问题及其处理决定。\n\naccept ID：可保持现状，须写 --reason。reopen ID：重新打开。更正用 `enter` 或 `quarantine`，排除用 `exclude`。",
)
@plant_argument
@click.argument("action", type=click.Choice(["list", "accept", "reopen"]), default="list")
@click.argument("ident", metavar="ID", required=False)
@option("--period", "-p", required=True, en="Period whose accounts are looked at.", zh="查看哪个期间的核算。")
@option(
    "--rulebook",
    "rulebooks",
    multiple=True,
    en="Rulebook; the usual ones by default.",
    zh="规则册；默认为常用规则册。",
)
@option("--reason", default="", en="Why it may stay.", zh="可保持现状的理由。")
@BY
def command(context: click.Context, plant: str, action: str, ident: str | None, period: str, rulebooks: tuple[str, ...], reason: str,
            by: str | None, as_json: bool, lang: str | None, quiet: bool) -> None:  # fmt: skip
    """Lists or decides."""
    from celadon.plant.facade import open_plant

    session = Session(context, as_json, lang, quiet)
    if action != "list" and ident is None:
        raise click.MissingParameter(param_hint="ID", param_type="argument", ctx=context)
    with open_plant(plant) as opened:
        if action != "list" and ident is not None:
            opened.decide(ident, action, whoever(by), reason, period, rulebooks)
        found = opened.triage(period, rulebooks)
        body = {"period": period, "judged": [one.to_json() for one in found]}
        session.finish("triage/1", body, lambda out: _print(out, found, session))


def _print(console: Console, found: list[Judged], session: Session) -> None:
    from rich.markup import escape

    from celadon.cli.show import table
    from celadon.core.findings import SEVERITY_TEXT

    zh = session.lang == "zh"
    if not found:
        console.print("没有发现问题。" if zh else "Nothing was found.", style="green")
        return
    heads = ("编号", "程度", "位置", "内容", "决定") if zh else ("id", "severity", "place", "what", "decided")
    made = table("问题" if zh else "Findings", [(name, False) for name in heads])
    for one in found[:_SHOWN]:
        last = one.decisions[-1] if one.decisions else None
        word = {"accept": "接受" if zh else "accepted", "reopen": "重新打开" if zh else "reopened"}
        said = f"{word[last.action]}: {last.reason} ({last.by}, {last.at:%Y-%m-%d})" if last else ""
        made.add_row(
            one.id, SEVERITY_TEXT[one.finding.severity].say(session.lang), escape(str(one.finding.where)),
            escape(one.finding.says(session.lang)), escape(said),
        )  # fmt: skip
    console.print(made)
    if len(found) > _SHOWN:
        console.print(f"… {len(found) - _SHOWN:,}")
