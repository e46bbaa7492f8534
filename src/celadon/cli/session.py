"""One invocation: its language, whether it speaks JSON, where it prints, and how it ends."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import click

from celadon.cli.base import lang_of
from celadon.cli.words import word
from celadon.core.findings import Finding, Severity
from celadon.core.text import Lang

if TYPE_CHECKING:
    from rich.console import Console

FAILED = 1
USAGE = 2
INTERRUPTED = 130


class Session:
    """Language, form and ending of one invocation."""

    def __init__(
        self, context: click.Context, as_json: bool = False, lang: str | None = None, quiet: bool = False
    ) -> None:
        self.lang: Lang = "zh" if lang == "zh" else "en" if lang == "en" else lang_of(context)
        self.as_json = as_json
        self.quiet = quiet

    def console(self) -> Console:
        """Where tables go: standard output, as wide as the terminal, and wide enough for tables in a file or pipe."""
        from rich.console import Console

        terminal = sys.stdout.isatty()
        return Console(width=None if terminal else 140, highlight=False, soft_wrap=False, emoji=False)

    def finish(
        self,
        shape: str,
        body: Mapping[str, Any],
        human: Callable[[Console], None],
        findings: Iterable[Finding] = (),
        brief: bool = True,
    ) -> None:
        """Prints the result as JSON or for people, then its findings; exits 1 where one is an error.

        `brief` findings are cut short: where the result itself is what was asked for.
        """
        found = list(findings)
        if self.as_json:
            print_json({"shape": shape, **body, "findings": [item.to_json(self.lang) for item in found]})
        else:
            console = self.console()
            human(console)
            self.show_findings(console, found, brief)
        self.end(found)

    def end(self, findings: Iterable[Finding]) -> None:
        """Exits 1 where a finding is an error."""
        if any(item.severity is Severity.ERROR for item in findings):
            raise click.exceptions.Exit(FAILED)

    def show_findings(self, console: Console, findings: Iterable[Finding], brief: bool = False) -> None:
        """The findings for people, notices left out when quiet."""
        from celadon.cli.show import print_findings

        shown = [item for item in findings if not (self.quiet and item.severity is Severity.NOTICE)]
        if shown:
            print_findings(console, shown, self.lang, brief)

    def fail(self, findings: Iterable[Finding]) -> NoReturn:
        """Work could not go on: prints why and exits 1."""
        found = list(findings)
        if self.as_json:
            print_json({"shape": "error/1", "findings": [item.to_json(self.lang) for item in found]})
        else:
            from rich.console import Console

            from celadon.cli.show import print_findings

            console = Console(
                stderr=True, width=None if sys.stderr.isatty() else 140, highlight=False, emoji=False
            )
            print_findings(console, found, self.lang)
        raise click.exceptions.Exit(FAILED)

    @contextlib.contextmanager
    def progress(self, title: str) -> Iterator[Callable[[float, str], None] | None]:
        """A callback (share done 0..1, what is being done) that moves a bar on standard error, or None.

        There is a bar only when standard error is a terminal and nobody asked for quiet.
        """
        if self.quiet or not sys.stderr.isatty():
            yield None
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.fields[what]}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("", total=1.0, what=title)
            yield lambda share, what: bar.update(task, completed=share, what=what)


def print_json(body: Mapping[str, Any]) -> None:
    """One JSON document on standard output; numbers as they are, absent as null, text as UTF-8."""
    text = json.dumps(body, ensure_ascii=False, indent=2, allow_nan=False, default=str)
    sys.stdout.write(text + "\n")


def usage_text(error: click.UsageError, lang: Lang) -> str:
    """What is wrong with the way the command was called."""
    if isinstance(error, click.NoSuchOption):
        text = word("no_such_option", lang, name=error.option_name)
        return text + _near(error.possibilities, lang)
    if isinstance(error, click.MissingParameter):
        return word("missing", lang, name=_parameter(error))
    if isinstance(error, click.BadParameter):
        return word("bad_value", lang, name=_parameter(error), why=_why(error.message, lang))
    return error.format_message()


_WRONG = {"one of": "not_one_of", "a valid": "not_valid", "in the range": "not_in_range"}


def _why(message: str, lang: Lang) -> str:
    """What click says of a value, in the reader's language where it is one of its usual sentences."""
    found = re.fullmatch(rf"(.+) is not ({'|'.join(_WRONG)}) (.+?)\.?", message, re.DOTALL)
    return word(_WRONG[found[2]], lang, value=found[1], known=found[3]) if found else message


def _near(names: Iterable[str] | None, lang: Lang) -> str:
    found = ", ".join(names or ())
    return f" ({word('did_you_mean', lang, names=found)})" if found else ""


def _parameter(error: click.BadParameter) -> str:
    if error.param is not None:
        return (
            " / ".join(error.param.opts)
            if isinstance(error.param, click.Option)
            else error.param.make_metavar(error.ctx or click.Context(click.Command("celadon")))
        )
    return str(error.param_hint or "")
