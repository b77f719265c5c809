"""The judge: grades of a language model for answers, and how far they agree with people."""
