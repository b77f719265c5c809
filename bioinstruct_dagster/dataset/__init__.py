"""Stage 4: the Hugging Face data set on disk."""
