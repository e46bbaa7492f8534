"""`celadon audit FOLDER`."""

from __future__ import annotations

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import option
from celadon.cli.session import Session


@make_command(
    "audit",
    en="Check the audit log of the console in FOLDER: every entry against the digest of all before it.",
    zh="核验 FOLDER 中控制台的审计日志：逐条核对其与此前全部条目的摘要。",
)
@click.argument("folder", type=click.Path(file_okay=False))
@option(
    "--digest",
    en="A digest noted earlier (its first 12 letters or more): nothing up to it may have changed.",
    zh="先前记录的摘要（至少前 12 位）：其之前的内容不得有变。",
)
def command(
    context: click.Context, folder: str, digest: str | None, as_json: bool, lang: str | None, quiet: bool
) -> None:
    """Exits 1 where the log was altered."""
    from celadon.web.audit import verify

    session = Session(context, as_json, lang, quiet)
    done = verify(folder, digest)
    said = (
        f"审计日志 {done.entries:,} 条，末条摘要 {done.digest}"
        if session.lang == "zh"
        else f"{done.entries:,} entries; digest of the last: {done.digest}"
    )
    good = ("链条完整" if session.lang == "zh" else "the chain holds") if not done.findings else ""
    session.finish(
        "audit/1", done.to_json(), lambda out: out.print(f"{said}  [green]{good}[/green]", soft_wrap=True), done.findings,
        brief=False,
    )  # fmt: skip
