"""Names of persons in running text: their patterns, and the names that stand for no person."""
