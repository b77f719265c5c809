"""The DuckDB store: tables, locks, the completion journal. Imports no stage."""
