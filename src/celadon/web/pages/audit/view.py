"""Audit: the changes that were made, the newest first, each sealed by the digest of all before it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel

from celadon.core.text import Text
from celadon.web.access import on_console
from celadon.web.asked import Asked, with_query
from celadon.web.page import Both, Cell, Page, Table, both

page = Page("/audit", Text("Audit log", "审计日志"), on_console(), order=85)


ACTIONS = {
    "facts.change": Text("facts changed", "更改数据"),
    "filing.key": Text("key made", "生成签名密钥"),
    "filing.made": Text("period filed", "申报期间"),
    "finding.accept": Text("finding accepted", "接受问题"),
    "finding.reopen": Text("finding opened again", "重新打开问题"),
    "person.add": Text("person added", "添加人员"),
    "person.first-administrator": Text("first administrator made", "创建首位管理员"),
    "person.grant": Text("roles changed", "变更角色"),
    "person.password": Text("password changed", "更改密码"),
    "person.remove": Text("person removed", "移除人员"),
    "person.second-factor": Text("telephone's code added", "启用手机验证码"),
    "person.second-factor-dropped": Text("telephone's code dropped", "停用手机验证码"),
    "region.publish": Text("period published", "公开期间"),
    "region.withdraw": Text("period withdrawn", "撤回期间"),
    "session.begin": Text("signed in", "登录"),
    "session.failed": Text("sign-in failed", "登录失败"),
    "target.set": Text("target set", "设定目标"),
    "token.drop": Text("token dropped", "令牌作废"),
    "token.make": Text("token made", "创建令牌"),
}
"""What the actions in the log are called."""


class AuditLine(BaseModel):
    """One change."""

    number: int
    at: str
    person: str
    action: str
    name: Both
    """What the action is called."""
    place: str
    detail: str
    digest: str


class Audit(BaseModel):
    """A part of the log. `digest`: of the newest entry; noted elsewhere, it shows later that nothing up to it was altered."""

    entries: int
    digest: str
    next: str | None
    lines: list[AuditLine]


def view(
    asked: Asked,
    before: Annotated[int | None, Query(ge=1)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Audit:
    """Entries before a number (default: the newest)."""
    last = asked.state.row("SELECT number, digest FROM audit ORDER BY number DESC LIMIT 1")
    sql = "SELECT * FROM audit WHERE ?1 IS NULL OR number < ?1 ORDER BY number DESC LIMIT ?2"
    lines = [
        AuditLine(**dict(row), name=both(ACTIONS.get(row["action"], Text(row["action"], row["action"]))))
        for row in asked.state.rows(sql, before, limit)
    ]
    more = bool(lines) and lines[-1].number > 1
    return Audit(
        entries=last["number"] if last else 0, digest=last["digest"] if last else "", lines=lines,
        next=with_query("/audit", {"before": lines[-1].number, "limit": limit}) if more else None,
    )  # fmt: skip


def table(model: Audit) -> Table:
    """A row for each entry."""
    names = ("number", "at", "person", "action", "place", "detail", "digest")
    rows: list[list[Cell]] = [[getattr(line, name) for name in names] for line in model.lines]
    return Table(names, rows)
