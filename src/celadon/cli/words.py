"""Words the command line prints besides findings, in both languages."""

from __future__ import annotations

from celadon.core.text import Text

WORDS: dict[str, Text] = {
    "usage_error": Text(en="Usage error", zh="用法错误"),
    "try_help": Text(en="`{command} --help` says how it is used.", zh="用 `{command} --help` 查看用法。"),
    "no_such_option": Text(en="there is no option {name}", zh="没有选项 {name}"),
    "no_such_command": Text(en="there is no command {name}", zh="没有命令 {name}"),
    "missing": Text(en="{name} is missing", zh="缺少 {name}"),
    "did_you_mean": Text(en="did you mean {names}?", zh="是否指 {names}？"),
    "bad_value": Text(en="{name}: {why}", zh="{name}：{why}"),
    "not_one_of": Text(en="{value} is not one of {known}.", zh="{value} 不在 {known} 之中。"),
    "not_valid": Text(en="{value} is not a valid {known}.", zh="{value} 不是有效的 {known}。"),
    "not_in_range": Text(en="{value} is not in the range {known}.", zh="{value} 不在范围 {known} 内。"),
    "show_help": Text(en="Show this message and exit.", zh="显示本说明并退出。"),
    "interrupted": Text(
        en="Interrupted; the store is as the last finished file left it. Run the command again to go on.",
        zh="已中断；存储保持在最后一个完成的文件之后的状态。再次运行即可继续。",
    ),
    "findings": Text(en="Findings", zh="发现"),
    "no_findings": Text(en="No findings.", zh="没有发现问题。"),
    "finding_counts": Text(
        en="{errors} errors, {warnings} warnings, {notices} notices",
        zh="错误 {errors} 条，警告 {warnings} 条，提示 {notices} 条",
    ),
    "and_more": Text(en="… and {count} more of this kind", zh="……另有同类 {count} 条"),
    "all_in_json": Text(en="all of them with --json", zh="全部内容见 --json"),
    "fix": Text(en="do", zh="处理"),
    "enterprise": Text(en="enterprise", zh="企业"),
    "site": Text(en="site", zh="场所"),
    "process": Text(en="process", zh="工序"),
    "meter": Text(en="meter", zh="计量点"),
    "period": Text(en="period", zh="期间"),
    "quantity": Text(en="quantity", zh="指标"),
    "carrier": Text(en="carrier", zh="能源品种"),
    "purpose": Text(en="purpose", zh="用途"),
    "value": Text(en="value", zh="数值"),
    "unit": Text(en="unit", zh="单位"),
    "coverage": Text(en="coverage", zh="覆盖率"),
    "data": Text(en="data", zh="数据"),
    "factors": Text(en="factors", zh="因子"),
    "absent": Text(en="absent", zh="缺失"),
    "share": Text(en="share", zh="占比"),
    "shape": Text(en="shape", zh="走势"),
    "unattributed": Text(en="(not attributed)", zh="（未归属）"),
    "rest": Text(en="{meter}: unmetered rest", zh="{meter}：未计量部分"),
}


def word(which: str, lang: str, /, **values: object) -> str:
    """The word or sentence called `which` in `lang`, with `{…}` filled from `values`."""
    return WORDS[which].say("zh" if lang == "zh" else "en", values)
