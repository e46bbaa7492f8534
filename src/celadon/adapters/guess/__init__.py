"""The mapping assistant: how an unknown file of a plant could be read, each setting with its reason and alternatives.

guess = guess_source(plant, Path("export.csv"))
guess.block            # what `sources:` of the plant file would need; nothing is applied
guess.doubtful         # what a person should look at
"""

from celadon.adapters.guess.choices import Choice, Guess, Other
from celadon.adapters.guess.source import guess_source

__all__ = ["Choice", "Guess", "Other", "guess_source"]
