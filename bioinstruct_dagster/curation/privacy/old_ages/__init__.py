"""Ages over 89 that a sentence tells."""
