"""Audit: the changes that were made, each sealed by the digest of all before it."""
