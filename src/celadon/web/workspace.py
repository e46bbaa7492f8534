"""Workspace: the folder that is served. Every sub-folder with a `plant.yaml` or `region.yaml` is a place in it, under the
folder's name; a folder that is itself a plant or region is served alone, under the name of its folder.

The console keeps its own memory in FOLDER/.celadon, and a lock there: a second server on one folder is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, FindingKind, Severity
from celadon.core.findings import Place as Where
from celadon.core.text import Text
from celadon.store.locking import FileLatch
from celadon.web.access import Place
from celadon.web.desk import Answers, Library, PlantDesk, RegionDesk

SERVED = FindingKind(
    "console.served-already",
    Severity.ERROR,
    Text("Folder served already", "文件夹已在服务中"),
    Text(
        "{folder} is served by {holder}; two servers on one folder are refused.",
        "{folder} 正由 {holder} 提供服务；同一文件夹不允许两个服务。",
    ),
    Text("Use the one that runs, or stop it first.", "请使用正在运行的服务，或先停止它。"),
)
EMPTY = FindingKind(
    "console.nothing-to-serve",
    Severity.ERROR,
    Text("Nothing to serve", "没有可服务的内容"),
    Text("There is neither a plant nor a region in {folder}.", "{folder} 中既无工厂也无区域。"),
    Text(
        "`celadon new {folder}/my-plant` makes a plant there; `celadon serve --demo` serves the examples.",
        "用 `celadon new {folder}/my-plant` 新建工厂；或用 `celadon serve --demo` 查看示例。",
    ),
)
NAME_UNFIT = FindingKind(
    "console.folder-name",
    Severity.WARNING,
    Text("Folder's name unfit for an address", "文件夹名称不能用作网址"),
    Text(
        "“{folder}” is not served: its name has other signs than letters, digits and . _ - .",
        "“{folder}”未提供服务：名称含有字母、数字和 . _ - 以外的字符。",
    ),
    Text("Rename the folder.", "请重命名该文件夹。"),
)
_NAME = re.compile(r"[\w][\w.-]*")
MEMORY = ".celadon"


@dataclass(frozen=True)
class _Found:
    key: str
    folder: Path
    kind: str


class Workspace:
    """An open workspace; `close` it. Places are looked for anew whenever they are listed, so that a new folder is there at once."""

    def __init__(self, root: str | Path) -> None:
        """Open the folder for serving.

        Raises:
            FindingError: nothing to serve, or another server has the folder.
        """
        self.root = Path(root).resolve()
        if not self.root.is_dir() or not any(_found(self.root)):
            raise FindingError(EMPTY.at(Where(file=str(root)), folder=str(root)))
        self.memory = self.root / MEMORY
        self.memory.mkdir(mode=0o700, exist_ok=True)
        self._latch = FileLatch(self.memory)
        if not self._latch.take(wait=False):
            raise FindingError(
                SERVED.at(Where(file=str(root)), folder=str(root), holder=self._latch.holder())
            )
        self.library = Library()
        self.answers = Answers()
        self._plants: dict[str, PlantDesk] = {}
        self._regions: dict[str, RegionDesk] = {}

    def places(self) -> list[Place]:
        """Everything served: plants, then regions, by name."""
        return [
            Place(item.kind, item.key)
            for item in sorted(_found(self.root), key=lambda one: (one.kind, one.key))
        ]

    def plant(self, key: str) -> PlantDesk | None:
        """The plant with that key."""
        folder = self._folder("plant", key)
        if folder is None:
            return None
        return self._plants.setdefault(key, PlantDesk.at(key, folder, self.library, self.answers))

    def region(self, key: str) -> RegionDesk | None:
        """The region with that key."""
        folder = self._folder("region", key)
        if folder is None:
            return None
        return self._regions.setdefault(key, RegionDesk.at(key, folder, self.library, self.answers))

    def close(self) -> None:
        """Let go of everything that is open, and of the folder."""
        for plant in self._plants.values():
            plant.close()
        for region in self._regions.values():
            region.close()
        self._latch.give_back()

    def _folder(self, kind: str, key: str) -> Path | None:
        return next((item.folder for item in _found(self.root) if (item.kind, item.key) == (kind, key)), None)


def _found(root: Path) -> Iterator[_Found]:
    """What a folder holds to be served; folders whose names cannot stand in an address are left out."""
    own = _kind(root)
    if own is not None:
        yield _Found(root.name if _NAME.fullmatch(root.name) else own, root, own)
        return
    for folder in root.iterdir():
        kind = _kind(folder) if _NAME.fullmatch(folder.name) else None
        if kind is not None:
            yield _Found(folder.name, folder, kind)


def unfit(root: Path) -> list[Finding]:
    """What cannot be served for the name of its folder."""
    if _kind(root) is not None:
        return []
    names = sorted(item.name for item in root.iterdir() if _kind(item) and not _NAME.fullmatch(item.name))
    return [NAME_UNFIT.at(Where(file=name), folder=name) for name in names]


def _kind(folder: Path) -> str | None:
    if (folder / "plant.yaml").is_file():
        return "plant"
    return "region" if (folder / "region.yaml").is_file() else None


def address(place: Place, page: str = "") -> str:
    """The path of a page of a place: /plants/mill/overview."""
    return f"/{place.kind}s/{quote(place.key)}" + (f"/{page}" if page else "")
