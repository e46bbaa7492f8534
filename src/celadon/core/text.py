"""Text that a user reads, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Lang = Literal["zh", "en"]
LANGS: tuple[Lang, ...] = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Text:
    """One message in both languages; braces are filled from named values."""

    en: str
    zh: str

    def say(self, lang: Lang, values: Mapping[str, object] | None = None) -> str:
        """The text in `lang`, with `{name}` filled from `values`."""
        template = self.zh if lang == "zh" else self.en
        return template.format_map(dict(values)) if values is not None else template

    def __str__(self) -> str:
        return self.en


def text_from(value: object) -> Text:
    """Read `{zh: …, en: …}` or one plain string used for both languages (ValueError otherwise)."""
    if isinstance(value, str):
        return Text(en=value, zh=value)
    if isinstance(value, Mapping) and set(value) <= {"zh", "en"} and value:
        en, zh = value.get("en"), value.get("zh")
        return Text(en=str(en if en is not None else zh), zh=str(zh if zh is not None else en))
    raise ValueError(f"expected a string or {{zh: …, en: …}}, got {value!r}")
