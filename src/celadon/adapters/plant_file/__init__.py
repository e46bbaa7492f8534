"""The plant file: one readable YAML file that says what a plant is, how meters nest and how files read."""

from celadon.adapters.plant_file.build_sources import source_files
from celadon.adapters.plant_file.plant_json import meters_digest, plant_digest, plant_from_json, plant_to_json
from celadon.adapters.plant_file.reader import plant_path, read_plant, read_plant_text
from celadon.adapters.plant_file.summary import plant_summary
from celadon.adapters.plant_file.template import write_template

__all__ = [
    "meters_digest",
    "plant_digest",
    "plant_from_json",
    "plant_path",
    "plant_summary",
    "plant_to_json",
    "read_plant",
    "read_plant_text",
    "source_files",
    "write_template",
]
