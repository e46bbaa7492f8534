"""Where the tests find the reference data: real measurements and worked examples, never copied in.

It is a folder named `shared` next to the checkout, or wherever CELADON_SHARED says.
"""

import os
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parent.parent


def shared_folder() -> Path:
    """The folder the reference data should be in, whether it is there or not."""
    named = os.environ.get("CELADON_SHARED")
    return Path(named) if named else ROOT.parent / "shared"


def shared(path: str) -> Path:
    """The file or folder `path` of the reference data, for example `data/steel_energy/expected.json`.

    Where it is absent, the test (or the whole module, at import) is skipped; in CI that is a failure.
    """
    found = shared_folder() / path
    if not found.exists():
        _absent(path)
    return found


def _absent(path: str) -> NoReturn:
    message = (
        f"reference data absent: {path} is not in {shared_folder()}; "
        "put the folder `shared` next to the checkout, or name it in CELADON_SHARED"
    )
    if os.environ.get("CI") == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message, allow_module_level=True)
