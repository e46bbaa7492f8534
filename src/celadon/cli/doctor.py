"""`celadon doctor PLANT|REGION|STORE`."""

from __future__ import annotations

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import option
from celadon.cli.session import Session


@make_command(
    "doctor",
    en="Look at the store of a plant or region (or at a store's folder) and name what is damaged, left behind or contradictory.",
    zh="检查工厂或区域的存储（或某个存储目录），指出损坏、遗留或自相矛盾之处。",
)
@click.argument("path", type=click.Path(), metavar="PLANT|REGION|STORE")
@option(
    "--deep",
    is_flag=True,
    en="Derive all of the stored ledger again and compare, and read every row of every segment.",
    zh="重新推导全部已存台账并比较，读取每个数据段的每一行。",
)
@option(
    "--repair",
    is_flag=True,
    en="Mend what is safe: remove files of no batch, derive damaged ledger again. Facts are never removed.",
    zh="修复可安全修复之处：删除不属于任何批次的文件，重新推导损坏的台账。绝不删除数据。",
)
@option(
    "--from",
    "backup",
    type=click.Path(),
    metavar="BACKUP",
    en="With --repair: put damaged and missing segments back from this backup.",
    zh="与 --repair 同用：从该备份恢复损坏或缺失的数据段。",
)
def command(
    context: click.Context,
    path: str,
    deep: bool,
    repair: bool,
    backup: str | None,
    as_json: bool,
    lang: str | None,
    quiet: bool,
) -> None:
    """Exits 1 where something is damaged still."""
    from celadon.region.doctor import examine

    session = Session(context, as_json, lang, quiet)
    zh = session.lang == "zh"
    if backup is not None and not repair:
        raise click.UsageError("--from 须与 --repair 同用" if zh else "--from goes with --repair", context)
    with session.progress("检查" if zh else "examining") as progress:
        done = examine(path, progress, deep=deep, repair=repair, backup=backup)
    looked = (
        f"{done.batches} 个批次，{done.segments:,} 个数据段，已存台账 {done.ledger_stored:,} 份，其中 {done.ledger_compared:,} 份与重新推导的结果比较"
        if zh
        else f"{done.batches} batches, {done.segments:,} segments; {done.ledger_compared:,} of {done.ledger_stored:,} stored ledger parts "
        "compared with a fresh derivation"
    )
    mended = done.mended
    said = "" if mended is None else (
        f"修复：删除 {mended.removed} 项，恢复数据段 {mended.put_back} 个，重新推导台账 {done.ledger_derived} 份"
        if zh
        else f"mended: {mended.removed} things removed, {mended.put_back} segments put back, {done.ledger_derived} ledger parts derived"
    )  # fmt: skip
    good = "" if done.findings else ("一切正常" if zh else "all is well")
    lines = [line for line in (looked, said, f"[green]{good}[/green]" if good else "") if line]
    session.finish(
        "doctor/1", done.to_json(), lambda out: out.print("\n".join(lines)), done.findings, brief=False
    )
