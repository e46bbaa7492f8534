"""Example plants that come with the program, each made by a deterministic generator."""
