"""Stage 6: scores, base beside adapter, with their intervals."""
