"""`celadon new DIR`."""

from __future__ import annotations

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import option
from celadon.cli.session import Session


@make_command(
    "new",
    en="Write a commented plant file with sample data into DIR; it works as it stands, and nothing is overwritten.",
    zh="在 DIR 中生成带注释的工厂文件与样例数据；可直接运行，不覆盖任何已有文件。",
)
@click.argument("directory", metavar="DIR", type=click.Path())
@option(
    "--example",
    type=click.Choice(["foundry", "cement_works"]),
    default="foundry",
    show_default=True,
    en="foundry: commented, to start from; cement_works: one set of facts under five rulebooks.",
    zh="foundry：带注释的起步样例；cement_works：同一套数据、五套规则。",
)
def command(
    context: click.Context, directory: str, example: str, as_json: bool, lang: str | None, quiet: bool
) -> None:
    """Writes the template, or the example."""
    from celadon.examples import cement_works
    from celadon.plant.new import new_plant

    session = Session(context, as_json, lang, quiet)
    texts = cement_works.texts() if example == "cement_works" else None
    made = new_plant(directory, session.lang, texts)
    following = [f"celadon {verb} {directory}" for verb in ("check", "load", "balance")]
    period = "2025" if example == "cement_works" else "2024"
    following.append(f"celadon account {directory} --rulebook cn_gbt_2589_2020 --period {period}")
    zh = session.lang == "zh"
    lines = [
        ("已写入：" if zh else "Written:"),
        *(f"  {path.as_posix()}" for path in made.files),
        ("接下来：" if zh else "Next:"),
        *(f"  {line}" for line in following),
    ]
    session.finish(
        "new/1", made.to_json(), lambda out: out.print("\n".join(lines), markup=False, soft_wrap=True)
    )
