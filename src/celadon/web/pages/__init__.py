"""The pages: a folder each, with view.py, template.html and case.yaml. How to add one: docs/adding-a-page.md."""
