"""The plant file: one readable YAML file that says what a plant is, how its meters nest and how its files read."""
