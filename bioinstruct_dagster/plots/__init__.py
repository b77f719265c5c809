"""Figures for reports, cards and HTML pages: PNG and SVG, drawn by matplotlib."""
