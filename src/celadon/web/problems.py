"""What goes wrong on the way to an answer, as Findings; and Findings as problem+json (RFC 9457) or as a page.

`STATUS` says the HTTP status of a finding's code; what it does not name is 422: the request was understood, and the data
or the question do not allow an answer. A page adds nothing here unless its own code needs another status.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.text import Lang, Text

SIGN_IN_NEEDED = FindingKind(
    "access.sign-in-needed",
    Severity.ERROR,
    Text("Sign in first", "请先登录"),
    Text("This address answers only those who have signed in.", "此地址仅对已登录者开放。"),
    Text(
        "Sign in, or send a token: `Authorization: Bearer …`.",
        "请登录，或发送令牌：`Authorization: Bearer …`。",
    ),
)
NOT_ALLOWED = FindingKind(
    "access.not-allowed",
    Severity.ERROR,
    Text("Not allowed", "没有权限"),
    Text("{name} may not do this ({action}) here.", "{name} 在此处无权执行该操作（{action}）。"),
    Text("Ask an administrator for the role.", "请向管理员申请相应角色。"),
)
NOT_THERE = FindingKind(
    "access.not-there",
    Severity.ERROR,
    Text("Nothing here", "没有此内容"),
    Text("There is nothing at {path} that you may see.", "{path} 没有您可查看的内容。"),
    Text("Check the address; start from the first page.", "请检查网址，或从首页开始。"),
)
FORGED = FindingKind(
    "access.not-from-here",
    Severity.ERROR,
    Text("Not sent from this console's page", "请求并非来自本控制台页面"),
    Text(
        "The change was not sent from a page of this session, or the session is over.",
        "该更改并非由本次会话的页面发出，或会话已结束。",
    ),
    Text(
        "Open the page anew and try again; programs send a token, or the header X-CSRF-Token.",
        "请重新打开页面后再试；程序请发送令牌或 X-CSRF-Token 请求头。",
    ),
)
PARAMETER = FindingKind(
    "request.parameter",
    Severity.ERROR,
    Text("Parameter not usable", "参数不可用"),
    Text("Parameter {name} {why}.", "参数 {name} {why}。"),
    Text("Correct it; /openapi.json says what is expected.", "请更正；/openapi.json 说明了各参数。"),
)
TOO_LARGE = FindingKind(
    "request.too-large",
    Severity.ERROR,
    Text("Too large", "内容过大"),
    Text("The body has more than the {limit} bytes allowed here.", "请求内容超过此处允许的 {limit} 字节。"),
    Text("Send less, or load the file with `celadon load`.", "请减少内容，或用 `celadon load` 载入文件。"),
)
METHOD = FindingKind(
    "request.method",
    Severity.ERROR,
    Text("Not done this way", "不支持的方法"),
    Text("{path} does not know {method}.", "{path} 不支持 {method}。"),
    Text("/openapi.json says what it knows.", "/openapi.json 说明了可用方法。"),
)
UNREADABLE = FindingKind(
    "request.unreadable",
    Severity.ERROR,
    Text("Request not readable", "请求无法解析"),
    Text("The body of the request cannot be read.", "请求内容无法解析。"),
    Text("Send valid JSON, or a form.", "请发送有效的 JSON 或表单。"),
)
HOST = FindingKind(
    "request.host",
    Severity.ERROR,
    Text("Asked for by another name", "主机名不符"),
    Text("This console is not called {host}.", "本控制台的主机名不是 {host}。"),
    Text(
        "Use the address that `celadon serve` printed; behind a proxy start it with --address https://….",
        "请使用 `celadon serve` 显示的地址；在反向代理之后请用 --address https://… 启动。",
    ),
)
REPEATED = FindingKind(
    "request.repeated-otherwise",
    Severity.ERROR,
    Text("Key used for another request", "幂等键已用于其他请求"),
    Text(
        "The Idempotency-Key {key} came before with another content, or its request is still being worked on.",
        "幂等键 {key} 曾用于不同内容，或该请求仍在处理。",
    ),
    Text("Wait, or send a new key for a new request.", "请稍候，或为新请求使用新的键。"),
)
FAULT = FindingKind(
    "console.fault",
    Severity.ERROR,
    Text("Fault of the program", "程序故障"),
    Text(
        "Something went wrong in the program; the server's log has it under {number}.",
        "程序出现故障；服务器日志编号 {number}。",
    ),
    Text("Tell whoever runs the server this number.", "请将此编号告知服务器管理者。"),
)
STATUS = {
    "access.sign-in-needed": 401, "access.not-allowed": 403, "access.not-there": 404, "access.not-from-here": 403,
    "request.too-large": 413, "request.method": 405, "request.unreadable": 400, "request.host": 421,
    "request.repeated-otherwise": 409, "console.fault": 500, "session.too-many-attempts": 429,
    "people.link-spent": 403, "session.password-wrong": 403,
    "oidc.not-set-up": 404, "oidc.refused": 403, "oidc.person-unknown": 403, "oidc.unreachable": 502, "store.absent": 409, "store.locked": 409,
}  # fmt: skip
MEDIA_TYPE = "application/problem+json"
SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "What went wrong: RFC 9457 with Findings (docs/json.md).",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "code", "findings"],
    "properties": {
        **{name: {"type": "string"} for name in ("type", "title", "detail", "instance", "code")},
        "status": {"type": "integer"},
        "findings": {"type": "array", "items": {"type": "object"}},
    },
}
"""A problem in the OpenAPI document."""


def status_of(findings: Sequence[Finding]) -> int:
    """The HTTP status of what went wrong: that of the first finding."""
    return STATUS.get(findings[0].code, 422) if findings else 422


def problem(findings: Sequence[Finding], lang: Lang, path: str) -> dict[str, Any]:
    """The findings as problem+json; `code` is the first one's, `findings` holds them all."""
    first = findings[0]
    return {
        "type": f"https://celadon.invalid/findings/{first.code}",
        "title": first.kind.title.say(lang),
        "status": status_of(findings),
        "detail": first.says(lang),
        "instance": path,
        "code": first.code,
        "findings": [item.to_json(lang) for item in findings],
    }


def of_status(status: int, path: str, method: str, limit: int | None = None) -> Finding:
    """What a refusal of the framework means."""
    if status == 405:
        return METHOD.at(Place(subject=path), path=path, method=method)
    if status == 413:
        return TOO_LARGE.at(Place(subject=path), limit=f"{limit or 0:,}")
    if status == 400:
        return UNREADABLE.at(Place(subject=path))
    return NOT_THERE.at(Place(subject=path), path=path)


_WHY = {
    "missing": Text("is missing", "缺失"),
    "int_parsing": Text("is not a whole number", "不是整数"),
    "float_parsing": Text("is not a number", "不是数值"),
    "bool_parsing": Text("is neither true nor false", "不是真或假"),
    "enum": Text("is not one of the words known here", "不在可用取值之中"),
    "literal_error": Text("is not one of the words known here", "不在可用取值之中"),
    "greater_than_equal": Text("is too small", "过小"),
    "greater_than": Text("is too small", "过小"),
    "less_than_equal": Text("is too large", "过大"),
    "string_too_long": Text("is too long", "过长"),
    "string_too_short": Text("is too short", "过短"),
    "extra_forbidden": Text("is not known here", "未知字段"),
    "json_invalid": Text("is not valid JSON", "不是有效的 JSON"),
}


def of_validation(errors: Sequence[Any]) -> list[Finding]:
    """What is wrong with parameters, one finding each."""
    found = []
    for error in errors:
        name = ".".join(str(part) for part in error.get("loc", ())[1:]) or "?"
        said = str(error.get("msg", "")).rstrip(".")
        why = _WHY.get(str(error.get("type")), Text(said, f"原文“{said}”"))
        found.append(PARAMETER.at(Place(subject=name), name=name, why=why))
    return found
