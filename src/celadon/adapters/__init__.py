"""Getting facts in: one folder per kind of source, each with its samples."""
