"""Quotas of a region at risk."""
