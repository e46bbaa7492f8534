"""`new`: a commented plant file with samples of its data, which works as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from celadon.adapters.plant_file import write_template
from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingError
from celadon.core.text import Lang


@dataclass(frozen=True)
class NewPlant:
    """The folder and the files written."""

    folder: Path
    files: tuple[Path, ...]

    def to_json(self) -> dict[str, Any]:
        """Shape `new/1`."""
        return {"folder": str(self.folder), "files": [path.as_posix() for path in self.files]}


def new_plant(folder: str | Path, lang: Lang = "en", contents: Mapping[str, str] | None = None) -> NewPlant:
    """Write the template, or these files by name, into `folder` (made where it is missing).

    Raises:
        FindingError: a file of the template is there already, or the folder cannot be written; nothing is overwritten.
    """
    files, findings = write_template(folder, lang, contents)
    if findings.errors:
        raise FindingError(findings.errors)
    return NewPlant(Path(folder), files)
