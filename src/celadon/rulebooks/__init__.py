"""The rulebooks that come with Celadon: one folder per standard and edition, with its tables and its cases.

`tools/import_tables.py` makes the tables from the reference tables; a test keeps them in step.
"""
