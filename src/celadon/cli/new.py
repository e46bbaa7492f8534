"""`celadon new DIR`."""

from __future__ import annotations

import click

from celadon.cli.base import command as make_command
from celadon.cli.session import Session


@make_command(
    "new",
    en="Write a commented plant file with sample data into DIR; it works as it stands, and nothing is overwritten.",
    zh="在 DIR 中生成带注释的工厂文件与样例数据；可直接运行，不覆盖任何已有文件。",
)
@click.argument("directory", metavar="DIR", type=click.Path())
def command(context: click.Context, directory: str, as_json: bool, lang: str | None, quiet: bool) -> None:
    """Writes the template."""
    from celadon.plant.new import new_plant

    session = Session(context, as_json, lang, quiet)
    made = new_plant(directory, session.lang)
    following = [f"celadon {verb} {directory}" for verb in ("check", "load", "balance")]
    following.append(f"celadon account {directory} --rulebook cn_gbt_2589_2020 --period 2024")
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
