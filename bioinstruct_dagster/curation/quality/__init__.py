"""The quality gate: faults that a row shows by itself, without other rows."""
