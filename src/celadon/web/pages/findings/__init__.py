"""Findings: triage, and the quarantine with correction and replay."""
