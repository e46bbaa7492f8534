"""The page of one rulebook."""
