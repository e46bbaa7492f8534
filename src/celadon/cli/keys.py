"""`celadon keys`, `celadon keys new [NAME]`, `celadon keys revoke ID --reason TEXT`."""

from __future__ import annotations

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import option
from celadon.cli.session import Session


@make_command(
    "keys",
    en="The keys you sign filings with; `celadon keys new [NAME]` makes one, in your own configuration folder, `celadon keys revoke ID` "
    "withdraws one.",
    zh="用于签署申报的密钥；`celadon keys new [名称]` 在您的配置文件夹中生成密钥，`celadon keys revoke 编号` 撤销密钥。",
)
@click.argument("action", type=click.Choice(["list", "new", "revoke"]), default="list")
@click.argument("name", default="celadon")
@option("--reason", en="Why the key is withdrawn; others read it.", zh="撤销原因，他人可见。")
def command(
    context: click.Context,
    action: str,
    name: str,
    reason: str | None,
    as_json: bool,
    lang: str | None,
    quiet: bool,
) -> None:
    """Prints verifier keys, which are for others; the private ones stay where they are."""
    from celadon.proof import keys

    session = Session(context, as_json, lang, quiet)
    zh = session.lang == "zh"
    if (action == "revoke") != bool(reason and reason.strip()):
        raise click.UsageError("keys revoke ID --reason TEXT", context)
    if action == "revoke":
        found = [keys.revoke(name, str(reason))[0]]
    else:
        found = [keys.new(name)] if action == "new" else keys.known()
    gone = {signer.name: keys.withdrawn(signer.name) for signer in found}
    body = {
        "folder": str(keys.folder()),
        "keys": [
            {"name": signer.name, "key": str(signer.key), "revoked": one.to_json() if one else None}
            for signer, one in ((signer, gone[signer.name]) for signer in found)
        ],
    }
    none = "没有密钥；用 `celadon keys new` 生成" if zh else "No keys; `celadon keys new` makes one"
    say = (
        "请公布此验证密钥，私钥勿外传" if zh else "Publish this verifier key; never give the private one away"
    )
    tell = (
        "请将此声明送交持有该密钥签名之申报的各方"
        if zh
        else "Give this note to whoever holds filings signed with the key"
    )

    def human(out: object) -> None:
        from rich.console import Console

        assert isinstance(out, Console)  # noqa: S101  (narrows the type)
        for signer in found:
            out.print(str(signer.key), markup=False, soft_wrap=True)
            if (one := gone[signer.name]) is not None:
                said = f"{one.at} 撤销：{one.reason}" if zh else f"withdrawn {one.at}: {one.reason}"
                out.print(f"  {said}  {one.file}", style="red", markup=False, soft_wrap=True)
        out.print(tell if action == "revoke" else say if found else none, style="dim", markup=False)
        out.print(str(keys.folder()), style="dim", markup=False, soft_wrap=True)

    session.finish("keys/1", body, human)
