"""The calls of a console, by page. Written by `python -m tools.write_client`; do not edit."""
