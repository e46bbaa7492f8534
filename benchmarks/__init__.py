"""Benchmarks: speed, memory and size as ratios side by side, on the machine they run on. See README.md."""
