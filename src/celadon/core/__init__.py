"""The vocabulary every other package speaks. No I/O; imports nothing else of Celadon."""
