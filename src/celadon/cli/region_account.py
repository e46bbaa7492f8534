"""`account` of a region."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import click

from celadon.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from celadon.region.account import RegionAccount

_ROWS_SHOWN = 400
_ROWS_IN_JSON = 100_000


def account_region(
    session: Session, path: str, rulebook: str, period: str, by: str, per: str | None, quantities: Sequence[str],
    options: Mapping[str, str], as_of: str | None, factors_as_of: date | None, output: str | None, as_csv: bool,
    engine: str | None,
) -> None:  # fmt: skip
    """Answer one question under one rulebook for groups of enterprises."""
    from celadon.region.facade import open_region

    bar = "核算" if session.lang == "zh" else "accounting"
    with open_region(path) as region, session.progress(bar) as progress:
        if output is not None:
            rows, findings = region.write(
                output, rulebook, period, by=by, per=per, quantities=quantities, options=options, as_of=as_of,
                factors_as_of=factors_as_of, engine=engine, progress=progress,
            )  # fmt: skip
            said = f"{output}：{rows:,} 行" if session.lang == "zh" else f"{output}: {rows:,} rows"
            session.finish(
                "region-account-file/1",
                {"file": output, "rows": rows},
                lambda out: out.print(said, markup=False),
                findings,
            )
            return
        most = _ROWS_IN_JSON if session.as_json or as_csv else _ROWS_SHOWN
        found = region.account(
            rulebook, period, by=by, per=per, quantities=quantities, options=options, as_of=as_of,
            factors_as_of=factors_as_of, most=most, engine=engine, progress=progress,
        )  # fmt: skip
    if as_csv and not session.as_json:
        click.echo(_csv(found), nl=False)
        session.end(found.findings)
        return
    session.finish(
        "region-account/1", found.to_json(), lambda out: print_account(out, found, session), found.findings
    )


def _csv(found: RegionAccount) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*found.by, "period", "quantity", "item", "purpose", "value", "unit", "coverage"])
    for row in found.rows:
        writer.writerow(
            [*row.group, row.label, row.quantity, row.item, row.purpose, row.value, row.unit, row.coverage]
        )
    return out.getvalue()


def print_account(console: Console, found: RegionAccount, session: Session) -> None:
    """A row per quantity, group and period."""
    from rich.markup import escape

    from celadon.cli.show import number, share, table
    from celadon.cli.words import word

    zh, lang = session.lang == "zh", session.lang
    title = (
        f"{found.book.document.cited.say(lang)}  {found.request.period.label}  "
        + (f"{found.enterprises:,} 家企业" if zh else f"{found.enterprises:,} enterprises")
    )  # fmt: skip
    columns = [(word("quantity", lang), False), *((name, False) for name in found.by)]
    columns += [(word("period", lang), False)] if found.request.time else []
    columns += [(word("value", lang), True), (word("unit", lang), False), (word("coverage", lang), True)]
    made = table(title, columns)
    before = ""
    for row in found.rows[:_ROWS_SHOWN]:
        label = found.book.label(row.quantity).say(lang) + (f" [{row.item}]" if row.item else "")
        groups = [
            f"{code} {name.say(lang)}" if name.say(lang) != code else code
            for code, name in zip(row.group, row.names, strict=True)
        ]
        period = [row.label] if found.request.time else []
        made.add_row(
            escape(label if label != before else ""),
            *(escape(group) for group in groups),
            *period,
            number(row.value),
            row.unit,
            share(row.coverage, blank_at=1.0),
        )
        before = label
    console.print(made)
    if found.total > len(found.rows):
        more = found.total - len(found.rows)
        console.print(
            f"另有 {more:,} 行：用 --output 写入文件"
            if zh
            else f"{more:,} more rows: --output writes them to a file",
            style="dim",
        )
