"""Celadon: measure once; account, diagnose, plan and prove under every rulebook.

    import celadon

    plant = celadon.open_plant("my-plant")
    plant.load()
    result = plant.account("cn_gbt_2589_2020", "2018", per="month")

Importing this loads no rulebook and no database; `open_plant` and the types below are fetched when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from celadon.core.version import VERSION

if TYPE_CHECKING:
    from celadon.core.findings import Finding, FindingError
    from celadon.plant.facade import Plant, open_plant
    from celadon.plant.new import new_plant

__version__ = VERSION
__all__ = ["Finding", "FindingError", "Plant", "__version__", "new_plant", "open_plant"]

_HOMES = {
    "Finding": "celadon.core.findings",
    "FindingError": "celadon.core.findings",
    "Plant": "celadon.plant.facade",
    "new_plant": "celadon.plant.new",
    "open_plant": "celadon.plant.facade",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'celadon' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
