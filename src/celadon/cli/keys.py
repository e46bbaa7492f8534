"""`celadon keys`, `celadon keys new [NAME]`."""

from __future__ import annotations

import click

from celadon.cli.base import command as make_command
from celadon.cli.session import Session


@make_command(
    "keys",
    en="The keys you sign filings with; `celadon keys new [NAME]` makes one, in your own configuration folder.",
    zh="用于签署申报的密钥；`celadon keys new [名称]` 在您的配置文件夹中生成密钥。",
)
@click.argument("action", type=click.Choice(["list", "new"]), default="list")
@click.argument("name", default="celadon")
def command(
    context: click.Context, action: str, name: str, as_json: bool, lang: str | None, quiet: bool
) -> None:
    """Prints verifier keys, which are for others; the private ones stay where they are."""
    from celadon.proof import keys

    session = Session(context, as_json, lang, quiet)
    zh = session.lang == "zh"
    found = [keys.new(name)] if action == "new" else keys.known()
    body = {
        "folder": str(keys.folder()),
        "keys": [{"name": signer.name, "key": str(signer.key)} for signer in found],
    }
    none = "没有密钥；用 `celadon keys new` 生成" if zh else "No keys; `celadon keys new` makes one"
    say = (
        "请公布此验证密钥，私钥勿外传" if zh else "Publish this verifier key; never give the private one away"
    )

    def human(out: object) -> None:
        from rich.console import Console

        assert isinstance(out, Console)  # noqa: S101  (narrows the type)
        for signer in found:
            out.print(str(signer.key), markup=False, soft_wrap=True)
        out.print(say if found else none, style="dim", markup=False)
        out.print(str(keys.folder()), style="dim", markup=False, soft_wrap=True)

    session.finish("keys/1", body, human)
