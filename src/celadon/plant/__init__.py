"""A plant opened: its file, its store, and one module per verb (load, check, balance, account, explain, compare …)."""
