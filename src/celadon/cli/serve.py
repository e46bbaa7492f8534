"""`celadon serve [FOLDER]`."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import option
from celadon.cli.session import Session, print_json
from celadon.core.findings import FindingError, FindingKind, Severity
from celadon.core.text import Text

if TYPE_CHECKING:
    from celadon.web.serving import Serving

NOT_INSTALLED = FindingKind(
    "console.not-installed",
    Severity.ERROR,
    Text("Console not installed", "未安装控制台"),
    Text(
        "The console needs packages that are not installed: {names}.", "控制台所需的软件包未安装：{names}。"
    ),
    Text("pip install 'celadon[console]'", "请运行 pip install 'celadon[console]'"),
)
DEMO_FOLDER = "celadon-demo"
_NEEDED = ("fastapi", "uvicorn", "jinja2", "argon2", "pyotp", "multipart")


@make_command(
    "serve",
    en="Serve the web console and its API over FOLDER: itself a plant or region, or a folder of such. "
    "The first start prints a link to make the first administrator.",
    zh="为 FOLDER 提供网页控制台与接口：FOLDER 是工厂或区域，或包含它们的文件夹。首次启动会显示创建首位管理员的链接。",
)
@click.argument("folder", type=click.Path(file_okay=False), required=False)
@option("--host", default="127.0.0.1", show_default=True, en="Address to listen on.", zh="监听地址。")
@option(
    "--port", type=click.IntRange(0, 65535), default=8710, show_default=True, en="Port to listen on; 0 = any that is free.",
    zh="监听端口；0 表示任选空闲端口。",
)  # fmt: skip
@option(
    "--address", en="Where people reach it through a proxy, for example https://energy.example.com.",
    zh="经反向代理访问的地址，例如 https://energy.example.com。",
)  # fmt: skip
@option(
    "--demo", is_flag=True, en=f"Make the example mill and region in FOLDER ({DEMO_FOLDER}) first, once.",
    zh=f"先在 FOLDER（{DEMO_FOLDER}）中生成示例钢厂与区域，仅一次。",
)  # fmt: skip
@option(
    "--new-administrator", is_flag=True, en="Print a link for one more administrator (a password was lost).",
    zh="再生成一个管理员链接（例如忘记密码）。",
)  # fmt: skip
def command(context: click.Context, folder: str | None, host: str, port: int, address: str | None, demo: bool,
            new_administrator: bool, as_json: bool, lang: str | None, quiet: bool) -> None:  # fmt: skip
    """Runs until it is interrupted."""
    session = Session(context, as_json, lang, quiet)
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise FindingError(NOT_INSTALLED.at(names=", ".join(missing)))
    from celadon.web.serving import make_demo, prepare

    root = Path(folder or (DEMO_FOLDER if demo else "."))
    if demo:
        with session.progress("生成示例" if session.lang == "zh" else "making the examples") as progress:
            make_demo(root, progress)
    ready = prepare(root, host, port, address, new_administrator)
    _say(session, ready)
    ready.run()


def _say(session: Session, ready: Serving) -> None:
    if session.as_json:
        found = [item.to_json(session.lang) for item in ready.findings]
        print_json({"shape": "serving/1", "address": ready.address, "setup": ready.setup, "findings": found})
        return
    session.show_findings(session.console(), ready.findings)
    zh = session.lang == "zh"
    click.echo(f"{'控制台' if zh else 'The console is at'} {ready.address}")
    if ready.setup:
        said = (
            "创建管理员（链接仅可用一次，24 小时内有效）："
            if zh
            else "Make an administrator (this link works once, within a day):"
        )
        click.echo(f"{said}\n  {ready.setup}")
    click.echo("按 Ctrl+C 停止。" if zh else "Ctrl+C stops it.")
