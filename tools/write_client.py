"""Writes the typed client from the OpenAPI document, so that it cannot lag: `python -m tools.write_client` (`--check` only says).

For each page a module in client/calls/: its models as TypedDicts, and a class with a method for each address, which is
called after the address: GET /plants/{plant}/overview.json is `overview(plant, …)`, GET /regions/{region}/overview.json is
`region_overview(region, …)`, POST /plants/{plant}/facts/enter.json is `facts_enter(plant, body)`. Models that several pages
use are in client/calls/shared.py; client/__init__.py puts the classes together.
"""

from __future__ import annotations

import keyword
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from celadon.web.app import create_app, document

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "src" / "celadon" / "web" / "client"
HEAD = '"""{what} Written by `python -m tools.write_client`; do not edit."""\n'
_REF = "#/components/schemas/"
_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Call:
    """One method: its name, verb, address, parameters, what it takes and gives (None: bytes)."""

    name: str
    verb: str
    path: str
    tag: str
    summary: str
    parameters: tuple[Schema, ...]
    body: Schema | None
    gives: Schema | None


@dataclass
class Module:
    """A page's calls, and the models only it uses."""

    tag: str
    calls: list[Call] = field(default_factory=list)
    models: list[str] = field(default_factory=list)


class Writer:
    """The OpenAPI document as Python."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.models: Mapping[str, Schema] = document.get("components", {}).get("schemas", {})
        self.calls = list(_calls(document["paths"]))
        self.sent = self._reached_from(call.body for call in self.calls)
        """Models that are sent: what has a default may be left out. The console itself sends every field."""

    def files(self) -> dict[str, str]:
        """Path below client/ -> text."""
        modules: dict[str, Module] = {}
        for call in self.calls:
            modules.setdefault(call.tag, Module(call.tag)).calls.append(call)
        users: dict[str, set[str]] = {}
        for module in modules.values():
            for name in self._used(module.calls):
                users.setdefault(name, set()).add(module.tag)
        shared = sorted(name for name, tags in users.items() if len(tags) > 1)
        # what a shared model is made of is shared too
        shared = sorted({*shared, *self._reached(shared)})
        for name, tags in users.items():
            if name not in shared:
                modules[next(iter(tags))].models.append(name)
        made = {
            f"calls/{_word(tag)}.py": self._module(module, shared) for tag, module in sorted(modules.items())
        }
        made["calls/shared.py"] = self._shared(shared)
        made["calls/__init__.py"] = (
            HEAD.format(what="The calls of a console, by page.").split("\n\n")[0] + "\n"
        )
        made["__init__.py"] = self._front(sorted(modules))
        return made

    # -- parts -------------------------------------------------------------------------------------------------------

    def _module(self, module: Module, shared: list[str]) -> str:
        names = sorted(module.models)
        used = sorted(set(self._used(module.calls)) & set(shared))
        direct = [name for name in used if self._mentions(module, name)]
        calls = "\n".join(self._method(call) for call in sorted(module.calls, key=lambda item: item.name))
        text = "\n".join(self._model(name) for name in names)
        body = f'{text}\nclass {_class(module.tag)}Calls(Transport):\n    """The page “{module.tag}”."""\n\n{calls}'
        imports = ["from __future__ import annotations", "", *_typing(body), "",
                   *([f"from celadon.web.client.calls.shared import {', '.join(map(_class, direct))}"] if direct else []),
                   "from celadon.web.client.transport import Transport"]  # fmt: skip
        return (
            HEAD.format(what=f"Calls of the page “{module.tag}”.")
            + "\n"
            + "\n".join(imports)
            + "\n\n\n"
            + body
        )

    def _shared(self, names: list[str]) -> str:
        body = "\n".join(self._model(name) for name in names)
        lines = ["from __future__ import annotations", "", *_typing(body)]
        return HEAD.format(what="Models that several pages use.") + "\n" + "\n".join(lines) + "\n\n\n" + body

    def _front(self, tags: list[str]) -> str:
        lines = [f"from celadon.web.client.calls.{_word(tag)} import {_class(tag)}Calls" for tag in tags]
        lines += ["from celadon.web.client.transport import ConsoleError"]
        lines.append("from celadon.web.client.uploads import Uploads")
        bases = "".join(f"    {_class(tag)}Calls,\n" for tag in tags)
        doc = (
            '"""The typed client of a console: one method for each address of its API (see docs/console.md).\n\n'
            '    with Client("http://127.0.0.1:8710", token) as console:\n'
            '        console.overview("mill", period="2024")["title"]\n\n'
            'Written by `python -m tools.write_client`; do not edit.\n"""\n'
        )
        return (
            doc + "\n" + "\n".join(sorted(lines)) + '\n\n__all__ = ["Client", "ConsoleError"]\n\n\n'
            f"class Client(\n    Uploads,\n{bases}):\n"
            '    """A console, by its address and a token; use it as a context, or `close` it."""\n'
        )

    def _model(self, name: str) -> str:
        schema = self.models[name]
        title = _class(name)
        said = _line(schema.get("description", "")) or f"{title}, as the console sends it."
        if "enum" in schema:
            return f"{title} = Literal[{', '.join(repr(item) for item in schema['enum'])}]\n\n"
        if schema.get("type") != "object" or "properties" not in schema:
            return f"{title} = {self._type(schema)!r}\n\n"
        required = set(schema.get("required", ()))
        fields = []
        for key, part in schema["properties"].items():
            kind = self._type(part)
            optional = name in self.sent and key not in required
            fields.append((key, f"NotRequired[{kind}]" if optional else kind))
        if all(key.isidentifier() and not keyword.iskeyword(key) for key, _ in fields):
            lines = [f"class {title}(TypedDict):", f'    """{said}"""', ""]
            lines += [f"    {key}: {kind}" for key, kind in fields]
            return "\n".join(lines) + "\n\n"
        parts = ", ".join(f"{key!r}: {kind!r}" for key, kind in fields)
        return f"{title} = TypedDict({title!r}, {{{parts}}})\n\n"

    def _method(self, call: Call) -> str:
        places = [item for item in call.parameters if item["in"] == "path"]
        asked = [item for item in call.parameters if item["in"] == "query"]
        asked.sort(key=lambda item: not item.get("required", False))
        words = ["self", *(f"{_name(item['name'])}: {self._type(item['schema'])}" for item in places)]
        if call.body is not None:
            words.append(f"body: {self._type(call.body)}")
        if asked:
            words.append("*")
        for item in asked:
            kind = self._type(item["schema"])
            if not item.get("required", False):
                kind = (kind if "None" in kind.split(" | ") else f"{kind} | None") + " = None"
            words.append(f"{_name(item['name'])}: {kind}")
        gives = self._type(call.gives) if call.gives is not None else "bytes"
        path = "f" + repr(
            re.sub(r"\{(\w+)\}", lambda found: "{self._part(" + _name(found[1]) + ")}", call.path)
        )
        if not places:
            path = repr(call.path)
        query = "{" + ", ".join(f"{item['name']!r}: {_name(item['name'])}" for item in asked) + "}"
        given = [path]
        if call.verb == "POST":
            given += ["body" if call.body is not None else "None", *([query] if asked else [])]
        elif asked:
            given.append(query)
        verb = "_bytes" if call.gives is None else "_get" if call.verb == "GET" else "_post"
        result = f"self.{verb}({', '.join(given)})"
        if call.gives is not None:
            result = f"cast({gives!r}, {result})"
        said = f"{_line(call.summary)} ({call.verb} {call.path})"
        return f'    def {call.name}({", ".join(words)}) -> {gives}:\n        """{said}"""\n        return {result}\n'

    def _type(self, schema: Schema) -> str:
        if "$ref" in schema:
            return _class(schema["$ref"].removeprefix(_REF))
        if "const" in schema:
            return f"Literal[{schema['const']!r}]"
        if "enum" in schema:
            return f"Literal[{', '.join(repr(item) for item in schema['enum'])}]"
        for several in ("anyOf", "oneOf"):
            if several in schema:
                return " | ".join(dict.fromkeys(self._type(item) for item in schema[several]))
        if len(schema.get("allOf", ())) == 1:
            return self._type(schema["allOf"][0])
        kind = schema.get("type")
        if kind == "array":
            parts = schema.get("prefixItems", [schema["items"]] if "items" in schema else [])
            inside = " | ".join(dict.fromkeys(self._type(item) for item in parts))
            return f"list[{inside or 'Any'}]"
        if kind == "object":
            more = schema.get("additionalProperties")
            return f"dict[str, {self._type(more) if isinstance(more, Mapping) else 'Any'}]"
        return _PLAIN.get(str(kind), "Any")

    # -- who uses what -------------------------------------------------------------------------------------------------

    def _used(self, calls: list[Call]) -> set[str]:
        direct = {
            name
            for call in calls
            for part in (call.body, call.gives)
            if part is not None
            for name in _refs(part)
        }
        direct |= {name for call in calls for item in call.parameters for name in _refs(item["schema"])}
        return {*direct, *self._reached(direct)}

    def _reached_from(self, parts: Iterable[Schema | None]) -> set[str]:
        direct = {name for part in parts if part is not None for name in _refs(part)}
        return {*direct, *self._reached(direct)}

    def _reached(self, names: set[str] | list[str]) -> set[str]:
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            for name in _refs(self.models[waiting.pop()]):
                if name not in found:
                    found.add(name)
                    waiting.append(name)
        return found

    def _mentions(self, module: Module, name: str) -> bool:
        direct = {ref for model in module.models for ref in _refs(self.models[model])}
        for call in module.calls:
            direct |= {ref for part in (call.body, call.gives) if part is not None for ref in _refs(part)}
            direct |= {ref for item in call.parameters for ref in _refs(item["schema"])}
        return name in direct


def _calls(paths: Mapping[str, Any]) -> Iterator[Call]:
    """Every operation that takes nothing or JSON; what takes raw bytes is in client/uploads.py."""
    taken: set[str] = set()
    for path, verbs in sorted(paths.items()):
        for verb, said in sorted(verbs.items()):
            if verb not in ("get", "post"):
                continue
            content = said.get("requestBody", {}).get("content", {})
            if content and "application/json" not in content:
                continue
            gives = (
                said["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema")
            )
            name = _method_name(path)
            if name in taken:
                name = f"{name}_{verb}"
            taken.add(name)
            yield Call(
                name, verb.upper(), path, said.get("tags", ["console"])[0], said.get("summary", ""),
                tuple(said.get("parameters", ())), content.get("application/json", {}).get("schema"), gives or None,
            )  # fmt: skip


def _method_name(path: str) -> str:
    stem, _, kind = path.rpartition(".")
    parts = [part for part in stem.split("/") if part and not part.startswith("{")]
    if stem.endswith("}") and len(parts) > 1:  # one of several: filings/{filing} is `filing`
        parts[-1] = stem.rpartition("{")[2].rstrip("}")
    if parts and parts[0] == "plants" and len(parts) > 1:
        parts = parts[1:]
    if parts and parts[0] == "regions" and len(parts) > 1:
        parts = ["region", *parts[1:]]
    return "_".join(_word(part) for part in [*parts, *([] if kind == "json" else [kind])])


def _refs(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        for key, part in schema.items():
            if key == "$ref" and isinstance(part, str):
                yield part.removeprefix(_REF)
            elif key != "example":
                yield from _refs(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _refs(part)


def _typing(body: str) -> list[str]:
    names = ["Any", "Literal", "NotRequired", "TypedDict", "cast"]
    used = [name for name in names if re.search(rf"\b{name}\b", body)]
    return [f"from typing import {', '.join(used)}"] if used else []


def _line(text: str) -> str:
    return " ".join(text.split("\n\n")[0].split()).replace('"', "'")


def _class(name: str) -> str:
    """A model's name; of two models with one name, which the document tells apart by their modules, the end of both."""
    parts = name.split("__")
    words = [parts[-1]] if len(parts) == 1 else [*parts[-3:-2], parts[-1]]
    return "".join(part[:1].upper() + part[1:] for word in words for part in re.split(r"\W+|_", word) if part)


def _word(text: str) -> str:
    return re.sub(r"\W+", "_", text)


def _name(text: str) -> str:
    return f"{text}_" if keyword.iskeyword(text) else text.replace("-", "_")


def written() -> dict[str, str]:
    """The client's files as the pages there are now want them, by path below client/."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "plant.yaml").write_text(
            "celadon: 1\n", encoding="utf-8"
        )  # what it holds does not matter
        app = create_app(folder)
        files = Writer(document(app)).files()
        app.state.shared.workspace.close()
        app.state.shared.state.close()
    return {name: _formatted(text, HERE / name) for name, text in files.items()}


def _formatted(text: str, place: Path) -> str:
    """As the project's own settings for that place want it."""
    for verb in (["check", "--select", "I", "--fix"], ["format"]):
        words = [sys.executable, "-m", "ruff", *verb, "--quiet", "--stdin-filename", str(place), "-"]
        text = subprocess.run(words, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return text


def stale(files: Mapping[str, str]) -> list[str]:
    """Paths below client/ that differ from what would be written, or that no page asks for any more."""
    there = {f"calls/{path.name}" for path in (HERE / "calls").glob("*.py")} | {"__init__.py"}
    differing = {
        name
        for name, text in files.items()
        if not (HERE / name).exists() or (HERE / name).read_text("utf-8") != text
    }
    return sorted(differing | (there - set(files)))


def main() -> None:
    """Write client/, and take away what no page asks for any more; with --check only say what differs."""
    files = written()
    old = stale(files)
    if "--check" in sys.argv[1:]:
        sys.exit(f"the client lags behind the pages ({', '.join(old)}): run `make docs`" if old else 0)
    for name in old:
        (HERE / name).parent.mkdir(parents=True, exist_ok=True)
        if name in files:
            (HERE / name).write_text(files[name], encoding="utf-8")
        else:
            (HERE / name).unlink()
    sys.stdout.write(f"{len(files)} files in {HERE}, {len(old)} of them new or changed\n")


if __name__ == "__main__":
    main()
