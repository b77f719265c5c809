"""The contamination gate: rows that repeat an evaluation item."""
