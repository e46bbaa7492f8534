"""Reconcile: two rulebooks on the same facts, and why their totals differ."""
