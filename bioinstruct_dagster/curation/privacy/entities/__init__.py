"""Names and places that a language model sees: the model, and which of its names count."""
