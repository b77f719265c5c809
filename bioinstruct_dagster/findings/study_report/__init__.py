"""One file that says what a study found, for a reader without Dagster and without the store."""
