"""`celadon report PLANT KIND --period P`."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import option, pairs, plant_argument
from celadon.cli.session import Session
from celadon.core.findings import FindingError, FindingKind, Severity
from celadon.core.text import Text

if TYPE_CHECKING:
    from celadon.reports.model import Report

NOT_INSTALLED = FindingKind(
    "report.not-installed",
    Severity.ERROR,
    Text("Reports are not installed", "未安装报告功能"),
    Text("The package {package} is missing, which sets reports.", "缺少排版所需的软件包 {package}。"),
    Text("Install it: pip install 'celadon[reports]'.", "请安装：pip install 'celadon[reports]'。"),
)
_KIND = click.Choice(["energy-carbon", "evidence", "cbam", "quota"])


@make_command(
    "report",
    en="Write a report of PLANT: energy-carbon (of a period), evidence (for the verifier), cbam (to a customer), quota (self-assessment).",
    zh="生成 PLANT 的报告：energy-carbon（能源与碳排放）、evidence（核查证据包）、cbam（致客户的隐含排放告知）、quota（限额与配额自评）。",
)
@plant_argument
@click.argument("kind", type=_KIND)
@option(
    "--period",
    "-p",
    required=True,
    en="2025, 2025-Q1, 2025-03, or from..to.",
    zh="2025、2025-Q1、2025-03 或 起..止。",
)
@option(
    "--rulebook",
    "-r",
    "rulebooks",
    multiple=True,
    en="Id or folder of a rulebook; repeatable. cbam and quota know theirs.",
    zh="规则册编号或文件夹；可重复。cbam 与 quota 有缺省规则册。",
)
@option(
    "--format",
    "form",
    type=click.Choice(["xlsx", "pdf"]),
    default="xlsx",
    show_default=True,
    en="A workbook with live formulas, or a typeset PDF.",
    zh="含可重算公式的工作簿，或排版 PDF。",
)
@option(
    "--out",
    type=click.Path(dir_okay=False),
    en="The file to write; named by kind and period otherwise.",
    zh="输出文件；缺省按类型与期间命名。",
)
@option(
    "--option",
    "-o",
    "options",
    multiple=True,
    callback=pairs,
    en="A choice a rulebook leaves open, name=value; repeatable.",
    zh="规则册选项 名称=取值；可重复。",
)
@option("--as-of", en="What was known then.", zh="以该时刻已知的数据为准。")
@option(
    "--address",
    default="",
    en="The console's page of traces of this plant, for links: https://host/plants/mill/explain.",
    zh="控制台溯源页地址，用于链接：https://host/plants/mill/explain。",
)
def command(context: click.Context, plant: str, kind: str, period: str, rulebooks: tuple[str, ...], form: str, out: str | None,
            options: dict[str, str], as_of: str | None, address: str, as_json: bool, lang: str | None, quiet: bool) -> None:  # fmt: skip
    """Writes one report."""
    from celadon.core.version import VERSION
    from celadon.plant.facade import open_plant

    session = Session(context, as_json, lang, quiet)
    try:
        from celadon.reports.gather import Asked
        from celadon.reports.write import make, write
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("celadon"):
            raise
        raise FindingError(NOT_INSTALLED.at(package=error.name or "?")) from error
    asked = Asked(period, rulebooks, options, as_of, address)
    with open_plant(plant) as opened, session.progress(kind) as progress:
        report = make(opened, kind, asked, session.lang, VERSION, progress)
    data = write(report, "pdf" if form == "pdf" else "xlsx", session.lang)
    path = Path(out or f"{kind}-{report.period}-{session.lang}.{form}")
    _replace(path, data)
    _tell(session, report, path, data, form)


def _replace(path: Path, data: bytes) -> None:
    """The whole file or none: whoever reads meanwhile sees the old one."""
    waiting = path.with_name(f".{path.name}.{os.getpid()}")
    waiting.write_bytes(data)
    waiting.replace(path)


def _tell(session: Session, report: Report, path: Path, data: bytes, form: str) -> None:
    digest = sha256(data).hexdigest()
    body = {
        "kind": report.kind,
        "format": form,
        "language": session.lang,
        "period": report.period,
        "file": path.as_posix(),
        "bytes": len(data),
        "sha256": digest,
        "figures": [
            {
                "trace": figure.question.id, "rulebook": figure.question.rulebook, "quantity": figure.question.quantity,
                "where": dict(figure.question.where), "value": figure.value, "unit": figure.unit, "coverage": figure.coverage,
                "recalled": figure.quality.recalled,
            }
            for figure in report.figures
        ],
    }  # fmt: skip
    absent = sum(1 for figure in report.figures if figure.value is None)
    said = Text(
        f"{path}: {len(data):,} bytes, sha256 {digest}; {len(report.figures)} figures, {absent} absent",
        f"{path}：{len(data):,} 字节，sha256 {digest}；{len(report.figures)} 个指标，缺失 {absent} 个",
    )
    session.finish(
        "report/1",
        body,
        lambda out: out.print(said.say(session.lang), markup=False, soft_wrap=True),
        report.findings,
    )
