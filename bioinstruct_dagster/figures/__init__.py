"""Small drawings and formatted numbers for the pages of Dagster's UI."""
