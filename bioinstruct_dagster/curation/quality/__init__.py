"""The quality gate: what a row alone shows to be wrong."""
