"""What `enter`, `exclude`, `guess` and `triage` share: the effect of a change shown, and the change committed when asked."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from celadon.cli.base import Decorator, option
from celadon.cli.session import Session, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from celadon.plant.drafts import Committed, Draft
    from celadon.plant.effects import Change, Effect
    from celadon.plant.facade import Plant

_SHOWN = 60

EFFECT_OPTIONS: tuple[Decorator, ...] = (
    option(
        "--rulebook",
        "rulebooks",
        multiple=True,
        en="Rulebook whose figures are looked at; repeatable. The default: the usual ones and the plant file's.",
        zh="查看哪个规则册的指标；可重复。默认：常用规则册及工厂文件提到的规则册。",
    ),
    option(
        "--period",
        en="Period looked at; the default: the years of the changed facts.",
        zh="查看的期间；默认：所改数据所在的年份。",
    ),
    option(
        "--commit",
        "commit",
        is_flag=True,
        en="Make the change; without it the effect is only shown.",
        zh="提交更改；省略时只显示影响。",
    ),
)
BY = option(
    "--by", default=None, en="Who decides; the default is the system's user.", zh="决定人；默认为系统用户。"
)


def with_effect_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options above."""
    for add in reversed(EFFECT_OPTIONS):
        function = add(function)
    return function


def whoever(by: str | None) -> str:
    """The name given, else the system's user."""
    return by or getpass.getuser()


def finish(
    session: Session,
    plant: Plant,
    draft: Draft,
    rulebooks: Sequence[str],
    period: str | None,
    commit: bool,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Show what the draft changes, commit it when asked, and end the command (shape `draft/1`)."""
    with session.progress("预览" if session.lang == "zh" else "looking ahead") as progress:
        effect = plant.effect(draft, rulebooks, period, progress)
    done: Committed | None = None
    if commit:
        with session.progress("提交" if session.lang == "zh" else "committing") as progress:
            done = plant.commit(draft, effect.state, progress)
    body = {**effect.to_json(), **(more or {}), "committed": done is not None}
    body["load"] = done.loading.to_json() if done else None
    own = list(done.findings) if done else []
    known = {(item.code, item.says()) for item in own}
    found = own + [item for item in effect.findings if (item.code, item.says()) not in known]
    if session.as_json:
        print_json({"shape": "draft/1", **body, "findings": [item.to_json(session.lang) for item in found]})
    else:
        console = session.console()
        show(console, effect, session, commit)
        session.show_findings(console, found, brief=True)
    session.end(own)  # what figures have against them does not fail the change


def show(console: Console, effect: Effect, session: Session, committed: bool) -> None:
    """The effect for people."""
    from rich.markup import escape

    from celadon.cli.show import table

    zh = session.lang == "zh"
    console.print(escape(effect.what.say(session.lang)), style="bold")
    books = ", ".join(dict.fromkeys(f"{book} {period}" for book, period in effect.asked))
    count = len(effect.changes)
    said = (
        f"查看 {effect.figures} 个指标（{books}），其中 {count} 个变化"
        if zh
        else f"{count} of {effect.figures} figures change ({books})"
    )
    console.print(said, markup=False)
    if count:
        heads = ("指标", "位置", "期间", "之前", "之后", "差", "单位") if zh else (
            "figure", "where", "period", "before", "after", "difference", "unit")  # fmt: skip
        made = table("", [(name, name in heads[3:6]) for name in heads])
        for change in effect.changes[:_SHOWN]:
            made.add_row(*(escape(cell) for cell in _cells(change, session)))
        console.print(made)
        if count > _SHOWN:
            console.print(f"… {count - _SHOWN:,}")
    if not committed:
        console.print(
            "尚未提交；加 --commit 提交。"
            if zh
            else "Nothing is committed yet; add --commit to make the change."
        )


def _cells(change: Change, session: Session) -> list[str]:
    def number(value: float | None) -> str:
        return ("缺失" if session.lang == "zh" else "absent") if value is None else f"{value:,.6g}"

    return [
        f"{change.rulebook}: {change.label.say(session.lang)}", " ".join(change.where.values()), change.period,
        number(change.before), number(change.after), "" if change.difference is None else f"{change.difference:+,.6g}",
        "" if change.unit == "1" else change.unit,
    ]  # fmt: skip
