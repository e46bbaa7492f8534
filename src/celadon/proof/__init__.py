"""Filings: a period of a plant frozen under a rulebook, signed, logged, and checked by somebody who does not trust us."""
