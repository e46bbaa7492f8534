"""Rulebook: one folder (about, quantities, chapters, tables, cases), loaded lazily and checked.

A rulebook may build on others: it then has all they have, and replaces what it names anew. Loading touches no fact.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import date
from errno import ENOENT
from pathlib import Path
from typing import Any

from celadon.core.clauses import Document
from celadon.core.cycles import no_cycles_sought
from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingError, FindingKind, Findings, Place, Severity
from celadon.core.quantities import GrainKey
from celadon.core.text import Text, TextError, text_from, text_of
from celadon.core.units import Unit, UnitError, did_you_mean, parse_unit
from celadon.rules.chapters import read_chapters
from celadon.rules.factors import FactorTable, read_table
from celadon.rules.published import Sealed, check_published, seal, unsealed
from celadon.rules.reading import RULEBOOK_UNREADABLE, digest_of, over_limit, read_folder, read_mapping
from celadon.rules.rule import Rule, grain_of, word_of

RULEBOOK_UNKNOWN = FindingKind(
    "rulebook.unknown",
    Severity.ERROR,
    Text(en="Unknown rulebook", zh="未知规则册"),
    Text(en="There is no rulebook “{id}”{hint}.", zh="没有规则册“{id}”{hint}。"),
    Text(
        en="`celadon rulebooks` lists those there are; a folder of your own is given as a path.",
        zh="用 `celadon rulebooks` 查看可用规则册；自有规则册请给出文件夹路径。",
    ),
)
RULEBOOK_KEY = FindingKind(
    "rulebook.key",
    Severity.ERROR,
    Text(en="Key missing or unknown", zh="键缺失或未知"),
    Text(en="In {what}: {why}.", zh="{what} 中：{why}。"),
    Text(en="Correct the key; unknown keys are never ignored.", zh="请更正该键；未知键不会被忽略。"),
)

RULEBOOK_BASE = FindingKind(
    "rulebook.builds-on",
    Severity.ERROR,
    Text(en="Rulebook builds on itself", zh="规则册互相依托"),
    Text(
        en="{id} builds on rulebooks that build on it: {path}.",
        zh="{id} 所依托的规则册又依托于它：{path}。",
    ),
    Text(
        en="Take one of them out of builds_on: in about.yaml.",
        zh="请从 about.yaml 的 builds_on: 中去掉其中之一。",
    ),
)

SITE_TABLE = "@site"
"""Stands for the plant's own sites: a factor may read a column of theirs, such as equity_share."""
PREFIX = "prefix:"
SITE_COLUMNS = ("id", "region", "country", "zone", "equity_share")
"""What a factor may read of a site, as a key or, of `@site`, as its value."""
MAX_BASES = 5
MAX_BASE_LEVELS = 3


@dataclass(frozen=True, slots=True)
class FactSpec:
    """A fact the rulebook asks for. `on_missing`: absent, or not_applicable (the plant declares no such flow); one that is
    `due_with` another is asked for only where that one is given (`due_for`: with one of these purposes)."""

    name: str
    label: Text
    unit: Unit
    grain: GrainKey
    adds: bool
    on_missing: str
    clause: Text | None
    doc: str = ""
    due_with: str = ""
    due_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FactorSpec:
    """A factor looked up in a table: which column, which keys, and what to do where no row holds."""

    name: str
    label: Text
    unit: Unit
    table: str
    column: str
    keys: tuple[tuple[str, str], ...]
    """(table column, selector): a grain key, `prefix:<grain key>` (the row with the longest leading part of the word, as
    customs codes are read), `site.region`, `option:<name>` or `=constant`."""
    on_gap: str
    clause: Text | None
    doc: str = ""

    @property
    def row_keys(self) -> tuple[str, ...]:
        """Grain keys that select the row (carrier, gas …), sorted."""
        return tuple(
            sorted(
                sel.removeprefix(PREFIX)
                for _, sel in self.keys
                if not _fixed(sel) and not sel.startswith("site.")
            )
        )

    @property
    def prefix_keys(self) -> frozenset[str]:
        """Grain keys whose row is that of the longest leading part there is."""
        return frozenset(sel.removeprefix(PREFIX) for _, sel in self.keys if sel.startswith(PREFIX))


def _fixed(selector: str) -> bool:
    return selector.startswith(("=", "option:"))


@dataclass(frozen=True, slots=True)
class OptionSpec:
    name: str
    label: Text
    choices: Mapping[str, Text]
    default: str
    clause: Text | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """Quantities of which an account says whether they are in it: computed, left out with a reason, or without data."""

    names: tuple[str, ...] = ()
    clause: Text | None = None


@dataclass(frozen=True, slots=True)
class NotModelled:
    clause: Text | None
    what: Text
    why: Text


@dataclass(frozen=True)
class Rulebook:
    """One standard, ready to compile; immutable."""

    id: str
    edition: str
    documents: tuple[Document, ...]
    scope: Text
    totals: tuple[str, ...]
    options: Mapping[str, OptionSpec]
    facts: Mapping[str, FactSpec]
    factors: Mapping[str, FactorSpec]
    rules: Mapping[str, tuple[Rule, ...]]
    tables: Mapping[str, FactorTable]
    not_modelled: tuple[NotModelled, ...]
    doubts: tuple[Text, ...]
    folder: Path
    digest: str
    findings: Findings = field(default_factory=Findings)
    coverage: Coverage = Coverage()
    builds_on: tuple[Rulebook, ...] = ()
    """The rulebooks whose facts, factors, tables, options and rules this one has too, nearest first."""

    @property
    def document(self) -> Document:
        return self.documents[0]

    def label(self, name: str) -> Text:
        """The label of a rule, fact or factor."""
        if name in self.rules:
            return self.rules[name][0].label
        spec = self.facts.get(name) or self.factors.get(name)
        return spec.label if spec else Text(name, name)

    def known_names(self) -> list[str]:
        return [*self.rules, *self.facts, *self.factors]

    @property
    def ids(self) -> tuple[str, ...]:
        """Its own id, and those of the rulebooks it builds on."""
        return (self.id, *(name for base in self.builds_on for name in base.ids))

    def current_digest(self) -> str:
        """What the digest would be if the rulebook were loaded now: another one after its files, or a base's, changed."""
        return _joined(
            digest_of(read_folder(self.folder)), [base.current_digest() for base in self.builds_on]
        )

    def table_file(self, name: str) -> str:
        """The file of a table as told to users: `<rulebook>/tables/<name>.csv`, of the rulebook that has it."""
        table = self.tables.get(name)
        return f"{self.id}/tables/{name}.csv" if table is None else "/".join(Path(table.file).parts[-3:])

    @property
    def own_tables(self) -> dict[str, FactorTable]:
        """The tables of its own folder, not those of a rulebook it builds on."""
        return {
            name: table
            for name, table in self.tables.items()
            if not any(base.tables.get(name) is table for base in self.builds_on)
        }

    def publish(self) -> Sealed:
        """Seal every row of its own tables (FindingError where a sealed row was changed)."""
        return seal(self.folder, read_folder(self.folder), self.own_tables)

    def unsealed(self) -> dict[str, int]:
        """Rows of its own tables that may still be edited, by table."""
        return unsealed(self.folder, read_folder(self.folder), self.own_tables)

    def inherits(self, name: str) -> bool:
        """Whether a rule, fact, factor, option or table is that of a rulebook this one builds on."""
        for part in ("rules", "facts", "factors", "options", "tables"):
            mine = getattr(self, part).get(name)
            if mine is not None and any(mine is getattr(base, part).get(name) for base in self.builds_on):
                return True
        return False


SHIPPED = Path(__file__).resolve().parent.parent / "rulebooks"


def shipped_ids() -> list[str]:
    """Ids of the rulebooks that come with Celadon; reads no rulebook."""
    return sorted(folder.name for folder in SHIPPED.iterdir() if (folder / "about.yaml").is_file())


def find_rulebook(name: str) -> Path:
    """The folder of a shipped rulebook or of a path (FindingError when there is none)."""
    if "/" in name or "\\" in name or name.startswith("."):
        folder = Path(name).expanduser()
    else:
        folder = SHIPPED / name
    if not (folder / "about.yaml").is_file():
        raise FindingError(
            RULEBOOK_UNKNOWN.at(Place(subject=name), id=name, hint=did_you_mean(name, shipped_ids()))
        )
    return folder


Finder = Callable[[Path, str], Path]
"""A rulebook's folder and a word of its builds_on -> the folder meant."""


def base_folder(folder: Path, name: str) -> Path:
    """Shipped ones are named by id, others by a path from this folder."""
    return (folder / name).resolve() if name.startswith(".") else find_rulebook(name)


def load_rulebook(
    name: str | Path, find: Finder = base_folder, known: dict[Path, Rulebook] | None = None
) -> Rulebook:
    """Load a rulebook by id or folder, with those it builds on. Raises FindingError only when it cannot be used at all;
    lesser faults stay in `.findings` (see `rules.check.check_rulebook`).

    `known`: what the same listing of several loaded before, by folder; what is loaded joins it."""
    folder = name if isinstance(name, Path) else find_rulebook(name)
    with no_cycles_sought():
        return _load(folder, (), find, {} if known is None else known)


def _load(folder: Path, above: tuple[Path, ...], find: Finder, known: dict[Path, Rulebook]) -> Rulebook:
    if folder in known:
        return known[folder]
    findings = Findings()
    contents = read_folder(folder)
    about = read_mapping(folder, "about.yaml", contents)
    quantities = read_mapping(folder, "quantities.yaml", contents)
    bases = _bases(about, folder, (*above, folder), find, known)
    own = tuple(_each(about.get("documents"), _document, folder, findings))
    if not own:
        raise FindingError(
            RULEBOOK_UNREADABLE.at(
                Place(file=str(folder / "about.yaml")), why=Text("documents: is empty", "documents: 为空")
            )
        )
    documents = {item.number: item for item in (*own, *(item for base in bases for item in base.documents))}
    documents.update({item.number: item for item in own})
    _only(about, _ABOUT, folder, "about.yaml", findings)
    _only(quantities, ("facts", "factors"), folder, "quantities.yaml", findings)
    factors = _specs(quantities.get("factors"), _factor, folder, findings)
    names = dict.fromkeys(spec.table for spec in factors.values() if spec.table != SITE_TABLE)
    read = {
        table: _table(folder, table, contents, findings)
        for table in names
        if _own_table(table, contents, bases)
    }
    tables = {key: table for key, table in read.items() if table is not None}
    check_published(folder, contents, tables, findings)
    not_modelled = _each(about.get("not_modelled"), _not_modelled, folder, findings)
    doubts = _each(about.get("doubts"), _doubt, folder, findings)
    findings.extend(item for base in bases for item in base.findings)
    known[folder] = Rulebook(
        id=_id(about.get("id", folder.name), folder, findings),
        edition=str(about.get("edition", "")),
        documents=tuple(documents.values()),
        scope=next(
            iter(_each([about.get("scope", folder.name)], _doubt, folder, findings)),
            Text(folder.name, folder.name),
        ),
        totals=tuple(_each(about.get("totals"), _total, folder, findings)),
        options=_with_bases(bases, "options", _specs(about.get("options"), _option, folder, findings)),
        facts=_due_with_known(
            _with_bases(bases, "facts", _specs(quantities.get("facts"), _fact, folder, findings)),
            folder,
            findings,
        ),
        factors=_with_bases(bases, "factors", factors),
        rules=_with_bases(bases, "rules", read_chapters(folder, contents, documents, findings)),
        tables=_with_bases(bases, "tables", tables),
        not_modelled=(*not_modelled, *(item for base in bases for item in base.not_modelled)),
        doubts=(*doubts, *(item for base in bases for item in base.doubts)),
        folder=folder,
        digest=_joined(digest_of(contents), [base.digest for base in bases]),
        findings=findings,
        coverage=_coverage(about.get("coverage"), bases, folder, findings),
        builds_on=bases,
    )
    return known[folder]


_ABOUT = (
    "id", "documents", "edition", "scope", "totals", "options", "coverage", "not_modelled", "doubts", "builds_on",
)  # fmt: skip


def _bases(
    about: Mapping[str, Any], folder: Path, above: tuple[Path, ...], find: Finder, known: dict[Path, Rulebook]
) -> tuple[Rulebook, ...]:
    """The rulebooks named in builds_on."""
    found = []
    names = _each(about.get("builds_on"), _base, folder, Findings())
    for what, count, limit in (
        (Text("rulebooks under builds_on", "builds_on 中的规则册"), len(names), MAX_BASES),
        (Text("levels of builds_on", "builds_on 的层数"), len(above) if names else 0, MAX_BASE_LEVELS),
    ):
        if count > limit:
            raise FindingError(over_limit(folder / "about.yaml", what, count, limit))
    for name in names:
        base = find(folder, str(name))
        if base in above:
            path = " → ".join(item.name for item in (*above[above.index(base) :], base))
            where = Place(file=str(folder / "about.yaml"))
            raise FindingError(RULEBOOK_BASE.at(where, id=base.name, path=path))
        found.append(_load(base, above, find, known))
    return tuple(found)


def _base(body: Any, _folder: Path, _findings: Findings) -> str:
    return str(body)


def _with_bases(bases: tuple[Rulebook, ...], part: str, own: Mapping[str, Any]) -> dict[str, Any]:
    """What the bases have, the nearest first in line, and this rulebook's own in its place."""
    merged: dict[str, Any] = {}
    for base in reversed(bases):
        merged.update(getattr(base, part))
    return {**merged, **own}


def _coverage(body: Any, bases: tuple[Rulebook, ...], folder: Path, findings: Findings) -> Coverage:
    """The rulebook's own words; what it leaves unsaid is its base's."""
    known = next((base.coverage for base in bases if base.coverage.names), Coverage())
    if body is None:
        return known
    _only(body, ("names", "clause"), folder, "coverage", findings)
    names = tuple(str(name) for name in body.get("names") or known.names)
    return Coverage(names, _clause(body) or known.clause)


def _own_table(name: str, contents: Mapping[str, bytes], bases: tuple[Rulebook, ...]) -> bool:
    """A table may be that of a base, unless the folder has a file of its own."""
    return f"tables/{name}.csv" in contents or not any(name in base.tables for base in bases)


def _joined(own: str, bases: Sequence[str]) -> str:
    return hashlib.sha256("\n".join([own, *bases]).encode()).hexdigest() if bases else own


def _each(section: Any, read: Any, folder: Path, findings: Findings) -> list[Any]:
    """Read every item of a list; a bad one is a Finding and is left out."""
    found = []
    for number, item in enumerate(section if isinstance(section, list) else [section] if section else []):
        try:
            found.append(read(item, folder, findings))
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            what = Text(f"item {number + 1}", f"第 {number + 1} 项")
            findings.add(RULEBOOK_KEY.at(Place(file=str(folder / "about.yaml")), what=what, why=_why(error)))
    return found


def _id(value: Any, folder: Path, findings: Findings) -> str:
    """The rulebook's id; plants name their options by it, so it is a word."""
    try:
        return word_of(value)
    except TextError as error:
        findings.add(RULEBOOK_KEY.at(Place(file=str(folder / "about.yaml")), what="id", why=error.text))
        return "unnamed"


def _total(body: Any, _folder: Path, _findings: Findings) -> str:
    return word_of(body)


def _doubt(body: Any, _folder: Path, _findings: Findings) -> Text:
    return text_from(body)


def _only(
    mapping: Mapping[str, Any], known: tuple[str, ...], folder: Path, what: str, findings: Findings
) -> None:
    for name in mapping:
        if name not in known:
            hint = did_you_mean(str(name), known)
            why = Text(f"unknown key “{name}”{hint.en}", f"未知键“{name}”{hint.zh}")
            findings.add(RULEBOOK_KEY.at(Place(file=str(folder)), what=what, why=why))


def _specs(section: Any, read: Any, folder: Path, findings: Findings) -> dict[str, Any]:
    specs: dict[str, Any] = {}
    if section is not None and not isinstance(section, dict):
        why = Text("a section is a mapping of names", "该节应为名称到内容的映射")
        findings.add(RULEBOOK_KEY.at(Place(file=str(folder)), what=type(section).__name__, why=why))
    for name, body in section.items() if isinstance(section, dict) else ():
        try:
            specs[word_of(name)] = read(name, dict(body), folder, findings)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            where = Place(file=str(folder), subject=str(name)[:80])
            findings.add(RULEBOOK_KEY.at(where, what=str(name)[:80], why=_why(error)))
    return specs


def _due_with_known(facts: dict[str, FactSpec], folder: Path, findings: Findings) -> dict[str, FactSpec]:
    """The facts; one that goes with an unknown one would be asked for nowhere, and is said."""
    for spec in facts.values():
        if spec.due_with and spec.due_with not in facts:
            hint = did_you_mean(spec.due_with, facts)
            why = Text(
                f"due_with names no fact: “{spec.due_with}”{hint.en}",
                f"due_with 所指不是事实量：“{spec.due_with}”{hint.zh}",
            )
            findings.add(RULEBOOK_KEY.at(Place(file=str(folder), subject=spec.name), what=spec.name, why=why))
    return facts


def _why(error: Exception) -> Text:
    if isinstance(error, KeyError):
        return Text(f"{error.args[0]} is missing", f"缺少 {error.args[0]}")
    return text_of(error)


def _document(body: dict[str, Any], folder: Path, findings: Findings) -> Document:
    _only(body, ("number", "title", "since", "until"), folder, "documents", findings)
    return Document(
        text_from(body["number"] if isinstance(body["number"], dict) else str(body["number"])),
        text_from(body["title"]),
        _day(body.get("since")) or date.min,
        _day(body.get("until")),
    )


def _day(value: Any) -> date | None:
    if value is None or value == "":
        return None
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def _unit(text: Any) -> Unit:
    try:
        return parse_unit(str(text))
    except UnitError as error:
        raise TextError(Text(f"unit: {error.text.en}", f"unit：{error.text.zh}")) from error


def _fact(name: str, body: dict[str, Any], folder: Path, findings: Findings) -> FactSpec:
    keys = ("label", "unit", "grain", "adds", "on_missing", "due_with", "due_for", "clause", "doc")
    _only(body, keys, folder, name, findings)
    on_missing = str(body.get("on_missing", "absent"))
    if on_missing not in ("absent", "not_applicable"):
        raise TextError(
            Text(
                f"on_missing is absent or not_applicable, not {on_missing}",
                f"on_missing 应为 absent 或 not_applicable，而非 {on_missing}",
            )
        )
    if on_missing == "not_applicable" and not body.get("clause"):
        raise TextError(
            Text(
                "on_missing: not_applicable needs the clause that allows it",
                "on_missing: not_applicable 须注明允许的条款",
            )
        )
    return FactSpec(
        name,
        text_from(body["label"]),
        _unit(body["unit"]),
        grain_of(str(body["grain"])),
        bool(body.get("adds", True)),
        on_missing,
        _clause(body),
        str(body.get("doc", "")),
        str(body.get("due_with", "")),
        tuple(str(word) for word in body.get("due_for", ())),
    )


def _factor(name: str, body: dict[str, Any], folder: Path, findings: Findings) -> FactorSpec:
    _only(
        body, ("label", "unit", "table", "column", "keys", "on_gap", "clause", "doc"), folder, name, findings
    )
    on_gap = str(body.get("on_gap", "error"))
    if on_gap not in ("error", "absent", "latest_earlier", "next", "unpublished"):
        raise TextError(
            Text(
                f"on_gap is error, absent, latest_earlier, next or unpublished, not {on_gap}",
                f"on_gap 应为 error、absent、latest_earlier、next 或 unpublished，而非 {on_gap}",
            )
        )
    keys = tuple(
        (word_of(column), _selector(selector)) for column, selector in dict(body.get("keys") or {}).items()
    )
    if str(body["table"]) == SITE_TABLE and body["column"] not in SITE_COLUMNS:
        _known(body["column"], SITE_COLUMNS)
    return FactorSpec(
        name,
        text_from(body["label"]),
        _unit(body["unit"]),
        str(body["table"]) if str(body["table"]) == SITE_TABLE else word_of(body["table"]),
        word_of(body["column"]),
        keys,
        on_gap,
        _clause(body),
        str(body.get("doc", "")),
    )


def _selector(text: Any) -> str:
    """How a row is selected: see `FactorSpec.keys`."""
    selector = str(text)
    if selector.startswith("="):
        return selector
    kind, sign, name = selector.partition(":")
    if sign and f"{kind}:" not in (PREFIX, "option:"):
        _known(f"{kind}:", (PREFIX, "option:"))
    if selector.startswith("site."):
        _known(selector[5:], SITE_COLUMNS)
    else:
        word_of(name if sign else selector)
    return selector


def _known(word: Any, known: tuple[str, ...]) -> None:
    if word not in known:
        listed = ", ".join(known)
        raise TextError(Text(f"“{word}” is none of {listed}", f"“{word}”不在 {listed} 之中"))


def _option(name: str, body: dict[str, Any], folder: Path, findings: Findings) -> OptionSpec:
    _only(body, ("label", "choices", "default", "clause"), folder, name, findings)
    choices = {str(choice): text_from(label) for choice, label in dict(body["choices"]).items()}
    default = str(body["default"])
    if default not in choices:
        listed = ", ".join(choices)
        raise TextError(
            Text(f"default {default} is no choice of {listed}", f"default {default} 不在取值 {listed} 之中")
        )
    return OptionSpec(name, text_from(body["label"]), choices, default, _clause(body))


def _not_modelled(body: dict[str, Any], folder: Path, findings: Findings) -> NotModelled:
    _only(body, ("clause", "what", "why"), folder, "not_modelled", findings)
    return NotModelled(_clause(body), text_from(body.get("what", "")), text_from(body.get("why", "")))


def _clause(body: Mapping[str, Any]) -> Text | None:
    """The clause cited, in both languages; one text where they cite it alike (5.2, GB/T 2589-2020 7)."""
    given = body.get("clause")
    return text_from(given if isinstance(given, dict) else str(given)) if given else None


def _table(folder: Path, name: str, contents: Mapping[str, bytes], findings: Findings) -> FactorTable | None:
    inside = f"tables/{name}.csv"
    path = folder / "tables" / f"{name}.csv"
    try:
        if inside not in contents:
            raise FileNotFoundError(ENOENT, "No such file", str(path))
        return read_table(name, contents[inside].decode("utf-8"), str(path), findings)
    except (OSError, UnicodeDecodeError) as error:
        findings.add(RULEBOOK_UNREADABLE.at(Place(file=str(path)), why=text_of(error)))
        return None
