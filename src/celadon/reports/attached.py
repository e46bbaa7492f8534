"""Reports as files that go with something else: a filing."""

from __future__ import annotations

from collections.abc import Iterable

from celadon.core.text import Lang
from celadon.core.version import VERSION
from celadon.plant.facade import Plant
from celadon.reports.gather import Asked, Progress
from celadon.reports.write import FORMS, make, write


def files(
    plant: Plant, kinds: Iterable[str], asked: Asked, lang: Lang, progress: Progress | None = None
) -> dict[str, bytes]:
    """Reports of these kinds in every form, by file name (`energy-carbon-zh.pdf`).

    Raises:
        FindingError: no such kind; whatever accounting refuses.
    """
    found = {}
    for kind in dict.fromkeys(kinds):
        report = make(plant, kind, asked, lang, VERSION, progress)
        for form in FORMS:
            found[f"{kind}-{lang}.{form}"] = write(report, form, lang)
    return found
