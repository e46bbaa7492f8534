"""Chapters that several sector texts have alike are alike here, but for the text's own number: none is mended alone."""

from __future__ import annotations

import re

from celadon.rules.rulebook import SHIPPED, shipped_ids

ALIKE = {
    # The other sector texts say more or less in these chapters, and theirs are their own.
    "fuel_combustion": {
        "cn_gbt_32151_10_2015_chemicals", "cn_gbt_32151_13_2023_coking", "cn_gbt_32151_4_2015_aluminium",
        "cn_ipcc_2006_lime", "cn_ndrc_2013_ceramics", "cn_ndrc_2013_flat_glass", "cn_ndrc_2013_magnesium",
        "cn_ndrc_2014_petrochemicals", "cn_ndrc_2015_machinery_other", "cn_ndrc_2015_paper",
    },
    "purchased_energy": {
        "cn_gbt_32151_10_2015_chemicals", "cn_gbt_32151_13_2023_coking", "cn_gbt_32151_4_2015_aluminium",
        "cn_gbt_32151_5_2015_iron_steel", "cn_ipcc_2006_lime", "cn_ndrc_2013_cement", "cn_ndrc_2013_ceramics",
        "cn_ndrc_2013_flat_glass", "cn_ndrc_2013_magnesium", "cn_ndrc_2014_petrochemicals",
        "cn_ndrc_2015_machinery_other", "cn_ndrc_2015_paper",
    },
}  # fmt: skip


def test_chapters_that_are_alike_stay_alike() -> None:
    for chapter, expected in ALIKE.items():
        bodies: dict[str, set[str]] = {}
        for book in shipped_ids():
            for path in (SHIPPED / book).glob(f"s*_{chapter}.py"):
                code = path.read_text("utf-8").split("\n", 1)[
                    1
                ]  # the first line is the text's own description
                bare = re.sub(r'^standard = document\(".*"\)$', "", code, flags=re.MULTILINE)
                assert bare != code, path
                bodies.setdefault(bare, set()).add(book)
        assert max(bodies.values(), key=len) == expected, chapter
