"""One number of a region, explained."""
