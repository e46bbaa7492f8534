"""Overview: where a plant stands."""
