"""Celadon's version, for whatever says what made it."""

VERSION = "0.1.0"
