"""Review by persons: a sample to judge, the judgements, and what they say of rows and filters."""
