"""The page of one factor table."""
