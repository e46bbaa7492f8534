"""The example plant: Luhe Special Steel (鲁河特钢), an invented electric-arc steel mill in Shandong.

`generate` writes a year of it as a real plant's files would look, faults included, and returns what is true.
"""

from celadon.examples.eaf_mill.generator import SEED, Progress, digest, generate
from celadon.examples.eaf_mill.truth import ExampleTruth, Fault, Reported, read_truth

__all__ = ["SEED", "ExampleTruth", "Fault", "Progress", "Reported", "digest", "generate", "read_truth"]
