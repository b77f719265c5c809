"""The review page: one HTML file with its rows, style and script, which works without a network."""
