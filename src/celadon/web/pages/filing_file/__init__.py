"""A filing's package, to keep."""
