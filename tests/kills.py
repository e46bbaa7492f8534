"""How many kills a test makes: few in an ordinary run, hundreds where CELADON_KILLS says so."""

import os


def kills(usual: int) -> int:
    """`usual`, or what CELADON_KILLS says."""
    return int(os.environ.get("CELADON_KILLS", usual))
