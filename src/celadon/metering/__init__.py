"""Registers to the conserved interval ledger; balance, tariffs and records; the facts that rulebooks ask for."""
