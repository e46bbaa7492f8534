"""An environment of its own with what others would use, so that nothing of it is needed to develop Celadon."""

from __future__ import annotations

import subprocess
import sys
import venv
from functools import cache
from pathlib import Path

import duckdb

PACKAGES = ("OpenFisca-Core==46.0.1", "pandas==2.3.3", "pyarrow==21.0.0", f"duckdb=={duckdb.__version__}")


@cache
def environment(folder: Path) -> str | None:
    """Its Python; None (told once) where the packages cannot be installed."""
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    words = [python, "-m", "pip", "install", "-q", *PACKAGES]
    installed = subprocess.run(words, capture_output=True, check=False, text=True)
    if installed.returncode:
        last = (installed.stderr.strip().splitlines() or ["?"])[-1]
        print(f"openfisca-core and pandas are left out: {last}", file=sys.stderr)
        return None
    return python
