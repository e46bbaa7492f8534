"""Mapping assistant: how an upload could be read, and what adding it changes."""
