"""Explain: one number down to its factor rows and the lines of files."""
