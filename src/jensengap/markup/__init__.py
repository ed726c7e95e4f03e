"""HTML and SVG for pages: drawings, interactive figures, widgets, networks as text."""
