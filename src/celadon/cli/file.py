"""`celadon file PLANT --rulebook ID --period P`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import option, plant_argument, question_options
from celadon.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from celadon.core.text import Lang
    from celadon.plant.account import Question
    from celadon.plant.facade import Plant
    from celadon.proof.filing import Filing


@make_command(
    "file",
    en="Freeze a period of PLANT under a rulebook: a signed package with facts, factors, rulebook and results, entered in the log.",
    zh="按规则册冻结 PLANT 的一个期间：生成含数据、因子、规则册与结果的签名申报包，并记入日志。",
)
@plant_argument
@question_options
@option(
    "--by",
    type=click.Choice(["enterprise", "site", "process", "meter"]),
    default="site",
    en="How fine in place (site).",
    zh="空间粒度（缺省为 site）。",
)
@option(
    "--readings",
    is_flag=True,
    en="File the readings and records behind the facts too, so that whoever checks computes from the meters' lines.",
    zh="一并申报数据背后的读数与台账，使核验方可由计量点的读数行重算。",
)
@option(
    "--report",
    "reports",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    en="A report to file with it; repeatable.",
    zh="随附的报告文件；可重复。",
)
@option(
    "--with",
    "kinds",
    multiple=True,
    type=click.Choice(["energy-carbon", "evidence", "cbam", "quota"]),
    en="Write this report (see `celadon report`) as PDF and workbook, and file it; repeatable.",
    zh="生成该报告（见 `celadon report`）的 PDF 与工作簿并一同申报；可重复。",
)
@option(
    "--key",
    default="celadon",
    en="Name of the key to sign with (see `celadon keys`).",
    zh="签名密钥的名称（见 `celadon keys`）。",
)
@option(
    "--output",
    type=click.Path(dir_okay=False),
    en="Also write the package here, and its proof beside it.",
    zh="另将申报包写到此处，证明文件写在其旁。",
)
def command(context: click.Context, plant: str, rulebook: str, period: str, by: str, quantities: tuple[str, ...],
            options: dict[str, str], as_of: str | None, readings: bool, reports: tuple[str, ...],
            kinds: tuple[str, ...], key: str, output: str | None,
            as_json: bool, lang: str | None, quiet: bool) -> None:  # fmt: skip
    """Exits 1 where nothing was filed."""
    from celadon.plant.account import Question
    from celadon.plant.facade import open_plant, space_of
    from celadon.plant.opened import open_file
    from celadon.proof import keys
    from celadon.proof.filing import Asked, file_period
    from celadon.proof.log import Filings

    session = Session(context, as_json, lang, quiet)
    question = Question(period, space_of(by), None, quantities, options)
    attached = {Path(name).name: Path(name).read_bytes() for name in reports}
    opened, signer = open_file(plant), keys.load(key)
    opened.sound()
    with session.progress("申报" if session.lang == "zh" else "filing") as progress:
        if kinds:
            with open_plant(plant) as asked:
                # Reports and filing tell of the same facts, whatever is loaded meanwhile.
                as_of = as_of or _newest(asked)
                attached |= _reports(asked, kinds, rulebook, question, as_of, session.lang)
        found = file_period(opened, Asked(rulebook, question, as_of, attached, readings), signer, progress)
    if output:
        target = Path(output)
        target.write_bytes(found.package.read_bytes())
        proof = Filings(opened.store_path).proof(found.entry)
        target.with_suffix(".tlog-proof").write_bytes(proof)
    session.finish(
        "filing/1",
        {**found.to_json(), "output": output, "account": found.account.to_json()},
        lambda out: print_filing(out, found, session.lang),
        found.findings,
    )


def _newest(plant: Plant) -> str | None:
    moment = plant.view().snapshot.recorded_at
    return moment.isoformat() if moment else None


def _reports(
    plant: Plant, kinds: tuple[str, ...], rulebook: str, question: Question, as_of: str | None, lang: Lang
) -> dict[str, bytes]:
    from celadon.cli.report import NOT_INSTALLED
    from celadon.core.findings import FindingError

    try:
        from celadon.reports import attached, gather
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("celadon"):
            raise
        raise FindingError(NOT_INSTALLED.at(package=error.name or "?")) from error
    asked = gather.Asked(question.period, (rulebook,), question.options or {}, as_of)
    return attached.files(plant, kinds, asked, lang)


def print_filing(console: Console, found: Filing, lang: Lang) -> None:
    """The figures, then what was filed and how it is checked."""
    from celadon.cli.account import print_account

    print_account(console, found.account, lang)
    entry, zh = found.entry, lang == "zh"
    head = (
        f"申报 {entry.id[:12]}，日志第 {entry.index} 条"
        if zh
        else f"Filing {entry.id[:12]}, entry {entry.index} of the log"
    )
    console.print(f"[bold]{head}[/bold]  {entry.body['filed_at']}")
    console.print(str(found.package), markup=False, soft_wrap=True)
    console.print(f"  {'密钥' if zh else 'key'} {entry.body['key']}", markup=False, soft_wrap=True)
    how = "核验" if zh else "Anybody checks it with"
    console.print(f"  {how} celadon verify FILE --key KEY", markup=False)
