"""The contamination gate: finds rows that repeat an evaluation item."""
