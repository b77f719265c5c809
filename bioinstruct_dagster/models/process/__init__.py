"""The model process: Dagster starts it. It loads torch and does not open the store."""
