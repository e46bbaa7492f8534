"""Writes the lock files: exact pins of everything pyproject.toml asks for, resolved in clean environments.

`requirements.lock` pins the runtime dependencies, the extras `reports`, `filings` and `columns` and the build backend, `requirements-dev.lock` adds the
`dev` extra. Run it through `make lock`, with the oldest supported Python, so that what only that version
needs is in. The lock holds names and versions and nothing about where packages come from.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9.!+_-]*")
HEADER = "# Written by `make lock` from pyproject.toml; do not edit.\n"


def resolve(requirements: list[str], constraint: Path | None = None) -> list[str]:
    """The pins of `requirements` and all they need, from an environment that held nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        pip = [str(Path(folder) / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
        held = ["-c", str(constraint)] if constraint else []
        subprocess.run([*pip, "install", "--quiet", *held, *requirements], check=True)
        frozen = subprocess.run([*pip, "freeze"], check=True, capture_output=True, text=True).stdout
    pins = sorted(frozen.splitlines(), key=str.lower)
    strange = [line for line in pins if not PIN.fullmatch(line)]
    if strange:
        sys.exit(f"not a plain name==version pin: {', '.join(strange)}")
    return pins


def main() -> None:
    """Resolves, then replaces both lock files."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extras = pyproject["project"]["optional-dependencies"]
    # The console, its reports, filings and sums by columns are extras for those who install the package, and there in the checkout.
    runtime_wanted = pyproject["project"]["dependencies"] + pyproject["build-system"]["requires"]
    runtime_wanted += extras["console"] + extras["reports"] + extras["filings"] + extras["columns"]
    dev_wanted = extras["dev"]

    runtime = resolve(runtime_wanted)
    runtime_lock = ROOT / "requirements.lock"
    runtime_lock.write_text(HEADER + "\n".join(runtime) + "\n", "utf-8")

    dev = [pin for pin in resolve(runtime_wanted + dev_wanted, runtime_lock) if pin not in runtime]
    text = HEADER + "-r requirements.lock\n" + "\n".join(dev) + "\n"
    (ROOT / "requirements-dev.lock").write_text(text, "utf-8")
    sys.stdout.write(f"requirements.lock: {len(runtime)} pins; requirements-dev.lock: {len(dev)} more\n")


if __name__ == "__main__":
    if sys.version_info[:2] != (3, 11):
        sys.exit("make lock needs Python 3.11, the oldest supported version: make lock PYTHON=python3.11")
    main()
