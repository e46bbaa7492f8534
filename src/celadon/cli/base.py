"""What every command shares: bilingual help, `--json`, `--lang`, `--quiet`, exit codes.

Only click is imported here; everything heavier is imported by the command that needs it, when it runs.
"""

from __future__ import annotations

import importlib
import locale
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click

from celadon.cli.words import word
from celadon.core.text import Lang, Text

_LANG = "celadon.lang"


def default_lang() -> Lang:
    """The language of the locale: zh where LC_ALL, LC_MESSAGES or LANG says so, else en."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name)
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    # Windows sets none of these.
    return "zh" if (locale.getlocale()[0] or "").lower().startswith(("zh", "chinese")) else "en"


def lang_in(args: Iterable[str]) -> Lang | None:
    """The language that `--lang` names anywhere in `args`, so that help and errors speak it too."""
    words = list(args)
    for index, item in enumerate(words):
        value = item.removeprefix("--lang=") if item.startswith("--lang=") else None
        if item == "--lang" and index + 1 < len(words):
            value = words[index + 1]
        if value == "zh":
            return "zh"
        if value == "en":
            return "en"
    return None


def lang_of(context: click.Context | None) -> Lang:
    """The language this invocation speaks."""
    found = context.meta.get(_LANG) if context is not None else None
    return "zh" if found == "zh" else "en" if found == "en" else default_lang()


class Option(click.Option):
    """An option whose help is in both languages."""

    def __init__(self, *args: Any, texts: Text | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.texts = texts
        self.help = texts.en if texts else self.help

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        if self.texts:
            self.help = self.texts.say(lang_of(ctx))
        return super().get_help_record(ctx)


def _help_option(command: click.Command, ctx: click.Context) -> click.Option | None:
    """click's own help option, in the language of this invocation."""
    option = click.Command.get_help_option(command, ctx)
    if option is not None:
        option.help = word("show_help", lang_of(ctx))
    return option


class Command(click.Command):
    """A command whose help is in both languages; `--lang` counts wherever it stands."""

    def __init__(self, *args: Any, texts: Text | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.texts = texts
        self.help = texts.en if texts else self.help

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        found = lang_in(args)
        if found:
            ctx.meta[_LANG] = found
        return super().parse_args(ctx, args)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        return _help_option(self, ctx)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.texts:
            self.help = self.texts.say(lang_of(ctx))
        super().format_help_text(ctx, formatter)


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is asked for; its one-line helps live here."""

    def __init__(self, *args: Any, lazy: Mapping[str, tuple[str, Text]], texts: Text, **kwargs: Any) -> None:
        self.lazy = lazy
        self.texts = texts
        super().__init__(*args, help=texts.en, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        found = lang_in(args)
        if found:
            ctx.meta[_LANG] = found
        return super().parse_args(ctx, args)

    def list_commands(self, _: click.Context) -> list[str]:
        return list(self.lazy)

    def get_command(self, _: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.lazy:
            return None
        module = importlib.import_module(self.lazy[cmd_name][0])
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in self.lazy:
            from difflib import get_close_matches

            lang, near = lang_of(ctx), get_close_matches(args[0], self.lazy, n=1)
            hint = f" ({word('did_you_mean', lang, names=near[0])})" if near else ""
            raise click.UsageError(word("no_such_command", lang, name=args[0]) + hint, ctx)
        return super().resolve_command(ctx, args)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        return _help_option(self, ctx)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.help = self.texts.say(lang_of(ctx))
        super().format_help_text(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        lang = lang_of(ctx)
        rows = [(name, text.say(lang)) for name, (_, text) in self.lazy.items()]
        with formatter.section("命令" if lang == "zh" else "Commands"):
            formatter.write_dl(rows)


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def option(*names: str, en: str, zh: str, **kwargs: Any) -> Decorator:
    """A click option with help in both languages."""
    return click.option(*names, cls=Option, texts=Text(en=en, zh=zh), **kwargs)


def command(name: str, en: str, zh: str) -> Callable[[Callable[..., Any]], Command]:
    """A command with help in both languages and the options every command has."""

    def wrap(function: Callable[..., Any]) -> Command:
        for add in reversed(_COMMON):
            function = add(function)
        return click.command(name, cls=Command, texts=Text(en=en, zh=zh))(click.pass_context(function))

    return wrap


_COMMON: tuple[Decorator, ...] = (
    option(
        "--json",
        "as_json",
        is_flag=True,
        en="Print JSON in a versioned shape (docs/json.md).",
        zh="输出带版本号的 JSON（见 docs/json.md）。",
    ),
    option(
        "--lang",
        type=click.Choice(["zh", "en"]),
        en="Language; the default is the locale's.",
        zh="语言；默认取自系统区域设置。",
    ),
    option("--quiet", is_flag=True, en="No progress, no notices.", zh="不显示进度与提示。"),
)


def plant_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """PLANT: the plant file or its folder."""
    return click.argument("plant", type=click.Path())(function)


def either_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """PLANT|REGION: the file or folder of either."""
    return click.argument("path", type=click.Path(), metavar="PLANT|REGION")(function)


def region_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """REGION: the region file or its folder."""
    return click.argument("region", type=click.Path())(function)


def engine_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """--engine: where from facts to answers is computed."""
    return option(
        "--engine",
        metavar="ADDRESS",
        en="Compute on Spark: spark-local (this machine) or spark://host:7077 (a cluster).",
        zh="在 Spark 上计算：spark-local（本机）或 spark://主机:7077（集群）。",
    )(function)


def pairs(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Reads repeated `name=value` options (click callback)."""
    found: dict[str, str] = {}
    for text in values:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise click.BadParameter(f"{text!r}: name=value", context, parameter)
        found[name.strip()] = value.strip()
    return found


def question_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """What is asked of a plant: --rulebook, --period, --quantity, --option, --as-of."""
    for add in reversed(_QUESTION):
        function = add(function)
    return function


_QUESTION: tuple[Decorator, ...] = (
    option(
        "--rulebook",
        "-r",
        required=True,
        en="Id of a rulebook, or the folder of one.",
        zh="规则册编号或文件夹。",
    ),
    option(
        "--period",
        "-p",
        required=True,
        en="2018, 2018-Q1, 2018-03, 2018-03-05, or from..to.",
        zh="2018、2018-Q1、2018-03、2018-03-05 或 起..止。",
    ),
    option(
        "--quantity",
        "-q",
        "quantities",
        multiple=True,
        en="A quantity, instead of the rulebook's totals; repeatable.",
        zh="指定指标（缺省为主要指标）；可重复。",
    ),
    option(
        "--option",
        "-o",
        "options",
        multiple=True,
        callback=pairs,
        en="A choice the rulebook leaves open, name=value; repeatable.",
        zh="规则册选项 名称=取值；可重复。",
    ),
    option(
        "--as-of",
        en="What was known then (date or instant, in the plant's zone).",
        zh="以该时刻已知的数据为准（工厂时区的日期或时刻）。",
    ),
)
