"""`celadon guess PLANT FILE`: how an unknown file could be read, with reasons; added to the plant file only when asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import option, pairs, plant_argument
from celadon.cli.drafted import finish, with_effect_options
from celadon.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from celadon.plant.guessing import Tried


@make_command(
    "guess",
    en="Guess how FILE reads as a source of PLANT: every setting with its reason and alternatives, and how many rows would be read.\n\n"
    "Nothing is applied. --set KEY=VALUE corrects a guess; --add shows what adding the file changes, and adds it with --commit.",
    zh="推测 FILE 作为 PLANT 数据源的读法：每项设置附理由与备选，并给出可读取的行数。\n\n"
    "不作任何更改。--set 键=值 更正推测；--add 显示加入该文件的影响，加 --commit 提交。",
)
@plant_argument
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@option(
    "--set", "answers", multiple=True, callback=pairs, metavar="KEY=VALUE",
    en="A setting you know better: time.format=%d/%m/%Y, wide.HEADER=METER; repeatable.",
    zh="您更清楚的设置：time.format=%d/%m/%Y、wide.表头=表计；可重复。",
)  # fmt: skip
@option(
    "--name",
    en="Name the file gets in the plant's folder; one that is free by default.",
    zh="文件在工厂文件夹中的名称；默认取未占用的名称。",
)
@option(
    "--add", "add", is_flag=True, en="Go on to what adding the file changes.", zh="继续显示加入该文件的影响。"
)
@with_effect_options
def command(context: click.Context, plant: str, file: str, answers: dict[str, str], name: str | None, add: bool,
            rulebooks: tuple[str, ...], period: str | None, commit: bool, as_json: bool, lang: str | None, quiet: bool) -> None:  # fmt: skip
    """Guesses, shows, adds."""
    from celadon.core.findings import FindingError
    from celadon.plant.facade import open_plant
    from celadon.store.scratch import Scratch

    session = Session(context, as_json, lang, quiet)
    path = Path(file)
    with open_plant(plant) as opened:
        tried = opened.guess(path, name, answers)
        if not add:
            session.finish("guess/1", tried.to_json(), lambda out: show(out, tried, session), tried.findings)
            return
        if tried.guess.block is None or not tried.usable:
            raise FindingError(list(tried.findings))
        with Scratch() as scratch:
            staged = scratch.path / "staged"
            staged.write_bytes(path.read_bytes())
            draft = opened.draft_source(tried.guess.block, tried.guess.name, staged)
            finish(session, opened, draft, rulebooks, period, commit)


def show(console: Console, tried: Tried, session: Session) -> None:
    """The guess for people: what to look at first, then the block and what it would read."""
    from rich.markup import escape

    from celadon.cli.show import table

    zh = session.lang == "zh"
    heads = ("", "设置", "取值", "理由", "备选") if zh else ("", "setting", "value", "why", "could be")
    made = table(("推测" if zh else "Guess") + f": {tried.guess.name}", [(name, False) for name in heads])
    for choice in sorted(tried.guess.choices, key=lambda one: one.sure):
        others = ", ".join(other.value or "–" for other in choice.others[:4])
        cells = (choice.key, choice.value or "–", choice.why.say(session.lang), others)
        made.add_row("✓" if choice.sure else "?", *(escape(cell) for cell in cells))
    console.print(made)
    if tried.text:
        console.print(tried.text, markup=False)
    span = f", {tried.first} … {tried.last}" if tried.first else ""
    said = (
        f"可读取 {tried.good:,} 条{span}；拒收 {tried.bad:,} 条"
        if zh
        else f"{tried.good:,} would be read{span}; {tried.bad:,} refused"
    )
    console.print(said, markup=False)
    console.print("尚未作任何更改。" if zh else "Nothing was changed.")
