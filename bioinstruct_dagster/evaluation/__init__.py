"""Stage 6: scores of base model and adapter, with confidence intervals."""
