"""The docs are fresh: the generated handbook is what the code would write now, and no link is broken."""

import importlib.util
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parent.parent
HANDBOOK = Path("docs/handbook")
LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
FENCE = re.compile(r"^(```|~~~).*?^\1[^\S\n]*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*\s*$", re.MULTILINE)
EXPLICIT_ANCHOR = re.compile(r"<a\s+(?:id|name)=\"([^\"]+)\"")


def anchors(text: str) -> set[str]:
    """The fragments a page can be linked at, as code hosts derive them from its headings."""
    text = FENCE.sub("", text)
    found = set(EXPLICIT_ANCHOR.findall(text))
    seen: dict[str, int] = {}
    for heading in HEADING.findall(text):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        found.add(f"{slug}-{count}" if count else slug)
    return found


def broken_links(root: Path) -> Iterator[str]:
    """One line for each relative link that leads nowhere."""
    for page in [*sorted(root.glob("*.md")), *sorted(root.glob("docs/**/*.md"))]:
        prose = CODE.sub("", FENCE.sub("", page.read_text("utf-8")))
        for link in LINK.findall(prose):
            if re.match(r"[a-z][a-z0-9+.-]*:", link):
                continue
            path, _, fragment = unquote(link).partition("#")
            target = page.parent / path if path else page
            if not target.exists():
                yield f"{page.relative_to(root)}: nothing at {link}"
            elif fragment and target.suffix == ".md" and fragment not in anchors(target.read_text("utf-8")):
                yield f"{page.relative_to(root)}: no heading for {link}"


def stale_pages(committed: Path, generated: Path) -> Iterator[str]:
    """One line for each page of the handbook that differs from what the code writes."""
    old = {path.relative_to(committed): path for path in committed.rglob("*") if path.is_file()}
    new = {path.relative_to(generated): path for path in generated.rglob("*") if path.is_file()}
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield f"{HANDBOOK / name}: no longer generated"
        elif name not in old:
            yield f"{HANDBOOK / name}: missing"
        elif old[name].read_bytes() != new[name].read_bytes():
            yield f"{HANDBOOK / name}: out of date"


def handbook_problems(root: Path) -> list[str]:
    """Writes the handbook into an empty folder and compares."""
    if importlib.util.find_spec("celadon.handbook") is None:
        return [f"{HANDBOOK}: nothing generates it"] if (root / HANDBOOK).exists() else []
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "celadon.handbook", folder], check=True, stdout=subprocess.DEVNULL
        )
        stale = list(stale_pages(root / HANDBOOK, Path(folder)))
    return [*stale, "run `make docs` and commit what it writes"] if stale else []


def main() -> int:
    """Prints the problems; the exit status says whether there are any."""
    found = [*broken_links(ROOT), *handbook_problems(ROOT)]
    sys.stdout.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
