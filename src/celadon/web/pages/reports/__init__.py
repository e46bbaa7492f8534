"""Reports of a plant, to download."""
