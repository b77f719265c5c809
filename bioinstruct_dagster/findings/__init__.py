"""What a study found: experiments ranked, categories beside each other, scores by size."""
