"""The command line: `celadon`, one module per command, loaded when the command is called."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

import click

from celadon.cli.base import LazyGroup, Option, default_lang, lang_in
from celadon.core.findings import Finding, FindingError, FindingKind, Severity
from celadon.core.text import Lang, Text, text_of

SYSTEM_REFUSED = FindingKind(
    "system.refused",
    Severity.ERROR,
    Text(en="The system refused", zh="系统拒绝操作"),
    Text(en="{file}: {why}.", zh="系统拒绝访问 {file}：{why}。"),
    Text(
        en="Check that the path is right, that you may read or write there, and that the disk has room; then run the command again.",
        zh="请检查路径、读写权限与磁盘空间，然后重新运行命令。",
    ),
)

NAME_NOT_TEXT = FindingKind(
    "system.name-not-text",
    Severity.ERROR,
    Text(en="A name is not UTF-8", zh="名称不是 UTF-8 编码"),
    Text(
        en="The name of a file or folder is not written in UTF-8: {name}.",
        zh="文件或文件夹的名称不是 UTF-8 编码：{name}。",
    ),
    Text(
        en="Rename it; unpacking an archive with its own encoding (often GBK) avoids such names.",
        zh="请重命名；解压时指定压缩包的编码（多为 GBK）可避免此类名称。",
    ),
)

COMMAND_USAGE = FindingKind(
    "command.usage",
    Severity.ERROR,
    Text(en="Usage error", zh="用法错误"),
    Text(en="The command was not called as it can be: {why}.", zh="命令的用法不对：{why}。"),
    Text(en="`{command} --help` says how it is used.", zh="用 `{command} --help` 查看用法。"),
)

_COMMANDS: dict[str, tuple[str, Text]] = {
    "demo": (
        "celadon.cli.demo",
        Text(en="Everything below on the example steel mill.", zh="在示例钢厂上演示以下全部功能。"),
    ),
    "new": ("celadon.cli.new", Text(en="Write a commented plant file.", zh="生成带注释的工厂文件。")),
    "check": (
        "celadon.cli.check",
        Text(
            en="Read everything, change nothing, list findings.",
            zh="读取全部文件，不作更改，列出发现的问题。",
        ),
    ),
    "load": (
        "celadon.cli.load",
        Text(en="Load the files' facts into the plant's store.", zh="将文件中的数据载入工厂存储。"),
    ),
    "balance": (
        "celadon.cli.balance",
        Text(
            en="The conservation proof per meter, process or site.", zh="按计量点、工序或场所给出守恒证明。"
        ),
    ),
    "account": ("celadon.cli.account", Text(en="Quantities under a rulebook.", zh="按规则册核算指标。")),
    "explain": (
        "celadon.cli.explain",
        Text(en="One number down to its factors and file lines.", zh="将一个数值追溯到因子与文件行。"),
    ),
    "compare": (
        "celadon.cli.compare",
        Text(
            en="Two answers: what changed, by how much, and why.", zh="比较两个结果：变化了什么、多少、为何。"
        ),
    ),
    "reconcile": (
        "celadon.cli.reconcile",
        Text(
            en="Why two rulebooks give different totals for the same facts.",
            zh="解释两个规则册对同一数据得出不同总量的原因。",
        ),
    ),
    "report": (
        "celadon.cli.report",
        Text(en="A report as workbook or PDF, to file or hand out.", zh="生成可提交的工作簿或 PDF 报告。"),
    ),
    "bill": (
        "celadon.cli.bill",
        Text(en="The monthly bill under the plant's tariffs.", zh="按电价计算月度账单。"),
    ),
    "guess": (
        "celadon.cli.guess",
        Text(en="How an unknown file could be read, with reasons.", zh="推测未知文件的读法并说明理由。"),
    ),
    "enter": (
        "celadon.cli.enter",
        Text(en="Enter or correct a record by hand.", zh="手工录入或更正一条台账。"),
    ),
    "exclude": (
        "celadon.cli.exclude",
        Text(en="Readings or records that do not count, and why.", zh="不计入的读数或台账及其理由。"),
    ),
    "triage": (
        "celadon.cli.triage",
        Text(en="Findings, and what was decided about them.", zh="问题及其处理决定。"),
    ),
    "facts": (
        "celadon.cli.facts",
        Text(en="Monthly facts, as a region takes them.", zh="按月汇总的事实，供区域平台使用。"),
    ),
    "history": (
        "celadon.cli.history",
        Text(en="Every version of a fact, by both clocks.", zh="事实的全部版本（两个时钟）。"),
    ),
    "quarantine": (
        "celadon.cli.quarantine",
        Text(en="Rows kept out: list, correct, replay.", zh="被隔离的行：列出、更正、重放。"),
    ),
    "grade": (
        "celadon.cli.grade",
        Text(en="Carbon-efficiency grades of a region's enterprises.", zh="区域企业的碳效等级。"),
    ),
    "peers": (
        "celadon.cli.peers",
        Text(en="Peer benchmarks that show no single enterprise.", zh="不暴露单个企业的同行对标。"),
    ),
    "warn": (
        "celadon.cli.warn",
        Text(en="Yearly quotas at risk, with a forecast.", zh="年度配额预警与预测。"),
    ),
    "screen": (
        "celadon.cli.screen",
        Text(en="Anomalous reports of a region, with evidence.", zh="筛查区域异常报表并附证据。"),
    ),
    "serve": (
        "celadon.cli.serve",
        Text(en="The web console and API over a folder.", zh="为一个文件夹提供网页控制台与接口。"),
    ),
    "audit": (
        "celadon.cli.audit",
        Text(en="Check the console's audit log.", zh="核验控制台的审计日志。"),
    ),
    "rulebooks": (
        "celadon.cli.rulebooks",
        Text(en="The rulebooks there are, and what one holds.", zh="可用规则册及其内容。"),
    ),
    "new-rulebook": (
        "celadon.cli.new_rulebook",
        Text(en="Write a commented rulebook.", zh="生成带注释的规则册。"),
    ),
    "publish": (
        "celadon.cli.publish",
        Text(en="Seal a rulebook's table rows.", zh="封存规则册的因子表行。"),
    ),
    "test": ("celadon.cli.test", Text(en="Run a rulebook's cases.", zh="运行规则册的算例。")),
    "file": (
        "celadon.cli.file",
        Text(en="Freeze a period under a rulebook, signed.", zh="按规则册冻结一个期间并签名申报。"),
    ),
    "filings": (
        "celadon.cli.filings",
        Text(en="What was filed, beside what it would be now.", zh="历次申报与现值对照。"),
    ),
    "keys": ("celadon.cli.keys", Text(en="The keys you sign filings with.", zh="签署申报的密钥。")),
    "verify": (
        "celadon.cli.verify",
        Text(
            en="Check a filing from its file alone, or a store byte by byte.",
            zh="仅凭文件核验申报包，或逐字节核验存储。",
        ),
    ),
    "compact": (
        "celadon.cli.compact",
        Text(en="Rewrite the store smaller, with the same answers.", zh="压缩存储，结果不变。"),
    ),
    "retain": (
        "celadon.cli.retain",
        Text(
            en="Drop what was replaced long ago; first shows which.",
            zh="删除早已被替换的数据；先显示，后执行。",
        ),
    ),
    "doctor": (
        "celadon.cli.doctor",
        Text(en="Name what is wrong with a store; mend what is safe.", zh="诊断存储，并修复可安全修复之处。"),
    ),
    "move": (
        "celadon.cli.move",
        Text(
            en="Move a store's catalogue to PostgreSQL, or back.",
            zh="将存储的目录库迁移到 PostgreSQL 或迁回。",
        ),
    ),
    "backup": (
        "celadon.cli.backup",
        Text(
            en="Copy a plant or region and its store, only what is new.",
            zh="备份工厂或区域及其存储，仅复制新增内容。",
        ),
    ),
    "restore": (
        "celadon.cli.restore",
        Text(en="Make a plant or region from its backup.", zh="从备份恢复工厂或区域。"),
    ),
}

group = LazyGroup(
    "celadon",
    lazy=_COMMANDS,
    texts=Text(
        en="Measure once; account, diagnose, plan and prove energy and carbon under every rulebook.",
        zh="一次计量；按各种规则册核算、诊断、规划并证明能源与碳。",
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)


def _version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from celadon import __version__

        click.echo(f"celadon {__version__}")
        context.exit()


group.params += [
    Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_version,
        texts=Text(en="Version.", zh="版本。"),
    ),
    Option(
        ["--lang"],
        type=click.Choice(["zh", "en"]),
        expose_value=False,
        texts=Text(en="Language; the default is the locale's.", zh="语言；默认取自系统区域设置。"),
    ),
]


_OBJECTS_BETWEEN_LOOKS = 100_000
"""New objects after which Python looks for cycles among them; 700 by itself."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit status: 0 fine, 1 findings of severity error, 2 usage, 130 interrupted."""
    args = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:
        # The process is ours, and most of what it makes stays: looking that through for cycles was a tenth of its CPU.
        gc.set_threshold(_OBJECTS_BETWEEN_LOOKS)
    status = _run(args)
    if arguments is None:
        sys.exit(status)
    return status


def _run(args: list[str]) -> int:
    from celadon.cli.session import FAILED, INTERRUPTED, USAGE, usage_text
    from celadon.cli.words import word

    lang = lang_in(args) or default_lang()
    for name in args:
        if _not_text(name):
            return _fail(args, lang, [_bad_name(name)])
    try:
        status = group.main(args, prog_name="celadon", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return USAGE
    except click.UsageError as error:
        if "--json" in args:
            return _usage(error, lang)
        click.echo(f"{word('usage_error', lang)}: {usage_text(error, lang)}", err=True)
        click.echo(
            word("try_help", lang, command=error.ctx.command_path if error.ctx else "celadon"), err=True
        )
        return USAGE
    except FindingError as error:
        return _fail(args, lang, error.findings)
    except (KeyboardInterrupt, click.Abort):
        click.echo(word("interrupted", lang), err=True)
        return INTERRUPTED
    except BrokenPipeError:
        return FAILED
    except OSError as error:
        return _fail(args, lang, [_system_error(error)])
    except UnicodeEncodeError as error:
        if not _not_text(error.object):
            raise
        return _fail(args, lang, [_bad_name(error.object)])
    except Exception as error:
        found = _memory_error(error)
        if found is None:
            raise
        return _fail(args, lang, [found])
    return status if isinstance(status, int) else 0


def _not_text(name: str) -> bool:
    """Whether a name came from the system as bytes that are no UTF-8."""
    return any("\udc80" <= char <= "\udcff" for char in name)


def _bad_name(text: str) -> Finding:
    """The finding, with the part around the first such byte, escaped."""
    at = next(n for n, char in enumerate(text) if _not_text(char))
    part = text[max(0, at - 40) : at + 40]
    return NAME_NOT_TEXT.at(name=part.encode("utf-8", "backslashreplace").decode())


def _usage(error: click.UsageError, lang: Lang) -> int:
    """A wrong call as JSON: whoever asked for a document gets one."""
    from celadon.cli.session import USAGE, print_json, usage_text

    command = error.ctx.command_path if error.ctx else "celadon"
    why = Text(usage_text(error, "en").rstrip("."), usage_text(error, "zh").rstrip("。."))
    found = COMMAND_USAGE.at(why=why, command=command)
    print_json({"shape": "error/1", "findings": [found.to_json(lang)]})
    return USAGE


def _fail(args: list[str], lang: Lang, findings: list[Finding]) -> int:
    from celadon.cli.session import FAILED, Session

    try:
        Session(click.Context(group), "--json" in args, lang).fail(findings)
    except click.exceptions.Exit:
        return FAILED


def _memory_error(error: Exception) -> Finding | None:
    """What running out of memory says, None for another error (a program fault)."""
    from celadon.store.faults import of_memory

    return of_memory(error)


def _system_error(error: OSError) -> Finding:
    """What the operating system refused, as a finding."""
    from celadon.core.findings import Place

    name = str(error.filename) if error.filename else ""
    return SYSTEM_REFUSED.at(Place(file=name or None), file=name or "?", why=text_of(error))
