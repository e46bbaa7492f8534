"""No Python file is longer than 600 lines, and nothing under src promises to be finished later."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 600
NOT_OURS = {"build", "dist", "__pycache__", "vendor"}
SOURCE_SUFFIXES = {".py", ".yaml", ".csv", ".html", ".css", ".js", ".md", ".sql"}
UNFINISHED = re.compile(r"\b(TODO|FIXME)\b")


def files(folder: Path) -> Iterator[Path]:
    """Every file below `folder` that is part of the project, in a stable order."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in NOT_OURS or path.name.endswith(".egg-info"):
            continue
        if path.is_dir():
            yield from files(path)
        elif path.is_file():
            yield path


def problems(root: Path) -> list[str]:
    """One line for each file that is too long and each line that is unfinished."""
    found = []
    for path in files(root):
        where = path.relative_to(root)
        in_source = where.parts[0] == "src" and path.suffix in SOURCE_SUFFIXES
        if path.suffix != ".py" and not in_source:
            continue
        # Samples of damaged encodings live in src too; their bytes need only be searched.
        lines = path.read_text("utf-8", errors="replace").splitlines()
        if path.suffix == ".py" and len(lines) > LIMIT:
            found.append(f"{where}: {len(lines)} lines, more than {LIMIT}: split it by what it does")
        if in_source:
            found += [
                f"{where}:{number}: {match.group()}: finish it, or file it as an issue"
                for number, line in enumerate(lines, 1)
                if (match := UNFINISHED.search(line))
            ]
    return found


def main() -> int:
    """Prints the problems; the exit status says whether there are any."""
    found = problems(ROOT)
    sys.stdout.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
