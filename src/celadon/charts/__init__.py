"""Charts: what is drawn, apart from how. A chart is a frozen description with texts in both languages; `scene` lays it out
once, and the same scene is written as SVG (pages, PDF), as a Vega specification, or as PNG (workbooks)."""
