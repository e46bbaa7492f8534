"""Models that several pages use. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations
