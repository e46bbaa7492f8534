"""The page of one filing."""
