"""The console: pages, their JSON twins and the people who may see them, over a folder of plants and regions."""
