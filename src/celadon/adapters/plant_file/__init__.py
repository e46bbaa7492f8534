"""The plant file: one readable YAML file that says what a plant is, how its meters nest and its files read."""

from celadon.adapters.plant_file.build_sources import source_files
from celadon.adapters.plant_file.reader import plant_path, read_plant, read_plant_text

__all__ = ["plant_path", "read_plant", "read_plant_text", "source_files"]
