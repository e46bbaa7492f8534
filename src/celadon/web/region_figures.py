"""Figures of a region that its pages share: groups with suppression, the picture of provinces, grades as counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from celadon.charts.tiles import Tile
from celadon.core.findings import FindingError
from celadon.core.findings import Place as Where
from celadon.core.text import Text
from celadon.region.grades import Grades
from celadon.region.lists import industries
from celadon.region.peers import Peers
from celadon.web.asked import NO_PERIOD, Asked
from celadon.web.page import Both, Cell, Table, both

ENERGY = "cn_gbt_2589_2020"


class Group(BaseModel):
    """A group of enterprises. Where it is kept back, so that none can be made out, every number is null."""

    code: str
    name: Both
    kept_back: bool
    enterprises: int | None
    total: float | None
    mean: float | None
    median: float | None
    trace: str | None


class Level(BaseModel):
    """Enterprises with one grade level; null where the count is kept back. `level` null: not graded."""

    level: int | None
    enterprises: int | None


def period_of(asked: Asked, given: str | None) -> str:
    """The period as given, else the last year with reports.

    Raises:
        FindingError: none was given and nothing is loaded.
    """
    if given:
        return given
    with asked.region.watched() as region:
        months = region.view().months()
    if not months:
        raise FindingError(NO_PERIOD.at(Where(subject=str(asked.place)), place=str(asked.place)))
    return str(months[-1] // 12)


BESIDE = ("province", "division")
"""The groupings that pages show together, so that what is kept back in one does not follow from the other."""


def peers(asked: Asked, period: str, by: str) -> Peers:
    """Energy per output value in groups, kept."""
    return asked.region.answer(
        ("peers", ENERGY, period, by),
        lambda region: region.peers(period, rulebook=ENERGY, by=by, beside=BESIDE),
    )


def groups(asked: Asked, found: Peers, *, traced: bool) -> list[Group]:
    """Its groups; a total leads to its trace for those who may see it (`traced`)."""
    made = []
    for item in found.groups:
        word = dict(zip(found.by, item.group, strict=True))
        name = Text(" · ".join(one.en for one in item.names), " · ".join(one.zh for one in item.names))
        link = (
            asked.trace(found.quantity, found.book.id, found.period.label, **word)
            if traced and not item.suppressed
            else None
        )
        made.append(
            Group(
                code=" ".join(item.group), name=both(name), kept_back=bool(item.suppressed), enterprises=item.enterprises,
                total=item.total, mean=item.mean, median=item.percentiles.get(0.5), trace=link,
            )
        )  # fmt: skip
    return made


def tiles(made: list[Group]) -> tuple[Tile, ...]:
    """Groups by province as tiles of a picture: the mean, or that it is kept back."""
    return tuple(Tile(one.code, Text(one.name.en, one.name.zh), one.mean, one.kept_back) for one in made)


def grades(asked: Asked, period: str, most: int = 1) -> Grades:
    """Carbon-efficiency grades, kept."""
    return asked.region.answer(("grade", period, most), lambda region: region.grade(period, most=most))


def industry_name(code: str) -> Both:
    """What a class of industry is called; its code where it is none."""
    known = industries().get(code)
    return both(known.name if known is not None else Text(code, code))


def by_level(found: Grades) -> dict[int, int]:
    """Enterprises by level; 0 is not graded."""
    counts: dict[int, int] = {}
    for (level, _), count in found.counts.items():
        counts[level] = counts.get(level, 0) + count
    return dict(sorted(counts.items()))


def disclosed(counts: Mapping[int, int], minimum: int) -> list[Level]:
    """Counts as anybody may see them: those below the minimum are kept back, and where only one is, or those are fewer than the
    minimum together, the next smallest too, so that none can be had by subtracting."""
    hidden = {level for level, count in counts.items() if 0 < count < minimum}
    rest = sorted((count, level) for level, count in counts.items() if level not in hidden and count)
    while hidden and rest and (len(hidden) == 1 or sum(counts[level] for level in hidden) < minimum):
        hidden.add(rest.pop(0)[1])
    return [
        Level(level=level or None, enterprises=None if level in hidden else count)
        for level, count in counts.items()
    ]


def groups_table(provinces: Sequence[Group], divisions: Sequence[Group], units: tuple[str, str]) -> Table:
    """The groups as rows, with the units of totals and of means; what is kept back is empty."""
    rows: list[list[Cell]] = [
        [
            kind,
            item.code,
            item.name.en,
            item.kept_back,
            item.enterprises,
            item.total,
            item.mean,
            item.median,
            *units,
        ]
        for kind, items in (("province", provinces), ("division", divisions))
        for item in items
    ]
    return Table(
        (
            "by",
            "code",
            "name",
            "kept_back",
            "enterprises",
            "total",
            "mean",
            "median",
            "total_unit",
            "mean_unit",
        ),
        rows,
    )
