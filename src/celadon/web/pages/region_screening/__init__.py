"""Anomalous reports of a region, with evidence."""
