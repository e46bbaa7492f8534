"""Names: what the places and items of a plant are called, and the keys a value goes by in its rulebook."""

from __future__ import annotations

from celadon.core.carriers import CARRIERS
from celadon.core.model import Plant as PlantModel
from celadon.core.text import Text
from celadon.engine.run import Row
from celadon.rules.rulebook import Rulebook

REST = "~rest"
_UNATTRIBUTED = Text("not attributed", "未归属")


class Names:
    """What places (enterprise, sites, processes, meters) and items (carriers, products) are called; others by their id."""

    def __init__(self, model: PlantModel) -> None:
        self._places: dict[str, Text] = {model.enterprise: model.name}
        for site in model.sites:
            self._places |= {site.id: site.name} | {process.id: process.name for process in site.processes}
        for meter in model.meters:
            self._places[meter.id] = Text(f"{meter.id} {meter.name.en}", f"{meter.id} {meter.name.zh}")
        self._places |= {meter.id: meter.name for meter in model.virtual_meters}
        self._items: dict[str, Text] = {name: carrier.label for name, carrier in CARRIERS.items()}
        self._items |= {carrier.id: carrier.label for carrier in model.carriers}
        self._items |= {product.id: product.name for product in model.products}

    def place(self, name: str) -> Text:
        """A place; what is left over below a meter is named after it."""
        if not name:
            return _UNATTRIBUTED
        if name.endswith(REST):
            above = self._places.get(name.removesuffix(REST), Text(name, name))
            return Text(f"{above.en}: not metered below", f"{above.zh}：未计量余量")
        return self._places.get(name, Text(name, name))

    def item(self, name: str) -> Text:
        """A carrier, product or other item."""
        return self._items.get(name, Text(name, name))


def keys_of(book: Rulebook, row: Row) -> dict[str, str]:
    """The keys of a value besides its place, by the names of its rulebook: carrier, product, gas, purpose …"""
    rules = book.rules.get(row.quantity)
    keys = [key for key in (rules[0].grain.keys if rules else ()) if key != "purpose"]
    found = {keys[0]: row.item} if keys and row.item else {}
    return {**found, **({"purpose": row.purpose} if row.purpose else {})}
