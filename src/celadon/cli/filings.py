"""`celadon filings PLANT`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import option, plant_argument
from celadon.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from celadon.core.text import Lang
    from celadon.proof.log import Entry, Filings
    from celadon.proof.restating import Restated


@make_command(
    "filings",
    en="What was filed of PLANT, beside what it would be now, and why it differs.",
    zh="PLANT 的历次申报，与现值并列，并说明差异原因。",
)
@plant_argument
@click.argument("ids", nargs=-1)
@option(
    "--output",
    type=click.Path(),
    en="Write the package (with ID) to this file, and its proof beside it.",
    zh="将申报包（须给出编号）写到该文件，证明写在其旁。",
)
@option(
    "--since",
    type=click.Path(exists=True, dir_okay=False),
    en="An earlier checkpoint or .tlog-proof: prove that the log only grew since.",
    zh="较早的检查点或 .tlog-proof：证明此后日志只增不改。",
)
@option(
    "--head",
    is_flag=True,
    en="Print the log's head alone, to be published or kept by others.",
    zh="仅输出日志头，供公布或由他人保存。",
)
@option(
    "--key",
    en="The verifier key that signed that checkpoint; the last filing's where left out.",
    zh="该检查点的验证密钥；缺省为最近一次申报的密钥。",
)
def command(context: click.Context, plant: str, ids: tuple[str, ...], output: str | None, since: str | None,
            head: bool, key: str | None, as_json: bool, lang: str | None, quiet: bool) -> None:  # fmt: skip
    """Exits 1 where the log, or a package, is not what it was."""
    from celadon.plant.opened import open_file
    from celadon.proof.log import Filings
    from celadon.proof.restating import restated

    session = Session(context, as_json, lang, quiet)
    zh, opened = session.lang == "zh", open_file(plant)
    filings = Filings(opened.store_path)
    entries = [filings.find(one, opened.model.enterprise) for one in ids] if ids else filings.entries()
    if output:
        if len(ids) != 1:
            raise click.UsageError("--output: ID", context)
        Path(output).write_bytes(filings.package(entries[0]).read_bytes())
        Path(output).with_suffix(".tlog-proof").write_bytes(filings.proof(entries[0]))
    grown = _grown(filings, Path(since), key) if since else None
    if since and output:
        _write_growth(filings, Path(since), entries[0], Path(output))
    if head:
        entries = []
    with session.progress("重算" if zh else "restating") as progress:
        found = restated(opened, entries, progress) if entries else []
    newest = filings.checkpoint()
    body: dict[str, Any] = {
        "plant": opened.model.enterprise,
        "checkpoint": newest.note.decode("utf-8") if newest else None,
        "grown_by": grown,
        "filings": [item.to_json() for item in found],
    }
    session.finish(
        "filings/1",
        body,
        lambda out: (
            out.print(newest.note.decode("utf-8"), end="", markup=False, soft_wrap=True)
            if head and newest
            else print_filings(out, found, grown, session.lang)
        ),
        [item for one in found for item in one.findings],
    )


def _write_growth(filings: Filings, since: Path, entry: Entry, output: Path) -> None:
    """Beside the proof, what leads from the kept head to the proof's checkpoint, where they count differently."""
    from celadon.proof.log import checkpoint_in, read_checkpoint
    from celadon.proof.witness import GROWTH, growth

    sizes = [
        read_checkpoint(checkpoint_in(content)).size for content in (since.read_bytes(), filings.proof(entry))
    ]
    first, second = min(sizes), max(sizes)
    if first < second:
        output.with_suffix(GROWTH).write_bytes(growth(filings.counted(), first, second))


def _grown(filings: Filings, file: Path, key: str | None) -> int:
    from celadon.core.findings import FindingError, Place
    from celadon.proof import faults
    from celadon.proof.checking import verifier_key
    from celadon.proof.log import checkpoint_in, read_checkpoint

    try:
        earlier = read_checkpoint(checkpoint_in(file.read_bytes()))
    except ValueError as error:
        place = Place(file=str(file))
        raise FindingError(faults.LOG_OTHER.at(place, size=0, earlier=0, path=str(file))) from error
    entries = filings.entries()
    signed = verifier_key(key or (str(entries[-1].body["key"]) if entries else ""))
    return filings.consistency(earlier, signed, str(file))


def print_filings(console: Console, found: Sequence[Restated], grown: int | None, lang: Lang) -> None:
    """A table per filing: each figure as filed and now, its causes below."""
    from rich.markup import escape

    from celadon.cli.show import number, table

    zh = lang == "zh"
    if grown is not None:
        said = (
            f"日志在该检查点之后只增加了 {grown} 条"
            if zh
            else f"The log only grew since that checkpoint, by {grown}"
        )
        console.print(said, style="green")
    if not found:
        console.print("尚无申报" if zh else "Nothing has been filed", style="dim")
    names = (
        ("指标", "位置", "申报值", "现值", "变化", "单位")
        if zh
        else ("quantity", "place", "filed", "now", "change", "unit")
    )
    for item in found:
        told = item.entry.body
        title = f"{told['rulebook']}  {told['period']}  {item.entry.id[:12]}  {told['filed_at']}"
        made = table(title, [(name, index in (2, 3, 4)) for index, name in enumerate(names)])
        for line in item.lines:
            row = line.row
            name = line.label.say(lang) + (f" [{row.item}]" if row.item else "")
            place = row.meter or row.process or row.site
            change = f"[bold]{(line.now or 0.0) - (row.value or 0.0):+,.6g}[/bold]" if line.changed else "="
            made.add_row(escape(name), place, number(row.value), number(line.now), change, row.unit)
            for kind, cause, part, detail in line.causes:
                text = f"  └ {kind} {cause}  {detail}"
                made.add_row(escape(text), "", "", "", f"{part:+,.6g}", "", style="dim")
        console.print(made)
