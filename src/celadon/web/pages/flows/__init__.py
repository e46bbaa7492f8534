"""Flows: energy and carbon through the meters."""
