"""`celadon new-rulebook DIR`."""

from __future__ import annotations

from pathlib import Path

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import option
from celadon.cli.session import Session


@make_command(
    "new-rulebook",
    en="Write a commented rulebook into DIR: valid as it stands, with one case that passes; nothing is overwritten.\n\n"
    "docs/adding-a-standard.md goes on from there.",
    zh="在 DIR 中生成带注释的规则册：可直接通过检查与算例，不覆盖任何已有文件。\n\n后续步骤见 docs/adding-a-standard.md。",
)
@click.argument("directory", metavar="DIR", type=click.Path())
@option(
    "--id",
    "ident",
    en="The rulebook's id; the default is the folder's name.",
    zh="规则册编号；缺省为文件夹名。",
)
@option("--number", default="S 1-2024", show_default=True, en="Number of the document.", zh="标准编号。")
@option("--title", en="Its title; the default is its number.", zh="标准名称；缺省为编号。")
def command(context: click.Context, directory: str, ident: str | None, number: str, title: str | None, as_json: bool,
            lang: str | None, quiet: bool) -> None:  # fmt: skip
    """Writes the folder."""
    from celadon.rules.scaffold import new_rulebook

    session = Session(context, as_json, lang, quiet)
    folder = Path(directory)
    files = [path.as_posix() for path in new_rulebook(folder, ident, number, title or number, session.lang)]
    shown = (
        folder.as_posix() if folder.is_absolute() or directory.startswith(".") else f"./{folder.as_posix()}"
    )
    zh = session.lang == "zh"
    lines = [
        ("已写入：" if zh else "Written:"),
        *(f"  {name}" for name in files),
        ("接下来：" if zh else "Next:"),
        *(f"  celadon {verb} {shown}" for verb in ("rulebooks", "test", "publish")),
    ]
    body = {"folder": folder.as_posix(), "files": files}
    session.finish("new/1", body, lambda out: out.print("\n".join(lines), markup=False, soft_wrap=True))
