"""`celadon verify PLANT|REGION`, `celadon verify FILING.zip`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import option
from celadon.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from celadon.core.text import Lang, Text
    from celadon.proof.checking import Verification
    from celadon.proof.reports import FiledReport

_SHOWN = 400


@make_command(
    "verify",
    en="Check a filing's file: digests, signature, sums, and every figure computed anew from the file alone. Of a plant or region: compare "
    "every stored segment with its digest.",
    zh="核验申报包：摘要、签名、合计，并仅凭该文件重算每个数值。对工厂或区域：逐段核对存储与其摘要。",
)
@click.argument("target", metavar="FILING|PLANT|REGION", type=click.Path())
@option(
    "--key",
    en="The verifier key (or a file of it) that the filing must be signed with.",
    zh="申报包必须使用的验证密钥（或其文件）。",
)
@option(
    "--proof",
    type=click.Path(exists=True, dir_okay=False),
    en="The filing's .tlog-proof: that it is in the log.",
    zh="该申报的 .tlog-proof：证明其已入日志。",
)
@option(
    "--head",
    type=click.Path(exists=True, dir_okay=False),
    en="A head of the firm's log that you kept: the proof must be of the same log.",
    zh="您保存的企业日志头：证明须属于同一日志。",
)
@option(
    "--revoked",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    en="A note that withdraws a key, as `celadon keys revoke` writes it; repeatable. Those in your folder of keys count anyhow.",
    zh="撤销密钥的声明（由 `celadon keys revoke` 写出）；可重复。您密钥文件夹中的声明始终有效。",
)
@option(
    "--report",
    type=click.Path(exists=True, dir_okay=False),
    en="A report that somebody handed over: it must be one of those in the filing, byte for byte.",
    zh="收到的报告文件：须与申报包内的某份报告逐字节相同。",
)
def command(context: click.Context, target: str, key: str | None, proof: str | None, head: str | None,
            revoked: tuple[str, ...], report: str | None, as_json: bool, lang: str | None, quiet: bool) -> None:  # fmt: skip
    """Exits 1 where something is damaged, or comes out different."""
    session = Session(context, as_json, lang, quiet)
    if Path(target).suffix.lower() == ".zip":
        if head and not proof:
            raise click.UsageError("--head: --proof", context)
        _verify_filing(session, target, key, proof, report, head, revoked)
        return
    if key or proof or report or head or revoked:
        raise click.UsageError("--key, --proof, --head, --revoked, --report: FILING.zip", context)
    _verify_store(session, target)


def _verify_store(session: Session, path: str) -> None:
    from celadon.region.upkeep import verify

    zh = session.lang == "zh"
    with session.progress("核验" if zh else "verifying") as progress:
        done = verify(path, progress)
    count, size = f"{done.segments_after:,}", f"{done.bytes_after:,}"
    said = (
        f"数据段 {count}，字节 {size}，批次 {done.batches}"
        if zh
        else f"{count} segments, {size} bytes, {done.batches} batches"
    )
    good = ("全部与写入时一致" if zh else "all as they were written") if not done.findings else ""
    session.finish(
        "verify/1",
        done.to_json(),
        lambda out: out.print(f"{said}  [green]{good}[/green]"),
        done.findings,
        brief=False,
    )


def _verify_filing(
    session: Session,
    file: str,
    key: str | None,
    proof: str | None,
    report: str | None,
    head: str | None,
    revoked: tuple[str, ...],
) -> None:
    from celadon.proof.checking import verifier_key, verify
    from celadon.proof.key_folder import key_notes

    notes = [*key_notes(), *(Path(one).read_bytes() for one in revoked)]
    with session.progress("核验" if session.lang == "zh" else "verifying"):
        found = verify(file, verifier_key(key) if key else None, proof, report, head=head, revoked=notes)
    session.finish(
        "filing-verification/1",
        found.to_json(),
        lambda out: print_verification(out, found, session.lang),
        found.findings,
        brief=False,
    )


def print_verification(console: Console, found: Verification, lang: Lang) -> None:
    """Each figure as filed and as computed anew."""
    from rich.markup import escape

    from celadon.cli.show import number, table

    zh = lang == "zh"
    if found.request:
        book, name = found.request["rulebook"], found.request["enterprise"]["name"]
        cited = book.get("document_label") or {lang: book["document"]}  # older filings cite in English alone
        head = f"{name[lang]}  {cited[lang]}  {found.request['period']}"
        console.print(f"[bold]{escape(head)}[/bold]  {found.id[:12]}")
    names = (
        ("指标", "位置", "期间", "申报值", "重算值", "单位", "")
        if zh
        else ("quantity", "place", "period", "filed", "computed", "unit", "")
    )
    made = table("", [(text, index in (3, 4)) for index, text in enumerate(names)])
    equal, different = ("相同", "不同") if zh else ("equal", "different")
    for figure in found.figures[:_SHOWN]:
        cell = figure.cell
        label = figure.label.say(lang) + (f" [{cell['item']}]" if cell["item"] else "")
        mark = f"[green]{equal}[/green]" if figure.equal else f"[red]{different}[/red]"
        place = cell["meter"] or cell["process"] or cell["site"]
        made.add_row(
            escape(label),
            place,
            cell["period"],
            number(figure.filed),
            number(figure.computed),
            figure.unit,
            mark,
        )
    if found.figures:
        console.print(made)
    if len(found.figures) > _SHOWN:
        console.print(f"… {len(found.figures) - _SHOWN:,}")
    same = sum(figure.equal for figure in found.figures)
    console.print(f"{same}/{len(found.figures)} {equal}")
    if (raw := found.raw) is not None:
        said = (
            f"并由 {raw.readings:,} 条读数、{raw.records:,} 条台账重算了各项数据"
            if zh
            else f"The facts were made anew from {raw.readings:,} readings and {raw.records:,} records"
        )
        console.print(said)
    for report in found.reports:
        console.print(f"[bold]{escape(report.file)}[/bold]  sha256 {report.sha256}", soft_wrap=True)
        console.print(f"  {_of_report(report).say(lang)}")


def _of_report(report: FiledReport) -> Text:
    """What was found of a filed report."""
    from celadon.core.text import Text

    if report.equal is None or report.different is None:
        return Text("part of the filing, byte for byte", "属于该申报，逐字节一致")
    done = f"{report.equal}/{report.equal + report.different}"
    more = Text("", "")
    if report.other:
        more = Text(
            f"; {report.other} of another rulebook or a finer place",
            f"；另 {report.other} 个属其他规则册或更细位置",
        )
    return Text(
        f"part of the filing; {done} figures computed anew are the same{more.en}",
        f"属于该申报；{done} 个数值重算相同{more.zh}",
    )
