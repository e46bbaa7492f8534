"""`celadon publish RULEBOOK`."""

from __future__ import annotations

import click

from celadon.cli.base import command as make_command
from celadon.cli.session import Session


@make_command(
    "publish",
    en="Seal the table rows of RULEBOOK (a folder): from now on a sealed row is not edited, only followed by a later one.\n\n"
    "Writes published.lock into the folder; refuses where a sealed row was changed.",
    zh="封存 RULEBOOK（文件夹）的因子表行：此后封存的行不得修改，只能另加较晚发布的行。\n\n"
    "在文件夹中写入 published.lock；若已封存的行被更改则拒绝。",
)
@click.argument("rulebook")
def command(context: click.Context, rulebook: str, as_json: bool, lang: str | None, quiet: bool) -> None:
    """Seals, and says how many rows are new."""
    from celadon.core.findings import FindingError
    from celadon.rules.check import check_rulebook
    from celadon.rules.rulebook import load_rulebook

    session = Session(context, as_json, lang, quiet)
    book = load_rulebook(rulebook)
    errors = check_rulebook(book).errors
    if errors:
        raise FindingError(errors)
    done = book.publish()
    tables = [{"table": name, "rows": count, "added": done.added[name]} for name, count in done.rows.items()]
    new, every = sum(done.added.values()), sum(done.rows.values())
    said = (
        f"{book.id}：新封存 {new} 行，共 {every} 行"
        if session.lang == "zh"
        else f"{book.id}: {new} rows sealed, {every} in all"
    )
    session.finish(
        "publish/1", {"rulebook": book.id, "tables": tables}, lambda out: out.print(said, markup=False)
    )
