"""Reports: what a plant files or hands out, as a workbook with live formulas or as a typeset PDF, in Chinese or English.

A report is gathered once (`Report`: sections of figures, tables, pictures and notes) and written by `xlsx` or `pdf`; the same
state of the plant gives the same bytes, so that a report's digest can be filed.
"""
