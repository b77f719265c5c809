"""Tasks: what a model is asked about an item, in words and tokens. No model is run here."""
