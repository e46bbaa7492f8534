"""The example country: invented enterprises with realistic sectors and regions, a registry and monthly facts.

`generate` writes it, streaming, at any size up to millions of enterprises; planted anomalies come with their truth.
"""

from celadon.examples.country.generator import SEED, Country, digest, generate
from celadon.examples.country.planting import KINDS

__all__ = ["KINDS", "SEED", "Country", "digest", "generate"]
