"""The page of all rulebooks."""
