"""How a rulebook is run: compile to one query, run it on facts, explain a cell, compare two results."""
