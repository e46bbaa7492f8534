"""Readings: the lines of files behind a stretch of a meter."""
