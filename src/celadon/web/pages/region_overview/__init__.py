"""A region at a glance, and what of it is public."""
